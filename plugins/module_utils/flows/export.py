# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What APIM and AM have, as the role's variables: such that the role has nothing to do, or says what it would.

Read from the objects, and then proven: every step is planned with the variables that came out.
"""
from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import visible
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.discovery import matches, names_of, target_of
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import Situation, look
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.snapshot import AmSnapshot, ApimSnapshot
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.walk import Planes, Walk
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import client_id_of, details, oauth_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import find_domain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import Rule, rule_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.tool_flows import OURS, is_ours
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import paths_of, security_of

DEFAULTS = {one.name: one.metadata["default"] for one in fields(Variables)}
WRITTEN_ALWAYS = ("name", "context_path", "target")
SHARED = ("gateway_url", "am_gateway_url", "domain")  # of the group, unless a host differs
_TEMPLATE = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class ExportOptions(ModuleOptions):
    """Options of mcp_export_info."""

    gateway_url: str = option(required=True)
    am_gateway_url: str = option(required=True)
    domain: str = option(required=True)
    name: str | None = option()
    context_path: str | None = option()
    label: str | None = option()
    match: str = option(r"(?i)\bmcp\b")


def export(servers: Any, params: ExportOptions) -> dict[str, Any]:
    """{"hosts": name → variables, "to_secure": name → variables, "findings": name → sentences}.

    hosts are the servers that the role finds as they are; to_secure those that it would have to secure. findings has for each
    what the role would change all the same, or why it is left out.
    """
    planes = Planes(ApimSnapshot(servers.apim), AmSnapshot(servers.am), servers.options)
    pattern = _pattern(params.match)
    apis = [
        api
        for api in servers.apim.apis(expands="deploymentState")
        if api.get("definitionVersion") == "V4" and _chosen(api, params) and (matches(api, pattern) or _resource(api))
    ]
    told: dict[str, Any] = {"hosts": {}, "to_secure": {}, "findings": {}}
    for name, api in zip(names_of(apis), apis, strict=True):
        try:
            v, findings = _Export(api, params, planes).variables()
        except (ApiError, Refusal) as error:
            told["findings"][name] = [f"It is left out: {error}"]
            continue
        group = "hosts" if any(is_oauth2(plan) for plan in planes.apim.plans(api["id"], SERVED)) else "to_secure"
        told[group][name] = written(v, params)
        told["findings"] |= {name: findings} if findings else {}
    return told


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise Refusal(f"match: {error}. Give a regular expression.") from error


def _chosen(api: Mapping[str, Any], params: ExportOptions) -> bool:
    """Whether the API fits every filter that is given: shell patterns of its name and of a path, a label."""
    paths = [path.rstrip("/") or "/" for path in paths_of(api)]
    return (
        fnmatch.fnmatchcase(api["name"], params.name or "*")
        and any(fnmatch.fnmatchcase(path, params.context_path or "*") for path in paths)
        and params.label in (None, *(api.get("labels") or []))
    )


def _resource(api: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((one for one in api.get("resources") or [] if one["type"] == TYPE), {})


def is_oauth2(plan: Mapping[str, Any]) -> bool:
    """Whether the plan takes tokens of an authorization server."""
    return security_of(plan) == "OAUTH2"


def written(v: Variables, params: ExportOptions) -> dict[str, Any]:
    """The variables to be written: those that differ from the defaults, and from what the group says."""
    values = {name: value for name, value in asdict(v).items() if value != DEFAULTS[name] or name in WRITTEN_ALWAYS}
    return {PREFIX + name: value for name, value in values.items() if name not in SHARED or value != getattr(params, name)}


class _Export:
    """One API."""

    def __init__(self, api: Mapping[str, Any], params: ExportOptions, planes: Planes):
        self.api, self.params, self.planes = api, params, planes
        plans = planes.apim.plans(api["id"], SERVED)
        self.plan: Mapping[str, Any] = next((plan for plan in plans if is_oauth2(plan)), {})
        self.resource = _resource(api)

    def variables(self) -> tuple[Variables, list[str]]:
        """And what the role would change with them. Refusal for what no inventory can hold, or the role does not take."""
        v = Variables(**{**self._of_the_api(), **self._of_the_resource(), **self._of_the_plan()})
        seen = look(replace(v, verify=False), self.planes.apim, self.planes.am, self.planes.options)
        v = replace(v, **self._of_the_server(seen), **self._of_the_domain(seen.domain))
        texts = [text for value in asdict(v).values() for text in _texts(value)]
        if bad := next((text for text in texts if _TEMPLATE.search(text)), None):
            raise Refusal(f"it has the text {visible(bad)!r}, which Ansible would take for a template.")
        for settled in self._settled(v):
            changes = self._changes(settled, seen)
            if not [change for change in changes if " of domain " in change or change.startswith("create scope ")]:
                break
        managed = [f"Its origin is {seen.origin}: the role changes it with adopt=true alone."] if seen.origin else []
        return settled, [*managed, *changes]

    @staticmethod
    def _settled(v: Variables) -> Iterator[Variables]:
        """With registration as the role sets it; else with the domain left as it is."""
        yield v
        yield replace(v, dcr=False)
        yield replace(v, dcr=False, user_registration=False)

    def _changes(self, v: Variables, seen: Situation) -> list[str]:
        quiet = replace(v, verify=False, registered_clients="ignore")
        walk = Walk(quiet, replace(seen, variables=quiet), v.tools, self.planes, apply=False)
        return [f"The role would {change}." for result in walk.secure() for change in result["changes"]]

    def _of_the_api(self) -> dict[str, Any]:
        api, path = self.api, next(iter(paths_of(self.api)), "/")
        target = target_of(api)
        if not target:
            raise Refusal("it has no endpoint with a target.")
        cors = next((one.get("cors") for one in api.get("listeners") or [] if one.get("type") == "HTTP"), None) or {}
        group = (api.get("endpointGroups") or [{}])[0]
        timeout = ((group.get("sharedConfiguration") or {}).get("http") or {}).get("readTimeout")
        return {
            "gateway_url": self.params.gateway_url,
            "am_gateway_url": self.params.am_gateway_url,
            "domain": self.params.domain,
            "name": api["name"],
            "context_path": path.rstrip("/") or "/",
            "target": target,
            "version": api.get("apiVersion") or DEFAULTS["version"],
            "api_type": str(api.get("type") or "PROXY").lower(),
            "read_timeout": timeout if isinstance(timeout, int) else DEFAULTS["read_timeout"],
            "cors_origins": (cors.get("allowOrigin") or []) if cors.get("enabled") else [],
        }

    def _of_the_resource(self) -> dict[str, Any]:
        has = self.resource.get("configuration") or {}
        url = has.get("serverURL") or ""
        same = url.rstrip("/") == self.params.am_gateway_url.rstrip("/")
        return {**({} if same or not url else {"am_gateway_url": url}), **_named("resource_name", self.resource)}

    def _of_the_plan(self) -> dict[str, Any]:
        if not self.plan:
            return {}
        has, rule = self.plan["security"].get("configuration") or {}, rule_of(self.plan.get("selectionRule")) or Rule()
        flows = [str(flow.get("name")) for flow in self.plan.get("flows") or [] if is_ours(flow)]
        unlisted = f"{OURS}only listed tools" in flows
        return {
            **_named("plan_name", self.plan),
            "resource_name": has.get("oauthResource") or DEFAULTS["resource_name"],
            "required_scopes": has.get("requiredScopes") or [],
            "propagate_auth_header": bool(has.get("propagateAuthHeader", True)),
            "bind_audience": bool(rule.audience),
            "require_user": rule.require_user,
            "enforce_tools": "unlisted" if unlisted else "true" if flows else "false",
            "clients": self._machines(rule.machine_clients),
        }

    def _machines(self, client_ids: tuple[str, ...]) -> list[dict[str, Any]]:
        """The clients that the rule lets in without a user."""
        if not client_ids:
            return []
        domain = find_domain(self.planes.am, self.params.domain)
        known = {client_id_of(whole): whole for whole in details(self.planes.am, domain["id"])}
        return [
            {
                "name": whole["name"],
                "type": "service",
                "client_id": client_id,
                "grant_types": oauth_of(whole).get("grantTypes") or ["client_credentials"],
                "scopes": [one["scope"] for one in oauth_of(whole).get("scopeSettings") or []],
            }
            for client_id, whole in known.items()
            if client_id in client_ids
        ]

    @staticmethod
    def _of_the_server(seen: Situation) -> dict[str, Any]:
        """The tools as AM has them. Without scopes there is nothing to enforce, which is no decision against it."""
        tools = [
            {key: feature[key] for key in ("key", "description", "scopes") if feature.get(key)}
            for feature in seen.server.get("features") or []
        ]
        scoped = any(tool.get("scopes") for tool in tools)
        enforces = seen.variables.enforce_tools
        return {"tools": tools, "enforce_tools": "true" if enforces == "false" and not scoped else enforces}

    @staticmethod
    def _of_the_domain(domain: Mapping[str, Any]) -> dict[str, Any]:
        return {"user_registration": bool((domain.get("loginSettings") or {}).get("registerEnabled"))}


def _named(variable: str, thing: Mapping[str, Any]) -> dict[str, Any]:
    return {variable: thing["name"]} if thing else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
