# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads with filters."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import shown
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, normal_path, paths_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.introspection import credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


@dataclass(frozen=True)
class ApiInfoOptions(ModuleOptions):
    """Options of gravitee_api_info. wait_timeout in seconds."""

    id: str | None = option()
    context_path: str | None = option()
    name: str | None = option()
    label: str | None = option()
    state: str | None = option(choices=["started", "stopped"])
    plans: bool = option(False)
    secrets: bool = option(False, no_log=False)
    check_credentials: bool = option(False)
    wait_timeout: int = option(30)


@dataclass(frozen=True)
class McpServerInfoOptions(ModuleOptions):
    """Options of am_mcp_server_info."""

    domain: str = option(required=True)
    resource_identifier: str | None = option()
    client_id: str | None = option()
    name: str | None = option()
    secrets: bool = option(False, no_log=False)


def apis(apim: Apim, params: ApiInfoOptions, options: Options) -> list[dict[str, Any]]:
    """The APIs that fit every filter that is given, secrets masked unless asked for."""
    path = normal_path(params.context_path) if params.context_path else None
    state = params.state.upper() if params.state else None
    found = [
        api
        for api in apim.apis(expands="deploymentState")
        if params.id in (None, api["id"])
        and params.name in (None, api["name"])
        and state in (None, api.get("state"))
        and (path is None or path in paths_of(api))
        and (params.label is None or params.label in (api.get("labels") or []))
    ]
    if params.plans:
        found = [{**api, "plans": apim.plans(api["id"])} for api in found]
    if params.check_credentials:
        found = [{**api, "resources": _checked(api, params, options)} for api in found]
    return found if params.secrets else mask(found)


def _checked(api: Mapping[str, Any], params: ApiInfoOptions, options: Options) -> list[dict[str, Any]]:
    """The API's resources; those that ask AM say whether it takes what they hold."""
    return [
        {**resource, "credentials": credentials(resource["configuration"], options, params.wait_timeout)}
        if resource["type"] == TYPE
        else resource
        for resource in api.get("resources") or []
    ]


def mcp_servers(am: Am, params: McpServerInfoOptions) -> dict[str, Any]:
    """The MCP servers that fit every filter that is given, with their secrets if asked for, and their domain's id."""
    identifier = (params.resource_identifier or "").strip().lower()
    domain_id = domain_id_of(am, params.domain)
    found = [
        mask(server)
        for server in am.mcp_servers(domain_id)
        if params.client_id in (None, server["clientId"])
        and params.name in (None, server["name"])
        and (not identifier or identifier in server["resourceIdentifiers"])
    ]
    found = _with_secrets(am, domain_id, found) if params.secrets else found
    return {"mcp_servers": found, "domain_id": domain_id}


def _with_secrets(am: Am, domain_id: str, servers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The MCP servers, each with its `secrets`: name, createdAt, expiresAt; as they are where AM lists none (before 4.11)."""
    told: list[dict[str, Any]] = []
    listed = True
    for server in servers:
        secrets = am.secrets(domain_id, server["id"]) if listed else None
        listed = secrets is not None
        told.append({**server, "secrets": list(map(shown, secrets))} if secrets is not None else dict(server))
    return told
