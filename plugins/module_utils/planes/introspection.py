# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether AM takes a client id and secret.

No management plane tells: AM shows no secret, APIM asks nobody. AM's gateway does, as it does to APIM's gateway (RFC 7662).
"""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import below
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import json_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, basic, http_session, request, whole

Verdict = Literal["accepted", "refused", "unknown"]
PAUSE = 2.0  # s, before a refused secret is asked about again
GRACE = 2.0  # s, for an unclear answer: AM's gateway answers 404 for up to half a second after each write to its domain
STEP = 0.3  # s, before anything else is asked again


@dataclass(frozen=True)
class Introspection:
    """The introspection endpoint of a domain on AM's gateway.

    gateway_url: base of AM's gateway. domain_path: the domain's path, with or without slashes at its ends.
    """

    gateway_url: str
    domain_path: str
    options: Options

    def takes(self, client_id: str, secret: str, wait: float = 0.0, agree: int = 1, grace: float = GRACE) -> Verdict:
        """Whether AM takes them: accepted, refused, or unknown where AM's gateway cannot be asked from here.

        accepted: `agree` answers in a row say so, each on a connection of its own: several gateways may share one address.
        refused: it is still so after `wait` seconds, as gateways learn of a new secret some seconds after AM.
        unknown: it is still so after `grace` seconds, or after `wait` where that is shorter.
        Writes nothing and raises nothing.
        """
        began = clear = time.monotonic()
        agreed = 0
        while True:
            verdict, now = self._answer(client_id, secret), time.monotonic()
            clear = clear if verdict == "unknown" else now
            agreed = agreed + 1 if verdict == "accepted" else 0
            late = now >= began + wait or (verdict == "unknown" and now >= clear + grace)
            if agreed >= agree or (late and not agreed):
                return verdict
            time.sleep(min(PAUSE, wait) if verdict == "refused" else STEP)

    def speaks(self, wait: float = GRACE) -> bool:
        """Whether AM's gateway serves the domain there: it refuses whoever asks without credentials."""
        until = time.monotonic() + wait
        while self._answer() != "refused":
            if time.monotonic() >= until:
                return False
            time.sleep(STEP)
        return True

    def _answer(self, *credentials: str) -> Verdict:
        """One question on a connection of its own, about a token that is none."""
        hasty = replace(self.options, timeout=min(self.options.timeout, 5.0))
        where = below(self.gateway_url, quote(self.domain_path), "oauth/introspect")
        sign = basic(*credentials) if credentials else None
        try:
            with http_session(hasty, retries=0) as http:
                answer = whole(request(http, hasty, "POST", where, sign, data={"token": "none"}, stream=True), hasty)
        except (requests.RequestException, OSError):
            return "unknown"
        if answer.status_code == 200 and "active" in json_of(answer):
            return "accepted"
        refused = answer.status_code == 401 and json_of(answer).get("error") == "invalid_client"
        return "refused" if refused else "unknown"  # whoever else that was, it was not AM


def credentials(configuration: Mapping[str, Any], options: Options, wait: float) -> Verdict:
    """Whether AM takes what a resource "Gravitee.io AM Authorization Server" holds in its configuration."""
    url, domain, client_id, secret = (
        str(configuration.get(key) or "") for key in ("serverURL", "securityDomain", "clientId", "clientSecret")
    )
    if not (url and domain and client_id and secret):
        return "unknown"
    return Introspection(url, domain, options).takes(client_id, secret, wait)
