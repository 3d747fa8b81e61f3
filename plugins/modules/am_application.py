#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_application
short_description: Manage an application in Gravitee AM
version_added: 0.1.0
description:
  - An application is a client that AM knows. This module makes those for clients that do not register themselves.
  - What is not given stays as the server has it.
  - To call an API, the client also needs a subscription, see M(gravitee.mcp.gravitee_subscription).
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id. It must exist.
    type: str
    required: true
  name:
    description:
      - Name of the application. Required to create one.
      - Without O(client_id) the application is found by it; those that registered themselves are left out, as any client may
        register under any name.
      - AM allows several applications of one name. The eldest is the one that is meant; the others are named in a warning and
        stay. O(state=absent) then asks for O(client_id).
    type: str
  type:
    description: Kind of client. Required to create one; it never changes.
    type: str
    choices: [native, web, browser, service]
  description:
    description: Description of the application.
    type: str
  redirect_uris:
    description: The URIs that users may be sent back to, all of them.
    type: list
    elements: str
  grant_types:
    description: The grant types that the client may use, such as V(authorization_code) and V(refresh_token).
    type: list
    elements: str
  scopes:
    description: The scopes that the client may have. They must exist in the domain.
    type: list
    elements: str
  scopes_mode:
    description:
      - V(exact) removes all scopes of the client that O(scopes) does not name.
      - V(add) keeps them, for a client of several MCP servers, each of which adds its own.
    type: str
    choices: [add, exact]
    default: exact
  identity_providers:
    description:
      - Ids of the identity providers that users of the client may log in with, the first one first.
      - An application without any gets the domain's default one, because no user could log in otherwise; not those of type
        V(service), which log in no users.
    type: list
    elements: str
  pkce:
    description: Whether the client must use PKCE with S256. AM itself forces that on native and browser clients.
    type: bool
  token_endpoint_auth_method:
    description: How the client proves itself at the token endpoint.
    type: str
    choices: [none, client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth,
      self_signed_tls_client_auth]
  template:
    description:
      - Whether the application is a template, which others are made after, see C(client_metadata_documents.template) of
        M(gravitee.mcp.am_domain_settings).
    type: bool
  client_id:
    description: Client id. A new application gets a generated one if none is given; it never changes.
    type: str
  client_secret:
    description: Client secret for a new application; AM generates one if none is given. On an existing one it is not compared.
    type: str
  state:
    description: Whether the application should exist.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
notes:
  - RV(client_secret) is shown once. Register the task with C(no_log=true), or give a secret of your own.
  - Runs at the same time end with one application of the name. The run that created it gets its secret; the others remove
    theirs and go on with that one. Changes are read back and repeated like those of M(gravitee.mcp.am_domain_settings).
  - AM does not tell whether a client is in use. RV(gravitee.mcp.gravitee_subscription#module:other_subscriptions) does, as far
    as APIM's APIs are concerned; see the examples there.
seealso:
  - module: gravitee.mcp.gravitee_subscription
  - module: gravitee.mcp.am_application_info
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Make VS Code known, without dynamic registration
  gravitee.mcp.am_application:
    domain: mcp
    name: VS Code
    type: native
    redirect_uris:
      - http://127.0.0.1:33418/
      - https://vscode.dev/redirect
    grant_types: [authorization_code, refresh_token]
    scopes: [openid, offline_access, "weather:read"]
  register: vscode

- name: A second MCP server, with a scope of its own
  gravitee.mcp.am_domain_settings:
    domain: mcp
    scopes: [news]

- name: Let the client ask for that scope, too
  gravitee.mcp.am_application:
    domain: mcp
    name: VS Code
    type: native
    scopes: [news]
    scopes_mode: add

- name: Give it a subscription to the weather API
  gravitee.mcp.gravitee_subscription:
    context_path: /weather-mcp
    client_id: "{{ vscode.client_id }}"
    application_name: VS Code

- name: Make the template of clients that have a client ID metadata document (AM 4.12)
  gravitee.mcp.am_application:
    domain: mcp
    name: Client documents
    type: native
    template: true
    redirect_uris: ["http://localhost/"]
    scopes: [openid, offline_access]
"""

RETURN = r"""
application:
  description: The application; empty when it is gone. In check mode, what it would be.
  returned: success
  type: dict
  sample:
    name: VS Code
    type: native
    clientId: fba33520-17c0-44c1-a335-2017c094c15d
id:
  description: The application's id; null when it does not exist yet.
  returned: success
  type: str
domain_id:
  description: The domain's id.
  returned: success
  type: str
client_id:
  description: Its client id; null in check mode when it is yet to be generated.
  returned: success
  type: str
client_secret:
  description: Its client secret.
  returned: when this run created it and it stays, and the client is no public one
  type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [create application VS Code]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import ManagedApplication


def main():
    run(ManagedApplication)


if __name__ == "__main__":
    main()
