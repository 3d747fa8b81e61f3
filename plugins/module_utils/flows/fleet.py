# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many MCP servers at once: the role's steps for each, on what was read for all of them.

A first pass plans on a snapshot, read in bulk. Servers that have something to do are then gone through once more, each object
read anew, as the role does it; the proof from outside comes when all are deployed. In check mode the first pass is all there is.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, argument_spec, given, option
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import (
    Situation,
    look,
    refuse_what_cannot_be,
    trouble_with_am,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.snapshot import AmSnapshot, ApimSnapshot
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import domain, verify
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.target import ask_target
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import REQUIRED, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.walk import Planes, Walk, object_of
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import normal_path
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.remembering import Live, once

SHARED = ("domain", "gateway_url", "am_gateway_url")  # that a server need not say of itself
SETS = ("scopes", "mcp_client_scopes", "mcp_client_optional_scopes")  # of the domain, that servers add to
UNFIT = {
    "credentials_file": "a fleet writes no file of credentials; secure that server with the role",
    "rotate": "a fleet rotates no secret; use rotate.yml",
}


@dataclass
class _Server:
    """One server of the fleet, on its way."""

    v: Variables
    outcome: dict[str, Any]
    seen: Situation | None = None
    tools: list[dict[str, Any]] | None = None
    walk: Walk | None = None

    @property
    def failed(self) -> bool:
        return bool(self.outcome["failed"])


@dataclass(frozen=True)
class FleetOptions(ModuleOptions):
    """Options of mcp_fleet."""

    servers: list[dict[str, Any]] = option(required=True, options=argument_spec(Variables, required=False))
    domain: str | None = option()
    gateway_url: str | None = option()
    am_gateway_url: str | None = option()
    look: bool = option(False)
    doctor: bool = option(False)
    am_version: str | None = option()
    parallel: int = option(8)


def reconcile(servers: Any, params: FleetOptions, apply: bool) -> dict[str, Any]:
    """Every server of the fleet as it should be, or without `apply` what that would take."""
    fleet = [_server(number, said, params) for number, said in enumerate(params.servers, 1)]
    _refuse_twins(fleet)
    if params.parallel < 1:
        raise Refusal(f"parallel: {params.parallel} servers at the same time is none. Give 1 or more.")
    if not fleet:
        return {"changed": False, "domain": {}, "servers": [], "failed_servers": []}
    return _Fleet(fleet, params, servers).reconcile(apply)


def _server(number: int, said: Mapping[str, Any], params: FleetOptions) -> _Server:
    shared = {name: getattr(params, name) for name in SHARED}
    values = given({**shared, **given(said)})
    for name in REQUIRED:
        if not values.get(name):
            raise Refusal(f"servers: number {number} has no {name}. Give it.")
    for name, why in UNFIT.items():
        if values.get(name):
            raise Refusal(f"servers: number {number} has {name}, but {why}.")
    v = Variables(**values)
    outcome = {"name": v.name, "context_path": v.context_path, "url": v.url, "changed": False, "changes": [], "diff": []}
    return _Server(v, {**outcome, "failed": False})


def _refuse_twins(fleet: list[_Server]) -> None:
    paths = [normal_path(one.v.context_path) for one in fleet]
    twice = sorted({path for path in paths if paths.count(path) > 1}) if len(set(paths)) < len(paths) else []
    if twice:
        raise Refusal(f"servers: more than one has the context path {twice[0]}. Give each a path of its own.")


class _Fleet:
    """The passes over all servers."""

    def __init__(self, fleet: list[_Server], params: FleetOptions, servers: Any):
        self.fleet, self.params, self.servers = fleet, params, servers
        apim, am = servers.apim, servers.am
        self.snapshot = Planes(ApimSnapshot(apim), AmSnapshot(am), servers.options)
        owners, mcp_servers = self.snapshot.apim.owners, self.snapshot.am.mcp_servers
        tokens_created = self.snapshot.am.tokens_created
        self.trouble = once(lambda url, wait: trouble_with_am(url, wait, servers.options))
        live_am = Live(am, mcp_servers=mcp_servers, tokens_created=tokens_created)
        self.live = Planes(Live(apim, owners=owners), live_am, servers.options)

    def reconcile(self, apply: bool) -> dict[str, Any]:
        self._all(self._look)
        self._all(self._plan)
        domain = self._domain(apply)
        if apply:
            self._all(self._apply)
            self._all(self._prove)
        if self.params.look:
            with ThreadPoolExecutor(self.params.parallel) as pool:
                list(pool.map(self._look_from_outside, self.fleet))
        outcomes = [one.outcome for one in self.fleet]
        return {
            "changed": bool(domain["changes"]) or any(outcome["changed"] for outcome in outcomes),
            "domain": domain,
            "servers": outcomes,
            "failed_servers": [outcome["name"] for outcome in outcomes if outcome["failed"]],
        }

    def _all(self, work: Callable[[_Server], None]) -> None:
        """Each server that was not refused yet, in parallel. One server's refusal stops no other."""

        def one(server: _Server) -> None:
            try:
                work(server)
            except (ApiError, Refusal) as error:
                server.outcome.update(failed=True, msg=str(error))

        with ThreadPoolExecutor(self.params.parallel) as pool:
            list(pool.map(one, [server for server in self.fleet if not server.failed]))

    def _look(self, server: _Server) -> None:
        server.seen = look(server.v, self.snapshot.apim, self.snapshot.am, self.servers.options)
        refuse_what_cannot_be(server.seen, self.trouble)
        server.tools, warnings = ask_target(server.v, self.servers.options)
        server.outcome["warnings"] = [*warnings, *server.seen.warnings]

    def _plan(self, server: _Server) -> None:
        self._walk(server, self.snapshot, apply=False)

    def _apply(self, server: _Server) -> None:
        if server.outcome["changed"]:
            self._walk(server, self.live, apply=True)

    def _walk(self, server: _Server, planes: Planes, apply: bool) -> None:
        if server.seen is None:  # it was refused before
            return
        server.walk = Walk(server.v, server.seen, server.tools, planes, apply)
        told = server.walk.secure(domain=False)
        changes = [change for result in told for change in result["changes"]]
        diff = [result["diff"] for result in told if result["changed"]]
        waiting = server.walk.done.get("admission", {}).get("waiting", [])
        server.outcome.update(changed=bool(changes), changes=changes, diff=diff, waiting=waiting)

    @staticmethod
    def _prove(server: _Server) -> None:
        if server.outcome["changed"] and server.walk:
            server.walk.settle()

    def _look_from_outside(self, server: _Server) -> None:
        """Also at those that were refused: an API that somebody else renamed and opened is open all the same.

        Whatever goes wrong here is what there is to say of this server, and keeps no other from its row.
        """
        way = {"gateway": True, "expect": None, "doctor": self.params.doctor, "am_version": self.params.am_version}
        asked = {**verify(server.v, server.walk.done if server.walk else {}), **way}
        try:
            seen = Check(CheckOptions(**asked), self.servers.options).run()
        except Exception as error:  # noqa: BLE001
            why = str(error) if isinstance(error, Refusal) else f"{type(error).__name__} in the check, which is a bug of it"
            seen = {"result": "unknown", "summary": why, "steps": [], "tools": [], "url": server.v.url}
        server.outcome["seen"] = seen

    def _domain(self, apply: bool) -> dict[str, Any]:
        """The settings that any of the servers asks for, each once, with the scopes of all that ask for the same."""
        merged: list[dict[str, Any]] = []
        for server in self.fleet:
            if server.failed or server.walk is None:
                continue
            options = domain(server.v, server.walk.done)
            sets = {name: options.pop(name, None) or [] for name in SETS}
            twin = next((one for one in merged if one["options"] == options), None)
            if twin is None:
                merged.append(twin := {"options": options, **{name: [] for name in SETS}})
            for name, values in sets.items():
                twin[name] = sorted({*twin[name], *values})
        return self._write_domain(merged, apply)

    def _write_domain(self, merged: list[dict[str, Any]], apply: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"changes": [], "diff": []}
        planes = self.live if apply else self.snapshot
        for one in merged:
            options = {**one["options"], **{name: one[name] for name in SETS}}
            result = object_of("am_domain_settings", options, planes).carry_out(apply)
            told = {
                **result["domain"],
                "changes": [*told["changes"], *result["changes"]],
                "diff": [*told["diff"], *([result["diff"]] if result["changed"] else [])],
            }
        return told
