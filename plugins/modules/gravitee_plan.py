#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_plan
short_description: Manage a plan of an API in Gravitee APIM
version_added: 0.1.0
description:
  - Creates, publishes, deprecates, closes and removes a plan of an API.
  - What is not given stays as the server has it, although the server itself resets what an update leaves out.
  - A plan that was published or closed takes effect when the API is deployed, see M(gravitee.mcp.gravitee_deployment). Until
    then the gateway lets in whom it let in before.
options:
  name:
    description:
      - Name of the plan. Names are not unique; one that several plans share is refused.
      - Without it the plan is found by its O(security) alone.
      - A new plan without a name is called after its security.
    type: str
  security:
    description: What the plan asks of a caller. Required to create a plan, and it never changes.
    type: str
    choices: [key_less, oauth2, api_key, jwt, mtls]
  state:
    description:
      - V(published) lets callers in, V(staging) is a draft, V(deprecated) takes no new subscriptions.
      - V(closed) lets nobody in any more. Without O(name) every published plan of that O(security) is closed.
        A closed plan stays closed. With nothing to close, nothing changes.
      - V(absent) closes and deletes. Without O(name) every plan of that O(security).
    type: str
    choices: [published, staging, deprecated, closed, absent]
    default: published
  description:
    description: Description of the plan.
    type: str
  validation:
    description:
      - Whether subscriptions are accepted at once or by hand.
      - A new plan gets V(auto) with O(security=oauth2), else V(manual).
    type: str
    choices: [auto, manual]
  oauth_resource:
    description:
      - "O(security=oauth2): name of the API's resource that checks the tokens, see M(gravitee.mcp.am_resource)."
      - The API must have it; APIM itself takes any name.
    type: str
  oauth_cache_resource:
    description: "O(security=oauth2): name of the API's cache resource that keeps the answers about tokens."
    type: str
  required_scopes:
    description:
      - "O(security=oauth2): scopes that a token must have."
      - Since version 5.2 (APIM 4.10.12) the OAuth2 policy also tells clients to ask for them, checked or not.
    type: list
    elements: str
  check_required_scopes:
    description:
      - "O(security=oauth2): whether O(required_scopes) are checked."
      - If only O(required_scopes) is given, they are checked if there is any but C(openid). That one says who somebody is, not
        what they may do, and tokens of clients that asked for no scope lack it. It is required so that clients know a scope to
        ask for.
    type: bool
  mode_strict:
    description: "O(security=oauth2): whether a token needs all of the O(required_scopes), not just one."
    type: bool
  extract_payload:
    description: "O(security=oauth2): whether the answer about the token goes into the context attribute C(oauth.payload)."
    type: bool
  propagate_auth_header:
    description: "O(security=oauth2): whether the target sees the caller's C(Authorization) header."
    type: bool
  discovery:
    description:
      - "O(security=oauth2): whether the 401 tells clients where the metadata of the protected resource is. Without it MCP
        clients cannot find their way on APIM 4.10, where it is off unless asked for."
      - Later versions have no such option, and this one is not sent to them.
    type: bool
    default: true
  audience:
    description:
      - "O(security=oauth2): URLs of the MCP server as clients ask for their tokens (C(resource)). A token has to be for one of
        them; the empty list lifts that. Without it the gateway takes any token that AM calls active, also one that was never
        meant for this server."
      - Together with O(require_user) and O(machine_clients) it is the plan's selection rule. A rule that somebody else wrote
        stays, with a warning.
    type: list
    elements: str
  require_user:
    description:
      - "O(security=oauth2): whether somebody must have logged in to get the token. Where clients register themselves, anyone can
        get a token by client credentials."
    type: bool
  machine_clients:
    description: With O(require_user=true), client ids that are let in with a token by client credentials, without a user.
    type: list
    elements: str
  tools:
    description:
      - "O(security=oauth2): name of each tool, and the list of scopes that a call of it needs, for O(enforce_tools)."
      - Without it the plan's flows stay as they are.
    type: dict
  enforce_tools:
    description:
      - What the gateway enforces of O(tools), by flows of the plan. Flows that others made stay.
      - V(true) answers a call of a tool with 403 if the token lacks one of its scopes, and tells the client which. Where any tool
        has scopes, a body that is no JSON object, a batch for one, is answered with 400.
      - V(unlisted) refuses tools that are not in O(tools), too. V(false) removes the flows.
    type: str
    choices: ["true", "unlisted", "false"]
    default: "true"
  url:
    description: The URL that clients call. By it the refusals of O(tools) name the metadata. The first of O(audience) if not set.
    type: str
  security_configuration:
    description: Further configuration of the plan's security policy, with the names of its schema; merged in.
    type: dict
    default: {}
  definition:
    description: Anything else of the plan object, with the names of APIM's management API; merged in.
    type: dict
    default: {}
  will_exist:
    description:
      - With O(state=closed), count a plan as published although the server has none, because an earlier task publishes it.
      - For check mode, where that task has not published it. In a run the plan must be there.
    type: bool
    default: false
  only_new_api:
    description:
      - Whether the plan is made and published only on an API that was never deployed and that never had a plan but keyless ones,
        none of them closed. For a keyless plan that opens a new API for a test.
      - Asked once more right before each write, as another run may have secured the API in the meantime.
    type: bool
    default: false
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
seealso:
  - module: gravitee.mcp.am_resource
  - module: gravitee.mcp.gravitee_deployment
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Let in callers with a token from AM
  gravitee.mcp.gravitee_plan:
    context_path: /weather-mcp
    security: oauth2
    oauth_resource: Gravitee AM
    required_scopes: ["weather:read"]

- name: Take tokens for this server only, of users who logged in, and ask for a scope where the forecast is called
  gravitee.mcp.gravitee_plan:
    context_path: /weather-mcp
    security: oauth2
    oauth_resource: Gravitee AM
    audience: [https://gateway.example.com/weather-mcp]
    require_user: true
    machine_clients: [nightly-report]
    tools:
      get_weather: []
      forecast: ["weather:read"]

- name: Close the keyless plans, whatever their names
  gravitee.mcp.gravitee_plan:
    context_path: /weather-mcp
    security: key_less
    state: closed

- name: Draft an API key plan
  gravitee.mcp.gravitee_plan:
    context_path: /weather-mcp
    name: Partners
    security: api_key
    state: staging
"""

RETURN = r"""
plan:
  description: The plan as APIM answers it; the first one if there are several, empty if there is none.
  returned: success
  type: dict
  sample:
    id: 6b8dabdc-abb7-4204-8dab-dcabb7d2041e
    name: OAuth2
    status: PUBLISHED
plans:
  description: All plans that the task was about.
  returned: success
  type: list
  elements: dict
id:
  description: The plan's id; null when it does not exist yet, or no longer.
  returned: success
  type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [publish plan OAuth2 (OAUTH2) of API /weather-mcp]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import ManagedPlan


def main():
    run(ManagedPlan)


if __name__ == "__main__":
    main()
