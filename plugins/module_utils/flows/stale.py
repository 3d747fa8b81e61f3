# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of an AM domain that registered themselves, and that nobody has used for a long time.

When a client was used last stands in AM's audit log alone, as the token that it got. A log that does not reach back so far says
nothing of anybody.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admitted import ADMITTED
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import DAY
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import client_id_of, details, oauth_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am


@dataclass(frozen=True)
class Stale:
    """A client that got no token of late. ours: the ids of its APIM applications, which admission made. kept: why it stays."""

    id: str
    client_id: str
    name: str
    registered_at: int  # ms since 1970
    days: int  # that it got no token for
    ours: tuple[str, ...] = ()
    kept: str = ""

    def told(self) -> str:
        """A sentence about it, without a full stop."""
        day = datetime.fromtimestamp(self.registered_at / 1000, timezone.utc).date()
        kept = f", and is kept: {self.kept}" if self.kept else ""
        return f"{self.name} {self.client_id} registered itself on {day} and got no token for {self.days} days{kept}"


def stale_clients(
    am: Am, domain_id: str, of_apim: Callable[[], list[dict[str, Any]]], days: int
) -> tuple[list[Stale], str]:
    """Those that got no token for so many days, and did not register or change anything either; or why that is not known.

    It is not where the audit log has no older entry, as then it may just not reach back. of_apim: APIM's active applications.
    """
    if days < 1:
        raise Refusal(f"stale_days: {days} is no number of days to wait. Give 1 or more.")
    now = int(time.time() * 1000)
    since = now - days * DAY
    if next(iter(am.tokens_created(domain_id, 0, since)), None) is None:
        said = f"stale_days: AM's audit log has no token that is older than {days} days"
        return [], f"{said}. It may not reach back so far, so nobody can be called unused. Give fewer days."
    used = {(entry.get("accessPoint") or {}).get("id") for entry in am.tokens_created(domain_id, since, now + DAY)}
    registered = [one for one in details(am, domain_id, None) if oauth_of(one).get("registrationClientUri")]
    idle = [one for one in registered if one["id"] not in used and _touched(one) < since]
    theirs = _by_client_id(of_apim()) if idle else {}
    return [_stale(one, days, theirs.get(client_id_of(one), [])) for one in idle], ""


def remove(am: Am, domain_id: str, archive: Callable[[str], None], client: Stale) -> None:
    """Its subscriptions go with its applications in APIM, which `archive` takes; what another run removed is no error."""
    for application_id in client.ours:
        _unless_gone(archive, application_id)
    _unless_gone(am.delete_application, domain_id, client.id)


def _unless_gone(send: Callable[..., None], *ids: str) -> None:
    try:
        send(*ids)
    except ApiError as error:
        if error.status != 404:
            raise


def _touched(application: Mapping[str, Any]) -> int:
    """When it registered or changed last, in ms since 1970; one that does not say is taken to be new."""
    times = [application.get(key) for key in ("createdAt", "updatedAt")]
    known = [time for time in times if isinstance(time, int)]
    return max(known) if known else int(time.time() * 1000)


def _by_client_id(applications: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for application in applications:
        client_id = ((application.get("settings") or {}).get("app") or {}).get("client_id")
        if client_id:
            found.setdefault(client_id, []).append(application)
    return found


def _stale(client: Mapping[str, Any], days: int, applications: list[Mapping[str, Any]]) -> Stale:
    ours = tuple(one["id"] for one in applications if one.get("description") == ADMITTED)
    others = [str(one.get("name")) for one in applications if one["id"] not in ours]
    kept = f"a person made the application {others[0]} for it in APIM" if others else ""
    name = oauth_of(client).get("clientName") or client["name"]
    return Stale(client["id"], client_id_of(client), name, client.get("createdAt") or 0, days, ours, kept)
