# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that registered themselves: who has a token for an MCP server, who may be subscribed, who waits."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Managed, Plan
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import applications
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import ManagedSubscription
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import API

RULE = {
    "client_name": {"type": "str"},
    "redirect_uris": {"type": "list", "elements": "str", "required": True},
}
SPEC: dict[str, dict[str, Any]] = {
    **API,
    "domain": {"type": "str", "required": True},
    "resource": {"type": "str", "required": True},
    "plan": {"type": "str"},
    "since_days": {"type": "int", "default": 30},
    "admit": {"type": "list", "elements": "dict", "options": RULE, "default": []},
    "client_profiles": {"type": "list", "elements": "str", "choices": list(PROFILES), "default": []},
    "subscribe": {"type": "bool", "default": True},
}


class ManagedAdmission(Managed):
    """{client id: whether it is subscribed} of the clients that got a token for `resource`, and that a rule admits."""

    kind = "admission"

    def __init__(self, apim: Any, am: Any, params: Mapping[str, Any]):
        super().__init__()
        self.apim, self.am, self.params = apim, am, params
        self.title = params["resource"]
        self.clients: list[dict[str, Any]] = []
        self.plans: dict[str, Plan] = {}

    def observe(self) -> dict[str, bool]:
        self.clients = self._clients()
        for one in self.clients:
            if one["admitted"]:
                subscription = self._subscription(one)
                self.plans[one["client_id"]] = subscription.plan()
                self.unmet += subscription.unmet
        return {client_id: not plan.changes for client_id, plan in self.plans.items()}

    def _clients(self) -> list[dict[str, Any]]:
        """Who may not read AM's audit log can secure a server all the same: only subscribing needs it."""
        wanted = {"client_id": None, "name": None, "self_registered": True}
        names = ("domain", "resource", "since_days", "admit", "client_profiles")
        try:
            return applications(self.am, {**wanted, **{name: self.params[name] for name in names}})
        except ApiError as error:
            if self.params["subscribe"]:
                raise
            self.warnings.append(f"Who waits for {self.title} is not known: {error}")
            return []

    def _subscription(self, one: Mapping[str, Any]) -> ManagedSubscription:
        names = ("api_id", "context_path", "plan")
        return ManagedSubscription(
            self.apim,
            {
                **{name: self.params[name] for name in names},
                "client_id": one["client_id"],
                "application_name": f"{one['name']} {one['client_id']}",
                "application_type": one["type"],
                "application_description": "A client that registered itself, admitted with gravitee.mcp",
                "state": "present",
            },
        )

    def desired(self, observed: dict[str, bool]) -> dict[str, bool]:
        return dict.fromkeys(observed, True) if self.params["subscribe"] else observed

    def changes(self, observed: dict[str, bool], desired: dict[str, bool]) -> Iterable[Change]:
        for client_id, plan in self.plans.items():
            if not observed[client_id]:
                yield from self._steps(client_id, plan)

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
        return {"clients": self.clients, "waiting": [line for one in self.clients for line in self._waits(one, value)]}

    def _waits(self, one: Mapping[str, Any], value: Mapping[str, bool]) -> list[str]:
        if value.get(one["client_id"]):
            return []
        why = "admitted by the rules, see registered_clients" if one["admitted"] else "no rule admits it, see admit"
        uris, users = ", ".join(one["redirect_uris"]), ", ".join(one.get("users") or [])
        return [f"{one['name']} {one['client_id']} ({uris}) of {users} waits for {self.title}: {why}"]
