#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_situation_info
short_description: Read what stands where the role secure_mcp is to work
version_added: 0.1.0
description:
  - Reads the API at the context path, the MCP server in AM and the domain, asks the MCP server itself and AM's gateway, and
    returns what follows from that for securing, rotating, admitting clients or taking away. Changes nothing.
  - With O(purpose=secure) every step of the role is planned once, so that what any of them would refuse is refused before
    anything is written.
  - The options are the variables of the role without C(secure_mcp_).
options:
  purpose:
    description: What is to be done.
    type: str
    choices: [secure, rotate, admit, teardown]
    default: secure
  gateway_url:
    description: Public base URL of APIM's gateway, as clients call it.
    type: str
  am_gateway_url:
    description: Base URL of AM's gateway, by which APIM's gateway asks about tokens and clients log in.
    type: str
  domain:
    description: The AM domain, by hrid or id. It must exist and be enabled.
    type: str
  name:
    description: Name of the API, and of the MCP server in AM.
    type: str
  version:
    description: Version of the API.
    type: str
    default: "1.0"
  context_path:
    description: Context path of the API, in lower case.
    type: str
  target:
    description: The MCP server's own URL. It must not ask for authentication.
    type: str
  client_id:
    description: Client id of the MCP server in AM; generated if there is none.
    type: str
  client_secret:
    description: Its client secret; generated if there is none, and then handed on without being shown.
    type: str
  api_type:
    description:
      - Kind of API. The OAuth2 plan of V(mcp_proxy), an enterprise plugin, lets in any good token.
      - That of V(proxy) wants a subscription of each client.
    type: str
    choices: [proxy, mcp_proxy]
    default: proxy
  tools:
    description:
      - The tools of the MCP server, a list with key, description and scopes of each. Scopes that the domain lacks are created.
      - V(discover) takes those that the MCP server lists; one that appears or disappears later is drift.
    type: raw
    default: []
  tool_scopes:
    description: With O(tools=discover), the scopes of each tool by its name; C(*) are those of all others.
    type: dict
    default: {}
  required_scopes:
    description: Scopes that clients are told to ask for. Created where the domain lacks them, and allowed to clients. A token
      must have them, unless it is V(openid) alone, which some clients do not ask for and which says nothing of what
      somebody may do. Some clients get no token if this is empty.
    type: list
    elements: str
    default: [openid]
  resource_name:
    description: Name of the API's resource that asks AM about tokens.
    type: str
    default: Gravitee AM
  plan_name:
    description: Name of the OAuth2 plan.
    type: str
    default: OAuth2
  bind_audience:
    description:
      - Whether a token has to be for this MCP server, as the selection rule of the OAuth2 plan asks. Without it the gateway
        takes any token that AM calls active, also one that a client got without naming a server.
    type: bool
    default: true
  require_user:
    description:
      - Whether somebody must have logged in to get the token. Anyone who can register a client can get a token without a
        user.
      - Clients of type V(service) in O(clients) are let in all the same.
    type: bool
    default: true
  enforce_tools:
    description:
      - What the gateway enforces of the tools' scopes, from O(tools) or, with O(tools=discover), from O(tool_scopes).
      - V(true) answers a call of a tool with 403 if the token lacks a scope of it, and names the scope. V(unlisted) refuses
        tools that are not known, too. V(false) enforces nothing.
    type: str
    choices: ["true", "unlisted", "false"]
    default: "true"
  propagate_auth_header:
    description:
      - Whether the MCP server behind gets the client's token. MCP forbids to pass it on.
    type: bool
    default: false
  cors_origins:
    description:
      - Origins whose pages may call the MCP server from a browser, such as that of the MCP inspector, see the option
        cors_origins of M(gravitee.mcp.gravitee_api). Empty leaves CORS as it is.
    type: list
    elements: str
    default: []
  read_timeout:
    description: How long the gateway waits for the MCP server's answer, in milliseconds.
    type: int
    default: 120000
  adopt:
    description:
      - Whether to take over an API of another name at the context path, or one that another tool manages by APIM's word, such as
        Gravitee's Kubernetes operator.
    type: bool
    default: false
  api_definition:
    description: Anything else of the API, see the option definition of M(gravitee.mcp.gravitee_api).
    type: dict
    default: {}
  client_registration:
    description: Settings of client registration that win over those of O(dcr), see M(gravitee.mcp.am_domain_settings).
    type: dict
  clients:
    description: Clients that do not register themselves. They are made in AM and subscribed to the OAuth2 plan.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the client.
        type: str
        required: true
      type:
        description: Kind of client.
        type: str
        choices: [native, web, browser, service]
        default: native
      redirect_uris:
        description: Its redirect URIs.
        type: list
        elements: str
      grant_types:
        description: Its grant types. Authorization code and refresh token if not set.
        type: list
        elements: str
      scopes:
        description: Its scopes. C(openid), C(offline_access) and C(required_scopes) if not set.
        type: list
        elements: str
      client_id:
        description: Its client id; generated if there is none.
        type: str
      client_secret:
        description: Its client secret, for a client that is no public one; a generated one is not shown.
        type: str
  client_profiles:
    description: The MCP clients that may register themselves, see M(gravitee.mcp.am_domain_settings). All of them if empty.
    type: list
    elements: str
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
    default: []
  client_metadata_documents:
    description: Client ID metadata documents (AM 4.12), see M(gravitee.mcp.am_domain_settings).
    type: dict
  registered_clients:
    description:
      - What to do about clients that registered themselves and got a token for this MCP server.
      - V(subscribe) gives those their subscription that O(admit) or O(admit_profiles) admit.
      - V(report) says who waits. V(ignore) does not look.
    type: str
    choices: [subscribe, report, ignore]
    default: report
  admit:
    description: Rules for the clients to subscribe, see the option admit of M(gravitee.mcp.am_application_info).
    type: list
    elements: dict
    default: []
  admit_profiles:
    description: Well-known clients to subscribe, by their redirect URIs. Those of C(client_profiles) if not set.
    type: list
    elements: str
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
  token_days:
    description: How far back a client's token may lie, in days.
    type: int
    default: 30
  stale_days:
    description:
      - Looks for clients of the domain that registered themselves and got no token for any server for so many days, and names
        them, see M(gravitee.mcp.mcp_admission). Not looked for if not set.
    type: int
  remove_stale:
    description:
      - Whether to remove them, with O(registered_clients=subscribe).
    type: bool
    default: false
  test_username:
    description: A test user of the domain. If set, the look from outside goes all the way, through login, to the tools.
    type: str
  test_password:
    description: The test user's password.
    type: str
  test_client_id:
    description:
      - The id of a client with a subscription that the test user logs in with.
      - If not set, one is made, see O(test_client).
    type: str
  test_client_secret:
    description:
      - The secret of O(test_client_id), if it has one. Without O(test_username) it is a machine client, which gets its
        token for itself.
    type: str
  test_client:
    description:
      - Name of the client that the test user logs in with, where O(test_client_id) has none. It is made in AM and
        subscribed, as a client that registers itself has no subscription yet. A teardown removes it.
      - It is public, and its redirect URI is on the user's own machine, so that only users of the domain get in by it.
    type: str
    default: MCP check
  flow:
    description:
      - V(sealed), a new API is never reachable without a token.
      - V(documented), exactly the order of Gravitee's guide, which opens a new API before it closes it.
      - Neither ever reopens a closed one.
    type: str
    choices: [sealed, documented]
    default: sealed
  preflight:
    description: What to do about a target that asks for authentication itself.
    type: str
    choices: [fail, warn, skip]
    default: fail
  dcr:
    description: Whether to let MCP clients register themselves in the domain. V(false) leaves the domain as it is.
    type: bool
    default: true
  user_registration:
    description: Whether to let users create an account on the login page. V(false) leaves the domain as it is.
    type: bool
    default: true
  recreate_lost_server:
    description: Whether an MCP server in AM before 4.11 may be deleted and created again with the same client id, when the API
      does not hold its secret. There is no other way to a lost secret.
    type: bool
    default: true
  verify:
    description: >-
      Whether to ask the gateways: AM's, if it takes the secret that the API holds, and APIM's, if it serves what it
      should in the end.
    type: bool
    default: true
  verify_timeout:
    description: How long to wait for that, in seconds.
    type: int
    default: 60
  on_failure:
    description:
      - What to do when the run has deployed the API, or tried to, and then fails, as where it does not look right from outside.
      - V(keep) leaves it as it is and says so. V(stop) stops it, so that nobody gets in.
      - V(rollback) puts back the definition and the plans that stood before, and deploys them. A keyless plan that was closed
        stays closed; where nothing else let anyone in before, V(rollback) stops.
    type: str
    choices: [keep, stop, rollback]
    default: keep
  credentials_file:
    description:
      - Where to write client id and secret of the MCP server, and those of known clients that AM generated, as JSON.
      - A file on the host that calls the servers, with mode C(0600). Nothing secret is written to disk without it.
      - It holds variables of this role, so a later run may be given it with C(-e @file). Give each host a file of its own.
    type: str
  teardown_api:
    description:
      - What a teardown does with the API, V(delete) it with its plans or V(keep) it, stopped and with its plans closed.
      - An API with a plan that others made is kept, stopped, and that plan with it.
    type: str
    choices: [delete, keep]
    default: delete
  teardown_clients:
    description:
      - What a teardown does with O(clients), V(delete) them in AM and APIM, or close their subscriptions and V(keep) them.
      - Keep those that other MCP servers have, too.
    type: str
    choices: [delete, keep]
    default: delete
  teardown_domain:
    description: Whether a teardown switches off again what lets clients and users register in the domain. Other servers may
      need it.
    type: bool
    default: false
  rotate:
    description: Whether an MCP server that is secured already gets a new secret, as C(rotate.yml) gives it one.
    type: bool
    default: false
  rotate_wait:
    description: How long to wait, in seconds, until the gateways know the new secret and before the old one is deleted.
    type: int
    default: 15
  rotate_recreate:
    description: Whether a rotation on AM before 4.11 may delete the MCP server and create it again with the same client id.
      From then until the gateways have followed, good tokens are answered with 503.
    type: bool
    default: false
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
seealso:
  - module: gravitee.mcp.mcp_fleet
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Is there an API at the path, whose is it, and does AM take its secret?
  gravitee.mcp.mcp_situation_info:
    purpose: teardown
    domain: mcp
    name: Weather MCP
    context_path: /weather-mcp
    gateway_url: https://gateway.example.com
    am_gateway_url: https://auth.example.com
  register: weather
"""

RETURN = r"""
url:
  description: The URL that clients call.
  returned: success
  type: str
domain:
  description: The domain's C(id), C(hrid) and C(path).
  returned: success
  type: dict
api_id:
  description: Id of the API at the context path, whoever made it.
  returned: success
  type: str
api_name:
  description: Its name.
  returned: success
  type: str
client_id:
  description: Client id of the MCP server in AM.
  returned: success
  type: str
ours:
  description: Whether there is an API at the context path with the given name.
  returned: success
  type: bool
others:
  description: Whether there is one with another name.
  returned: success
  type: bool
served:
  description: Whether a gateway ever served it.
  returned: success
  type: bool
is_open:
  description: Whether a published plan of it lets in anyone.
  returned: success
  type: bool
opening:
  description: Whether O(flow=documented) opens it, which only an API is that never was served and that nobody has begun to close.
  returned: success
  type: bool
importing:
  description: Whether O(flow=sealed) makes it, as it does not exist, in one request (M(gravitee.mcp.gravitee_api_import)).
  returned: success
  type: bool
secret:
  description:
    - Of the client secret that the API holds, V(good) as far as is known, V(missing), V(foreign) if it is that of another
      client, or V(refused) by AM.
  returned: success
  type: str
secret_lost:
  description: Whether AM has the MCP server and the API does not hold a secret that works.
  returned: success
  type: bool
rotating:
  description: Whether a good secret is to be replaced.
  returned: success
  type: bool
new_secret:
  description: Whether a new secret is needed for either reason.
  returned: success
  type: bool
secret_in_use:
  description: Name of the secret that the API holds, where a deployment's label tells it.
  returned: with O(rotate=true) or O(purpose=rotate)
  type: str
plans_of_others:
  description: Names of the plans that let somebody in and that the role does not make.
  returned: success
  type: list
  elements: str
plans_beside:
  description:
    - Other OAuth2 and JWT plans of the API that are served, published or deprecated, and let in what the OAuth2 plan refuses.
    - C(name), C(security) and C(status) of each, and in C(lets_in) what it lets in. Also told as warnings.
  returned: success
  type: list
  elements: dict
  sample:
    - name: Partners
      security: jwt
      status: deprecated
      lets_in: tokens that are not for this server; tokens of clients without a user
tools:
  description: The tools and their scopes; null where they stay as AM has them.
  returned: with O(purpose=secure)
  type: list
  elements: dict
clients:
  description: The known clients that AM has, C(name) and C(client_id) of each.
  returned: with O(purpose=teardown)
  type: list
  elements: dict
left:
  description: What a teardown leaves, one sentence each.
  returned: with O(purpose=teardown)
  type: list
  elements: str
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.before import SituationOptions, before
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def main():
    read(SituationOptions, before)


if __name__ == "__main__":
    main()
