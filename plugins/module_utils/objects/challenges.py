# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway's refusals tell MCP clients, as response templates of the API.

A client finds its way by the WWW-Authenticate header of a refusal: it names the protected resource's metadata (RFC 9728) and
the scopes to ask for (RFC 6750). What the OAuth2 policy says of that by itself depends on its version, which shows in its schema:

- With the option addWwwAuthenticateHeader (5.1) the 401 names the metadata, which is below the context path, and no scope. A
  template has to say both.
- Without it (5.2 and later) the 401 names the plan's scopes, and the metadata is at the well-known place.
- No version answers a missing scope with 403 and the scope.

Seen on running gateways with 5.1.4, 5.2.1 and 5.3.1. Expressions are not evaluated in a template's headers.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import WELL_KNOWN, web_url

DISCOVERY = "addWwwAuthenticateHeader"
UNAUTHORIZED, INSUFFICIENT_SCOPE = "GATEWAY_PLAN_UNRESOLVABLE", "OAUTH2_INSUFFICIENT_SCOPE"
INVALID_REQUEST, INVALID_PARAMS = -32600, -32602  # of JSON-RPC
# The gateway's own words, by which mcp_check knows it.
UNAUTHORIZED_BODY = '{"message":"Unauthorized","http_status_code":401}'
_FORMER_BODY = '{"message":"Insufficient scope","http_status_code":403}'  # of earlier versions of this collection
_ANY = "*/*"  # the content types that a template is for
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3
_OURS = re.compile(r'Bearer (error="insufficient_scope", scope="[^"]*", )?resource_metadata="[^"]*"(, scope="[^"]*")?')


def metadata_url(url: str, schema: Mapping[str, Any]) -> str:
    """Where the policy with this schema serves the metadata of the MCP server at `url`."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    place = path + WELL_KNOWN if names_metadata(schema) else WELL_KNOWN + path
    return f"{parts.scheme}://{parts.netloc}{place}"


def names_metadata(schema: Mapping[str, Any]) -> bool:
    """Whether the policy's own challenge can name the metadata, and then names no scope."""
    return DISCOVERY in schema.get("properties", {})


def known_configuration(configuration: Mapping[str, Any], schema: Mapping[str, Any], theirs: set[str]) -> dict[str, Any]:
    """What of a plan's configuration the policy with this schema takes; what the user gave by name (`theirs`) stays."""
    known = schema.get("properties", {})
    strict = schema.get("additionalProperties") is False
    kept = {key: value for key, value in configuration.items() if not strict or key in known or key in theirs}
    return kept if names_metadata(schema) else {key: value for key, value in kept.items() if key != DISCOVERY}


def challenge_templates(url: str, scopes: list[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Key of each response template that is needed → the template. Refusal names what no header can hold."""
    try:
        metadata = metadata_url(web_url(url), schema)
    except ValueError as error:
        raise Refusal(f"challenge.url: {error}") from error
    refuse_bad_scopes(scopes, "challenge.scopes")
    scope = " ".join(scopes)
    needed = {}
    if names_metadata(schema):
        asked = f', scope="{scope}"' if scope else ""
        needed[UNAUTHORIZED] = _template(401, UNAUTHORIZED_BODY, f'Bearer resource_metadata="{metadata}"{asked}')
    if scope:
        needed[INSUFFICIENT_SCOPE] = _template(403, json_rpc_error("Insufficient scope"), step_up(scope, metadata))
    return needed


def step_up(scope: str, metadata: str) -> str:
    """The challenge that tells a client which scopes to ask for next."""
    return f'Bearer error="insufficient_scope", scope="{scope}", resource_metadata="{metadata}"'


def refuse_bad_scopes(scopes: Iterable[str], option: str) -> None:
    """Refusal of what RFC 6749 does not allow as a scope."""
    bad = next((scope for scope in scopes if not _SCOPE.fullmatch(scope)), None)
    if bad is not None:
        raise Refusal(f"{option}: {bad!r} is no scope. Use printable ASCII without blank, quote and backslash.")


def json_rpc_error(message: str, code: int = INVALID_REQUEST) -> str:
    """The body of a refused message: an error without an id, as MCP's Streamable HTTP has it. Of what else, SDKs say nothing."""
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}, separators=(",", ":"))


def _template(status: int, body: str, challenge: str) -> dict[str, Any]:
    headers = {"WWW-Authenticate": challenge, "Content-Type": "application/json"}
    return {_ANY: {"statusCode": status, "headers": headers, "body": body}}


def with_challenges(templates: Mapping[str, Any], needed: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The response templates with the `needed` ones, without those of ours that are needed no more; whose own template stays."""
    kept = {key: one for key, one in templates.items() if key not in (UNAUTHORIZED, INSUFFICIENT_SCOPE) or not _is_ours(one)}
    theirs = [key for key in needed if key in kept]
    filled_in = {key: {**templates.get(key, {}).get(_ANY, {}), **one[_ANY]} for key, one in needed.items() if key not in kept}
    return {**kept, **{key: {_ANY: one} for key, one in filled_in.items()}}, theirs


def _is_ours(template: Mapping[str, Any]) -> bool:
    """Whether the template has the form that `_template` gives it; anything else is the user's own."""
    one = template.get(_ANY) or {}
    headers = one.get("headers") or {}
    bodies = (UNAUTHORIZED_BODY, json_rpc_error("Insufficient scope"), _FORMER_BODY)
    challenge = str(headers.get("WWW-Authenticate", ""))
    return len(template) == 1 and len(headers) == 2 and bool(_OURS.fullmatch(challenge)) and one.get("body") in bodies
