# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that registered themselves: who has a token for an MCP server, who may be subscribed, who is not to be any more."""
from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Managed, Plan, Planes
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admitted import ADMITTED, Past, past_of
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import AdmitRule, ApplicationInfoOptions, applications
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.stale import Stale, remove, stale_clients
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import ApplicationOptions, ManagedApplication
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import (
    ManagedSubscription,
    SubscriptionOptions,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import OneApi


@dataclass(frozen=True)
class AdmissionOptions(OneApi):
    """Options of mcp_admission."""

    domain: str = option(required=True)
    resource: str = option(required=True)
    plan: str | None = option()
    since_days: int = option(30)
    admit: list[AdmitRule] = option([], each=AdmitRule)
    client_profiles: list[str] = option([], choices=list(PROFILES))
    scopes: list[str] = option([])
    subscribe: bool = option(True)
    not_admitted: str = option("close", choices=["close", "report"])
    stale_days: int | None = option()
    remove_stale: bool = option(False)


GONE = "AM has no such client any more"
UNUSED, SCOPES = "unused", "scopes"
ADMITTED_LATER = "the rules admit it, once subscribe=true (secure_mcp_registered_clients: subscribe)"

Verdict = Literal["subscribe", "keep", "close", "refuse"]


def judge(why_not: str, past: Past) -> Verdict:
    """What becomes of a client, by the rules of today and by what was decided before.

    A person's no stays a no: what is closed, paused, rejected or archived is not opened again. A person's yes stays a yes: what
    this collection did not make it does not close.
    """
    if why_not:
        return "refuse" if not past.granted else "close" if past.ours else "keep"
    if past.granted:
        return "keep"
    return "refuse" if past.no else "subscribe"


class ManagedAdmission(Managed):
    """{client id: whether it is subscribed} of the clients that got a token for `resource`, or were admitted before.

    And {"unused CLIENT_ID": True} of those of the domain that nobody has used for `stale_days`, {"scopes CLIENT_ID": False} of
    those that are admitted and may not ask for all of `scopes`.
    """

    takes = AdmissionOptions
    kind = "admission"

    def __init__(self, apim: Any, am: Any, params: AdmissionOptions):
        super().__init__()
        self.apim, self.am, self.params = apim, am, params
        self.title = params.resource
        self.clients: list[dict[str, Any]] = []  # those that got a token
        self.former: list[dict[str, Any]] = []  # those that were admitted, and got none of late
        self.past: dict[str, Past] = {}
        self.plans: dict[str, Plan] = {}
        self.api_id = ""
        self.stale: list[Stale] = []
        self.lacking: dict[str, list[str]] = {}  # client id → the scopes that it is to be given

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedAdmission:
        return cls(planes.apim, planes.am, params)

    def observe(self) -> dict[str, bool]:
        clients = self._clients()
        if clients is None:
            return {}
        self.clients = clients
        self.past = self._past()
        self.former = self._former({one["client_id"] for one in clients})
        for one in self.clients:
            if self._verdict(one) == "subscribe":
                subscription = self._subscription(one)
                self.plans[one["client_id"]] = subscription.plan()
                self.unmet += subscription.unmet
        self.lacking = self._lacking()
        self.stale = self._unused()
        seen = {one["client_id"]: self._past_of(one).granted for one in self.everyone}
        lacking = {f"{SCOPES} {client_id}": False for client_id in self.lacking}
        return seen | lacking | {f"{UNUSED} {one.client_id}": True for one in self.stale}

    def _lacking(self) -> dict[str, list[str]]:
        """Of those that a rule admits; scopes that the domain does not have yet are left out."""
        admitted = [one for one in self.everyone if not one["why_not"] and self._verdict(one) != "refuse"]
        lacking = {one["client_id"]: [key for key in self.params.scopes if key not in one["scopes"]] for one in admitted}
        known = self.am.scopes(self._domain_id) if any(lacking.values()) else set()
        found = {client_id: [key for key in scopes if key in known] for client_id, scopes in lacking.items()}
        return {client_id: scopes for client_id, scopes in found.items() if scopes}

    def _unused(self) -> list[Stale]:
        """Nothing is removed, and a warning says why, where it is not known who is unused."""
        days = self.params.stale_days
        if days is None:
            return []
        found, why_not = stale_clients(self.am, self._domain_id, self.apim.applications, days)
        self.warnings += [why_not] if why_not else []
        return found

    @functools.cached_property
    def _domain_id(self) -> str:
        return domain_id_of(self.am, self.params.domain)

    def _clients(self) -> list[dict[str, Any]] | None:
        """Who may not read AM's audit log can secure a server all the same: only subscribing needs it. None: not known."""
        try:
            return self._found(self.params.resource)
        except ApiError as error:
            if self.params.subscribe:
                raise
            self.warnings.append(f"Who waits for {self.title} is not known: {error}")
            return None

    def _found(self, resource: str | None) -> list[dict[str, Any]]:
        asked = ApplicationInfoOptions(
            domain=self.params.domain,
            self_registered=True,
            resource=resource,
            since_days=self.params.since_days,
            admit=self.params.admit,
            client_profiles=self.params.client_profiles,
        )
        return applications(self.am, asked)

    def _past(self) -> dict[str, Past]:
        """What the API's subscriptions tell of each client; {} where there is no plan yet."""
        place = self._subscription_with(application_name=self.title)
        place.find_plan()
        if not place.plan_of_api:
            return {}
        self.api_id = place.api["id"]
        return past_of(self.apim, self.api_id, place.plan_of_api["id"], bool(self.clients))

    def _former(self, known: set[str]) -> list[dict[str, Any]]:
        """Those that this collection admitted, judged by what AM has of them now."""
        ours = {client_id: past for client_id, past in self.past.items() if past.ours and past.open and client_id not in known}
        registered = {one["client_id"]: one for one in self._found(None)} if ours else {}
        return [
            registered.get(client_id) or {"client_id": client_id, "name": past.name, "redirect_uris": [], "why_not": GONE}
            for client_id, past in ours.items()
        ]

    @property
    def everyone(self) -> list[dict[str, Any]]:
        return [*self.clients, *self.former]

    def _subscription(self, one: Mapping[str, Any]) -> ManagedSubscription:
        return self._subscription_with(
            client_id=one["client_id"],
            application_name=f"{one['name']} {one['client_id']}",
            application_type=one["type"],
            application_description=ADMITTED,
        )

    def _subscription_with(self, **options: Any) -> ManagedSubscription:
        here = {name: getattr(self.params, name) for name in ("api_id", "context_path", "plan")}
        return ManagedSubscription(self.apim, SubscriptionOptions(**here, **options))

    def _past_of(self, one: Mapping[str, Any]) -> Past:
        return self.past.get(one["client_id"], Past())

    def _verdict(self, one: Mapping[str, Any]) -> Verdict:
        return judge(one["why_not"], self._past_of(one))

    def desired(self, observed: dict[str, bool]) -> dict[str, bool]:
        if not self.params.subscribe:
            return observed
        wanted = {"subscribe": True}
        if self.params.not_admitted == "close":
            wanted["close"] = False
        judged = {one["client_id"]: self._verdict(one) for one in self.everyone}
        subscribed = {client_id: wanted.get(verdict, observed[client_id]) for client_id, verdict in judged.items()}
        removed = [f"{UNUSED} {one.client_id}" for one in self.stale if self.params.remove_stale and not one.kept]
        given = dict.fromkeys((f"{SCOPES} {client_id}" for client_id in self.lacking), True)
        return observed | subscribed | given | dict.fromkeys(removed, False)

    def changes(self, observed: dict[str, bool], desired: dict[str, bool]) -> Iterable[Change]:
        for one in self.everyone:
            client_id = one["client_id"]
            if desired[client_id] and not observed[client_id]:
                yield from self._steps(client_id, self.plans[client_id])
            elif observed[client_id] and not desired[client_id]:
                yield self._close(one)
            if client_id in self.lacking:
                yield self._give_scopes(one)
        for unused in self.stale:
            if not desired[f"{UNUSED} {unused.client_id}"]:
                yield self._remove(unused)

    def _remove(self, unused: Stale) -> Change:
        def apply(now: dict[str, bool]) -> dict[str, bool]:
            remove(self.am, self._domain_id, self.apim.archive_application, unused)
            return {**now, f"{UNUSED} {unused.client_id}": False}

        return Change(f"remove client {unused.told()}", apply)

    def _give_scopes(self, one: Mapping[str, Any]) -> Change:
        scopes = self.lacking[one["client_id"]]

        def give(now: dict[str, bool]) -> dict[str, bool]:
            given = ApplicationOptions(domain=self._domain_id, scopes=scopes, scopes_mode="add")
            application = ManagedApplication(self.am, given)
            application.domain_id, application.id, application.title = self._domain_id, one["id"], one["client_id"]
            application.write()
            return {**now, f"{SCOPES} {one['client_id']}": True}

        return Change(f"let {one['name']} {one['client_id']} ask for {', '.join(scopes)}", give)

    def _close(self, one: Mapping[str, Any]) -> Change:
        def close(now: dict[str, bool]) -> dict[str, bool]:
            for subscription_id in self._past_of(one).open:
                self.apim.process_subscription(self.api_id, subscription_id, "close")
            return {**now, one["client_id"]: False}

        return Change(f"close subscription of {one['name']} {one['client_id']} to {self.title}: {one['why_not']}", close)

    @staticmethod
    def _steps(client_id: str, plan: Plan) -> Iterable[Change]:
        """The subscription's own changes, on its own state."""
        state = [plan.before]

        def one_of(change: Change) -> Change:
            def apply(now: dict[str, bool]) -> dict[str, bool]:
                state[0] = change.apply(state[0])
                return {**now, client_id: True}

            return Change(change.summary, apply)

        return [one_of(change) for change in plan.changes]

    def facts(self, value: dict[str, bool], plan: Plan) -> dict[str, Any]:
        told = [line for one in self.everyone for line in self._told(one, value[one["client_id"]])]
        left = [one for one in self.stale if value[f"{UNUSED} {one.client_id}"]]
        told += [f"{one.told()}." for one in left]
        return {"clients": self.clients, "waiting": told, "stale": [one.client_id for one in left]}

    def _told(self, one: Mapping[str, Any], subscribed: bool) -> list[str]:
        uris, users = ", ".join(map(str, one["redirect_uris"])), ", ".join(one.get("users") or [])
        who = f"{one['name']} {one['client_id']}" + (f" ({uris})" if uris else "") + (f" of {users}" if users else "")
        if subscribed:
            return [f"{who} is subscribed to {self.title}: {one['why_not']}"] if self._verdict(one) == "close" else []
        why = one["why_not"] or self._past_of(one).no or ADMITTED_LATER
        return [f"{who} waits for {self.title}: {why}"] if one not in self.former else []
