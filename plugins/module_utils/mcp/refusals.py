# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a gateway refuses a call with a token, in words: what it answers, and what the token says of itself."""
from __future__ import annotations

import base64
import json
import time
from typing import Any

SUBSCRIBE = "use gravitee_subscription, or mcp_admission for a client that registered itself"
RULE = "if it has one, the plan's selection rule refuses the token, as it does tokens without a user (gravitee_plan require_user)"


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: for messages and waiting only; {} for any other token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def why_refused(answer: Any, token: str, url: str, client_id: str | None) -> str:
    """Why a call of `url` was refused, and the setting. client_id: whose token it is, which AM 4.10's tokens do not say."""
    if answer.status == 401:
        return f"HTTP 401: {_unauthorized(answer.challenge, claims_of(token), url, client_id)}"
    if answer.status == 403:
        scope = answer.challenge.get("scope")
        lacks = f"the token lacks the scope {scope}" if scope else "the token lacks a scope"
        return f"HTTP 403: {lacks} that the plan requires (gravitee_plan required_scopes; the client must ask for it)"
    if answer.status == 503:
        credentials = "are client id and secret of the AM resource right (am_resource)?"
        return f"HTTP 503: the gateway cannot ask AM; does that answer, and {credentials}"
    if answer.status == 504:
        return "HTTP 504: the MCP server takes longer than the endpoint's read timeout (gravitee_api read_timeout)"
    return f"HTTP {answer.status}" if answer.status else str(answer.trouble)


def _unauthorized(challenge: dict[str, str], claims: dict[str, Any], url: str, client_id: str | None) -> str:
    """A missing scope has the policy's realm in its challenge; all else has the challenge of a call without a token."""
    if "realm" in challenge:
        return "the token lacks a scope that the plan requires (gravitee_plan required_scopes; the client must ask for it)"
    expires = claims.get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        return f"the token expired {time.time() - expires:.0f} s ago"
    audience = claims.get("aud") or []
    audience = audience if isinstance(audience, list) else [audience]
    if audience and url.lower() not in [str(one).lower().rstrip("/") for one in audience]:
        whose = ", ".join(map(str, audience))
        return f"the token is for {whose}, not for this server: the client has to ask for it with resource={url}"
    client = client_id or claims.get("client_id") or "of this token"
    if claims.get("sub") == client and "gis" not in claims:
        return (
            "token accepted by AM, refused by the gateway: nobody logged in to get it, and the plan may let in machine clients "
            f"by name alone: name {client} in gravitee_plan machine_clients (secure_mcp_clients, with type=service); or it has "
            "no subscription (gravitee_subscription)"
        )
    accepted = f"token accepted by AM, refused by the gateway: client {client} has no subscription to the OAuth2 plan"
    return f"{accepted}: {SUBSCRIBE} ({RULE})"
