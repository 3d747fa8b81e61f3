"""A module in the controller's process does what the module that travels does."""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runners import Playbooks, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|[\w-]{43}|\b1[0-9]{12}\b"
)
RESOURCE = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "hush-hush-hush"}
TASKS: list[dict[str, Any]] = [
    {"gravitee.mcp.gravitee_api": {"context_path": "/w", "name": "W", "target": "http://w/mcp", "labels": "a,b"}},
    {"gravitee.mcp.gravitee_api": {"context_path": "/w", "read_timeout": "5000"}},
    {"gravitee.mcp.gravitee_api": {"context_path": "/w", "read_timeout": 6000}, "check_mode": True, "diff": True},
    {"gravitee.mcp.am_resource": {"context_path": "/w", **RESOURCE}},
    {"gravitee.mcp.am_resource": {"context_path": "/w", "client_secret": "hush-other-hush"}, "diff": True},
    {"gravitee.mcp.gravitee_plan": {"context_path": "/w", "security": "oauth2", "oauth_resource": "nope"}},
    {"gravitee.mcp.gravitee_plan": {"context_path": "/nowhere", "security": "key_less"}, "check_mode": True},
    {"gravitee.mcp.am_domain_settings": {"domain": "disabled", "login": {"register_enabled": "yes"}}},
    {"gravitee.mcp.am_domain_settings": {"domain": "disabled", "bogus": 1}},
    {"gravitee.mcp.gravitee_api": {"context_path": "/w", "read_timeout": "soon"}},
    {"gravitee.mcp.gravitee_api_info": {"name": "hush-in-the-name"}, "no_log": True},
    {"gravitee.mcp.gravitee_api_info": {"apim_token": "hush-token-hush"}},
    {"gravitee.mcp.gravitee_api_info": {"environment": "{{ 'nope' }}"}},
    {"gravitee.mcp.gravitee_api_info": {}, "environment": {"GRAVITEE_ENVIRONMENT": "from-the-task"}},
    {"gravitee.mcp.mcp_check": {"url": "http://127.0.0.1:9/mcp", "retries": 0}},
    {"gravitee.mcp.mcp_check": {"url": "http://127.0.0.1:9/mcp", "retries": 0, "expect": "open"}},
]


def play(playbooks: Playbooks, tasks: list[dict[str, Any]], world: World, **variables: Any) -> list[dict[str, Any]]:
    """The recorded results of tasks of which any may fail, with module_defaults for the connection."""
    defaults = {"group/gravitee.mcp.gravitee": connection(world)}
    named = [{"name": f"task {number}", "ignore_errors": True, **task} for number, task in enumerate(tasks)]
    text = [{"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "vars": variables, "tasks": named}]
    path = playbooks.folder / "play.yml"
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    played = playbooks.run(str(path), "-vvv")
    assert "hush" not in played.output.replace("hush-in-the-name", ""), "a secret was shown"
    return [entry for entry in played.tasks if entry["task"].startswith("task ")]


def plain(entry: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without ids, times and what Ansible adds for itself."""
    result = {key: value for key, value in entry["result"].items() if not key.startswith("_ansible") and key != "exception"}
    return json.loads(VARYING.sub("…", json.dumps({**entry, "result": result}, default=str, sort_keys=True)))


def test_same_results_both_ways(sandbox: Sandbox, world: World, tmp_path: Path) -> None:
    seen = []
    for stays in (True, False):
        sandbox.reset()
        domain = Domain(world, {"name": "disabled"})
        world.domains[domain.id] = domain
        folder = tmp_path / str(stays)
        folder.mkdir()
        entries = play(Playbooks(world, folder), TASKS, world, gravitee_mcp_in_controller=stays)
        assert len(entries) == len(TASKS)
        seen.append([plain(entry) for entry in entries])
    for mine, theirs in zip(*seen, strict=True):
        assert mine == theirs
    warnings = seen[0][7]["result"]["warnings"]
    assert any("is disabled" in warning for warning in warnings)
    assert "Unsupported parameters" in seen[0][8]["result"]["msg"]
    assert "Invalid organization or environment" in seen[0][13]["result"]["msg"]


@pytest.mark.parametrize(
    ("given", "travels"),
    [
        ({}, False),
        ({"vars": {"gravitee_mcp_in_controller": False}}, True),
        ({"vars": {"ansible_python_interpreter": "/elsewhere/python"}}, True),
        ({"vars": {"ansible_python_interpreter": "auto_silent"}}, False),
        ({"async": 20, "poll": 1}, True),
        ({"become": True, "become_user": "root"}, True),
    ],
)
def test_who_travels(playbooks: Playbooks, world: World, given: dict, travels: bool) -> None:
    """As Ansible's own output tells: a module that travels has a module file."""
    task = {"name": "task", "ignore_errors": True, "gravitee.mcp.gravitee_api_info": connection(world), **given}
    path = playbooks.folder / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    assert ("Using module file" in playbooks.run(str(path), "-vvv").output) is travels


def test_another_host_gets_the_module(playbooks: Playbooks, world: World) -> None:
    """One that is reached otherwise than locally, even if it is this machine."""
    task = {"name": "task", "gravitee.mcp.gravitee_api_info": connection(world), "ignore_unreachable": True}
    where = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    play_it = [{"hosts": "localhost", "gather_facts": False, "vars": where, "tasks": [task]}]
    path = playbooks.folder / "play.yml"
    path.write_text(yaml.safe_dump(play_it), encoding="utf-8")
    assert "ESTABLISH SSH CONNECTION" in playbooks.run(str(path), "-vvv").output
