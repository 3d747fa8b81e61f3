#!/usr/bin/python
# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: am_domain_settings
short_description: Manage client registration and login settings of an AM domain
version_added: 0.1.0
description:
  - Changes who may register in a domain, clients and users.
  - What is not given stays as the server has it, field by field, although AM itself replaces the login settings as a whole.
  - Several hosts, forks and controllers may set the same domain at the same time, see the notes.
options:
  domain:
    description: The domain, by its hrid (the name in its URL) or its id. It must exist.
    type: str
    required: true
  mcp_clients:
    description:
      - Whether to set what MCP clients (VS Code, Claude Code, the SDKs) need to register themselves.
      - "That is: registration on and open, redirect URIs on localhost and without TLS allowed, the scopes C(openid),
        C(profile), C(email) and C(offline_access) allowed beside those already allowed, and C(openid) by default. The first
        switch alone lets no MCP client in."
      - A setting given in O(client_registration) beside it wins.
      - V(false) changes nothing.
      - The same as all O(client_profiles).
    type: bool
    default: false
  client_profiles:
    description:
      - The MCP clients that shall be able to register themselves, and nothing that only others need. Redirect URIs on localhost
        and without TLS are allowed only if one of these needs them.
      - What the domain allows already stays allowed.
    type: list
    elements: str
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
  client_metadata_documents:
    description:
      - Client ID metadata documents, by which clients bring a URL as their id instead of registering (AM 4.12 and later; taken
        from AM's API description, tried on the sandbox only).
    type: dict
    suboptions:
      enabled:
        description:
          - Whether AM accepts them. It needs O(client_metadata_documents.template) and hosts in
            O(client_metadata_documents.allowed_domains).
        type: bool
      allowed_domains:
        description:
          - The hosts that documents may come from.
          - If it is not set, while O(client_metadata_documents.enabled=true) and O(client_profiles) is given, the hosts of those
            clients' documents are added to those that are allowed already.
        type: list
        elements: str
      allow_private_ip_address:
        description: Whether documents may come from private addresses.
        type: bool
      allow_unsecured_http_uri:
        description: Whether documents may come without TLS.
        type: bool
      cache_ttl_seconds:
        description: How long AM keeps a document, in seconds.
        type: int
      cache_max_entries:
        description: How many documents AM keeps.
        type: int
      fetch_timeout_ms:
        description: How long AM waits for a document, in milliseconds.
        type: int
      max_response_size_kb:
        description: How large a document may be, in KiB.
        type: int
      revoke_on_document_change:
        description: Whether a change of its document revokes a client's tokens.
        type: bool
      template:
        description:
          - Name of the application that such clients are made after, see O(gravitee.mcp.am_application#module:template). They get
            its scopes and grant types, as far as their document asks for them.
        type: str
      template_id:
        description: Id of that application, instead of its name.
        type: str
  mcp_client_scopes:
    description:
      - With O(mcp_clients=true) or O(client_profiles), further scopes that these clients need. Each may ask for them, also one
        that named no scope when it registered.
      - O(mcp_client_scopes_mode) says what becomes of scopes that the domain allows already.
    type: list
    elements: str
    default: []
  mcp_client_optional_scopes:
    description:
      - With O(mcp_clients=true) or O(client_profiles), scopes that a client has only if it named them when it registered. That is
        the way for the scopes of tools; M(gravitee.mcp.mcp_admission) gives them to those that it admits.
      - What was given by default before, stays so, unless O(mcp_client_scopes_mode=exact) or
        O(client_registration.default_scopes) says otherwise.
    type: list
    elements: str
    default: []
  mcp_client_scopes_mode:
    description:
      - V(add) adds the scopes that MCP clients need, C(openid), C(profile), C(email), C(offline_access), O(mcp_client_scopes) and
        O(mcp_client_optional_scopes), to those that the domain allows, and O(mcp_client_scopes) to those that it gives by
        default. Nothing is removed, so several MCP servers can share the domain.
      - V(exact) allows these scopes and removes all others, for a task that speaks for the whole domain.
      - Lists in O(client_registration) are always exact.
    type: str
    choices: [add, exact]
    default: add
  scopes:
    description: Scopes that the domain must have. They are created where it lacks them; others stay.
    type: list
    elements: str
    default: []
  client_registration:
    description: Settings of dynamic client registration.
    type: dict
    suboptions:
      dynamic_client_registration_enabled:
        description: Whether clients may register themselves.
        type: bool
      open_dynamic_client_registration_enabled:
        description: Whether they may do so without an initial access token. MCP clients have none.
        type: bool
      allow_localhost_redirect_uri:
        description: Whether they may name redirect URIs on localhost, as clients on a desktop do.
        type: bool
      allow_http_scheme_redirect_uri:
        description: Whether they may name redirect URIs without TLS, as clients on a desktop do.
        type: bool
      allow_wild_card_redirect_uri:
        description: Whether they may name redirect URIs with a wildcard.
        type: bool
      allow_redirect_uri_params_expression_language:
        description: Whether they may use expressions in redirect URIs.
        type: bool
      allowed_scopes_enabled:
        description: Whether registered clients get no other scopes than O(client_registration.allowed_scopes).
        type: bool
      allowed_scopes:
        description: The scopes that registered clients may have.
        type: list
        elements: str
      default_scopes:
        description: The scopes of clients that register without naming any.
        type: list
        elements: str
      client_template_enabled:
        description: Whether clients may register after a template.
        type: bool
  login:
    description: Login settings.
    type: dict
    suboptions:
      inherited:
        description: Whether the settings come from above, and these are ignored. V(false) if any of them is given.
        type: bool
      register_enabled:
        description: Whether users may create an account on the login page.
        type: bool
      forgot_password_enabled:
        description: Whether users may reset a forgotten password.
        type: bool
      remember_me_enabled:
        description: Whether users may stay logged in.
        type: bool
      passwordless_enabled:
        description: Whether users may log in with WebAuthn.
        type: bool
      passwordless_remember_device_enabled:
        description: Whether a WebAuthn device is remembered.
        type: bool
      passwordless_enforce_password_enabled:
        description: Whether WebAuthn needs the password, too.
        type: bool
      passwordless_device_naming_enabled:
        description: Whether users may name their WebAuthn devices.
        type: bool
      hide_form:
        description: Whether the login form is hidden.
        type: bool
      identifier_first_enabled:
        description: Whether the user name is asked for before the password.
        type: bool
      certificate_based_auth_enabled:
        description: Whether users may log in with a certificate.
        type: bool
      magic_link_auth_enabled:
        description: Whether users may log in with a magic link (AM 4.11 and later).
        type: bool
extends_documentation_fragment:
  - gravitee.mcp.connection
  - gravitee.mcp.connection.managed
notes:
  - B(Every change of the settings makes AM's gateway answer 404 for 0.2 to 0.5 seconds), token checks of running APIs included.
    So all settings that differ are changed in one request, and none is sent when nothing differs.
  - AM knows no conditional change. This module reads right before it writes, waits for four times as long as that took, reads
    back, and writes again what another writer has overwritten, eight times at most. What the other writer set stays. So writers
    at the same time end as one after the other would, if none of them takes longer from its read to its write than that.
  - Scopes are created each by a request of its own; one that another run was faster to create is taken.
seealso:
  - module: gravitee.mcp.am_mcp_server
author:
  - The gravitee.mcp authors (@gravitee-mcp)
"""

EXAMPLES = r"""
- name: Let MCP clients and users register
  gravitee.mcp.am_domain_settings:
    domain: mcp
    mcp_clients: true
    login:
      register_enabled: true

- name: Let VS Code and Claude Code register, or use a client ID metadata document (AM 4.12)
  gravitee.mcp.am_domain_settings:
    domain: mcp
    client_profiles: [vscode, claude_code]
    client_metadata_documents:
      enabled: true
      template: Client documents  # made with am_application

- name: The weather server's clients need a scope of its own, beside those of other servers
  gravitee.mcp.am_domain_settings:
    domain: mcp
    mcp_clients: true
    mcp_client_scopes: [weather]
    scopes: [weather]

- name: These scopes and no others, for the whole domain
  gravitee.mcp.am_domain_settings:
    domain: mcp
    mcp_clients: true
    mcp_client_scopes: [weather, news]
    mcp_client_scopes_mode: exact
    scopes: [weather, news]

- name: Allow https redirect URIs only
  gravitee.mcp.am_domain_settings:
    domain: mcp
    mcp_clients: true
    client_registration:
      allow_localhost_redirect_uri: false
      allow_http_scheme_redirect_uri: false
"""

RETURN = r"""
settings:
  description: The settings under AM's own names, C(clientRegistrationSettings), C(cimdSettings) and
    C(loginSettings).
  returned: success
  type: dict
domain:
  description: The domain's C(id), C(hrid), C(name), C(path) and whether it is C(enabled).
  returned: success
  type: dict
  sample:
    id: ab8ac322-10f4-474b-8ac3-2210f4774ba9
    hrid: mcp
    name: MCP
    path: /mcp
    enabled: true
id:
  description: The domain's id.
  returned: success
  type: str
changes:
  description: What was done, or in check mode would be done, one sentence a request.
  returned: success
  type: list
  elements: str
  sample: [set registerEnabled of domain mcp]
"""

from ansible_collections.gravitee.mcp.plugins.module_utils.module import run
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import ManagedDomain


def main():
    run(ManagedDomain)


if __name__ == "__main__":
    main()
