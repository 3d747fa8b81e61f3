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
    initialize and tools/list."
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
  token:
    description: An access token to call with, once a call without one is refused.
    type: str
  expect:
    description: What the result should be. Anything else fails the task.
    type: list
    elements: str
    choices: [open, secured, upstream_secured, unreachable, misconfigured]
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
- name: How does the weather MCP server look from outside?
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
  register: seen

- name: Nobody gets in without a token, or the play ends here
  gravitee.mcp.mcp_check:
    url: https://gateway.example.com/weather-mcp
    expect: [secured]
    wait_timeout: 60

- name: Does the MCP server behind ask for authentication itself?
  gravitee.mcp.mcp_check:
    url: http://weather:9000/mcp
    gateway: false
  register: target
"""

RETURN = r"""
result:
  description:
    - V(open), anyone gets in. V(secured), a stranger does not and a client finds its way.
    - V(upstream_secured), the MCP server behind asks for authentication itself.
    - V(unreachable), nothing at the URL speaks MCP. V(misconfigured), a step fails.
  returned: success
  type: str
  sample: secured
summary:
  description: The first step that failed and why, or else the result.
  returned: success
  type: str
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
  description: Names of the tools, if a token was given and good.
  returned: success
  type: list
  elements: str
url:
  description: The URL.
  returned: success
  type: str
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import read
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.check import check

SPEC = {
    "url": {"type": "str", "required": True},
    "gateway": {"type": "bool", "default": True},
    "token": {"type": "str", "no_log": True},
    "expect": {
        "type": "list",
        "elements": "str",
        "choices": ["open", "secured", "upstream_secured", "unreachable", "misconfigured"],
    },
    "wait_timeout": {"type": "int", "default": 0},
}


def main():
    read(SPEC, lambda servers, params: check(params, servers.options))


if __name__ == "__main__":
    main()
