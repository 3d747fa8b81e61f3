# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CORS of an API as MCP clients in a browser need it. Pure: no HTTP.

With origins alone the gateway answers every preflight with 400; these methods and headers were seen to pass. Browsers ask for
headers in lower case.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import merge

METHODS = ["GET", "POST", "DELETE", "OPTIONS"]
REQUEST_HEADERS = ["authorization", "content-type", "accept", "mcp-protocol-version", "mcp-session-id", "last-event-id"]
REQUEST_HEADERS += ["mcp-method", "mcp-name"]
EXPOSED_HEADERS = ["mcp-session-id", "www-authenticate"]
_ORIGIN = re.compile(r"\*|https?://[^/\s,]+")


def with_cors(cors: Mapping[str, Any] | None, origins: list[str]) -> dict[str, Any] | None:
    """A listener's CORS with just these origins, off if there are none; further methods and headers that it has stay."""
    bad = next((origin for origin in origins if not _ORIGIN.fullmatch(origin)), None)
    if bad is not None:
        raise Refusal(f"cors_origins: {bad!r} is no origin. Give scheme, host and port, such as http://localhost:6274, or *.")
    has = dict(cors or {})
    if not origins:
        return {**has, "enabled": False} if has.get("enabled") else has or None
    needed = {"allowMethods": METHODS, "allowHeaders": REQUEST_HEADERS, "exposeHeaders": EXPOSED_HEADERS}
    lists = {name: [*(has.get(name) or []), *_lacking(has.get(name) or [], names)] for name, names in needed.items()}
    given = {"enabled": True, "allowOrigin": origins, **({} if has.get("enabled") else {"maxAge": 600}), **lists}
    wanted: dict[str, Any] = merge(has, given)
    return wanted


def _lacking(has: list[str], needed: list[str]) -> list[str]:
    return [name for name in needed if name not in has]
