"""A module in the controller's process does what the module that travels does."""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import REQUIRED

from tests.runners import BIN, ROOT, Modules, Playbooks, Played, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|[\w-]{43}|\b1[0-9]{12}\b"
)
VERBOSE = "-vvv"  # Ansible tells then which module it starts as a process of its own
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
    {"gravitee.mcp.am_domain_settings": {"domain": "{{ item }}", "login": {}}, "loop": ["disabled", "nope", "other"]},
    {"gravitee.mcp.mcp_check": {"url": "http://127.0.0.1:9"}, "environment": {"GRAVITEE_RETRIES": 0, "GRAVITEE_TIMEOUT": "2"}},
]


def run(playbooks: Playbooks, tasks: list[dict[str, Any]], /, *arguments: str, servers: Any = None, **keywords: Any) -> Played:
    """A play of these tasks, on the controller unless `hosts` says otherwise."""
    path = playbooks.folder / "play.yml"
    text = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}]
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    return playbooks.run(str(path), *arguments, hosts=servers)


def travelled(played: Played) -> int:
    """How many modules Ansible started as processes of their own, as it tells when VERBOSE."""
    return played.output.count("Using module file")


def play(playbooks: Playbooks, tasks: list[dict[str, Any]], world: World, **variables: Any) -> list[dict[str, Any]]:
    """The recorded results of tasks of which any may fail, with module_defaults for the connection."""
    defaults = {"group/gravitee.mcp.gravitee": connection(world)}
    named = [{"name": f"task {number}", "ignore_errors": True, **task} for number, task in enumerate(tasks)]
    played = run(playbooks, named, VERBOSE, module_defaults=defaults, vars=variables)
    assert "hush" not in played.output.replace("hush-in-the-name", ""), "a secret was shown"
    return [entry for entry in played.tasks if entry["task"].startswith("task ")]


def plain(entry: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without ids, times and what Ansible adds for itself."""
    return json.loads(VARYING.sub("…", json.dumps(own(entry), default=str, sort_keys=True)))


def own(value: Any) -> Any:
    if isinstance(value, dict):
        left = {key: part for key, part in value.items() if not key.startswith("_ansible")}
        return {key: own(part) for key, part in left.items() if key not in ("exception", "began", "ended")}
    return [own(part) for part in value] if isinstance(value, list) else value


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
    task = {"name": "task", "ignore_errors": True, "gravitee.mcp.gravitee_api_info": connection(world), **given}
    assert bool(travelled(run(playbooks, [task], VERBOSE))) is travels


def test_another_host_gets_the_module(playbooks: Playbooks, world: World) -> None:
    """One that is reached otherwise than locally, even if it is this machine."""
    task = {"name": "task", "gravitee.mcp.gravitee_api_info": connection(world), "ignore_unreachable": True}
    where = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    assert "ESTABLISH SSH CONNECTION" in run(playbooks, [task], VERBOSE, vars=where).output


def test_every_module_has_the_action() -> None:
    modules = sorted(path.name for path in (ROOT / "plugins/modules").glob("*.py"))
    actions = sorted((ROOT / "plugins/action").glob("*.py"))
    assert [path.name for path in actions] == modules
    assert len({path.read_text(encoding="utf-8") for path in actions}) == 1


def test_module_defaults_reach_their_module_and_no_other(playbooks: Playbooks, world: World) -> None:
    defaults = {
        "group/gravitee.mcp.gravitee": connection(world),
        "gravitee.mcp.gravitee_api": {"context_path": "/w", "name": "W", "target": "http://w/mcp"},
        "gravitee.mcp.mcp_check": {"url": "http://127.0.0.1:9/mcp", "retries": 0},
    }
    tasks = [{"name": name, f"gravitee.mcp.{name}": {}} for name in ("gravitee_api", "mcp_check", "gravitee_api_info")]
    checked = run(playbooks, tasks, VERBOSE, "--check", module_defaults=defaults)
    assert (checked.code, travelled(checked), world.writes()) == (0, 0, []), checked.output
    done = run(playbooks, tasks, module_defaults=defaults)
    assert done.changed == ["gravitee_api"], done.output
    assert [api["name"] for api in done.result("gravitee_api_info")["apis"]] == ["W"]


def test_what_a_server_says_is_no_template(playbooks: Playbooks, modules: Modules, world: World) -> None:
    modules.run("gravitee_api", context_path="/w", name="W", target="http://w/mcp", description="{{ 6 * 7 }}")
    tasks = [
        {"gravitee.mcp.gravitee_api_info": connection(world), "register": "found"},
        {"name": "say it", "ansible.builtin.debug": {"msg": "{{ found.apis[0].description }}"}},
    ]
    assert run(playbooks, tasks).result("say it")["msg"] == "{{ 6 * 7 }}"


# What an ansible-core to come may do otherwise, as patches of the controller's; its own _execute_module goes on as ever. What
# else it may do is in tests/unit/test_in_controller.py.
UNKNOWN_CORES = {
    "arguments are returned": """on(ActionBase, "_update_module_args", lambda self, module_name, module_args, task_vars: {})""",
    "the result goes elsewhere": """on(basic.AnsibleModule, "_return_formatted", lambda self, result: None)""",
}
FAKE = """
from unittest import mock
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = "{{name: unknown_core, type: aggregate, short_description: An ansible-core to come, description: A fake}}"
on = mock.patch.object
unknown, execute = {patch}, ActionBase._execute_module

def as_ever(self, *args, **options):
    unknown.stop()
    try:
        return execute(self, *args, **options)
    finally:
        unknown.start()

unknown.start()
ActionBase._execute_module = as_ever

class CallbackModule(CallbackBase):
    CALLBACK_NAME, CALLBACK_TYPE, CALLBACK_VERSION = "unknown_core", "aggregate", 2.0
"""


@pytest.mark.parametrize("core", UNKNOWN_CORES)
def test_an_unknown_ansible_core_lets_modules_travel(playbooks: Playbooks, world: World, core: str) -> None:
    """With one warning; what is to be done is done, and once."""
    (playbooks.folder / "callback_plugins").mkdir()
    (playbooks.folder / "callback_plugins/unknown_core.py").write_text(FAKE.format(patch=UNKNOWN_CORES[core]), encoding="utf-8")
    named = {"context_path": "/{{ item }}", "name": "W", "target": "http://w/mcp"}
    api = {"gravitee.mcp.gravitee_api": named, "loop": ["a", "b"]}
    info = {"gravitee.mcp.gravitee_api_info": {}, "environment": {"GRAVITEE_TIMEOUT": "5"}}
    defaults = {"group/gravitee.mcp.gravitee": connection(world)}
    tasks = [{**api, "name": "check", "check_mode": True}, {**api, "name": "run"}, info]
    done = run(playbooks, tasks, VERBOSE, module_defaults=defaults)
    assert (done.code, travelled(done)) == (0, 5), done.output
    assert done.changed == ["check", "run"], "the check did what only the run may do"
    listeners = [record.definition["listeners"][0] for record in world.apis.values()]
    assert sorted(listener["paths"][0]["path"] for listener in listeners) == ["/a/", "/b/"]
    assert len(re.findall(r"gravitee\.mcp\s+does\s+not\s+know\s+ansible-core", warnings(done))) == 1, done.output


def warnings(played: Played) -> str:
    """What Ansible itself shows as warnings; results, which have them too, begin with the task's outcome."""
    return "".join(re.findall(r"^\[WARNING\]:.*?(?=^\S)", played.output, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    ("lacking", "stays"),
    [(["requests"], True), (["pydantic"], False), (["requests", "pydantic"], True), (["requests", "pydantic"], False)],
)
def test_missing_packages_are_named_once(
    playbooks: Playbooks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: list[str], stays: bool
) -> None:
    """In one sentence with the command that installs them, however many hosts, items of a loop and tasks there are."""
    (tmp_path / "lacking").mkdir()
    for name in lacking:
        (tmp_path / f"lacking/{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name}', name='{name}')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lacking"))
    check = {"gravitee.mcp.mcp_check": {"url": "http://127.0.0.1:9/mcp", "retries": 0}}
    tasks = [{**check, "loop": [1, 2], "ignore_errors": True}, check]
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "gravitee_mcp_in_controller": stays}
    played = run(playbooks, tasks, servers={"one": {}, "two": {}}, hosts="mcp_servers", connection="local", vars=variables)
    assert played.code == 2, played.output
    assert "Traceback" not in played.output
    results = [entry["result"] for entry in played.tasks if entry["outcome"] == "failed"]
    told = [one["msg"] for result in results for one in result.get("results", [result])]
    needed = " ".join(f"'{REQUIRED[name]}'" for name in lacking)
    sentence = rf"{BIN}/python\S* lacks {' and '.join(lacking)}, .*: {BIN}/python\S* -m pip install {re.escape(needed)}"
    assert len(told) > 4
    assert len([message for message in told if re.fullmatch(sentence, message)]) == 1, told
    assert all("-m pip install" in message or "see the first task" in message for message in told)
