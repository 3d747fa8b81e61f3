"""make bench: what securing and checking a fleet costs on the sandbox, as ratios of one run.

For 1, 10, 100 and 1,000 servers: a first run, a second run and a check with fleet.yml. Next to the check, for 100 servers: the
same reads as a plain ansible.builtin.uri playbook; and for 10: the role's check, once in the controller's process and once as
modules that travel (AnsiballZ). Last, ansible-inventory with the inventory plugin, where 100 of 1,000 and of 10,000 APIs are MCP
servers. The sandbox runs in a process of its own, and its share of the CPU time is told. The last line is one JSON object.
"""
from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

from .bench_inventory import MCP_SERVERS, fill, source
from .runners import BIN, ROOT, connection
from .sandbox.am_domain import Domain
from .sandbox.servers import Sandbox
from .sandbox.world import World

COLLECTIONS = ROOT / "build/collections"
PLAYBOOKS = COLLECTIONS / "ansible_collections/gravitee/mcp/playbooks"


def serve(pipe: Connection) -> None:
    """The sandbox's process: answers "reset", "used" and a number of APIs to begin with on the pipe."""
    logging.disable(logging.INFO)
    world = World()
    sandbox = Sandbox(world, fast=True).start()
    pipe.send(world.urls)
    while True:
        match pipe.recv():
            case "reset":
                sandbox.reset()
                domain = Domain(world, {"name": "MCP demo"})
                domain.update({**domain.wire, "enabled": True})
                world.domains[domain.id] = domain
                pipe.send(None)
            case int() as count:
                sandbox.reset()
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

    def fleet(self, count: int) -> Path:
        shared = {
            **connection(self.world),
            "gateway_url": self.urls["gateway"],
            "am_gateway_url": self.urls["am_gateway"],
            "domain": "mcp-demo",
            "target": self.urls["mcp"],
            "preflight": "skip",
            "verify": False,
            "registered_clients": "ignore",
        }
        hosts = {f"s{i}": {"secure_mcp_name": f"S{i}", "secure_mcp_context_path": f"/s{i}-mcp"} for i in range(count)}
        variables = {f"secure_mcp_{name}": value for name, value in shared.items()}
        variables["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
        path = self.folder / f"{count}.yml"
        path.write_text(yaml.safe_dump({"mcp_servers": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
        return path

    def play(self, inventory: Path, playbook: Path | str, *arguments: str) -> Cost:
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


# What a check asks of each server, as one would write it without the collection.
URI = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.uri:
        url: "{{ hostvars[groups['mcp_servers'][0]].secure_mcp_apim_url }}/management/organizations/DEFAULT/user/login"
        method: POST
        user: admin
        password: admin
        force_basic_auth: true
      register: apim
      check_mode: false
    - ansible.builtin.uri:
        url: "{{ hostvars[groups['mcp_servers'][0]].secure_mcp_am_url }}/management/auth/token"
        method: POST
        user: admin
        password: adminadmin
        force_basic_auth: true
      register: am
      check_mode: false
    - ansible.builtin.uri:
        url: "{{ hostvars[groups['mcp_servers'][0]].secure_mcp_apim_url }}/management/v2/environments/DEFAULT/apis?perPage=1000"
        headers: {Authorization: "Bearer {{ apim.json.token }}"}
      register: apis
      check_mode: false
    - ansible.builtin.uri:
        url: "{{ hostvars[groups['mcp_servers'][0]].secure_mcp_am_url }}{{ domains }}/_hrid/mcp-demo"
        headers: {Authorization: "Bearer {{ am.json.access_token }}"}
      register: domain
      check_mode: false
  vars:
    domains: /management/organizations/DEFAULT/environments/DEFAULT/domains

- hosts: mcp_servers
  gather_facts: false
  connection: local
  vars:
    central: "{{ hostvars.localhost }}"
    apim: {Authorization: "Bearer {{ central.apim.json.token }}"}
    path: "{{ secure_mcp_context_path }}/"
    domain: "/management/organizations/DEFAULT/environments/DEFAULT/domains/{{ central.domain.json.id }}"
    mine: "{{ central.apis.json.data | selectattr('listeners.0.paths.0.path', 'eq', path) | first }}"
  tasks:
    - ansible.builtin.uri:
        url: "{{ secure_mcp_apim_url }}/management/v2/environments/DEFAULT/apis/{{ mine.id }}"
        headers: "{{ apim }}"
      register: api
      check_mode: false
    - ansible.builtin.uri:
        url: "{{ secure_mcp_apim_url }}/management/v2/environments/DEFAULT/apis/{{ mine.id }}/plans?statuses=PUBLISHED"
        headers: "{{ apim }}"
      register: plans
      check_mode: false
    - ansible.builtin.uri:
        url: "{{ secure_mcp_am_url }}{{ domain }}/protected-resources?type=MCP_SERVER&size=1000"
        headers: {Authorization: "Bearer {{ central.am.json.access_token }}"}
      register: servers
      check_mode: false
    - ansible.builtin.assert:
        that:
          - api.json.deploymentState == 'DEPLOYED'
          - api.json.endpointGroups[0].endpoints[0].configuration.target == secure_mcp_target
          - plans.json.data | map(attribute='security.type') | list == ['OAUTH2']
          - servers.json.data | selectattr('name', 'eq', secure_mcp_name) | length == 1
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…")
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 10, 100, 1000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        print(f"{os.cpu_count()} CPUs; wall and CPU in seconds of the controller with its workers, memory in MB\n")
        print(f"{'servers':>8} {'run':12} {'wall':>7} {'CPU':>7} {'memory':>7} {'requests':>9} {'a server':>9} {'sandbox':>8}")
        costs: dict[int, dict[str, Cost]] = {}
        for count in options.servers:
            costs[count] = measure(bench, count)
        told = ratios(bench, costs) | inventories(bench)
        bench.ask("stop")
        print("\n" + json.dumps(told))


def line(count: int, name: str, cost: Cost) -> None:
    print(
        f"{count:>8} {name:12} {cost.wall:>7.2f} {cost.cpu:>7.2f} {cost.rss:>7.0f} {cost.requests:>9} "
        f"{cost.requests / count:>9.1f} {cost.share:>8.0%}",
        flush=True,
    )


def measure(bench: Bench, count: int) -> dict[str, Cost]:
    bench.ask("reset")
    inventory = bench.fleet(count)
    runs = {"first": (), "again": (), "check": ("--check",)}
    costs = {}
    for name, arguments in runs.items():
        costs[name] = bench.play(inventory, "fleet.yml", "-e", "secure_mcp_batch=1000", *arguments)
        line(count, name, costs[name])
    return costs


def ratios(bench: Bench, costs: dict[int, dict[str, Cost]]) -> dict[str, Any]:
    """Against the same work done otherwise, in the same run."""
    count = max((number for number in costs if number <= 100), default=min(costs))
    few = min(10, count)
    uri = bench.folder / "uri.yml"
    uri.write_text(URI, encoding="utf-8")
    bench.ask("reset")
    inventory = bench.fleet(count)
    bench.play(inventory, "fleet.yml")
    plain = bench.play(inventory, uri)
    line(count, "uri", plain)
    inventory = bench.fleet(few)
    role = bench.play(inventory, "secure_mcp.yml", "--check")
    line(few, "role", role)
    travelling = bench.play(inventory, "secure_mcp.yml", "--check", "-e", '{"gravitee_mcp_in_controller": false}')
    line(few, "AnsiballZ", travelling)
    check, start = costs[count]["check"], costs[min(costs)]["check"]
    print(f"\nchecking {count} servers: the uri playbook takes {plain.wall / check.wall:.1f} times as long")
    print(f"the role's check of {few}: modules that travel take {travelling.wall / role.wall:.1f} times as long")
    return {
        "servers": count,
        "check_s": round(check.wall, 2),
        "first_s": round(costs[count]["first"].wall, 2),
        "again_s": round(costs[count]["again"].wall, 2),
        "uri_over_ours": round(plain.wall / check.wall, 1),
        "ansiballz_over_ours": round(travelling.wall / few / (check.wall / count), 1),
        "ansiballz_over_role": round(travelling.wall / role.wall, 1),
        "requests_per_server": {name: round(cost.requests / count, 2) for name, cost in costs[count].items()},
        "rss_mb": round(check.rss),
        "rss_mb_one_server": round(start.rss),
        "sandbox_share": round(check.share, 2),
    }


def inventories(bench: Bench) -> dict[str, Any]:
    """The inventory plugin's memory: a process that lists the same MCP servers among ten times as many APIs."""
    costs = {}
    for count in (1000, 10_000):
        bench.ask(count)
        costs[count] = bench.run([BIN / "ansible-inventory", "-i", source(bench.folder, bench.world), "--list"])
        listed = json.loads((bench.folder / "log").read_text(encoding="utf-8"))["_meta"]["hostvars"]
        if len(listed) != MCP_SERVERS:
            raise SystemExit(f"{len(listed)} of {MCP_SERVERS} MCP servers were found among {count} APIs")
        line(count, "inventory", costs[count])
    few, many = costs.values()
    ratio = round(many.rss / few.rss, 2)
    print(f"\nlisting {MCP_SERVERS} MCP servers: of 10,000 APIs the inventory plugin takes {ratio} times the memory of 1,000")
    return {"inventory_rss_mb": round(many.rss), "inventory_rss_over_1000": ratio, "inventory_s": round(many.wall, 2)}


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
