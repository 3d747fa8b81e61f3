#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mcp_fleet
short_description: Secure or check many MCP servers at once
version_added: 0.1.0
description:
  - Does for a whole list of MCP servers of one domain and environment what the role C(secure_mcp) does for one, in its sealed
    flow, by the same code as the modules.
  - What can be read for all of them at once is read once; servers are worked on in parallel. Checking hundreds takes seconds.
  - A server that is refused stops no other. The task fails in the end, and says which.
options:
  servers:
    description: The MCP servers.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the API, and of the MCP server in AM.
        type: str
        required: true
      context_path:
        description: Context path of the API, in lower case.
        type: str
        required: true
      target:
        description: The MCP server's own URL.
        type: str
        required: true
      version:
        description: Version of the API. V(1.0) if not set.
        type: str
      client_id:
        description: Client id of the MCP server in AM; generated if there is none.
        type: str
      client_secret:
        description: Its client secret; generated if there is none.
        type: str
      tools:
        description: The tools of the MCP server, each with C(key), C(description) and C(scopes).
        type: list
        elements: dict
      required_scopes:
        description: Scopes that clients are told to ask for, see M(gravitee.mcp.gravitee_plan). C(openid) if not set.
        type: list
        elements: str
      read_timeout:
        description: How long the gateway waits for the MCP server's answer, in milliseconds. 120000 if not set.
        type: int
      definition:
        description: Anything else of the API, see the option definition of M(gravitee.mcp.gravitee_api).
        type: dict
      adopt:
        description: Whether to take over an API of another name at the context path.
        type: bool
        default: false
  domain:
    description: The AM domain, by hrid or id.
    type: str
    required: true
  gateway_url:
    description: Public base URL of APIM's gateway, as clients call it.
    type: str
    required: true
  am_gateway_url:
    description: Base URL of AM's gateway, by which APIM's gateway asks about tokens and clients log in.
    type: str
    required: true
  resource_name:
    description: Name of each API's resource that asks AM about tokens.
    type: str
    default: Gravitee AM
  plan_name:
    description: Name of the OAuth2 plans.
    type: str
    default: OAuth2
  dcr:
    description: Whether to let MCP clients register themselves in the domain. V(false) leaves the domain as it is.
    type: bool
    default: true
  client_profiles:
    description: The MCP clients that may register themselves, see M(gravitee.mcp.am_domain_settings). All of them if not set.
    type: list
    elements: str
  user_registration:
    description: Whether to let users create an account. V(false) leaves the domain as it is.
    type: bool
    default: true
  recreate_lost_server:
    description: Whether an MCP server in AM before 4.11 may be made anew when the API does not hold its secret.
    type: bool
    default: true
  look:
    description:
      - Whether to look at each server from outside, too, as M(gravitee.mcp.mcp_check) does, with no token.
      - Also asks AM's gateway whether it takes the secret that the API holds; one that it refuses is renewed.
    type: bool
    default: false
  wait_timeout:
    description: For how many seconds AM's gateway, which learns of a new secret some seconds after AM, may refuse one.
    type: int
    default: 30
  parallel:
    description: How many servers to work on at the same time.
    type: int
    default: 8
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
seealso:
  - module: gravitee.mcp.mcp_check
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Find drift in two MCP servers, and test both from outside
  gravitee.mcp.mcp_fleet:
    domain: mcp
    gateway_url: https://gateway.example.com
    am_gateway_url: https://auth.example.com
    servers:
      - name: Weather MCP
        context_path: /weather-mcp
        target: http://weather.internal:9000/mcp
      - name: News MCP
        context_path: /news-mcp
        target: http://news.internal:9000/mcp
    look: true
  check_mode: true
  register: fleet
"""

RETURN = r"""
servers:
  description: Every server, in the order given.
  returned: success or failure
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    context_path:
      description: Its context path.
      type: str
    url:
      description: The URL that clients call.
      type: str
    changed:
      description: Whether something was changed, or in check mode would be.
      type: bool
    changes:
      description: What was done, or in check mode would be done, one sentence a request.
      type: list
      elements: str
    diff:
      description: A diff for each object that differs, secrets masked.
      type: list
      elements: dict
    failed:
      description: Whether it was refused.
      type: bool
    msg:
      description: Why.
      type: str
      returned: when it was refused
    seen:
      description: What M(gravitee.mcp.mcp_check) saw.
      type: dict
      returned: with O(look=true)
domain:
  description: The domain's C(id), C(hrid) and what was or would be changed in it.
  returned: success
  type: dict
failed_servers:
  description: Names of the servers that were refused.
  returned: success or failure
  type: list
  elements: str
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.fleet import reconcile
from ansible_collections.gravitee.mcp.plugins.module_utils.module import fleet

SERVER = {
    "name": {"type": "str", "required": True},
    "context_path": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "version": {"type": "str"},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "tools": {"type": "list", "elements": "dict"},
    "required_scopes": {"type": "list", "elements": "str"},
    "read_timeout": {"type": "int"},
    "definition": {"type": "dict"},
    "adopt": {"type": "bool", "default": False},
}
SPEC = {
    "servers": {"type": "list", "elements": "dict", "required": True, "options": SERVER},
    "domain": {"type": "str", "required": True},
    "gateway_url": {"type": "str", "required": True},
    "am_gateway_url": {"type": "str", "required": True},
    "resource_name": {"type": "str", "default": "Gravitee AM"},
    "plan_name": {"type": "str", "default": "OAuth2"},
    "dcr": {"type": "bool", "default": True},
    "client_profiles": {"type": "list", "elements": "str"},
    "user_registration": {"type": "bool", "default": True},
    "recreate_lost_server": {"type": "bool", "default": True},
    "look": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 30},
    "parallel": {"type": "int", "default": 8},
}


def main():
    fleet(SPEC, reconcile)


if __name__ == "__main__":
    main()
