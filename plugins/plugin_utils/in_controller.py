# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules inside the controller's process, where the task's target is the controller.

A module that travels costs a new Python and the imports of requests and pydantic in every task. Here the very same main()
runs in the task's worker, which was forked from a process that has imported it all. AnsibleModule still does what it
does: argument specs, aliases, fallbacks, no_log values removed from results. ansible.netcommon does likewise.
"""
from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import json as ansible_json
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME

PROFILE = "legacy"  # how arguments and results are serialized; ansible-core before 2.19 knows no other
SWITCH = "gravitee_mcp_in_controller"


class InControllerAction(NormalAction):
    """The action of a module, `module`: in this process if it may, else as any other module."""

    module: ModuleType

    def _execute_module(self, *args: Any, **options: Any) -> dict[str, Any]:
        task_vars = options.get("task_vars") or {}
        if options.get("wrap_async") or not self._may_stay(task_vars):
            return super()._execute_module(*args, **options)
        arguments = dict(self._task.args)
        self._update_module_args(self._task.action, arguments, task_vars)
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        printed = io.StringIO()
        with _environment(environment), _arguments(arguments), contextlib.redirect_stdout(printed):
            with contextlib.suppress(SystemExit):
                self.module.main()
        result = self._parse_returned_data({"stdout": printed.getvalue()}, *([PROFILE] if _knows_profiles() else []))
        for key in [key for key in result if key.startswith("_ansible_") and key != "_ansible_parsed"]:
            del result[key]
        return result

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """A result that holds a secret which was generated just now is not shown, whatever the task says; a failure is."""
        result = super().run(tmp, task_vars)
        if result.get("client_secret") not in (None, TO_COME):
            result["_ansible_no_log"] = True
        return result

    def _may_stay(self, task_vars: dict[str, Any]) -> bool:
        """Whether the target is the controller, and nothing asks for another user, Python or process."""
        hostvars = task_vars
        if self._task.delegate_to:
            hostvars = (task_vars.get("ansible_delegated_vars") or {}).get(self._task.delegate_to) or task_vars
        interpreter = self._templar.template(hostvars.get("ansible_python_interpreter") or sys.executable)
        return (
            self._connection.transport == "local"
            and self._connection.become is None
            and (interpreter.startswith("auto") or os.path.dirname(interpreter) == os.path.dirname(sys.executable))
            and boolean(self._templar.template(task_vars.get(SWITCH, True)))
            and dependencies.MISSING is None
        )


def _knows_profiles() -> bool:
    return hasattr(basic, "_ANSIBLE_PROFILE")


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """The task's `environment:`."""
    with mock.patch.dict(os.environ, {name: str(value) for name, value in variables.items()}):
        yield


@contextlib.contextmanager
def _arguments(arguments: dict[str, Any]) -> Iterator[None]:
    """What AnsibleModule reads its parameters from, serialized as for a module that travels."""
    if _knows_profiles():
        encoder = ansible_json.get_module_encoder(PROFILE, ansible_json.Direction.CONTROLLER_TO_MODULE)
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=encoder)
    else:
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=ansible_json.AnsibleJSONEncoder, vault_to_text=True)
    patches = {"_ANSIBLE_ARGS": text.encode(), **({"_ANSIBLE_PROFILE": PROFILE} if _knows_profiles() else {})}
    with mock.patch.multiple(basic, **patches):
        yield
