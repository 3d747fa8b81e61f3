# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planes as they were when they were read in bulk, for planning many objects without one request for each."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import DAY
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import STATUSES, paths_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.remembering import Live, once


class ApimSnapshot(Live):
    """What APIM has now: every API from one list, the plans of an API from one request."""

    def __init__(self, apim: Any):
        super().__init__(apim, applications=once(lambda: list(apim.applications())))
        self._apis = {api["id"]: api for api in apim.apis(expands="deploymentState")}
        self._owners = {path: api for api in self._apis.values() for path in paths_of(api)}
        self._plans = once(lambda api_id: list(apim.plans(api_id)))

    def owners(self, paths: set[str]) -> list[dict[str, Any]]:
        return list({self._owners[path]["id"]: self._owners[path] for path in paths if path in self._owners}.values())

    def api(self, api_id: str) -> tuple[dict[str, Any], str]:
        return self._apis[api_id], ""

    def plans(self, api_id: str, statuses: Iterable[str] = STATUSES) -> list[dict[str, Any]]:
        return [plan for plan in self._plans(api_id) if plan["status"] in statuses]


class AmSnapshot(Live):
    """What AM has now."""

    def __init__(self, am: Any):
        servers = once(lambda domain_id: list(am.mcp_servers(domain_id)))
        known = {"scopes": once(am.scopes), "mcp_servers": servers, "application": once(am.application)}
        super().__init__(am, domain=once(am.domain), **known)
        self._tokens = once(lambda domain_id, since, until: list(am.tokens_created(domain_id, since * DAY, until * DAY)))

    def tokens_created(self, domain_id: str, since: int, until: int) -> list[dict[str, Any]]:
        """By whole days, so that many servers ask for the same."""
        entries: list[dict[str, Any]] = self._tokens(domain_id, since // DAY, until // DAY + 1)
        return entries


READS = {"apis", "owners", "deployments", "last_deployment", "plugins", "policy_schema"}
READS |= {"applications", "application", "subscriptions", "subscriptions_ever"}


class StepByStep(Live):
    """APIM for the steps of one server: what a step was told of the API last is what the next one observes first.

    Asked a second time in a step, or after any other request than a read, APIM is asked.
    """

    def __init__(self, apim: Any):
        super().__init__(apim)
        self.forget()

    def forget(self) -> None:
        self._told: dict[tuple[str, str], Any] = {}
        self._known: dict[tuple[str, str], Any] = {}

    def next_step(self) -> None:
        self._known, self._told = self._told, {}

    def api(self, api_id: str) -> tuple[dict[str, Any], str]:
        known: tuple[dict[str, Any], str] = self._ask("api", api_id)
        return known

    def plans(self, api_id: str, statuses: Iterable[str] = STATUSES) -> list[dict[str, Any]]:
        return [plan for plan in self._ask("plans", api_id) if plan["status"] in statuses]

    def _ask(self, what: str, api_id: str) -> Any:
        key = (what, api_id)
        self._told[key] = self._known.pop(key, None) or getattr(self._plane, what)(api_id)
        return self._told[key]

    def __getattr__(self, name: str) -> Any:
        if name not in READS:
            self.forget()
        return super().__getattr__(name)
