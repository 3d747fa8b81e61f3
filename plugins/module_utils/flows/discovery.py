# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which APIs of an environment serve MCP, and how each of them stands, by the word of the management planes."""
from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import paths_of


def discover(servers: Any, params: Mapping[str, Any], pattern: re.Pattern[str]) -> dict[str, dict[str, Any]]:
    """Host name → variables. A host is named after its API's first context path, or its id without one."""
    apim = servers.apim
    apis = [api for api in apim.apis(expands="deploymentState") if api.get("definitionVersion") == "V4"]
    options = replace(servers.options, timeout=params["probe_timeout"])
    with ThreadPoolExecutor(params["parallel"]) as pool:

        def speaks(api: Mapping[str, Any]) -> bool:
            return _matches(api, pattern) or (params["probe"] and speaks_mcp(_target(api), options))

        found = [api for api, right in zip(apis, pool.map(speaks, apis), strict=True) if right]
        plans = list(pool.map(lambda api: apim.plans(api["id"], (*SERVED, "STAGING")), found))
    known = _known(servers, params)
    return {_name(api): _variables(api, of_api, known, params) for api, of_api in zip(found, plans, strict=True)}


def _matches(api: Mapping[str, Any], pattern: re.Pattern[str]) -> bool:
    words = [api["name"], *paths_of(api), *(api.get("labels") or []), _target(api) or ""]
    return api.get("type") == "MCP_PROXY" or any(pattern.search(word) for word in words)


def _target(api: Mapping[str, Any]) -> str | None:
    groups = api.get("endpointGroups") or [{}]
    endpoints = groups[0].get("endpoints") or [{}]
    return (endpoints[0].get("configuration") or {}).get("target")


def speaks_mcp(target: str | None, options: Any) -> bool:
    """Whether an MCP server that anyone may call is at the target, as mcp_check would say with gateway=false."""
    if not target:
        return False
    asked = {"url": target, "gateway": False, "list_tools": False, "token": None, "username": None}
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
    api: Mapping[str, Any], plans: list[dict[str, Any]], known: Mapping[str, Any] | None, params: Mapping[str, Any]
) -> dict[str, Any]:
    path = next(iter(paths_of(api)), "")
    url = f"{params['gateway_url'].rstrip('/')}/{path.strip('/')}" if params["gateway_url"] else None
    server = (known or {}).get((url or "").lower())
    problems = _problems(api, plans, None if known is None else server)
    return {
        "mcp_api_id": api["id"],
        "mcp_name": api["name"],
        "mcp_type": api.get("type"),
        "mcp_labels": api.get("labels") or [],
        "mcp_context_path": path,
        "mcp_url": url,
        "mcp_target": _target(api),
        "mcp_state": api.get("state"),
        "mcp_deployment_state": api.get("deploymentState"),
        "mcp_plans": [{"name": plan["name"], "security": plan["security"]["type"], "status": plan["status"]} for plan in plans],
        "mcp_am_server": {key: server[key] for key in ("id", "name", "clientId")} if server else None,
        "mcp_problems": problems,
        "mcp_groups": _groups(api, plans, problems),
        "secure_mcp_name": api["name"],
        "secure_mcp_context_path": path.rstrip("/") or "/",
        "secure_mcp_target": _target(api),
    }


def _problems(api: Mapping[str, Any], plans: list[dict[str, Any]], server: Any) -> list[str]:
    """What keeps clients from getting in, as far as the definitions tell; server is None also where AM was not asked."""
    problems = []
    resources = {one["name"]: one for one in api.get("resources") or [] if one["type"] == TYPE and one.get("enabled", True)}
    served = [plan for plan in plans if plan["status"] in SERVED]
    if not served:
        problems.append("no published plan")
    for plan in served:
        if plan["security"]["type"] != "OAUTH2":
            continue
        name = (plan["security"].get("configuration") or {}).get("oauthResource")
        if name not in resources:
            problems.append(f"the plan {plan['name']} names a resource that the API does not have: {name}")
        elif server and resources[name]["configuration"].get("clientId") != server["clientId"]:
            problems.append(f"the resource {name} has another client id than the MCP server in AM")
    if any(path != path.lower() for path in paths_of(api)):
        problems.append("the context path has capitals, and AM lower-cases identifiers")
    return problems


def _groups(api: Mapping[str, Any], plans: list[dict[str, Any]], problems: list[str]) -> list[str]:
    securities = {plan["security"]["type"] for plan in plans if plan["status"] in SERVED}
    drifted = ["drifted"] if api.get("deploymentState") == "NEED_REDEPLOY" and api.get("deployedAt") else []
    if api.get("state") != "STARTED":
        return ["stopped", *drifted]
    if "KEY_LESS" in securities:
        return ["open", *drifted]
    return ["misconfigured" if problems else "secured", *drifted]
