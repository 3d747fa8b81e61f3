# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was decided of clients before: their applications in APIM, and every subscription that these had."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import AGAINST
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim

ADMITTED = "A client that registered itself, admitted with gravitee.mcp"  # the description of an application made for one
AGAIN = "gravitee_subscription gives it one again"


@dataclass(frozen=True)
class Past:
    """granted: whether it has a subscription that lets it in. open: the ids of those that do, or wait to be accepted.

    ours: whether its application was made by admission. no: what stands against a new one, "" if nothing does.
    """

    granted: bool = False
    open: tuple[str, ...] = ()
    ours: bool = False
    no: str = ""
    name: str = ""


def past_of(apim: Apim, api_id: str, plan_id: str, newcomers: bool) -> dict[str, Past]:
    """Client id → its past. Applications are those that ever had a subscription to the API, and all that are active.

    newcomers: whether there are clients that may never have had one.
    """
    subscriptions = apim.subscriptions_ever(api_id)
    if not subscriptions and not newcomers:
        return {}
    known = {application["id"]: application for application in apim.applications()}
    asked = {one["application"]["id"] for one in subscriptions} - known.keys()
    known |= {application["id"]: application for application in _archived(apim, sorted(asked))}
    clients: dict[str, list[Mapping[str, Any]]] = {}
    for application in known.values():
        client_id = ((application.get("settings") or {}).get("app") or {}).get("client_id")
        if client_id:
            clients.setdefault(client_id, []).append(application)
    return {client_id: _past(theirs, subscriptions, plan_id) for client_id, theirs in clients.items()}


def _archived(apim: Apim, ids: Iterable[str]) -> Iterable[dict[str, Any]]:
    for application_id in ids:
        try:
            yield apim.application(application_id)
        except ApiError as error:
            if error.status not in (403, 404):
                raise


def _past(applications: list[Mapping[str, Any]], subscriptions: list[dict[str, Any]], plan_id: str) -> Past:
    ids = {application["id"] for application in applications}
    statuses = {
        one["id"]: one["status"] for one in subscriptions if one["application"]["id"] in ids and one["plan"]["id"] == plan_id
    }
    active = [application for application in applications if application.get("status") != "ARCHIVED"]
    chosen = (active or applications)[0]
    against = [status for status in AGAINST if status in statuses.values()]
    opened = tuple(key for key, status in statuses.items() if status in ("ACCEPTED", "RESUMED", "PENDING"))
    no = f"its subscription was {against[0].lower()}: {AGAIN}" if against and not opened else ""
    return Past(
        granted=bool({"ACCEPTED", "RESUMED"} & set(statuses.values())),
        open=opened,
        ours=chosen.get("description") == ADMITTED,
        no=no if active else f"its application was archived: {AGAIN}",
        name=str(chosen.get("name")),
    )
