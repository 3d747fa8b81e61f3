"""Whether a module may run inside the controller, asked of an ansible-core as it is and as it may become."""
from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase
from ansible_collections.gravitee.mcp.plugins.plugin_utils import in_controller

TASK = {"action": "gravitee.mcp.mcp_check", "args": {"url": "http://w"}, "delegate_to": None, "check_mode": True, "diff": False}


def refused(*args: Any) -> None:
    raise RuntimeError("no such profile")


def as_known(self: Any, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]) -> None:
    module_args.update(_ansible_check_mode=True, _ansible_diff=False)


def an_environment(self: Any, raw_environment_out: dict[str, Any]) -> str:
    raw_environment_out["A"] = "B"
    return "A=B"


class Action(in_controller.InControllerAction):
    """A task of the controller's, with as much of Ansible around it as is asked."""

    def __init__(self) -> None:
        self._task = SimpleNamespace(**TASK)
        self._connection = SimpleNamespace(transport="local", become=None)
        self._templar = SimpleNamespace(template=lambda value: value)


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(in_controller.Display, "warning", lambda self, message: said.append(message))
    monkeypatch.setattr(ActionBase, "_update_module_args", as_known)
    monkeypatch.setattr(ActionBase, "_compute_environment_string", an_environment)
    in_controller._is_known.cache_clear()
    return said


def test_this_ansible_core_is_known(warned: list[str]) -> None:
    given = Action()._given({})
    assert given == ({"url": "http://w", "_ansible_check_mode": True, "_ansible_diff": False}, {"A": "B"})
    assert warned == []


def test_without_being_asked_to_stay_nothing_is_tried(warned: list[str]) -> None:
    with mock.patch.object(basic.AnsibleModule, "__init__", refused):
        assert Action()._given({in_controller.SWITCH: "no"}) is None
    assert warned == []


@pytest.mark.parametrize(
    ("what", "name", "otherwise"),
    [
        (ActionBase, "_update_module_args", lambda self, module_name, module_args, task_vars: {}),
        (ActionBase, "_update_module_args", lambda self, module_name, args, task_vars: None),
        (ActionBase, "_update_module_args", lambda self, module_name, module_args, task_vars: module_args.update(_mode="check")),
        (ActionBase, "_update_module_args", refused),
        (ActionBase, "_update_module_args", property(lambda self: self._is_gone)),
        (ActionBase, "_compute_environment_string", lambda self: "A=B"),
        (ActionBase, "_compute_environment_string", property(lambda self: self._is_gone)),
        (Action, "_may_stay", lambda self, task_vars: self._connection.is_gone),
        (in_controller, "patch_module_args", refused),
        (basic, "_load_params", dict),
        (basic, "_load_params", refused),
        (basic.AnsibleModule, "__init__", lambda self, *, spec: None),
        (basic.AnsibleModule, "exit_json", lambda self, **result: result),
        (basic.AnsibleModule, "_return_formatted", lambda self, result: None),
        (basic.AnsibleModule, "_return_formatted", lambda self, result: print("--- done")),
        (basic.AnsibleModule, "_return_formatted", lambda self, result: print(json.dumps([result]))),
        (basic.AnsibleModule, "_return_formatted", lambda self, result: print(json.dumps({"result": result}))),
        (basic.AnsibleModule, "_return_formatted", lambda self, result: print(json.dumps({**result, "changed": None}))),
    ],
)
def test_what_ansible_core_does_otherwise_is_noticed_before_the_module_runs(
    warned: list[str], what: Any, name: str, otherwise: Any
) -> None:
    with mock.patch.object(what, name, otherwise):
        assert Action()._given({}) is None
    assert warned == [in_controller.UNKNOWN]
