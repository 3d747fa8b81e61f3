#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_admission
short_description: Let in clients that registered themselves
version_added: 0.1.0
description:
  - Finds the clients that registered themselves in an AM domain and got a token for an MCP server, judges them by rules, and
    subscribes those that a rule admits to the API's OAuth2 plan.
  - Who got a token stands in AM's audit log, which the AM user must be allowed to read.
  - A client is judged anew at each run, as it may change its registration at any time. A rule admits it by its redirect URIs, its
    grant types and, where a profile says so, its authentication method, and only if a user has logged in with it.
  - A person's decision stays. A subscription that is closed, paused or rejected, and an application that is archived, are not
    opened again; M(gravitee.mcp.gravitee_subscription) does that. A subscription whose application a person made is not closed.
options:
  domain:
    description: The AM domain, by hrid or id.
    type: str
    required: true
  resource:
    description: The MCP server, by the URL that clients call.
    type: str
    required: true
  plan:
    description: Name of the plan. Without it the API's only published plan with OAuth2.
    type: str
  since_days:
    description: How far back a client's token may lie, in days.
    type: int
    default: 30
  admit:
    description: Rules for the clients to let in. One that fits is enough.
    type: list
    elements: dict
    default: []
    suboptions:
      client_name:
        description: Shell pattern for the client's name. Any name if not set; names are what a client says of itself.
        type: str
      redirect_uris:
        description:
          - Patterns of which each redirect URI of the client must fit one. Scheme and host are the same, a port may be C(*).
          - A redirect URI that can be read in more than one way (with dot segments, escapes, a user name, a query) fits none.
        type: list
        elements: str
        required: true
  client_profiles:
    description: Well-known clients to let in, by what they register, see M(gravitee.mcp.am_domain_settings).
    type: list
    elements: str
    default: []
    choices:
      - vscode
      - claude_code
      - claude_ai
      - cursor
      - chatgpt
      - copilot_cli
      - copilot_studio
      - codex
      - gemini_cli
      - opencode
      - mcp_remote
      - n8n_cloud
      - mcp_inspector
      - mcp_sdk
  scopes:
    description:
      - Scopes that a client which a rule admits may ask for, such as those of the server's tools. Its application in AM gets them
        beside its own, as a client has only the scopes that it named when it registered, or the domain's default ones.
      - A token has such a scope only if the client asks for it and the user consents. Scopes that the domain lacks are left out.
    type: list
    elements: str
    default: []
  subscribe:
    description: Whether to subscribe them. V(false) changes nothing, and only reports.
    type: bool
    default: true
  not_admitted:
    description:
      - What to do about a subscription that this module gave, if no rule admits its client any more, or AM has no such client any
        more. V(close) closes it, V(report) names it in RV(waiting).
    type: str
    choices: [close, report]
    default: close
  stale_days:
    description:
      - Looks for clients of the domain that registered themselves and have not been used for so many days, that is, AM gave them
        no token for any server, and they did not change their registration. They are named in RV(waiting).
      - What a client got stands in AM's audit log alone. If that has no older token, it may not reach back so far; then nobody is
        taken to be unused, and a warning says so.
      - A client needs no new token for as long as its last one, or a refresh token, is valid. Give more days than that.
    type: int
  remove_stale:
    description:
      - With O(subscribe=true), whether to remove those clients. Their application in AM is deleted, and that in APIM archived,
        which closes its subscriptions to all APIs. Its user has to let the client register anew.
      - A client for which a person made an application in APIM stays, and is named.
    type: bool
    default: false
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
seealso:
  - module: gravitee.mcp.gravitee_subscription
  - module: gravitee.mcp.am_application_info
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Let in VS Code
  gravitee.mcp.mcp_admission:
    context_path: /weather-mcp
    domain: mcp
    resource: https://gateway.example.com/weather-mcp
    client_profiles: [vscode]
    scopes: ["weather:read"]

- name: Remove clients that nobody has used for half a year
  gravitee.mcp.mcp_admission:
    context_path: /weather-mcp
    domain: mcp
    resource: https://gateway.example.com/weather-mcp
    client_profiles: [vscode]
    stale_days: 180
    remove_stale: true
"""

RETURN = r"""
clients:
  description: The clients that got a token for the MCP server, as M(gravitee.mcp.am_application_info) returns them.
  returned: success
  type: list
  elements: dict
waiting:
  description: Who has no subscription, or should have none any more, one sentence each, with the reason.
  returned: success
  type: list
  elements: str
stale:
  description: The client ids of those that have not been used for O(stale_days), and were not removed.
  returned: success
  type: list
  elements: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create application VS Code 0b0f, subscribe VS Code 0b0f to plan OAuth2]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admission import ManagedAdmission
from ansible_collections.gravitee.mcp.plugins.module_utils.module import run


def main():
    run(ManagedAdmission)


if __name__ == "__main__":
    main()
