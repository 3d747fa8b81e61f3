"""make profile: where the time of the role for one server goes, task by task, with the requests that each one makes.

A first run, a second one and a check on the sandbox, whose gateways follow at once unless --sync-delay says otherwise. "start" is
Ansible's own, up to the first task; a task's time has its requests and its waiting in it.
"""
from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

from tests.runners import Playbooks
from tests.sandbox.am_domain import ALICE, enabled_domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import Request, World

RUNS = {"first run": (), "second run": (), "check": ("--check",)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make profile PROFILE_ARGS=…")
    parser.add_argument("--requests", action="store_true", help="each task's requests, too")
    parser.add_argument("--sync-delay", type=float, default=0.0, help="seconds until the gateways follow a change")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    world = World(sync_delay=options.sync_delay)
    sandbox = Sandbox(world).start()
    enabled_domain(world, **ALICE)
    with tempfile.TemporaryDirectory() as folder:
        playbooks = Playbooks(world, Path(folder))
        for name, arguments in RUNS.items():
            profile(playbooks, name, arguments, options.requests)
    sandbox.stop()


def profile(playbooks: Playbooks, name: str, arguments: tuple[str, ...], with_requests: bool) -> None:
    answered: list[tuple[float, Request]] = []
    playbooks.world.on_answer = lambda request: answered.append((time.time(), request))
    began = time.time()
    played = playbooks.run("secure_mcp.yml", *arguments)
    ended = time.time()
    if played.code:
        raise SystemExit(played.output)
    tasks = [task for task in played.tasks if task["outcome"] != "skipped"]
    start = tasks[0]["began"] - began
    print(f"\n{name}: {ended - began:.2f} s, {len(answered)} requests")
    line(start, "", "start")
    for task in tasks:
        own = [request for at, request in answered if task["began"] <= at <= task["ended"]]
        line(task["ended"] - task["began"], f"{len(own)} requests", task["task"])
        for request in own if with_requests else ():
            print(f"{'':>26}{request.plane} {request.method} {request.path} {request.status}")
    line(ended - began - start - sum(task["ended"] - task["began"] for task in tasks), "", "between tasks, and the end")


def line(seconds: float, requests: str, what: str) -> None:
    print(f"{seconds:>7.2f} s {requests:>12}   {what}")


if __name__ == "__main__":
    main()
