# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: secure_mcp
short_description: The options of a step of the role secure_mcp
version_added: 0.1.0
description:
  - From the variables of the role and the results of its tasks before, the options of the module of one of its steps; words and
    numbers as strings are what they say.
  - Made for the tasks of the role. Which variable goes where stands in C(plugins/module_utils/flows/steps.py).
options:
  _terms:
    description:
      - Name of the step, and where a step is done for each of several, the name of the one.
      - C(connection) for the options that all modules have, C(url) for the URL that clients call.
      - C(changes) and C(diff) for what the steps did or would do, all of the role's or those named after it.
    required: true
"""

EXAMPLES = r"""
- name: The URL that clients call
  ansible.builtin.debug:
    msg: "{{ lookup('gravitee.mcp.secure_mcp', 'url') }}"
  vars:
    secure_mcp_gateway_url: https://gateway.example.com
    secure_mcp_context_path: /weather-mcp
"""

RETURN = r"""
_raw:
  description: The options, a dictionary; a string for C(url), a list for C(changes) and C(diff).
  type: raw
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import argument_spec, given
from ansible_collections.gravitee.mcp.plugins.module_utils.core.validation import validated
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.role import ask, told
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, REQUIRED, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.module import CONNECTION

RESULT = f"{PREFIX}_"  # how the role registers the results of its steps


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        name, *more = terms
        known = variables or {}
        if name == "connection":
            return [self._given(CONNECTION, known)]
        done = {key.removeprefix(RESULT): value for key, value in known.items() if key.startswith(RESULT)}
        if name in ("changes", "diff"):
            return [told(done, name, *([tuple(more)] if more else []))]
        return [ask(self._variables(known), done, name, *more)]

    def _variables(self, known: Mapping[str, Any]) -> Variables:
        """Typed as the role's argument specs say; what is empty counts as not given. An entry point has only some of them."""
        spec = argument_spec(Variables, required=False)
        try:
            values = validated(spec, self._given(spec, known), f"The variables {PREFIX}… do not fit")
        except Refusal as error:
            raise AnsibleError(str(error)) from error
        try:
            return Variables(**{**dict.fromkeys(REQUIRED, ""), **given(values)})
        except Refusal as error:
            raise AnsibleError(f"{PREFIX}{error}") from error

    def _given(self, names: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        present = [name for name in names if PREFIX + name in known]
        values = {name: self._templar.template(known[PREFIX + name]) for name in present}
        return {name: value for name, value in values.items() if value not in (None, "")}
