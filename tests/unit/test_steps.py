"""One table: the role's variables, its tasks, the steps of the flows and the modules' options say the same."""
from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import argument_spec
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import entering, leaving, rotating, steps
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.module import CONNECTION

from tests.specs import spec_of

ROOT = Path(__file__).parent.parent.parent
ROLE = ROOT / "roles/secure_mcp"
DOCUMENTED = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
OF_ANSIBLE = {"delegate_to", "check_mode"}  # variables that no step has to do with
STEP = re.compile(r"lookup\('gravitee\.mcp\.secure_mcp', '(\w+)'(, item)?\)")


def module_tasks(entry: str) -> list[tuple[str, str, str]]:
    """(module, step, registered as) of each task of this collection in a task file of the role, imported ones included."""
    found = []

    def walk(tasks: list[dict[str, Any]]) -> None:
        for task in tasks:
            if "block" in task:
                walk(task["block"])
            elif file := task.get("ansible.builtin.import_tasks"):
                walk(yaml.safe_load((ROLE / "tasks" / file).read_text(encoding="utf-8")))
            elif module := next((key for key in task if key.startswith("gravitee.mcp.")), None):
                [given] = task["module_defaults"].items()
                assert given[0] == module, task["name"]
                name = STEP.search(given[1])
                assert name, task["name"]
                found.append((module.removeprefix("gravitee.mcp."), name[1], task.get("register", "").removeprefix(f"{PREFIX}_")))

    walk(yaml.safe_load((ROLE / "tasks" / entry).read_text(encoding="utf-8")))
    return found


def step_of(name: str) -> Any:
    """The function of a step, in whatever file it is."""
    return next(getattr(file, name) for file in (entering, leaving, rotating, steps) if hasattr(file, name))


ENTRIES = ["main.yml", "rotate.yml", "teardown.yml", "admit_clients.yml", "verify.yml"]
TASKS = {entry: module_tasks(entry) for entry in ENTRIES}


def example(kind: str, choices: list[str] | None) -> Any:
    if choices:
        return choices[0] if kind == "str" else [choices[0]]
    return {"str": "/x", "int": 3, "bool": True, "dict": {"a": ["b"]}, "list": ["a"], "raw": []}[kind]


def everything() -> Variables:
    """Every variable given, to its first choice."""
    values = {name: example(spec["type"], spec.get("choices")) for name, spec in argument_spec(Variables).items()}
    clients = [{"name": "one", "client_id": "c", "client_secret": "s", "redirect_uris": ["http://localhost/"]}]
    return Variables(**{**values, "clients": clients, "gateway_url": "http://gw", "registered_clients": "subscribe", "admit": []})


def test_every_variable_is_documented_with_its_type_and_default() -> None:
    spec, told = argument_spec(Variables), DOCUMENTED["main"]["options"]
    names = {name.removeprefix(PREFIX) for name in told}
    connection = {name for name in CONNECTION if PREFIX + name in told}
    assert names - connection - OF_ANSIBLE == set(spec)
    for name, one in spec.items():
        documented = told[PREFIX + name]
        for key in ("type", "elements", "choices", "required", "no_log"):
            assert (documented.get(key) or None) == (one.get(key) or None), (name, key)
        if one.get("default") is not None:
            assert documented.get("default") == one["default"], name
    assert spec["clients"]["options"].keys() == told["secure_mcp_clients"]["options"].keys()


def test_the_roles_defaults_are_the_fleets() -> None:
    for field in fields(Variables):
        default = field.metadata["default"]
        if default is not None and not str(DEFAULTS.get(PREFIX + field.name)).startswith("{{"):
            assert DEFAULTS[PREFIX + field.name] == default, field.name


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_task_gets_options_that_its_module_has(entry: str) -> None:
    v = everything()
    client = [{"item": "one", "name": "one", "client_id": "c", "client_secret": "s"}]
    api = {"api_id": "a", "ours": True, "client_id": "c", "rotating": True}
    seen = {**api, "domain": {"id": "d", "path": "/d"}, "clients": client}
    new = {"client_id": "c", "client_secret": "s", "name": "n"}
    done = {"situation": seen, "mcp_server": new, "secret": new, "clients": {"results": client}}
    for module, step, _name in TASKS[entry]:
        function = step_of(step)
        item = {"left_plan": "oauth2"}.get(step, "one")
        options = function(v, done, item) if function.__code__.co_argcount == 3 else function(v, done)
        spec = spec_of(module)
        known = {*spec, *CONNECTION, *(alias for one in spec.values() for alias in one.get("aliases", []))}
        assert set(options) <= known, (step, set(options) - known)


def test_the_roles_tasks_are_the_steps_in_their_order() -> None:
    tasks = [(module, step) for module, step, _name in TASKS["main.yml"]]
    wanted = [(step.module, step.name) for step in steps.SECURE]
    assert [task for task in tasks if task in wanted] == wanted
    registered = {name for tasks in TASKS.values() for _module, _step, name in tasks if name}
    assert set(steps.CHANGING) - {"open_test"} <= registered


def test_the_role_holds_no_program() -> None:
    lines = (ROLE / "vars/main.yml").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 20
    for path in (ROLE / "tasks").glob("*.yml"):
        assert "{%" not in path.read_text(encoding="utf-8"), path
