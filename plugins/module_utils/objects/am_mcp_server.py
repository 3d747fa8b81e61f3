# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MCP server in AM: a protected resource of type MCP_SERVER."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME, Change, Managed, Plan, Planes, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of, scope_changes
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

MANAGED = ("name", "description", "resourceIdentifiers", "features", "clientId")
AMS_GRANT_TYPES = ["client_credentials"]  # what AM sets where none is given
TOOL_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _name(value: str) -> str:
    if not 1 <= len(value) <= 64 or value[0].isspace():
        raise ValueError(f"{value!r} is no name for AM. Use 1 to 64 characters, the first no blank.")
    return value


def normal_identifier(value: str) -> str:
    """An identifier as AM keeps it; ValueError for what AM would refuse."""
    value = value.strip().lower()
    try:
        parts = urlsplit(value)
        whole = parts.scheme and parts.netloc and not parts.fragment
    except ValueError:
        whole = False
    if not whole or any(c.isspace() for c in value):
        raise ValueError(f"{value!r} is no identifier for AM. Give the URL that clients call, without a fragment.")
    return value


def _features(tools: list[Tool]) -> list[dict[str, Any]]:
    keys = [tool.key for tool in tools]
    for key in keys:
        if not TOOL_KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no tool key. Use 1 to 64 letters, digits, '_' and '-'.")
        if keys.count(key) > 1:
            raise ValueError(f"the tool {key!r} is named twice. Give each tool once.")
    return [{"type": "MCP_TOOL", **on_the_wire(tool)} for tool in tools]


@dataclass(frozen=True)
class Tool:
    """A feature of type MCP_TOOL."""

    key: str = option(required=True, no_log=False)
    description: str | None = option()
    scopes: list[str] | None = option()


@dataclass(frozen=True)
class McpServerOptions(ModuleOptions):
    """Options of am_mcp_server. AM keeps identifiers trimmed and lower-cased, the description trimmed."""

    domain: str = option(required=True)
    resource_identifiers: list[str] | None = option(
        aliases=["resource_identifier"], convert=lambda values: [normal_identifier(value) for value in values]
    )
    name: str | None = option(convert=_name)
    description: str | None = option(convert=str.strip)
    tools: list[Tool] | None = option(each=Tool, wire="features", convert=_features)
    create_scopes: bool = option(False)
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)
    grant_types: list[str] | None = option()
    state: str = option("present", choices=["present", "absent"])
    RULES = {"required_one_of": [["resource_identifiers", "client_id"]]}


def find_mcp_server(am: Am, domain_id: str, identifiers: Iterable[str], client_id: str | None) -> dict[str, Any] | None:
    """AM's MCP server with this client id, or with one of these identifiers as AM keeps them; None where there is none.

    Refusal where what is given belongs to more than one, or an identifier to one with another client id.
    """
    found = [
        server
        for server in am.mcp_servers(domain_id)
        if server["clientId"] == client_id or set(identifiers) & set(server["resourceIdentifiers"])
    ]
    if len(found) > 1:
        raise Refusal(
            f"{'client_id' if client_id else 'resource_identifiers'}: what is given belongs to more than one MCP server of the "
            f"domain: {', '.join(server['clientId'] for server in found)}. Give what belongs to one."
        )
    if found and client_id not in (None, found[0]["clientId"]):
        raise Refusal(
            f"client_id: the MCP server {', '.join(identifiers)} has the client id {found[0]['clientId']}, and AM changes none. "
            "Leave client_id out, or remove that MCP server first."
        )
    return found[0] if found else None


def managed_part(server: Mapping[str, Any]) -> dict[str, Any]:
    """Of AM's answer what is managed, in the form that AM takes. A certificate, which AM 4.11 fills in, is not.

    The settings of OAuth, which AM has from 4.11 on, are there as a whole: an update resets what it leaves out.
    """
    part = {key: server[key] for key in MANAGED if server.get(key) is not None}
    if oauth := (server.get("settings") or {}).get("oauth"):
        part["settings"] = {"oauth": {key: value for key, value in oauth.items() if key not in ("clientId", "clientSecret")}}
    if "features" in part:
        kept = ("key", "type", "description", "scopes")
        part["features"] = [
            {key: feature[key] for key in kept if key in feature} | {"type": feature["type"].upper()}
            for feature in part["features"]
        ]
    return part


class ManagedMcpServer(Managed):
    """The MCP server, without its secret; AM shows that only when it makes it."""

    takes = McpServerOptions
    kind = "mcp_server"

    def __init__(self, am: Am, params: McpServerOptions):
        super().__init__()
        self.am, self.params = am, params
        self.given = on_the_wire(params, ("name", "description", "resource_identifiers", "client_id", "tools"))
        self.title = params.client_id or ", ".join(self.given.get("resourceIdentifiers", []))
        self.domain_id = ""
        self.id = ""
        self.client_id: str | None = params.client_id
        self.secret: str | None = None

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedMcpServer:
        return cls(planes.am, params)

    def observe(self) -> dict[str, Any] | None:
        self.domain_id = domain_id_of(self.am, self.params.domain)
        identifiers = self.given.get("resourceIdentifiers", [])
        server = find_mcp_server(self.am, self.domain_id, identifiers, self.params.client_id)
        if server is None:
            return None
        self.id, self.client_id = server["id"], server["clientId"]
        return managed_part(server)

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.params.state == "absent":
            return None
        if observed is None:
            for name, key in (("name", "name"), ("resource_identifiers", "resourceIdentifiers")):
                if not self.given.get(key):
                    raise Refusal(f"{name}: the domain has no such MCP server yet, and a new one needs it.")
        return self._narrowed(merge(observed or {}, self.given))

    def _narrowed(self, server: dict[str, Any]) -> dict[str, Any]:
        """The MCP server with the grant types that are given, where this AM has such a setting."""
        given, oauth = self.params.grant_types, (server.get("settings") or {}).get("oauth")
        wanted = given or AMS_GRANT_TYPES
        if given is None or oauth is None or set(oauth.get("grantTypes") or []) == set(wanted):
            return server
        return {**server, "settings": {"oauth": {**oauth, "grantTypes": wanted}}}

    def plan(self) -> Plan:
        plan = super().plan()
        if self.params.state == "present":
            plan.changes[:0] = self._scopes()
            if plan.before is None:
                self.client_id, self.secret = self.client_id or TO_COME, self.params.client_secret or TO_COME
        return plan

    def _scopes(self) -> list[Change]:
        """AM checks the scopes of tools at an update, though not at creation: they must be there first."""
        keys = [scope for tool in self.given.get("features", []) for scope in tool.get("scopes", [])]
        absent = scope_changes(self.am, self.domain_id, keys)
        if absent and not self.params.create_scopes:
            self.unmet.append(
                f"tools: the domain does not have all of their scopes: {absent[0].summary} first, or set create_scopes=true."
            )
            return []
        return absent

    def changes(self, observed: Any, desired: dict[str, Any] | None) -> Iterable[Change]:
        if desired is None:
            yield Change(f"delete MCP server {observed['name']}", lambda _: self._delete())
        elif observed is None:
            yield Change(f"create MCP server {desired['name']}", lambda _: self._create(desired))
        else:
            body = {key: value for key, value in desired.items() if value != observed.get(key)}
            yield Change(f"update {', '.join(body)} of MCP server {observed['name']}", lambda _: self._patch(body))

    def _create(self, desired: dict[str, Any]) -> dict[str, Any]:
        body = desired if self.params.client_secret is None else {**desired, "clientSecret": self.params.client_secret}
        made = self.am.create_mcp_server(self.domain_id, body)
        self.id, self.client_id, self.secret = made["id"], made["clientId"], made["clientSecret"]
        if self.params.grant_types is not None:
            observed = managed_part(self.am.mcp_server(self.domain_id, self.id))
            narrowed = self._narrowed(observed)
            if narrowed != observed:
                self._patch({"settings": narrowed["settings"]})
        return {**desired, "clientId": self.client_id}

    def _patch(self, body: dict[str, Any]) -> dict[str, Any]:
        return managed_part(self.am.patch_mcp_server(self.domain_id, self.id, body))

    def _delete(self) -> None:
        self.am.delete_mcp_server(self.domain_id, self.id)

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        facts = {"mcp_server": mask(value or {}), "id": self.id or None, "client_id": self.client_id, "domain_id": self.domain_id}
        return {**facts, "client_secret": self.secret} if self.secret else facts
