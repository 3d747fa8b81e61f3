#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_export_info
short_description: Read what APIM and AM have as variables of the role secure_mcp
version_added: 0.1.0
description:
  - For each API that serves MCP, the variables with which the role P(gravitee.mcp.secure_mcp#role) finds it as it is.
  - Every step of the role is planned with the variables that come out. What it would change all the same is told.
  - No secret is read into the variables. A value that Ansible would take for a template is never returned.
options:
  gateway_url:
    description: Public base URL of APIM's gateway.
    type: str
    required: true
  am_gateway_url:
    description: Public base URL of AM's gateway.
    type: str
    required: true
  domain:
    description: The AM domain, by its hrid or its id.
    type: str
    required: true
  name:
    description: Only APIs with such a name, a shell pattern.
    type: str
  context_path:
    description: Only APIs with such a context path, a shell pattern as V(/team-a/*).
    type: str
  label:
    description: Only APIs with this label.
    type: str
  match:
    description:
      - Regular expression by which an API serves MCP; its name, its context paths, its labels and its target are searched.
      - An API of type mcp_proxy, and one with a resource "Gravitee.io AM Authorization Server", serves MCP in any case.
    type: str
    default: (?i)\bmcp\b
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
seealso:
  - plugin: gravitee.mcp.gravitee_mcp
    plugin_type: inventory
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Read the servers of a team
  gravitee.mcp.mcp_export_info:
    gateway_url: https://gateway.example.com
    am_gateway_url: https://auth.example.com
    domain: mcp
    label: team-a
  register: exported
"""

RETURN = r"""
hosts:
  description: Name of a host → its variables, for each server that has an OAuth2 plan; those that differ from the defaults.
  returned: success
  type: dict
  sample:
    weather-mcp:
      secure_mcp_name: Weather MCP
      secure_mcp_context_path: /weather-mcp
      secure_mcp_target: http://weather.internal:9000/mcp
to_secure:
  description: The same for each server without an OAuth2 plan that is served, ready to be secured.
  returned: success
  type: dict
findings:
  description: Name of a host → what the role would change all the same, or why it is left out, one sentence each.
  returned: success
  type: dict
  sample:
    weather-mcp: [The role would update responseTemplates of API Weather MCP.]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.export import ExportOptions, export
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def main():
    read(ExportOptions, export)


if __name__ == "__main__":
    main()
