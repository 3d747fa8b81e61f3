# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clients a domain has, which of them have a token for an MCP server, and which may be let in."""
from __future__ import annotations

import fnmatch
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import (
    DEVICE,
    PROFILES,
    USER_GRANTS,
    fits,
    is_document,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import (
    client_id_of,
    details,
    oauth_of,
    still_there,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import normal_identifier
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

DAY = 24 * 3600 * 1000  # ms


@dataclass(frozen=True)
class AdmitRule:
    """A client that a user may admit: the name is what it says itself, so the redirect URIs are what counts."""

    client_name: str | None = option()
    redirect_uris: list[str] = option(required=True)


@dataclass(frozen=True)
class ApplicationInfoOptions(ModuleOptions):
    """Options of am_application_info."""

    domain: str = option(required=True)
    client_id: str | None = option()
    name: str | None = option()
    self_registered: bool | None = option()
    resource: str | None = option()
    since_days: int = option(30)
    admit: list[AdmitRule] = option([], each=AdmitRule)
    client_profiles: list[str] = option([], choices=list(PROFILES))


def applications(am: Am, params: ApplicationInfoOptions) -> list[dict[str, Any]]:
    """The applications that fit every filter that is given, each with whether an `admit` rule lets it in.

    With `resource` also the clients that gave the URL of their metadata document, which AM has no application of.
    """
    domain_id = domain_id_of(am, params.domain)
    users = _token_users(am, domain_id, params.resource, params.since_days) if params.resource else None
    made = [key for key in users or {} if not is_document(key)]
    wholes = details(am, domain_id, params.name) if users is None else still_there(am, domain_id, made)
    rules = admit_rules(params.admit, params.client_profiles)
    found = [_shown(whole, rules, users) for whole in wholes]
    found += [_by_document(key, names) for key, names in (users or {}).items() if is_document(key)]
    return [
        one
        for one in found
        if params.client_id in (None, one["client_id"])
        and params.name in (None, one["name"])
        and params.self_registered in (None, one["self_registered"])
    ]


def _token_users(am: Am, domain_id: str, resource: str, since_days: int) -> dict[str, list[str]]:
    """Id of the application, or URL of the document → the users who got a token for `resource`, as AM's audit log has it."""
    try:
        wanted = normal_identifier(resource)
    except ValueError as error:
        raise Refusal(f"resource: {error}") from error
    now = int(time.time() * 1000)
    users: dict[str, list[str]] = {}
    # A day beyond now, as AM's clock may be ahead.
    for entry in am.tokens_created(domain_id, now - since_days * DAY, now + DAY):
        if resource_of(entry) != wanted:
            continue
        point = entry.get("accessPoint") or {}
        document = point.get("alternativeId")
        client = document if is_document(document) else point.get("id")  # which is the template's then
        if not client:
            continue
        known = users.setdefault(client, [])
        name = (entry.get("target") or {}).get("alternativeId")
        if name and name not in known:
            known.append(name)
    return users


def resource_of(entry: Mapping[str, Any]) -> str | None:
    """The resource in an entry's outcome, a JSON patch as a string; its paths are in upper case from AM 4.11 on."""
    try:
        patch = json.loads((entry.get("outcome") or {}).get("message") or "[]")
    except (ValueError, RecursionError):
        return None
    steps = (step for step in (patch if isinstance(patch, list) else []) if isinstance(step, dict))
    named = (step.get("value") for step in steps if str(step.get("path")).lower() == "/resource")
    return next((value for value in named if isinstance(value, str)), None)


def admit_rules(admit: list[AdmitRule], profiles: list[str]) -> list[dict[str, Any]]:
    """The rules given, and those of the profiles named; Refusal for a pattern that is no URL.

    A rule: client_name (a shell pattern), redirect_uris, grant_types, auth_methods (None for any).
    """
    given = [{"grant_types": (*USER_GRANTS, DEVICE), "auth_methods": None, **asdict(rule)} for rule in admit]
    for pattern in (pattern for rule in given for pattern in rule["redirect_uris"]):
        try:
            urlsplit(pattern)
        except ValueError as error:
            raise Refusal(f"admit: {pattern!r} is no pattern of a redirect URI: {error}.") from error
    keys = ("redirect_uris", "grant_types", "auth_methods")
    known = [{"client_name": None, **{key: PROFILES[name][key] for key in keys}} for name in profiles]
    return [*given, *known]


def refusal(client: Mapping[str, Any], rules: Iterable[Mapping[str, Any]]) -> str:
    """Why no rule admits a client, for a sentence; "" if one does.

    A rule fits the client's name, every one of its redirect URIs, and whatever it may register beside them. Somebody must have
    logged in with it, where that is known (`users`): a client with a token and no user acts for nobody.
    """
    named = [rule for rule in rules if fnmatch.fnmatchcase(client["name"], rule.get("client_name") or "*")]
    fitting = [rule for rule in named if _all_fit(client["redirect_uris"], rule["redirect_uris"])]
    if not fitting:
        return "no rule admits it, see admit (secure_mcp_admit)"
    grants = set(client["grant_types"])
    if not any(grants and grants <= set(rule["grant_types"]) for rule in fitting):
        return f"no rule admits it: it registered the grant types {', '.join(sorted(grants)) or 'none'}"
    method = client["token_endpoint_auth_method"]
    if not any(rule["auth_methods"] is None or method in rule["auth_methods"] for rule in fitting):
        return f"no rule admits it: it registered the authentication method {method}"
    return "nobody has logged in with it" if client.get("users") == [] else ""


def _all_fit(uris: list[str], patterns: list[str]) -> bool:
    return bool(uris) and all(any(fits(uri, pattern) for pattern in patterns) for uri in uris)


def _by_document(url: str, users: list[str]) -> dict[str, Any]:
    return {
        "id": None,
        "client_id": url,
        "name": "metadata document",
        "type": "native",
        "redirect_uris": [],
        "grant_types": [],
        "token_endpoint_auth_method": "none",
        "scopes": [],
        "self_registered": True,
        "users": users,
        "admitted": False,
        "why_not": "it is known by its metadata document, and no rule admits documents: subscribe it by this URL",
    }


def _shown(whole: Mapping[str, Any], rules: list[dict[str, Any]], users: Mapping[str, list[str]] | None) -> dict[str, Any]:
    oauth = oauth_of(whole)
    shown = {
        "id": whole["id"],
        "client_id": client_id_of(whole),
        "name": oauth.get("clientName") or whole["name"],
        "type": whole.get("type"),
        "redirect_uris": oauth.get("redirectUris") or [],
        "grant_types": oauth.get("grantTypes") or [],
        "token_endpoint_auth_method": oauth.get("tokenEndpointAuthMethod") or "client_secret_basic",  # RFC 7591
        "scopes": [setting["scope"] for setting in oauth.get("scopeSettings") or []],
        "self_registered": bool(oauth.get("registrationClientUri")),
        **({"users": users.get(whole["id"], [])} if users is not None else {}),
    }
    why_not = refusal(shown, rules)
    return {**shown, "admitted": not why_not, "why_not": why_not}
