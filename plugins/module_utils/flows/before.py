# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be refused is refused here, before a run writes anything; and what the run has to know."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, argument_spec, given, option
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.credentials_file import known_credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import (
    Situation,
    look,
    refuse_to_rotate,
    refuse_what_cannot_be,
    trouble_with_am,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.snapshot import AmSnapshot, ApimSnapshot
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.target import ask_target
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import REQUIRED, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.walk import Planes, Walk
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import client_id_of, details, oauth_of

NEEDED = ("gateway_url", "domain", "context_path")  # for whatever purpose
PURPOSES = ("secure", "rotate", "admit", "teardown")


@dataclass(frozen=True)
class SituationOptions(ModuleOptions):
    """Options of mcp_situation_info: what the look is for, and the role's variables, as far as they are given."""

    purpose: str = option("secure", choices=list(PURPOSES))
    variables: dict[str, Any] = option({})

    @classmethod
    def spec(cls) -> dict[str, dict[str, Any]]:
        """Each variable is an option."""
        return {"purpose": super().spec()["purpose"], **argument_spec(Variables, required=False)}

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> SituationOptions:
        """The variables are those of the parameters that have a value."""
        return cls(params["purpose"], given({field.name: params.get(field.name) for field in fields(Variables)}))


def before(servers: Any, params: SituationOptions) -> dict[str, Any]:
    """The situation for a purpose; Refusal for what cannot be done. servers.warnings gets what is odd."""
    purpose = params.purpose
    v = Variables(**_values(params.variables, purpose))
    planes = Planes(ApimSnapshot(servers.apim), AmSnapshot(servers.am), servers.options)
    asked = replace(v, verify=v.verify and purpose in ("secure", "rotate"), rotate=v.rotate or purpose == "rotate")
    seen = look(asked, planes.apim, planes.am, servers.options)
    if purpose == "rotate":
        refuse_to_rotate(seen)
    more: dict[str, Any] = {}
    if purpose == "secure":
        more = _secure(seen, planes, servers)
    elif purpose == "admit":
        more = {"tools": seen.server.get("features")}  # as AM has them: whoever is admitted may ask for their scopes
    elif purpose == "teardown":
        more = _teardown(seen, planes)
    if v.credentials_file:
        known_credentials(v.credentials_file)
    return {**seen.facts(), **more}


def _values(values: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    """The variables, those that are missing and not needed empty; Refusal names one without which the purpose cannot be."""
    for name in REQUIRED if purpose == "secure" else NEEDED:
        if not values.get(name):
            raise Refusal(f"{name}: it is missing. Give it.")
    return {**dict.fromkeys(REQUIRED, ""), **values}


def _secure(seen: Situation, planes: Planes, servers: Any) -> dict[str, Any]:
    """Every step is planned once, on what was read: what one of them would refuse is refused now."""
    v = seen.variables
    tools, warnings = ask_target(v, servers.options)
    servers.warnings += [*warnings, *seen.warnings]
    if v.rotate and seen.ours:
        refuse_to_rotate(seen)
    refuse_what_cannot_be(seen, lambda url, wait: trouble_with_am(url, wait, servers.options))
    Walk(v, seen, tools, planes, apply=False).secure()
    return {"tools": tools}


def _teardown(seen: Situation, planes: Planes) -> dict[str, Any]:
    """The known clients that AM has, by their client ids, and what stays."""
    clients = _known_clients(seen, planes)
    known = [{"name": name, "client_id": client_id} for name, client_id in clients.items()]
    return {"clients": known, "left": _left(seen, clients)}


def _known_clients(seen: Situation, planes: Planes) -> dict[str, str]:
    """Name → client id. Those without one of their own are found by their names: the eldest that did not register itself."""
    clients = seen.variables.known_clients
    known = {one["name"]: one["client_id"] for one in clients if one.get("client_id")}
    wanted = {one["name"] for one in clients} - set(known)
    if wanted:
        for whole in details(planes.am, seen.domain["id"]):
            if whole["name"] in wanted and not oauth_of(whole).get("registrationClientUri"):
                known.setdefault(whole["name"], client_id_of(whole))
    return known


def _left(seen: Situation, clients: Mapping[str, str]) -> list[str]:
    """What a teardown leaves, one sentence each."""
    v, left = seen.variables, []
    if seen.api and not seen.ours:
        whose = f"The API {seen.api['name']} at {v.context_path} is not {v.name}"
        left.append(f"{whose}: it is left as it is, and so is its MCP server in AM.")
    elif seen.plans_of_others:
        left.append(f"The API {v.name} is kept, stopped: others made its plan(s) {', '.join(seen.plans_of_others)}.")
    elif seen.ours and v.teardown_api == "keep":
        left.append(f"The API {v.name} is kept, stopped and without a plan that lets anyone in.")
    if clients and v.teardown_clients == "keep":
        left.append(f"The clients {', '.join(clients)} stay in AM, without their subscriptions.")
    if v.credentials_file:
        left.append(f"The file {v.credentials_file} stays.")
    if not v.teardown_domain:
        left.append(f"The settings of the domain {v.domain} stay, see teardown_domain.")
    return left
