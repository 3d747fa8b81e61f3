# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: posture
short_description: Whether an MCP server is secured, as seen from outside
version_added: 0.1.0
description:
  - Calls each URL as M(gravitee.mcp.mcp_check) does without a token, and returns its result, for conditions and templates.
    It changes nothing.
  - It asks on the controller, anew each time that the expression is evaluated. Where the steps are wanted, or another host has to
    ask, use the module.
options:
  _terms:
    description: URLs of MCP servers.
    required: true
  gateway:
    description: Whether the URLs are served by Gravitee's gateway, see O(gravitee.mcp.mcp_check#module:gateway).
    type: bool
    default: true
  authorization_server:
    description: The authorization server that they must name, see O(gravitee.mcp.mcp_check#module:authorization_server).
    type: str
  validate_certs:
    description: Whether to validate the servers' certificates.
    type: bool
    default: true
    env:
      - name: GRAVITEE_VALIDATE_CERTS
  ca_path:
    description: File or folder of CA certificates.
    type: path
    env:
      - name: GRAVITEE_CA_PATH
  timeout:
    description: Seconds for one request.
    type: float
    default: 30
    env:
      - name: GRAVITEE_TIMEOUT
seealso:
  - module: gravitee.mcp.mcp_check
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Go on only where nobody gets in without a token
  ansible.builtin.assert:
    that: posture.result == 'secured'
    fail_msg: "{{ posture.summary }}"
  vars:
    posture: "{{ lookup('gravitee.mcp.posture', 'https://gateway.example.com/weather-mcp') }}"
"""

RETURN = r"""
_raw:
  description: For each URL a dictionary with C(url), C(result) and C(summary), as M(gravitee.mcp.mcp_check) returns them.
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import visible
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[dict[str, str]]:
        if dependencies.MISSING:
            raise AnsibleError(dependencies.sentence())
        self.set_options(var_options=variables, direct=kwargs)
        asked = {name: self.get_option(name) for name in ("gateway", "authorization_server")}
        names = ("validate_certs", "ca_path", "timeout")
        try:
            options = Options(**{name: self.get_option(name) for name in names})
            return [self._posture(CheckOptions(url=url, **asked), options) for url in terms]
        except Refusal as error:
            raise AnsibleError(str(error)) from error

    @staticmethod
    def _posture(asked: CheckOptions, options: Options) -> dict[str, str]:
        seen = Check(asked, options).run()
        return {"url": seen["url"], "result": seen["result"], "summary": visible(seen["summary"])}
