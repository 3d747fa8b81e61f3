#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_api_import
short_description: Make an API with its AM resource and its plan in one request
version_added: 0.1.0
description:
  - Makes what M(gravitee.mcp.gravitee_api), M(gravitee.mcp.am_resource) and M(gravitee.mcp.gravitee_plan) make one after the
    other, by APIM's import of a definition. That is faster, and there is no moment at which the API has no plan.
  - The new API is stopped and not deployed, see M(gravitee.mcp.gravitee_deployment).
  - What the import does not keep is read and added afterwards. Where APIM refuses the import, and where the API exists already,
    the three objects are managed one after the other, as the three modules do it.
options:
  api:
    description: Options of M(gravitee.mcp.gravitee_api), with C(context_paths) and without C(state).
    type: dict
    required: true
  resource:
    description: Options of M(gravitee.mcp.am_resource), without those that name the API.
    type: dict
    required: true
  plan:
    description: Options of M(gravitee.mcp.gravitee_plan), without those that name the API.
    type: dict
    required: true
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
seealso:
  - module: gravitee.mcp.gravitee_api
  - module: gravitee.mcp.am_resource
  - module: gravitee.mcp.gravitee_plan
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Make an API that asks for tokens from the beginning
  gravitee.mcp.gravitee_api_import:
    api:
      context_paths: [/weather-mcp]
      metadata_path: true
      name: Weather MCP
      target: http://weather.internal:9000/mcp
    resource:
      server_url: https://auth.example.com
      security_domain: mcp
      client_id: "{{ mcp_server.client_id }}"  # from am_mcp_server
      client_secret: "{{ mcp_server.client_secret }}"
    plan:
      security: oauth2
      oauth_resource: Gravitee AM
      required_scopes: [openid]
      audience: [https://gateway.example.com/weather-mcp]
"""

RETURN = r"""
api:
  description: The API as APIM answers it, secrets masked. In check mode, what it would be.
  returned: success
  type: dict
  sample:
    id: e0e3a1fa-7ed9-44cf-a3a1-fa7ed9a4cf6e
    name: Weather MCP
    state: STOPPED
    deploymentState: NEED_REDEPLOY
id:
  description: The API's id; null when it does not exist yet.
  returned: success
  type: str
plan:
  description: The plan as APIM answers it, secrets masked. In check mode, what it would be.
  returned: success
  type: dict
  sample:
    id: 3c3d5c1e-3b1f-4c0e-bd5c-1e3b1f5c0e5a
    name: OAuth2
    status: PUBLISHED
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [import API Weather MCP at /weather-mcp/ with resource Gravitee AM and plan OAuth2 (OAUTH2)]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api_import import ManagedApiImport


def main():
    run(ManagedApiImport)


if __name__ == "__main__":
    main()
