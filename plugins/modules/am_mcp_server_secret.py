#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_mcp_server_secret
short_description: Manage the client secrets of an MCP server in Gravitee AM
version_added: 0.1.0
description:
  - With its client id and a client secret APIM's gateway checks the tokens for an MCP server, see M(gravitee.mcp.am_resource).
  - From AM 4.11 on an MCP server has up to ten secrets, each with a name, and all of them are valid. So a secret is replaced
    while calls keep working. Make another one (O(state=renewed)), put it into the API, deploy it, then delete what it replaces
    (O(state=absent) with O(replaced_by)).
  - Before AM 4.11 an MCP server has one secret without a name, and the only way to another is O(recreate=true).
  - AM generates every value, and shows it once.
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id. It must exist.
    type: str
    required: true
  resource_identifier:
    description:
      - The URL that clients call, such as V(https://gateway.example.com/weather-mcp).
      - The MCP server is found by it, or by O(client_id).
    type: str
  client_id:
    description: Client id of the MCP server.
    type: str
  state:
    description:
      - V(present) makes the secret O(name) if there is none of that name.
      - V(renewed) makes a new secret in every run. Without O(name) it is another secret beside those that are there, under a name
        that says that this collection made it and when. With O(name) that secret gets a new value, and its old value is
        refused from then on.
      - V(absent) deletes the secret O(name), or those that O(replaced_by) names. AM keeps the last one.
    type: str
    choices: [present, renewed, absent]
    default: present
  name:
    description:
      - Name of the secret (AM 4.11 and later), which AM trims. AM calls the one that comes with the MCP server V(Default).
      - Required with O(state=present).
    type: str
  replaced_by:
    description:
      - Name of a secret. With O(state=absent) those that it replaces are deleted, which are the older ones that this collection
        named, and V(Default) if that is older.
      - Secrets with other names stay, and so do younger ones, which another run may be about to use.
    type: str
  in_use:
    description:
      - Names of the secrets that something uses, as far as the names are such as this collection gives. V([]) says that none is.
      - When the MCP server has ten secrets, the oldest one that this collection named and that is not among these is deleted to
        make room for a new one. Without O(in_use) that is refused, as AM does not know which secrets are used.
      - They are not deleted for O(replaced_by) either.
    type: list
    elements: str
  recreate:
    description:
      - Whether O(state=renewed) may delete the MCP server and create it again with the same client id and properties. There
        is no other way before AM 4.11. Until the new secret is in place, the gateway cannot check tokens.
      - From AM 4.11 on it makes no difference.
    type: bool
    default: false
  am_gateway_url:
    description:
      - Base URL of AM's gateway, such as V(https://auth.example.com). Given, the module returns a new secret only when AM's
        gateway takes it, so that a deployment after it refuses no call. AM's gateway follows AM some seconds later.
      - A new secret that it does not take in time is deleted again, and the task fails.
      - Where AM's gateway cannot be asked for the domain, the task fails before anything is written.
    type: str
  wait_timeout:
    description: How long to wait for O(am_gateway_url), in seconds.
    type: float
    default: 60.0
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
attributes:
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run changes nothing.
    support: partial
    details: O(state=renewed) makes a new secret in every run.
notes:
  - RV(client_secret) is shown once. Register the task with C(no_log=true) and pass it on in the same play.
seealso:
  - module: gravitee.mcp.am_mcp_server
  - module: gravitee.mcp.am_mcp_server_info
  - module: gravitee.mcp.am_resource
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Make another secret, and wait until AM's gateway takes it
  gravitee.mcp.am_mcp_server_secret:
    domain: mcp
    resource_identifier: https://gateway.example.com/weather-mcp
    state: renewed
    am_gateway_url: https://auth.example.com
  register: secret
  no_log: true

- name: Put it into the API
  gravitee.mcp.am_resource:
    context_path: /weather-mcp
    client_secret: "{{ secret.client_secret }}"

- name: Deploy it, labelled with the secret's name
  gravitee.mcp.gravitee_deployment:
    context_path: /weather-mcp
    label: "{{ secret.name }}"
    wait: true
    gateway_url: https://gateway.example.com/weather-mcp

- name: Delete the secrets that it replaces
  gravitee.mcp.am_mcp_server_secret:
    domain: mcp
    resource_identifier: https://gateway.example.com/weather-mcp
    state: absent
    replaced_by: "{{ secret.name }}"

- name: Have a secret of its own for another gateway
  gravitee.mcp.am_mcp_server_secret:
    domain: mcp
    resource_identifier: https://gateway.example.com/weather-mcp
    name: gateway in Paris
  register: paris
  no_log: true
"""

RETURN = r"""
client_id:
  description: The MCP server's client id; V(yet to be generated) in check mode when an earlier task would create the MCP server.
  returned: success
  type: str
client_secret:
  description: The new client secret; V(yet to be generated) in check mode.
  returned: when this run made one, or in check mode would
  type: str
name:
  description: Name of the secret; V(yet to be generated) in check mode when this collection would give it.
  returned: AM 4.11 and later, when O(name) is given or this run made one, or in check mode would
  type: str
  sample: gravitee.mcp 20261126T013005123Z
secrets:
  description: The MCP server's secrets, without their values.
  returned: AM 4.11 and later, when the MCP server exists
  type: list
  elements: dict
  contains:
    name:
      description: Name of the secret.
      type: str
    createdAt:
      description: When it was made, in milliseconds since 1970.
      type: int
    expiresAt:
      description: When it expires, in milliseconds since 1970. Left out where it does not.
      type: int
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create another secret of MCP server Weather MCP]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server_secret import ManagedMcpServerSecret


def main():
    run(ManagedMcpServerSecret)


if __name__ == "__main__":
    main()
