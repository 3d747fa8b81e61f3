#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_api
short_description: Manage a v4 API in Gravitee APIM
version_added: 0.1.0
description:
  - Creates, changes and deletes a v4 API that proxies HTTP, such as stands in front of an MCP server.
  - What is not given stays as the server has it. What is given and different on the server is changed.
  - Changes the definition only. What the gateway serves changes with M(gravitee.mcp.gravitee_deployment); a new API is
    not reachable before.
options:
  id:
    description: Id of the API. Without it the API is found by O(context_paths).
    type: str
  context_paths:
    description:
      - Context paths of the API, with or without slashes at their ends. Unique in an environment.
      - The API is found by any one of them; in the end it has all of them, in this order, before any other path.
    type: list
    elements: str
    aliases: [context_path]
  purge_paths:
    description: Whether context paths of the API that O(context_paths) does not name are removed. Otherwise they stay.
    type: bool
    default: false
  metadata_path:
    description:
      - Whether the API also gets the place where MCP clients look for its OAuth protected resource metadata (RFC 9728),
        C(/.well-known/oauth-protected-resource) followed by the context path, as a further context path.
      - Since APIM 4.10.12 the OAuth2 policy answers there, and nothing else leads an API of type V(proxy) to that address.
        Earlier versions need no such path, and it does no harm there. It is not added to an API of type V(mcp_proxy).
      - V(false) removes nothing.
    type: bool
    default: false
  challenge:
    description:
      - What the gateway's refusals tell MCP clients in the header C(WWW-Authenticate), written as response templates.
      - A call with no usable token is answered with where the metadata is and which scopes to ask for, if the OAuth2 policy of
        this APIM does not say both by itself (its version 5.1, APIM 4.10.0 to 4.10.11). A token that lacks a scope is answered
        with 403 and C(insufficient_scope), as the MCP specification asks.
      - Response templates of one's own under the keys C(GATEWAY_PLAN_UNRESOLVABLE) and C(OAUTH2_INSUFFICIENT_SCOPE) stay.
    type: dict
    suboptions:
      url:
        description: The URL that clients call.
        type: str
        required: true
      scopes:
        description: The scopes to ask for, as the OAuth2 plan requires them.
        type: list
        elements: str
  cors_origins:
    description:
      - Origins whose pages may call the API from a browser, such as that of the MCP inspector. Just these; the empty list
        switches CORS off.
      - The methods and headers that MCP clients need are allowed and exposed with them; further ones that the API has stay. With
        origins alone the gateway answers every preflight with 400.
    type: list
    elements: str
  name:
    description: Name of the API. Required to create one.
    type: str
  type:
    description:
      - Kind of API. A new one is V(proxy) if this is not set. No API changes its type.
      - V(mcp_proxy) needs an enterprise plugin. Its OAuth2 plan lets in any good token, without a subscription of the client.
        Taken from Gravitee's API description, tried on the sandbox only.
    type: str
    choices: [proxy, mcp_proxy]
  version:
    description: Version of the API, a free text. A new API gets V(1.0).
    type: str
  description:
    description: Description of the API.
    type: str
  target:
    description: The http(s) URL that requests go to, such as V(http://weather:9000/mcp). Required to create an API.
    type: str
  read_timeout:
    description:
      - How long the gateway waits for the target's answer, in milliseconds.
      - A new API gets V(120000), as APIM's own 10 s end every tool call that answers later with a 504.
    type: int
  connect_timeout:
    description: How long the gateway waits for a connection to the target, in milliseconds.
    type: int
  idle_timeout:
    description: After how many idle milliseconds the gateway closes a connection to the target; V(0) for never.
    type: int
  max_concurrent_connections:
    description: Size of the gateway's connection pool to the target.
    type: int
  tags:
    description: Sharding tags, which say what gateways deploy the API. They must exist.
    type: list
    elements: str
  labels:
    description: Labels of the API.
    type: list
    elements: str
  visibility:
    description: Who sees the API in the portal.
    type: str
    choices: [public, private]
  definition:
    description:
      - Anything else of the API object, with the names of APIM's management API (C(flows), C(properties), C(analytics) …).
      - It is merged in. Lists are replaced, but items keep what the server filled in, told by id, key, name or path.
      - The parameters above win over it.
      - A property with C(encryptable=true) is encrypted once. APIM shows its cipher text only, so a value that is given later is
        not compared and not sent; a warning says so. Remove the property first to set it anew. C(encrypted=true) means the same,
        as APIM would keep a plain value that is sent so.
    type: dict
    default: {}
  replace:
    description:
      - Whether O(definition) is all that an existing API shall have, so that what it leaves out is reset.
      - For putting an API back as M(gravitee.mcp.gravitee_api_info) returned it with O(ignore:secrets=true); what is read-only in
        it is ignored.
    type: bool
    default: false
  mcp_resource:
    description:
      - Whether AM shall know this API as an MCP server. A context path with capitals is refused then, because AM lower-cases
        identifiers and no client would ever get a token for it.
    type: bool
    default: true
  adopt:
    description: Whether to take over an API that has one of the O(context_paths) but another O(name), and rename it.
    type: bool
    default: false
  state:
    description:
      - V(present) makes the API as described.
      - V(absent) stops it and deletes it with its plans.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
seealso:
  - module: gravitee.mcp.gravitee_plan
  - module: gravitee.mcp.gravitee_deployment
  - module: gravitee.mcp.gravitee_api_info
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Create an API in front of the weather MCP server
  gravitee.mcp.gravitee_api:
    context_path: /weather-mcp
    name: Weather MCP
    target: http://weather.internal:9000/mcp
    labels: [mcp]
    metadata_path: true

- name: Read it, to be able to restore it
  gravitee.mcp.gravitee_api_info:
    context_path: /weather-mcp
    secrets: true
  register: weather
  no_log: true

- name: Give it a property, and let the MCP inspector call it from a browser
  gravitee.mcp.gravitee_api:
    context_path: /weather-mcp
    name: Weather MCP
    cors_origins: ["http://localhost:6274"]
    definition:
      properties:
        - key: team
          value: weather

- name: Restore it
  gravitee.mcp.gravitee_api:
    id: "{{ weather.apis[0].id }}"
    definition: "{{ weather.apis[0] }}"
    replace: true
  no_log: true

- name: Delete it
  gravitee.mcp.gravitee_api:
    context_path: /weather-mcp
    state: absent
"""

RETURN = r"""
api:
  description: The API as APIM answers it, secrets masked; empty when it is gone. In check mode, what it would be.
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
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create API Weather MCP at /weather-mcp/]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ManagedApi


def main():
    run(ManagedApi)


if __name__ == "__main__":
    main()
