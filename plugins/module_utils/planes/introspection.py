# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether AM takes the client id and secret that a resource "Gravitee.io AM Authorization Server" holds.

No management plane tells: AM shows no secret, APIM asks nobody. AM's gateway does, as it does to APIM's gateway (RFC 7662).
"""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, http_session, json_of, request

PAUSE = 2.0  # s, between two questions


def credentials(configuration: Mapping[str, Any], options: Options, wait: float) -> str:
    """accepted, refused, or unknown where AM's gateway cannot be asked from here.

    Refused only if it is still so after `wait` seconds: the gateway learns of a new secret some seconds after AM.
    """
    needed = [configuration.get(key) for key in ("serverURL", "securityDomain", "clientId", "clientSecret")]
    if not all(needed):
        return "unknown"
    url, domain, client_id, secret = needed
    hasty = replace(options, timeout=min(options.timeout, 5.0))
    where, sign = f"{url.rstrip('/')}/{domain.strip('/')}/oauth/introspect", requests.auth.HTTPBasicAuth(client_id, secret)
    deadline = time.monotonic() + wait
    with http_session(hasty, retries=0) as http:
        while True:
            try:
                answer = request(http, hasty, "POST", where, sign, data={"token": "none"})
            except (requests.RequestException, OSError, ValueError):
                return "unknown"
            if answer.status_code == 200 and "active" in json_of(answer):
                return "accepted"
            if answer.status_code != 401 or json_of(answer).get("error") != "invalid_client":
                return "unknown"  # whoever that was, it was not AM
            if time.monotonic() >= deadline:
                return "refused"
            time.sleep(min(PAUSE, wait))
