"""What one ansible-playbook costs on a sandbox in a process of its own."""
from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

from tests.runners import BIN, ROOT, connection
from tests.sandbox.am_domain import ALICE, enabled_domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

from .inventory import fill

COLLECTIONS = ROOT / "build/collections"
PLAYBOOKS = COLLECTIONS / "ansible_collections/gravitee/mcp/playbooks"


def serve(pipe: Connection) -> None:
    """The sandbox's process: answers what is asked for on the pipe. A number asks for so many APIs more."""
    logging.disable(logging.INFO)
    world = World()
    sandbox = Sandbox(world, fast=True).start()
    pipe.send(world.urls)
    while True:
        match pipe.recv():
            case "reset":
                sandbox.reset()
                enabled_domain(world, **ALICE)
                # The gateway lets in a client that registered itself.
                world.validate_subscription, world.introspection_window = False, 0.0
                pipe.send(None)
            case int() as count:
                fill(world, count)
                pipe.send(None)
            case "stop":
                pipe.send(None)
                return
            case "used":
                pipe.send((len(world.log), time.process_time()))


@dataclass
class Cost:
    """Of one ansible-playbook. Times in seconds, memory in MB; cpu and rss are the controller's with its workers."""

    wall: float
    cpu: float
    rss: float
    requests: int
    sandbox_cpu: float

    @property
    def share(self) -> float:
        return self.sandbox_cpu / (self.sandbox_cpu + self.cpu)


class Bench:
    def __init__(self, folder: Path):
        self.folder = folder
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        self.urls: dict[str, str] = self.pipe.recv()
        self.world = World(urls=self.urls)

    def ask(self, what: str | int) -> Any:
        self.pipe.send(what)
        return self.pipe.recv()

    def fleet(self, count: int, *, verify: bool = False) -> Path:
        shared = {
            **connection(self.world),
            "gateway_url": self.urls["gateway"],
            "am_gateway_url": self.urls["am_gateway"],
            "domain": "mcp-demo",
            "target": self.urls["mcp"],
            "preflight": "skip",
            "verify": verify,
            "registered_clients": "ignore",
        }
        hosts = {f"s{i}": {"secure_mcp_name": f"S{i}", "secure_mcp_context_path": f"/s{i}-mcp"} for i in range(count)}
        variables = {f"secure_mcp_{name}": value for name, value in shared.items()}
        variables["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
        path = self.folder / f"{count}.yml"
        path.write_text(yaml.safe_dump({"mcp_servers": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
        return path

    def play(self, inventory: Path, playbook: Path | str, *arguments: str) -> Cost:
        """A playbook of this collection by its name, or one's own by its path."""
        path = PLAYBOOKS / playbook if isinstance(playbook, str) else playbook
        return self.run([BIN / "ansible-playbook", "-i", inventory, path, *arguments])

    def run(self, command: list[Any]) -> Cost:
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
            "XDG_RUNTIME_DIR": str(self.folder),
        }
        requests, sandbox = self.ask("used")
        began = time.monotonic()
        log = (self.folder / "log").open("w+")
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        status, used = os.wait4(process.pid, 0)[1:]
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{command} ended with {process.returncode}:\n{log.read()[-3000:]}")
        requests_after, sandbox_after = self.ask("used")
        cpu = used.ru_utime + used.ru_stime
        return Cost(wall, cpu, used.ru_maxrss / 1024, requests_after - requests, sandbox_after - sandbox)
