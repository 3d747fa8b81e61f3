# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that take a secured server away again, and the options of each one's module; walked by the role's teardown.yml."""
from __future__ import annotations

from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import given
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import Done, Options, part
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables


def stop(v: Variables, done: Done) -> Options:
    """Of gravitee_api: nobody gets in any more, before anything else goes."""
    return {**part(v, done), "state": "stopped"}


def stop_opened(v: Variables, done: Done) -> Options:
    """Of gravitee_api, after a run failed behind the API that it had opened."""
    return {"api_id": done["api"]["id"], "context_path": v.context_path, "state": "stopped"}


def left_subscription(v: Variables, done: Done, name: str) -> Options:
    """Of gravitee_subscription, for the known client `name`; removed where the client itself goes."""
    state = "absent" if v.teardown_clients == "delete" else "closed"
    return {**part(v, done), "plan": v.plan_name, "client_id": _left_id(done, name), "application_name": name, "state": state}


def is_unused(_v: Variables, done: Done, name: str) -> bool:
    """Whether the client has no subscription any more, to any API."""
    results = (done.get("left_subscriptions") or {}).get("results") or []
    return not any(one.get("other_subscriptions") for one in results if one.get("item") == name)


def left_client(v: Variables, done: Done, name: str) -> Options:
    """Of am_application, for the known client `name`."""
    return {"domain": done["situation"]["domain"]["id"], "name": name, "client_id": _left_id(done, name), "state": "absent"}


def _left_id(done: Done, name: str) -> str:
    return str(next(one["client_id"] for one in done["situation"]["clients"] if one["name"] == name))


def left_plan(v: Variables, done: Done, security: str) -> Options:
    """The OAuth2 plan by its name, keyless ones whatever they are called."""
    named = {"name": v.plan_name} if security == "oauth2" else {}
    return {**part(v, done), **named, "security": security, "state": "closed"}


def left_api(v: Variables, done: Done) -> Options:
    """Of gravitee_api."""
    return {"id": done["situation"]["api_id"], "context_paths": [v.context_path], "state": "absent"}


def left_mcp_server(v: Variables, done: Done) -> Options:
    """Of am_mcp_server."""
    return {"domain": done["situation"]["domain"]["id"], "resource_identifiers": [v.url], "state": "absent"}


def left_domain(v: Variables, done: Done) -> Options:
    """What the role switches on so that MCP clients may register; the scopes that they may have stay."""
    switches = ("dynamic_client_registration_enabled", "open_dynamic_client_registration_enabled")
    allowed = ("allow_localhost_redirect_uri", "allow_http_scheme_redirect_uri")
    settings = {
        "domain": done["situation"]["domain"]["id"],
        "client_registration": dict.fromkeys((*switches, *allowed), False) if v.dcr else None,
        "client_metadata_documents": {"enabled": False} if (v.client_metadata_documents or {}).get("enabled") else None,
        "login": {"register_enabled": False} if v.user_registration else None,
    }
    return given(settings)
