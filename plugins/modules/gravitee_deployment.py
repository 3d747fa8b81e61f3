#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_deployment
short_description: Manage what Gravitee's gateway serves of an API
version_added: 0.1.0
description:
  - Deploys, starts and stops an API.
  - Nothing that the other modules change in an API's definition is served before this module deploys it. That includes plans;
    a closed keyless plan still lets everybody in until then.
  - Deploys only when the definition differs from what was deployed.
options:
  state:
    description:
      - V(started) deploys what is due and starts the API.
      - V(deployed) deploys what is due and leaves the API started or stopped as it is.
      - V(stopped) stops the API; the gateway answers 404 then.
      - A definition without a published plan is not deployed. APIM refuses that while its gateway goes on serving the old one.
    type: str
    choices: [started, deployed, stopped]
    default: started
  label:
    description: Label of the deployment in the API's history, of 32 characters at the most.
    type: str
  definition_changed:
    description:
      - Whether earlier tasks of this play changed what is to be deployed, as their RV(ignore:deployment_due) says. Then it is
        deployed, whatever the server says.
      - For check mode, where the server has not seen those changes, and to do in the run what check mode foretold.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the gateway answers as it should; it follows a deployment some seconds later.
      - Asks O(gateway_url) as a stranger, with no token. Nothing is waited for in check mode.
    type: bool
    default: false
  gateway_url:
    description: The API's URL on the gateway, such as V(https://gateway.example.com/weather-mcp). Required with O(wait=true).
    type: str
  wait_for:
    description:
      - What a stranger should get. V(open) is an answer, V(secured) a 401 or 403, V(absent) a 404.
      - If not set, it follows from O(state) and from whether a keyless plan is published.
    type: str
    choices: [open, secured, absent]
  wait_timeout:
    description: How long to wait, in seconds.
    type: int
    default: 60
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
seealso:
  - module: gravitee.mcp.gravitee_plan
  - module: gravitee.mcp.mcp_check
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Deploy the definition, and wait until the gateway serves it
  gravitee.mcp.gravitee_deployment:
    context_path: /weather-mcp
    label: secured
    wait: true
    gateway_url: https://gateway.example.com/weather-mcp

- name: Stop the API, so that nobody gets in
  gravitee.mcp.gravitee_deployment:
    context_path: /weather-mcp
    state: stopped
"""

RETURN = r"""
deployment:
  description: State of the API on the gateway.
  returned: success
  type: dict
  contains:
    api_id:
      description: Id of the API.
      type: str
    state:
      description: V(STARTED) or V(STOPPED).
      type: str
    deploymentState:
      description: V(DEPLOYED) or V(NEED_REDEPLOY).
      type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [deploy API /weather-mcp]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import SPEC, ManagedDeployment
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ONE_API


def main():
    run(
        SPEC,
        lambda servers, params: ManagedDeployment(servers.apim, params, servers.options),
        required_if=[["wait", True, ["gateway_url"]]],
        **ONE_API,
    )


if __name__ == "__main__":
    main()
