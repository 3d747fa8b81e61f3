#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_api_info
short_description: Read APIs of Gravitee APIM
version_added: 0.1.0
description:
  - Returns the APIs of an environment, all or those that fit every filter given. Secrets in them are masked,
    unless asked for.
options:
  id:
    description: Id of the API.
    type: str
  context_path:
    description: Context path of the API, with or without slashes at its ends.
    type: str
  name:
    description: Name of the APIs. Not unique.
    type: str
  label:
    description: A label that the APIs have.
    type: str
  state:
    description: Whether the APIs are started or stopped.
    type: str
    choices: [started, stopped]
  plans:
    description: Whether to return the plans of each API, too; one request more for each.
    type: bool
    default: false
  secrets:
    description:
      - Whether to leave the secrets in the APIs in the clear, so that M(gravitee.mcp.gravitee_api) can put one back as it was.
      - Set C(no_log=true) on such a task.
    type: bool
    default: false
  check_credentials:
    description:
      - Whether to ask AM's gateway if it takes the client id and secret of each resource "Gravitee.io AM Authorization Server",
        as APIM's gateway does. No management API tells that.
      - Where it refuses them, good tokens are answered with 503; see M(gravitee.mcp.am_mcp_server_secret).
    type: bool
    default: false
  wait_timeout:
    description:
      - With O(check_credentials=true), for how many seconds AM's gateway may refuse them before it is believed.
      - It learns of a new secret some seconds after AM.
    type: int
    default: 30
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.reads
seealso:
  - module: gravitee.mcp.gravitee_api
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Read the API at a context path, with its plans
  gravitee.mcp.gravitee_api_info:
    context_path: /weather-mcp
    plans: true
  register: weather

- name: Ask AM whether it accepts the secret that the API holds
  gravitee.mcp.gravitee_api_info:
    context_path: /weather-mcp
    check_credentials: true
  register: weather

- name: Read every API with the label mcp
  gravitee.mcp.gravitee_api_info:
    label: mcp
  register: mcp
"""

RETURN = r"""
apis:
  description:
    - The APIs as APIM answers them, secrets masked unless O(secrets=true), each with C(plans) of every status if asked for.
    - With O(check_credentials=true) the resources that ask AM have C(credentials), one of V(accepted), V(refused) and, where
      AM's gateway cannot be asked from here, V(unknown).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.info import ApiInfoOptions, apis
from ansible_collections.gravitee.mcp.plugins.module_utils.module import read


def main():
    read(ApiInfoOptions, lambda servers, params: {"apis": apis(servers.apim, params, servers.options)})


if __name__ == "__main__":
    main()
