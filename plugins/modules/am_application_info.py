#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_application_info
short_description: Read applications of Gravitee AM
version_added: 0.1.0
description:
  - Reads the clients of an AM domain, those that registered themselves among them.
  - With O(resource), only clients that got a token for an MCP server, with the users who got it, from AM's audit log.
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id.
    type: str
    required: true
  client_id:
    description: Only the application with this client id.
    type: str
  name:
    description: Only applications of this name.
    type: str
  self_registered:
    description: Only those that registered themselves, or with V(false) only the others.
    type: bool
  resource:
    description: Only clients that got a token for the MCP server with this resource identifier, the URL that clients call.
    type: str
  since_days:
    description: How far back to look in the audit log for O(resource), in days.
    type: int
    default: 30
  admit:
    description:
      - Rules by which a client is RV(applications[].admitted). A rule fits when the name and every redirect URI of the client do.
      - A client says its name itself, so the redirect URIs are what counts.
    type: list
    elements: dict
    default: []
    suboptions:
      client_name:
        description: Shell pattern of the client's name. Any, if not set.
        type: str
      redirect_uris:
        description:
          - The redirect URIs that the client may have. Scheme and host must be the same; the port may be V(*), and the path may
            hold C(*) and C(?). Queries and fragments never fit.
        type: list
        elements: str
        required: true
  client_profiles:
    description: Rules for the redirect URIs of well-known clients, beside those of O(admit).
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
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
seealso:
  - module: gravitee.mcp.am_application
  - module: gravitee.mcp.gravitee_subscription
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Find the clients that registered themselves and got a token for the weather MCP server
  gravitee.mcp.am_application_info:
    domain: mcp
    self_registered: true
    resource: https://gateway.example.com/weather-mcp
    client_profiles: [vscode, claude_code]
  register: found

- name: Subscribe those whose redirect URIs match a profile
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: "{{ item.client_id }}"
    application_name: "{{ item.name }} {{ item.client_id }}"
  loop: "{{ found.applications | selectattr('admitted') }}"
"""

RETURN = r"""
applications:
  description: The applications, without secrets.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the application; null of a client that gave the URL of its metadata document as its id.
      type: str
    client_id:
      description: Its client id.
      type: str
    name:
      description: Its name, which a self-registered client chose itself.
      type: str
    type:
      description: Kind of client.
      type: str
    redirect_uris:
      description: Its redirect URIs.
      type: list
      elements: str
    grant_types:
      description: Its grant types.
      type: list
      elements: str
    token_endpoint_auth_method:
      description: How it authenticates at the token endpoint.
      type: str
    scopes:
      description: Its scopes.
      type: list
      elements: str
    self_registered:
      description: Whether it registered itself.
      type: bool
    admitted:
      description: Whether a rule of O(admit) or O(client_profiles) fits it and, with O(resource), a user has logged in with it.
      type: bool
    why_not:
      description: Why it is not admitted, empty if it is.
      type: str
    users:
      description: The users who got a token for O(resource) with it.
      type: list
      elements: str
      returned: with O(resource)
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import ApplicationInfoOptions, applications
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def main():
    read(ApplicationInfoOptions, lambda servers, params: {"applications": applications(servers.am, params)})


if __name__ == "__main__":
    main()
