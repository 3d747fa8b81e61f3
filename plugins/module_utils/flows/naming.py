# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A refusal names an option of a module; who wrote variables is told the variable that the option came from."""
from __future__ import annotations

import re
from dataclasses import fields

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, Variables

NAMES = {one.name for one in fields(Variables)}
# Option → variable, of the steps' modules; an option of the same name as its variable is not listed.
VARIABLES = {
    "gravitee_api": {
        "context_paths": "context_path",
        "context_path": "context_path",
        "type": "api_type",
        "definition": "api_definition",
        "challenge": "gateway_url",
    },
    "gravitee_plan": {
        "name": "plan_name",
        "oauth_resource": "resource_name",
        "audience": "bind_audience",
        "machine_clients": "clients",
        "url": "gateway_url",
    },
    "gravitee_deployment": {"wait_timeout": "verify_timeout", "wait": "verify"},
    "am_domain_settings": {
        "scopes": "required_scopes",
        "mcp_client_scopes": "required_scopes",
        "mcp_client_optional_scopes": "tools",
        "mcp_clients": "dcr",
        "login": "user_registration",
    },
    "am_mcp_server": {"resource_identifiers": "gateway_url", "resource_identifier": "gateway_url"},
    "am_mcp_server_secret": {
        "resource_identifier": "gateway_url",
        "recreate": "recreate_lost_server",
        "wait_timeout": "verify_timeout",
    },
    "am_resource": {"name": "resource_name", "server_url": "am_gateway_url", "security_domain": "domain"},
    "am_application": {
        "name": "clients",
        "type": "clients",
        "client_id": "clients",
        "client_secret": "clients",
        "redirect_uris": "clients",
        "grant_types": "clients",
        "scopes": "clients",
    },
    "gravitee_subscription": {
        "plan": "plan_name",
        "client_id": "clients",
        "application_name": "clients",
        "application_type": "clients",
        "reopen": "clients",
    },
    "mcp_admission": {
        "plan": "plan_name",
        "resource": "gateway_url",
        "since_days": "token_days",
        "stale_days": "stale_days",
        "remove_stale": "remove_stale",
        "client_profiles": "admit_profiles",
        "scopes": "tools",
        "subscribe": "registered_clients",
    },
    "mcp_check": {
        "url": "gateway_url",
        "username": "test_username",
        "password": "test_password",
        "client_id": "test_client_id",
        "client_secret": "test_client_secret",
        "subscription": "dcr",
        "tool_scopes": "tools",
        "audience": "bind_audience",
        "authorization_server": "am_gateway_url",
        "wait_timeout": "verify_timeout",
    },
    "mcp_credentials_file": {"path": "credentials_file"},
}
PARTS = {"api": "gravitee_api", "resource": "am_resource", "plan": "gravitee_plan"}  # of gravitee_api_import
_PART = re.compile(rf"({'|'.join(PARTS)})\.")
_OPTIONS = re.compile(r"(\w+(?:, \w+)*): ")


def named(module: str, message: str, prefix: str = "") -> str:
    """The message of a refusal with the variables, `prefix` before each, instead of the module's options it begins with."""
    part = _PART.match(message) if module == "gravitee_api_import" else None
    if part:
        module, message = PARTS[part[1]], message[part.end() :]
    found = _OPTIONS.match(message)
    if not found:
        return message
    table = VARIABLES.get(module, {})
    options = found[1].split(", ")
    variables = [table.get(option, option if option in NAMES else "") for option in options]
    if not all(variables):
        return message
    return f"{', '.join(prefix + name for name in dict.fromkeys(variables))}: {message[found.end():]}"


def named_by_role(action: str, message: str) -> str:
    """Of a task of the role: with the role's variables."""
    return named(action.rpartition(".")[2], message, PREFIX)
