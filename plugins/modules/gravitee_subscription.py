#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: gravitee_subscription
short_description: Manage a client's subscription to an API in Gravitee APIM
version_added: 0.1.0
description:
  - An OAuth2 plan of an API of type proxy lets in a valid token only if an application in APIM with the token's client id is
    subscribed to it. This module makes both, the application and the subscription.
  - Takes effect some seconds later, when the gateway has followed. Needs no deployment.
options:
  client_id:
    description: The client id, as AM knows it. The application is found by it; it is unique among the active ones.
    type: str
    required: true
  plan:
    description: Name of the plan. If not set, the API's published OAuth2 plan.
    type: str
  application_name:
    description: Name of a new application. If not set, the client id.
    type: str
  application_description:
    description: Description of a new application.
    type: str
    default: A client of MCP servers, made with gravitee.mcp
  application_type:
    description: What a new application says of the kind of client.
    type: str
    default: native
  state:
    description:
      - V(present) makes what is missing, and accepts or resumes a subscription that waits or pauses.
      - V(closed) closes the subscription and keeps the application. A later V(present) subscribes it anew.
      - V(absent) closes the subscription, and archives the application when it has no subscription to another API or plan. A
        later V(present) makes a new application.
    type: str
    choices: [present, closed, absent]
    default: present
  force:
    description:
      - With O(state=absent), whether to archive the application even if it has other subscriptions, which ends them, too.
    type: bool
    default: false
  reopen:
    description:
      - With O(state=present), whether a client whose subscription was closed, paused or rejected gets it again. V(false) leaves
        that as it is, and warns. So closing it in APIM shuts the client out for good.
    type: bool
    default: true
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
  - gravitee.mcp.connection.api
notes:
  - Several runs at the same time end with one application and one subscription; what another run was faster to make is taken.
  - With O(state=absent) every API of the environment is asked for subscriptions of the application, because APIM lists them
    for each API only. Where the account may not read them, the application counts as used and stays. APIs that APIM does not
    show to the account at all, and API Products, are not asked.
seealso:
  - module: gravitee.mcp.am_application
  - module: gravitee.mcp.am_application_info
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Give a client a subscription to the weather API
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: "{{ vscode.client_id }}"  # from am_application
    application_name: VS Code

- name: Close it
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: "{{ vscode.client_id }}"
    state: closed

- name: Let in VS Code by the URL of its metadata document (AM 4.12), unless somebody closed its subscription
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: https://vscode.dev/oauth/client-metadata.json
    application_name: VS Code
    reopen: false

- name: Remove the client in APIM, unless it may call something else
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: "{{ vscode.client_id }}"
    state: absent
  register: removed

- name: Remove it in AM, too, when nothing else needs it
  gravitee.mcp.am_application:
    domain: mcp
    client_id: "{{ vscode.client_id }}"
    state: absent
  when: not removed.other_subscriptions
"""

RETURN = r"""
subscription:
  description: The subscription; empty when there is none. In check mode, what it would be.
  returned: success
  type: dict
  sample:
    id: cdd825c6-ebe2-41ee-9825-c6ebe2a1ee77
    status: ACCEPTED
application:
  description: The application; empty when there is none.
  returned: success
  type: dict
id:
  description: The subscription's id; null when it does not exist yet.
  returned: success
  type: str
application_id:
  description: The application's id; null when it does not exist yet.
  returned: success
  type: str
plan_id:
  description: The plan's id.
  returned: success
  type: str
client_id:
  description: The client id.
  returned: success
  type: str
other_subscriptions:
  description: The client's subscriptions to other APIs and plans. O(state=absent) keeps the application while there are any.
  returned: with O(state=absent)
  type: list
  elements: dict
  contains:
    api:
      description: Name of the API.
      type: str
    api_id:
      description: Id of the API.
      type: str
    plan_id:
      description: Id of the plan; V(unknown) where the account may not read the API's subscriptions.
      type: str
    status:
      description: V(ACCEPTED), V(PENDING) or V(PAUSED); V(UNKNOWN) where the account may not read the API's subscriptions.
      type: str
  sample: []
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create application VS Code, subscribe VS Code to plan OAuth2]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import ManagedSubscription


def main():
    run(ManagedSubscription)


if __name__ == "__main__":
    main()
