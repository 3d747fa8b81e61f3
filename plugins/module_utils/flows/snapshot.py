# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planes as they were when they were read in bulk, for planning many objects without a request each."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from threading import Lock
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import DAY
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import STATUSES, paths_of


def once(ask: Callable[..., Any]) -> Callable[..., Any]:
    """`ask`, asked once for the same arguments, also by threads that come at once; other arguments wait for nothing."""
    locks: dict[tuple[Any, ...], Lock] = {}
    known = cache(ask)

    def asked(*given: Any) -> Any:
        with locks.setdefault(given, Lock()):
            return known(*given)

    return asked


class Live:
    """A plane that is asked and told everything anew, but for what `known` answers."""

    def __init__(self, plane: Any, **known: Any):
        self._plane = plane
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plane, name)


class ApimSnapshot(Live):
    """What APIM has now: every API from one list, the plans of an API from one request."""

    def __init__(self, apim: Any):
        known = {"plugins": once(apim.plugins), "policy_schema": once(apim.policy_schema)}
        super().__init__(apim, applications=once(lambda: list(apim.applications())), **known)
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
