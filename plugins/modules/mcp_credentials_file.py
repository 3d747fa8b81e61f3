#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_credentials_file
short_description: Write generated credentials to a file
version_added: 0.1.0
description:
  - Writes the client id and secret that an API's resource "Gravitee.io AM Authorization Server" holds, and those of clients, to
    a file, as JSON with the names of the variables of the role C(secure_mcp).
  - The file has mode C(0600) and is replaced as a whole. Credentials of clients that it holds stay.
options:
  path:
    description: The file. Its folder must be there; a file that is something else is refused.
    type: path
    required: true
  resource_name:
    description: Name of the API's resource.
    type: str
    default: Gravitee AM
  clients:
    description: Clients whose secrets were generated just now.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the client.
        type: str
        required: true
      client_id:
        description: Its client id.
        type: str
        required: true
      client_secret:
        description: Its secret.
        type: str
        required: true
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Keep the MCP server's credentials
  gravitee.mcp.mcp_credentials_file:
    context_path: /weather-mcp
    path: /root/weather-mcp.json
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
changes:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: [write credentials to /root/weather-mcp.json]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.credentials_file import ManagedCredentialsFile
from ansible_collections.gravitee.mcp.plugins.module_utils.module import run


def main():
    run(ManagedCredentialsFile)


if __name__ == "__main__":
    main()
