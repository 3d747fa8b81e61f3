# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clients a domain has, which of them have a token for an MCP server, and which may be let in."""
from __future__ import annotations

import fnmatch
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES, fits
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import client_id_of, details, oauth_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import normal_identifier
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

DAY = 24 * 3600 * 1000  # ms


def applications(am: Am, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The applications that fit every filter that is given, each with whether an `admit` rule lets it in."""
    domain_id = domain_id_of(am, params["domain"])
    users = _token_users(am, domain_id, params) if params["resource"] else None
    wholes = details(am, domain_id, params["name"]) if users is None else _still_there(am, domain_id, users)
    rules = admit_rules(params)
    found = [_shown(whole, rules, users) for whole in wholes]
    return [
        one
        for one in found
        if params["client_id"] in (None, one["client_id"])
        and params["name"] in (None, one["name"])
        and params["self_registered"] in (None, one["self_registered"])
    ]


def _still_there(am: Am, domain_id: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The applications with these ids; the audit log knows some that were removed since."""
    for application_id in ids:
        try:
            yield am.application(domain_id, application_id)
        except ApiError as error:
            if error.status not in (403, 404):
                raise


def _token_users(am: Am, domain_id: str, params: Mapping[str, Any]) -> dict[str, list[str]]:
    """Application id → the users who got a token for `resource` with it, as AM's audit log has it."""
    try:
        wanted = normal_identifier(params["resource"])
    except ValueError as error:
        raise Refusal(f"resource: {error}") from error
    now = int(time.time() * 1000)
    users: dict[str, list[str]] = {}
    # A day beyond now, as AM's clock may be ahead.
    for entry in am.tokens_created(domain_id, now - params["since_days"] * DAY, now + DAY):
        if _resource_of(entry) != wanted:
            continue
        known = users.setdefault(entry["accessPoint"]["id"], [])
        name = (entry.get("target") or {}).get("alternativeId")
        if name and name not in known:
            known.append(name)
    return users


def _resource_of(entry: Mapping[str, Any]) -> str | None:
    """The resource in an entry's outcome, a JSON patch as a string; its paths are in upper case from AM 4.11 on."""
    try:
        patch = json.loads((entry.get("outcome") or {}).get("message") or "[]")
    except ValueError:
        return None
    steps = (step for step in patch if isinstance(step, dict))
    return next((step.get("value") for step in steps if str(step.get("path")).lower() == "/resource"), None)


def admit_rules(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules given, and those of the profiles named."""
    profiles = [PROFILES[name] for name in params["client_profiles"] or []]
    return [
        *(params["admit"] or []),
        *({"client_name": None, "redirect_uris": profile["redirect_uris"]} for profile in profiles),
    ]


def admitted(name: str, redirect_uris: list[str], rules: list[dict[str, Any]]) -> bool:
    """Whether a rule fits the client's name, a shell pattern, and every one of its redirect URIs."""
    return any(
        fnmatch.fnmatchcase(name, rule.get("client_name") or "*")
        and bool(redirect_uris)
        and all(any(fits(uri, pattern) for pattern in rule["redirect_uris"]) for uri in redirect_uris)
        for rule in rules
    )


def _shown(whole: Mapping[str, Any], rules: list[dict[str, Any]], users: Mapping[str, list[str]] | None) -> dict[str, Any]:
    oauth = oauth_of(whole)
    name, redirect_uris = oauth.get("clientName") or whole["name"], oauth.get("redirectUris") or []
    return {
        "id": whole["id"],
        "client_id": client_id_of(whole),
        "name": name,
        "type": whole.get("type"),
        "redirect_uris": redirect_uris,
        "grant_types": oauth.get("grantTypes") or [],
        "scopes": [setting["scope"] for setting in oauth.get("scopeSettings") or []],
        "self_registered": bool(oauth.get("registrationClientUri")),
        "admitted": admitted(name, redirect_uris, rules),
        **({"users": users[whole["id"]]} if users is not None else {}),
    }
