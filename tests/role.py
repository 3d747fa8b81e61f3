"""The role's tasks in this process: order, conditions, loops and options as its files have them, and the real modules.

For tests that need thousands of runs. What ansible-playbook itself does with the role is for test_flows.py and others.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.role import ask, told
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import CHANGING
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, Variables
from jinja2.nativetypes import NativeEnvironment

TASKS = Path(__file__).parent.parent / "roles/secure_mcp/tasks"
STEP = re.compile(r"lookup\('gravitee\.mcp\.secure_mcp', '(\w+)'")
Run = Callable[..., dict[str, Any]]  # of a module: its name and its options


class Role:
    """One host. `run` runs a module, in check mode if `check` says so."""

    def __init__(self, run: Run, v: Variables, check: bool = False):
        self._run, self.v, self._check = run, v, check
        self.done: dict[str, Any] = {}
        self._jinja = NativeEnvironment()
        self._jinja.filters["bool"] = boolean
        self._jinja.globals["lookup"] = self._lookup

    def _lookup(self, _plugin: str, what: str, *more: str) -> Any:
        if what in ("changes", "diff"):
            return told(self.done, what, *([more] if more else []))
        return ask(self.v, self.done, what, *more)

    def play(self, entry: str = "main.yml") -> list[str]:
        """Every task in turn; the changes that the role sums up."""
        self.done = {}
        self._walk(self._tasks(entry), [])
        names = {"rotate.yml": ("secret", "resource", "deployment", "old_secrets")}
        left = tuple(name for name in self.done if name == "stop" or name.startswith("left_"))
        return told(self.done, "changes", names.get(entry, left or CHANGING))

    @staticmethod
    def _tasks(entry: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = yaml.safe_load((TASKS / entry).read_text(encoding="utf-8"))
        return tasks

    def _walk(self, tasks: list[dict[str, Any]], conditions: list[str]) -> None:
        for task in tasks:
            when = task.get("when", [])
            due = [*conditions, *(when if isinstance(when, list) else [when])]
            if "block" in task:  # what is rescued is for ansible-playbook
                self._walk(task["block"], due)
            elif "ansible.builtin.import_tasks" in task:
                self._walk(self._tasks(task["ansible.builtin.import_tasks"]), due)
            elif module := next((key for key in task if key.startswith("gravitee.mcp.")), None):
                self._task(module, task, due)

    def _task(self, module: str, task: dict[str, Any], conditions: list[str]) -> None:
        found = STEP.search(task["module_defaults"][module])
        assert found, task["name"]
        loop = task.get("loop")
        items = [None] if loop is None else self._value(loop) if isinstance(loop, str) else loop
        results = []
        for item in items:
            if all(self._value(f"{{{{ {condition} }}}}", item=item) for condition in conditions):
                options = ask(self.v, self.done, found[1], *([] if item is None else [item])) | (task[module] or {})
                results.append({**self._run(module.removeprefix("gravitee.mcp."), **options), "item": item})
        name = task.get("register", "").removeprefix(f"{PREFIX}_")
        self.done[name] = {"results": results} if loop is not None else results[0] if results else {}

    def _value(self, template: str, **context: Any) -> Any:
        known = {f"{PREFIX}{name}": getattr(self.v, name) for name in self.v.__dataclass_fields__}
        registered = {f"{PREFIX}_{name}": value for name, value in self.done.items() if name}
        more = {f"{PREFIX}check_mode": self._check, f"{PREFIX}credentials_file": self.v.credentials_file or ""}
        return self._jinja.from_string(template).render({**known, **registered, **more, **context})
