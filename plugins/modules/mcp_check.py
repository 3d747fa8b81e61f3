#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_check
short_description: Look at an MCP server as a client would
version_added: 0.1.0
description:
  - Calls a URL as an MCP client does that was told nothing else, follows what it finds, and reports every step. Changes nothing.
  - "The steps: is it reachable; what does a call with no token get; the challenge; the metadata of the protected resource, at
    every place where clients look; the metadata of the authorization server; PKCE; the registration endpoint. With a token:
    the first call and tools/list. With a test user: registration, login, consent and token before that. With the id and secret
    of a machine client: its token before that."
options:
  url:
    description: The MCP server's URL, such as V(https://gateway.example.com/weather-mcp).
    type: str
    required: true
  gateway:
    description:
      - Whether O(url) is served by Gravitee's gateway.
      - If V(false), O(url) is the MCP server itself, and any demand for authentication is its own.
    type: bool
    default: true
  attempts:
    description:
      - How often to call without a token, each time on a new connection, before the result is V(secured). Behind one address
        may be several gateways, of which one has not followed the last deployment.
      - Only with O(gateway=true).
    type: int
    default: 3
  authorization_server:
    description:
      - The authorization server that O(url) must name, by its issuer or a base URL of it, such as V(https://auth.example.com).
        Any other makes O(url) V(misconfigured).
      - The test user's password, the client's secret and the removal of what was registered go to this server alone. Without this
        option they go to the host of O(url) alone, as whoever answers at O(url) says which server the metadata names.
    type: str
  list_tools:
    description: Whether to list the tools of a server that lets anyone in, too.
    type: bool
    default: false
  token:
    description: An access token to call with, once a call without one is refused.
    type: str
  username:
    description:
      - A test user of the AM domain. If it is set, the check goes all the way as a client would; it registers, logs the user in
        on AM's pages, consents, gets a token for O(url) and calls with it. What it registered it removes again.
      - Not together with O(token).
    type: str
  password:
    description: The test user's password.
    type: str
  client_id:
    description: Client id of a client to take instead of registering one, such as M(gravitee.mcp.am_application) made.
    type: str
  client_secret:
    description:
      - Its client secret, if it has one.
      - Without O(username) and O(token) the client gets the token for itself (client_credentials), as a machine client does.
    type: str
  redirect_uri:
    description: The client's redirect URI. Nothing needs to listen there. If not set, V(http://127.0.0.1:33418/).
    type: str
  scope:
    description:
      - The scopes to ask for, separated by blanks.
      - If not set, those that the challenge or the metadata name, or else those that the client was registered with.
    type: str
  audience:
    description:
      - With O(username) or O(client_secret), whether to show that a token that was asked for without C(resource), and so names no
        server, is refused. If it is let in, the result is V(misconfigured).
    type: bool
    default: false
  tool_scopes:
    description:
      - Tools and the scopes that a call of each needs. With O(username) or O(client_secret), each tool is called with a token
        that lacks its scopes, which has to be refused with 403 and the scopes, and with one that has them, if the client may have
        them, which must not. Otherwise the result is V(misconfigured).
      - No tool runs; the calls have arguments that are no object, which an MCP server refuses.
    type: dict
  subscription:
    description:
      - With O(username) and O(client_id), whether to find out if the gateway validates subscriptions. Another client registers
        itself, whose token has to be refused; the step C(subscription) is a warning if it is let in.
      - Without O(client_id) that is known anyway.
    type: bool
    default: false
  doctor:
    description:
      - Whether to say of each requirement of MCP authorization (revision 2026-07-28) and OAuth 2.1 that concerns a server if it
        is met, as far as that can be seen from outside. One more call, with an invalid token.
    type: bool
    default: false
  am_version:
    description:
      - The version of AM, such as V("4.11"), for O(doctor) to tell what cannot be met by it. It cannot be seen from outside.
    type: str
  expect:
    description: What the result should be. Anything else fails the task.
    type: list
    elements: str
    choices: [open, secured, upstream_secured, unreachable, misconfigured, unknown]
  wait_timeout:
    description:
      - For how many seconds to ask again until the result is one of O(expect); gateways follow a change some seconds later.
    type: int
    default: 0
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Test the weather MCP server as a client without a token would call it
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
  register: tested

- name: Fail unless it is secured within a minute
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
    expect: [secured]
    wait_timeout: 60

- name: Log in as a user of VS Code, and list the tools
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
    username: test
    password: "{{ lookup('ansible.builtin.env', 'MCP_TEST_PASSWORD') }}"
    authorization_server: https://auth.example.com
    client_id: "{{ vscode.client_id }}"  # from am_application
    scope: openid weather:read
    expect: [secured]

- name: Call as a machine client, and see that tools are refused without their scopes
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
    authorization_server: https://auth.example.com
    client_id: reporting
    client_secret: "{{ lookup('ansible.builtin.env', 'MCP_REPORTING_SECRET') }}"
    audience: true
    tool_scopes:
      slow_forecast: ["weather:read"]
    expect: [secured]

- name: Find out whether the MCP server asks for authentication itself
  gravitee.mcp.mcp_check:
    url: http://weather.internal:9000/mcp
    gateway: false
  register: target
"""

RETURN = r"""
result:
  description:
    - V(open), anyone gets in; a call without a token is not refused by the gateway, whatever the MCP server makes of it.
    - V(secured), the gateway itself refuses every call without a token, asked several times on new connections, and MCP clients
      find the authorization server.
    - V(upstream_secured), what refuses a call without a token is the MCP server, not the gateway.
    - V(misconfigured), callers without a token are refused, or get no MCP message, and MCP clients cannot connect.
    - V(unreachable), nothing answers at the URL; no connection, no API at this path of the gateway, or no MCP server.
    - V(unknown), it could not be asked, or the answer does not say who gets in.
  returned: success
  type: str
  sample: secured
summary:
  description: The first step that failed and why, or else the result.
  returned: success
  type: str
doctor:
  description:
    - The requirements, each with C(requirement), C(level), C(source), C(verdict), C(because) and C(remedy), the setting that
      meets it.
    - The verdict is V(met), V(not met), V(cannot be met by this version) or V(not asked).
  returned: with O(doctor=true)
  type: list
  elements: dict
  sample:
    - requirement: The challenge names the scopes to ask for
      level: SHOULD
      source: https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#scope-selection-strategy
      verdict: not met
      because: the challenge names no scope
      remedy: gravitee_plan required_scopes, gravitee_api challenge
steps:
  description: Every step.
  returned: success
  type: list
  elements: dict
  contains:
    step:
      description: What it was about.
      type: str
    asked:
      description: What was asked.
      type: str
    got:
      description: What came.
      type: str
    verdict:
      description: V(ok), V(warning) or V(failed).
      type: str
tools:
  description: The tools, if a token was given or earned and is good, or if O(list_tools=true) and anyone gets in.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the tool.
      type: str
    description:
      description: Description of the tool.
      type: str
url:
  description: The URL.
  returned: success
  type: str
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.with_token import UNVALIDATED
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def checked(servers, params):
    """What the check says; a gateway that validates no subscription is worth a warning, though the server is secured."""
    told = check(params, servers.options)
    unvalidated = [step["got"] for step in told["steps"] if step["got"] == UNVALIDATED]
    return {**told, "warnings": [f"{told['url']}: a client is {got}." for got in unvalidated]}


def main():
    read(CheckOptions, checked)


if __name__ == "__main__":
    main()
