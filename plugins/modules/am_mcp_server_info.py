#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_mcp_server_info
short_description: Read MCP servers of Gravitee AM
version_added: 0.1.0
description:
  - Returns the MCP servers of an AM domain, all or those that fit every filter given.
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id.
    type: str
    required: true
  resource_identifier:
    description: An identifier of the MCP server.
    type: str
  client_id:
    description: Client id of the MCP server.
    type: str
  name:
    description: Name of the MCP servers. Not unique.
    type: str
  secrets:
    description:
      - Whether to return C(secrets) of each MCP server, which are the names of its client secrets and when they were made and
        expire. AM tells no values.
      - Takes one more request for each MCP server. Before AM 4.11 there is nothing to return.
    type: bool
    default: false
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
seealso:
  - module: gravitee.mcp.am_mcp_server
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Read every MCP server of the domain
  gravitee.mcp.am_mcp_server_info:
    domain: mcp
  register: servers

- name: Read the one that clients call at a URL
  gravitee.mcp.am_mcp_server_info:
    domain: mcp
    resource_identifier: https://gateway.example.com/weather-mcp
  register: weather

- name: Which secrets there are
  gravitee.mcp.am_mcp_server_info:
    domain: mcp
    secrets: true
  register: servers
"""

RETURN = r"""
mcp_servers:
  description:
    - The MCP servers as AM answers them.
    - With O(secrets=true) and AM 4.11 or later each has C(secrets), a list of C(name), C(createdAt) and, where the secret
      expires, C(expiresAt), times in milliseconds since 1970.
  returned: success
  type: list
  elements: dict
domain_id:
  description: The domain's id, which the other modules take as domain, too.
  returned: success
  type: str
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.info import McpServerInfoOptions, mcp_servers
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def main():
    read(McpServerInfoOptions, lambda servers, params: mcp_servers(servers.am, params))


if __name__ == "__main__":
    main()
