#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_mcp_server
short_description: Manage an MCP server in Gravitee AM
version_added: 0.1.0
description:
  - An MCP server is a protected resource of type MCP_SERVER in an AM domain (AM 4.10 and later). Clients ask for tokens for
    it, and APIM's gateway uses its credentials to check them.
  - What is not given stays as the server has it.
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id. It must exist.
    type: str
    required: true
  resource_identifiers:
    description:
      - The URLs that clients call, such as V(https://gateway.example.com/weather-mcp), without a slash at the end.
      - AM trims and lower-cases them; they are unique in a domain.
      - The MCP server is found by any one of them, or by O(client_id).
    type: list
    elements: str
    aliases: [resource_identifier]
  name:
    description: Name of the MCP server, 1 to 64 characters. Required to create one.
    type: str
  description:
    description: Description of the MCP server.
    type: str
  tools:
    description: The tools of the MCP server, all of them. Left out, they stay as they are.
    type: list
    elements: dict
    suboptions:
      key:
        description: Name of the tool, 1 to 64 letters, digits, C(_) and C(-).
        type: str
        required: true
      description:
        description: Description of the tool.
        type: str
      scopes:
        description: Scopes of the tool.
        type: list
        elements: str
  create_scopes:
    description: Whether to create scopes of O(tools) that the domain lacks. Else they are refused.
    type: bool
    default: false
  client_id:
    description: Client id of the MCP server. A new one gets a generated id if none is given; it never changes.
    type: str
  client_secret:
    description:
      - Client secret for a new MCP server; AM generates one if none is given.
      - AM takes a secret of your own only when it creates the MCP server, and never shows one. So on an existing MCP server it is
        neither compared nor changed. For another secret see M(gravitee.mcp.am_mcp_server_secret).
    type: str
  grant_types:
    description:
      - The grant types with which the MCP server's own credentials get tokens. AM before 4.11 gives them none, and ignores this.
      - From 4.11 on AM sets C(client_credentials), and a token that they get for another MCP server is good there. With
        V(authorization_code) alone they get none, and still answer for the tokens of clients.
      - An empty list brings AM's own back. Left out, they stay as they are.
    type: list
    elements: str
  state:
    description: Whether the MCP server should exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
notes:
  - RV(client_secret) is shown once. Register the task with C(no_log=true) or pass it on in the same play.
seealso:
  - module: gravitee.mcp.am_domain_settings
  - module: gravitee.mcp.am_mcp_server_secret
  - module: gravitee.mcp.am_resource
  - module: gravitee.mcp.am_mcp_server_info
  - module: gravitee.mcp.am_mcp_server_secret
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Register the weather MCP server in AM
  gravitee.mcp.am_mcp_server:
    domain: mcp
    name: Weather MCP
    resource_identifier: https://gateway.example.com/weather-mcp
    tools:
      - key: get_weather
        description: The weather of a city
        scopes: ["weather:read"]
    create_scopes: true
    grant_types: [authorization_code]
  register: mcp_server
  no_log: true
"""

RETURN = r"""
mcp_server:
  description: The MCP server as AM has it, without its secret; empty when it is gone.
  returned: success
  type: dict
  sample:
    name: Weather MCP
    clientId: UU00M26eSvG9v86-WOE6oPam6jjaq8JPIYDRWCnZppw
    resourceIdentifiers: ["https://gateway.example.com/weather-mcp"]
id:
  description: The MCP server's id; null when it does not exist yet.
  returned: success
  type: str
domain_id:
  description: The domain's id.
  returned: success
  type: str
client_id:
  description: Its client id; V(yet to be generated) in check mode when AM would generate it.
  returned: success
  type: str
client_secret:
  description: Its client secret; V(yet to be generated) in check mode when AM would generate it.
  returned: when this run created the MCP server, or in check mode would
  type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create MCP server Weather MCP]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import ManagedMcpServer


def main():
    run(ManagedMcpServer)


if __name__ == "__main__":
    main()
