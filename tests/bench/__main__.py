"""make bench: what securing and checking MCP servers costs on the sandbox, as ratios of one run.

For 1, 100 and 1,000 servers: a first run, a second run and a check with fleet.yml, and audit.yml with its look from outside. For
one server the role's first run and check. For 100 servers the check among 10,000 other APIs, and the same reads as a plain
ansible.builtin.uri playbook; for 10 the role's check, once in the controller's process and once as modules that travel
(AnsiballZ). Calls through the gateway, without and with tool rules. Last, ansible-inventory with the inventory plugin, where 100
of 1,000 and of 10,000 APIs are MCP servers. The sandbox runs in a process of its own, and its share of the CPU time is told. The
last line is one JSON object.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.runners import BIN

from .calls import calls_per_second
from .inventory import MCP_SERVERS, source
from .playing import Bench, Cost

URI = Path(__file__).parent / "uri.yml"
FLEET = {
    "first": ("fleet.yml",),
    "again": ("fleet.yml",),
    "check": ("fleet.yml", "--check"),
    "audit": ("audit.yml",),
}
ROLE = {"first": (), "check": ("--check",)}
Costs = dict[int, dict[str, Cost]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench BENCH_ARGS=…")
    parser.add_argument("--servers", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--crowd", type=int, default=10_000, help="how many APIs an environment has beside them")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long tools are called")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        print(f"{os.cpu_count()} CPUs; wall and CPU in seconds of the controller with its workers, memory in MB\n")
        print(f"{'servers':>8} {'run':12} {'wall':>7} {'CPU':>7} {'memory':>7} {'requests':>9} {'a server':>9} {'sandbox':>8}")
        costs = {count: measure(bench, count) for count in options.servers}
        told = {**fleet(costs), **others(bench, costs, options.crowd, options.seconds), **inventories(bench, options.crowd)}
        bench.ask("stop")
        print("\n" + json.dumps(told))


def line(count: int, name: str, cost: Cost) -> Cost:
    print(
        f"{count:>8} {name:12} {cost.wall:>7.2f} {cost.cpu:>7.2f} {cost.rss:>7.0f} {cost.requests:>9} "
        f"{cost.requests / count:>9.1f} {cost.share:>8.0%}",
        flush=True,
    )
    return cost


def measure(bench: Bench, count: int) -> dict[str, Cost]:
    bench.ask("reset")
    inventory = bench.fleet(count)
    variables = ("-e", "secure_mcp_batch=1000", "-e", f"secure_mcp_report={bench.folder / 'audit'}")
    return {
        name: line(count, name, bench.play(inventory, playbook, *variables, *more))
        for name, (playbook, *more) in FLEET.items()
    }


def middle(costs: Costs) -> int:
    """The number of servers that the ratios are about."""
    return max((number for number in costs if number <= 100), default=min(costs))


def fleet(costs: Costs) -> dict[str, Any]:
    count, most = middle(costs), max(costs)
    check, start = costs[count]["check"], costs[min(costs)]["check"]
    return {
        "servers": count,
        **{f"{name}_s": round(cost.wall, 2) for name, cost in costs[count].items()},
        "requests_per_server": {name: round(cost.requests / count, 2) for name, cost in costs[count].items()},
        f"audit_{most}_s": round(costs[most]["audit"].wall, 2),
        "rss_mb": round(check.rss),
        "rss_mb_one_server": round(start.rss),
        f"rss_mb_audit_{most}": round(costs[most]["audit"].rss),
        "sandbox_share": round(check.share, 2),
    }


def others(bench: Bench, costs: Costs, crowd: int, seconds: float) -> dict[str, Any]:
    """Against the same work done otherwise, in the same run."""
    count = middle(costs)
    few = min(10, count)
    bench.ask("reset")
    one = bench.fleet(1, verify=True)
    role = {name: line(1, f"role {name}", bench.play(one, "secure_mcp.yml", *more)) for name, more in ROLE.items()}
    bench.ask("reset")
    inventory = bench.fleet(count)
    bench.play(inventory, "fleet.yml")
    plain = line(count, "uri", bench.play(inventory, URI))
    inventory_of_few = bench.fleet(few)
    staying = line(few, "role", bench.play(inventory_of_few, "secure_mcp.yml", "--check"))
    apart = ("-e", '{"gravitee_mcp_in_controller": false}')
    travelling = line(few, "AnsiballZ", bench.play(inventory_of_few, "secure_mcp.yml", "--check", *apart))
    bench.ask(crowd)
    crowded = line(count, "in a crowd", bench.play(inventory, "fleet.yml", "--check"))
    calls = calls_per_second(bench, seconds)
    check = costs[count]["check"]
    print(f"\nchecking {count} servers: the uri playbook takes {plain.wall / check.wall:.1f} times as long")
    print(f"among {crowd:,} APIs the check takes {crowded.wall / check.wall:.1f} times as long")
    print(f"the role's check of {few}: modules that travel take {travelling.wall / staying.wall:.1f} times as long")
    print(f"calls per second: {', '.join(f'{number:.0f} {name}' for name, number in calls.items())}")
    return {
        **{f"role_{name}_s": round(cost.wall, 2) for name, cost in role.items()},
        "uri_over_ours": round(plain.wall / check.wall, 1),
        "crowded_over_check": round(crowded.wall / check.wall, 1),
        "rss_mb_crowded": round(crowded.rss),
        "ansiballz_over_ours": round(travelling.wall / few / (check.wall / count), 1),
        "ansiballz_over_role": round(travelling.wall / staying.wall, 1),
        "calls_with_tool_rules_over_without": round(calls["with tool rules"] / calls["without"], 2),
    }


def inventories(bench: Bench, crowd: int) -> dict[str, Any]:
    """The inventory plugin's memory: a process that lists the same MCP servers among ten times as many APIs."""
    costs = {}
    for count in (crowd // 10, crowd):
        bench.ask("reset")
        bench.ask(count)
        costs[count] = bench.run([BIN / "ansible-inventory", "-i", source(bench.folder, bench.world), "--list"])
        listed = json.loads((bench.folder / "log").read_text(encoding="utf-8"))["_meta"]["hostvars"]
        if len(listed) != MCP_SERVERS:
            raise SystemExit(f"{len(listed)} of {MCP_SERVERS} MCP servers were found among {count} APIs")
        line(count, "inventory", costs[count])
    few, many = costs[crowd // 10], costs[crowd]
    ratio = round(many.rss / few.rss, 2)
    print(f"\nlisting {MCP_SERVERS} MCP servers takes {ratio} times the memory of {crowd // 10:,} APIs where there are {crowd:,}")
    return {"inventory_rss_mb": round(many.rss), "inventory_rss_over_a_tenth": ratio, "inventory_s": round(many.wall, 2)}


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
