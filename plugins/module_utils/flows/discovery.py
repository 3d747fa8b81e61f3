# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which APIs of an environment serve MCP, and how each of them stands, by the word of the management planes."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import below
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.groups import RESERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import STATUSES, paths_of, security_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


def discover(servers: Any, params: Mapping[str, Any], pattern: re.Pattern[str]) -> dict[str, dict[str, Any]]:
    """Host name → variables. Every API that matches has a host of its own, see names_of."""
    apim = servers.apim
    apis = (api for api in apim.apis(expands="deploymentState") if api.get("definitionVersion") == "V4")
    if params["parallel"] < 1:
        raise Refusal(f"parallel: {params['parallel']} requests at the same time is none. Give 1 or more.")
    with ThreadPoolExecutor(params["parallel"]) as pool:
        if params["probe"]:
            found = _speaking(list(apis), pattern, _patience(servers.options, params["probe_timeout"]), pool)
        else:  # of many APIs none is kept but these
            found = [api for api in apis if matches(api, pattern)]
        plans = list(pool.map(lambda api: _plans(apim, api), found))
    known = _known(servers, params)
    return {
        name: _variables(api, of_api, known, params) for name, api, of_api in zip(names_of(found), found, plans, strict=True)
    }


def _speaking(
    apis: list[dict[str, Any]], pattern: re.Pattern[str], options: Options, pool: ThreadPoolExecutor
) -> list[dict[str, Any]]:
    """Those that match, or whose target speaks MCP. All are listed before any target is called: lists change in the meantime."""

    def speaks(api: Mapping[str, Any]) -> bool:
        return matches(api, pattern) or speaks_mcp(target_of(api), options)

    return [api for api, right in zip(apis, pool.map(speaks, apis), strict=True) if right]


def _patience(options: Options, seconds: float) -> Options:
    try:
        return replace(options, timeout=seconds)
    except Refusal as error:
        raise Refusal(f"probe_{error}") from error


def _plans(apim: Any, api: Mapping[str, Any]) -> list[dict[str, Any]] | str:
    """All plans, or why they cannot be read: one API's trouble hides no other."""
    try:
        return list(apim.plans(api["id"], STATUSES))
    except ApiError as error:
        return str(error)


def names_of(apis: list[dict[str, Any]]) -> list[str]:
    """After the first context path, or the id without one. Names that more than one would have, or a group has, end in the id."""
    wanted = [_name(api) for api in apis]
    often = Counter(name.lower() for name in wanted)
    clear = [name.lower() not in RESERVED and often[name.lower()] == 1 for name in wanted]
    return [name if good else f"{name}-{api['id']}" for name, good, api in zip(wanted, clear, apis, strict=True)]


def matches(api: Mapping[str, Any], pattern: re.Pattern[str]) -> bool:
    """Whether name, context path, label or target fits the pattern; an API of type MCP_PROXY always does."""
    words = [api["name"], *paths_of(api), *(api.get("labels") or []), target_of(api) or ""]
    return api.get("type") == "MCP_PROXY" or any(pattern.search(word) for word in words)


def target_of(api: Mapping[str, Any]) -> str | None:
    """The URL of the API's first endpoint; None where it has none."""
    groups = api.get("endpointGroups") or [{}]
    endpoints = groups[0].get("endpoints") or [{}]
    return (endpoints[0].get("configuration") or {}).get("target")


def speaks_mcp(target: str | None, options: Any) -> bool:
    """Whether an MCP server that anyone may call is at the target, as mcp_check would say with gateway=false."""
    if not target:
        return False
    asked = CheckOptions(url=target, gateway=False)
    try:
        return bool(Check(asked, replace(options, retries=0)).run()["result"] == "open")
    except Refusal:  # the target is no URL that can be called from here
        return False


def _name(api: Mapping[str, Any]) -> str:
    paths = paths_of(api)
    return paths[0].strip("/").replace("/", "-") if paths and paths[0] != "/" else api["id"]


def _known(servers: Any, params: Mapping[str, Any]) -> dict[str, dict[str, Any]] | None:
    """AM's MCP servers by their identifiers; None where AM is not asked."""
    if not (params["domain"] and params["gateway_url"]):
        return None
    am = servers.am
    found = am.mcp_servers(domain_id_of(am, params["domain"]))
    return {identifier: server for server in found for identifier in server["resourceIdentifiers"]}


def _variables(
    api: Mapping[str, Any], plans: list[dict[str, Any]] | str, known: Mapping[str, Any] | None, params: Mapping[str, Any]
) -> dict[str, Any]:
    path = next(iter(paths_of(api)), "")
    url = below(params["gateway_url"], path) if params["gateway_url"] else None
    server = (known or {}).get((url or "").lower())
    if isinstance(plans, str):
        plans, problems, groups = [], [f"its plans cannot be read: {plans}"], ["unknown"]
    else:
        problems = _problems(api, plans, None if known is None else server)
        groups = _groups(api, plans, problems)
    shown = [plan for plan in plans if plan["status"] != "CLOSED"]
    return {
        "mcp_api_id": api["id"],
        "mcp_name": api["name"],
        "mcp_type": api.get("type"),
        "mcp_labels": api.get("labels") or [],
        "mcp_context_path": path,
        "mcp_url": url,
        "mcp_target": target_of(api),
        "mcp_state": api.get("state"),
        "mcp_deployment_state": api.get("deploymentState"),
        "mcp_plans": [{"name": plan.get("name"), "security": security_of(plan), "status": plan["status"]} for plan in shown],
        "mcp_am_server": {key: server[key] for key in ("id", "name", "clientId")} if server else None,
        "mcp_problems": problems,
        "mcp_groups": groups,
        "secure_mcp_name": api["name"],
        "secure_mcp_context_path": path.rstrip("/") or "/",
        "secure_mcp_target": target_of(api),
    }


def _problems(api: Mapping[str, Any], plans: list[dict[str, Any]], server: Any) -> list[str]:
    """What keeps clients from getting in, as far as the definitions tell; server is None also where AM was not asked."""
    problems = []
    resources = {one["name"]: one for one in api.get("resources") or [] if one["type"] == TYPE and one.get("enabled", True)}
    served = [plan for plan in plans if plan["status"] in SERVED and security_of(plan)]
    if not served:
        problems.append("no published plan that takes calls")
    for plan in served:
        if security_of(plan) != "OAUTH2":
            continue
        name = (plan["security"].get("configuration") or {}).get("oauthResource")
        if name not in resources:
            problems.append(f"the plan {plan.get('name')} names a resource that the API does not have: {name}")
        elif server and resources[name]["configuration"].get("clientId") != server["clientId"]:
            problems.append(f"the resource {name} has another client id than the MCP server in AM")
    if any(path != path.lower() for path in paths_of(api)):
        problems.append("the context path has capitals, and AM lower-cases identifiers")
    if _closed_since(api, plans):
        problems.append("a keyless plan was closed and the API not deployed since: the gateway still lets anyone in")
    return problems


def _closed_since(api: Mapping[str, Any], plans: list[dict[str, Any]]) -> bool:
    """Whether a keyless plan was closed after the last deployment: only the next deployment closes the API (recorded)."""
    if api.get("deploymentState") != "NEED_REDEPLOY" or not api.get("deployedAt"):
        return False
    closed = [plan for plan in plans if plan["status"] == "CLOSED" and security_of(plan) == "KEY_LESS" and plan.get("closedAt")]
    try:
        return any(_instant(plan["closedAt"]) >= _instant(api["deployedAt"]) for plan in closed)
    except (TypeError, ValueError):  # no dates that can be compared: nothing says that it was deployed since
        return True


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _groups(api: Mapping[str, Any], plans: list[dict[str, Any]], problems: list[str]) -> list[str]:
    securities = {security_of(plan) for plan in plans if plan["status"] in SERVED}
    drifted = ["drifted"] if api.get("deploymentState") == "NEED_REDEPLOY" and api.get("deployedAt") else []
    if api.get("state") != "STARTED":
        return ["stopped", *drifted]
    if "KEY_LESS" in securities or _closed_since(api, plans):
        return ["open", *drifted]
    return ["misconfigured" if problems else "secured", *drifted]
