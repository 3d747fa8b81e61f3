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
    a closed keyless plan still lets in everybody until then.
  - Deploys only when the definition differs from what was deployed, and then everything that differs, whoever changed it;
    RV(waiting) lists it.
  - Does not open what is or was closed, unless O(allow_open) says so. What O(allow_open) decides on is read again right before
    the first write.
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
      - For check mode, where the server has not seen those changes, and to do in the run what check mode predicted.
    type: bool
    default: false
  allow_open:
    description:
      - Whether anyone may get in without credentials where nobody could so far. An API is open when a keyless plan of it is
        published or deprecated, and deployed.
      - If not set, an API is opened only by its first deployment, and only if it never had plans but keyless ones and none of
        them was closed. Starting an API again that was stopped while open is no opening either.
      - With V(false) nothing that is not open right now is opened, neither a new API nor one that is stopped.
      - With V(true) any plan is served.
    type: bool
  wait:
    description:
      - Whether to wait until the gateway answers as it should; it follows a deployment some seconds later.
      - Calls O(gateway_url) without a token, O(wait_answers) times in a row, and then asks APIM whether the API is deployed and
        in this state. Nothing is waited for in check mode.
    type: bool
    default: false
  gateway_url:
    description: The API's URL on the gateway, such as V(https://gateway.example.com/weather-mcp). Required with O(wait=true).
    type: str
  wait_for:
    description:
      - What a call without a token should get. V(open) is an answer, V(secured) a 401 or 403, V(absent) a 404.
      - If not set, it follows from O(state) and from whether a keyless plan is served.
    type: str
    choices: [open, secured, absent]
  wait_timeout:
    description: How long to wait, in seconds.
    type: int
    default: 60
  wait_answers:
    description:
      - How many answers in a row must be as expected. Each call has a connection of its own. Gateways behind one address follow
        one after the other, so that one answer proves nothing about the others.
    type: int
    default: 5
  wait_interval:
    description:
      - The longest pause, in seconds, after an answer that is not as expected. The first pauses are shorter. After an answer as
        expected the next call follows at once.
    type: float
    default: 0.25
  wait_check:
    description:
      - Whether O(wait_for=secured) also asks that an MCP client finds its way from the refusal to AM's metadata, as
        M(gravitee.mcp.mcp_check) does.
    type: bool
    default: false
  on_failure:
    description:
      - What follows when the deployment, the start or the proof that O(wait=true) asks for fails. The message says what failed
        and what stands then. A task that wrote nothing leaves everything as it is.
      - V(keep) leaves the API as it is.
      - V(stop) stops the API.
      - V(rollback) puts definition and plans back to the deployment that was served before this task, and deploys that. The
        client secret of a resource for Gravitee AM stays what the API holds now. The API is stopped instead when there was no
        deployment before, when the one before is open, or when rolling back fails.
    type: str
    choices: [keep, stop, rollback]
    default: keep
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

- name: Deploy an API that must not become open, and go back to what was served if it does not answer as it should
  gravitee.mcp.gravitee_deployment:
    context_path: /weather-mcp
    allow_open: false
    wait: true
    wait_for: secured
    gateway_url: https://gateway.example.com/weather-mcp
    on_failure: rollback

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
waiting:
  description:
    - What waited to be deployed when the task began, one line for each difference between what the gateway serves and what a
      deployment makes it serve. Changes that somebody made by hand and did not deploy are among them. Secrets are masked.
    - Empty where nothing waits, and with O(state=stopped).
  returned: success
  type: list
  elements: str
  sample: ["target: http://a:9000/mcp → http://b:9000/mcp", "plan Keyless: published → closed"]
deployment_due:
  description: Whether the gateway serves something else than the definition now says, see M(gravitee.mcp.gravitee_deployment).
  returned: success
  type: bool
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import ManagedDeployment


def main():
    run(ManagedDeployment)


if __name__ == "__main__":
    main()
