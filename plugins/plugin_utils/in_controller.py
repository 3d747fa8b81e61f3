# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules inside the controller's process, where the task's target is the controller.

A module that travels costs a new Python and the imports of requests and pydantic in every task. Here the very same main()
runs in the task's worker, which was forked from a process that has imported it all. AnsibleModule still does what it
does: argument specs, aliases, fallbacks, no_log values removed from results. ansible.netcommon does likewise.

What this uses of ansible-core without a promise from Ansible is `_given` and `_inside`, and both are tried before the module
runs: where ansible-core does not behave as known, the module travels as any module does.
"""
from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.errors import AnsibleError
from ansible.module_utils import basic
from ansible.module_utils.ansible_release import __version__
from ansible.module_utils.common import json as ansible_json
from ansible.module_utils.common import warnings
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, Any]) -> Iterator[None]:
        """As ansible.module_utils.testing has it from 2.19 on."""
        text = json.dumps({"ANSIBLE_MODULE_ARGS": args}, cls=ansible_json.AnsibleJSONEncoder, vault_to_text=True)
        of_this_module = {"_global_warnings": [], "_global_deprecations": []}
        with mock.patch.object(basic, "_ANSIBLE_ARGS", text.encode()), mock.patch.multiple(warnings, **of_this_module):
            yield


SWITCH = "gravitee_mcp_in_controller"
UNKNOWN = (
    f"gravitee.mcp does not know ansible-core {__version__} well enough to run its modules inside the controller: each task "
    f"starts a Python of its own, which takes longer. A newer gravitee.mcp may know it. {SWITCH}: false silences this warning."
)

# Whether a task has said which packages are missing; shared by the workers, which are forked from here.
_told = multiprocessing.Value("b", False)


class InControllerAction(NormalAction):
    """The action of the module that the subclass's file is named as: in this process if it may, else as any other module.

    A file each, and no plugin_routing: a module's action_plugin is not loaded before the workers are forked, which costs each
    task 0.2 s of imports, and every worker would tell of missing packages; by a redirect of actions, module_defaults of one
    module reach all of them. By links, antsibull-docs takes the modules for aliases of one.
    """

    module: ModuleType

    def __init_subclass__(cls) -> None:
        cls.module = importlib.import_module(cls.__module__.replace(".action.", ".modules."))

    def _execute_module(self, *args: Any, **options: Any) -> dict[str, Any]:
        given = None if options.get("wrap_async") else self._given(options.get("task_vars") or {})
        result = super()._execute_module(*args, **options) if given is None else _inside(self.module.main, *given)
        if "missing_packages" in result and not self._task.no_log:
            with _told.get_lock():
                said_before, _told.value = bool(_told.value), True
            if said_before:
                result.pop("exception", None)  # it has the message, too
                result["msg"] = "Nothing was done, as Python packages are missing: see the first task that failed."
        return result

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """A result that holds a secret which was generated just now is not shown, whatever the task says; a failure is."""
        result = super().run(tmp, task_vars)
        if result.get("client_secret") not in (None, TO_COME):
            result["_ansible_no_log"] = True
        return result

    def _given(self, task_vars: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The module's arguments and its environment; None if it has to travel."""
        try:
            if not self._may_stay(task_vars):
                return None
            arguments, environment = dict(self._task.args), {}
            self._update_module_args(module_name=self._task.action, module_args=arguments, task_vars=task_vars)
            self._compute_environment_string(raw_environment_out=environment)
            modes = (arguments["_ansible_check_mode"], arguments["_ansible_diff"])
            if modes == (bool(self._task.check_mode), self._task.diff) and _is_known():
                return arguments, environment
        except AnsibleError:
            raise
        except Exception:  # whatever an unknown ansible-core raises
            pass
        Display().warning(UNKNOWN)
        return None

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
            and not dependencies.MISSING
        )


def _inside(main: Callable[[], None], arguments: dict[str, Any], environment: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a module's main() in this process: the JSON that it prints last."""
    printed = io.StringIO()
    variables = {name: str(value) for name, value in environment.items()}
    with patch_module_args(arguments), mock.patch.dict(os.environ, variables), contextlib.redirect_stdout(printed):
        with contextlib.suppress(SystemExit):
            main()
    result = json.loads(printed.getvalue().splitlines()[-1])
    if not isinstance(result.get("exception"), str):
        result.pop("exception", None)  # ansible-core makes its own of the message
    return {name: value for name, value in result.items() if not name.startswith("_ansible_")}


@functools.cache
def _is_known() -> bool:
    """Whether a module gets its arguments and returns its result as known. Tried with one that only echoes."""
    arguments = {"word": "word", "_ansible_check_mode": True, "_ansible_diff": True, "_ansible_no_log": True}
    expected = {"changed": False, "word": "word", "modes": [True, True], "variable": "variable"}
    try:
        return expected.items() <= _inside(_echo, arguments, {"GRAVITEE_MCP_ECHO": "variable"}).items()
    except Exception:
        return False


def _echo() -> None:
    module = basic.AnsibleModule({"word": {"type": "str"}}, supports_check_mode=True)
    modes = [module.check_mode, module._diff]
    module.exit_json(changed=False, word=module.params["word"], modes=modes, variable=os.environ["GRAVITEE_MCP_ECHO"])
