#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_resource
short_description: Manage the resource "Gravitee.io AM Authorization Server" of an API
version_added: 0.1.0
description:
  - The resource (C(oauth2-am-resource)) by which APIM's gateway asks AM about the tokens of an API's callers.
  - It lives in the API's definition and takes effect when the API is deployed, see M(gravitee.mcp.gravitee_deployment).
  - What is not given stays as the server has it, but for O(enabled).
options:
  name:
    description: Name of the resource. Plans refer to it.
    type: str
    default: Gravitee AM
  server_url:
    description:
      - Base URL of AM's gateway, such as V(https://auth.example.com).
      - APIM's gateway asks there, and clients are sent there to log in, so both must reach it.
      - Required to create the resource.
    type: str
  version:
    description: Version of AM that the resource speaks. A new resource gets V(V3_X), which is right for 3.x and 4.x.
    type: str
    choices: [V1_X, V2_X, V3_X]
  security_domain:
    description: Path of the AM domain without slashes, usually its hrid. Required to create the resource.
    type: str
  client_id:
    description: Client id of the MCP server in AM, see M(gravitee.mcp.am_mcp_server). Required to create the resource.
    type: str
  client_secret:
    description:
      - Its client secret. Required to create the resource, or when O(client_id) changes.
      - Left out, the stored one stays.
    type: str
  user_claim:
    description: The claim that the gateway's logs show as the user. The server's own default is V(sub).
    type: str
  http:
    description: The gateway's connection to AM, such as C(maxConcurrentConnections), with the names of the plugin's schema.
    type: dict
  proxy:
    description: The proxy on the gateway's way to AM, with the names of the plugin's schema.
    type: dict
  ssl:
    description: TLS of the gateway's connection to AM, with the names of the plugin's schema.
    type: dict
  enabled:
    description:
      - Whether the resource is in use. One that somebody disabled is enabled again, unless the task says V(false).
    type: bool
    default: true
  state:
    description:
      - V(present) makes the resource as described.
      - V(absent) removes it, unless a published plan needs it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
seealso:
  - module: gravitee.mcp.am_mcp_server
  - module: gravitee.mcp.gravitee_plan
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Let the gateway ask AM about tokens
  gravitee.mcp.am_resource:
    context_path: /weather-mcp
    server_url: https://auth.example.com
    security_domain: mcp
    client_id: "{{ mcp_server.client_id }}"  # from am_mcp_server
    client_secret: "{{ mcp_server.client_secret | default(omit) }}"

- name: Let it ask through a proxy
  gravitee.mcp.am_resource:
    context_path: /weather-mcp
    proxy:
      enabled: true
      useSystemProxy: true
"""

RETURN = r"""
resource:
  description: The resource as APIM answers it, secrets masked; empty when it is gone.
  returned: success
  type: dict
  sample:
    name: Gravitee AM
    type: oauth2-am-resource
    enabled: true
api_id:
  description: Id of the API; null when it does not exist yet.
  returned: success
  type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [add resource Gravitee AM to API /weather-mcp]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import ManagedAmResource


def main():
    run(ManagedAmResource)


if __name__ == "__main__":
    main()
