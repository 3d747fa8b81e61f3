# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role secure_mcp, without their prefix: their types and defaults, once for role and fleet.

The role's meta/argument_specs.yml documents them and its defaults/main.yml repeats the defaults; a test compares the three.
Connection and delegate_to are options of every module and of Ansible, so they are not here.
"""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import argument_spec, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import below
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.login import REDIRECT_URI
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES, is_document
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.tool_flows import MODES

PREFIX = "secure_mcp_"


@dataclass(frozen=True)
class Client:
    """A client that is known before."""

    name: str = option(required=True)
    type: str = option("native", choices=["native", "web", "browser", "service"])
    redirect_uris: list[str] | None = option()
    grant_types: list[str] | None = option()
    scopes: list[str] | None = option()
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)


@dataclass(frozen=True)
class Variables:
    """What a host says of its MCP server. Times in seconds, but for read_timeout, which is in milliseconds."""

    # Where
    gateway_url: str = option(required=True)
    am_gateway_url: str = option(required=True)
    domain: str = option(required=True)
    # What
    name: str = option(required=True)
    version: str = option("1.0")
    context_path: str = option(required=True)
    target: str = option(required=True)
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)
    api_type: str = option("proxy", choices=["proxy", "mcp_proxy"])
    tools: Any = option([])
    tool_scopes: dict[str, Any] = option({})
    required_scopes: list[str] = option(["openid"])
    resource_name: str = option("Gravitee AM")
    plan_name: str = option("OAuth2")
    enforce_tools: str = option("true", choices=MODES)
    propagate_auth_header: bool = option(False)
    read_timeout: int = option(120000)
    adopt: bool = option(False)
    api_definition: dict[str, Any] = option({})
    cors_origins: list[str] = option([])
    # Who
    bind_audience: bool = option(True)
    require_user: bool = option(True)
    client_registration: dict[str, Any] | None = option()
    clients: list[dict[str, Any]] = option([], options=argument_spec(Client))
    client_profiles: list[str] = option([], choices=list(PROFILES))
    client_metadata_documents: dict[str, Any] | None = option()
    registered_clients: str = option("report", choices=["subscribe", "report", "ignore"])
    admit: list[dict[str, Any]] = option([])
    admit_profiles: list[str] | None = option(choices=list(PROFILES))
    token_days: int = option(30, no_log=False)
    stale_days: int | None = option()
    remove_stale: bool = option(False)
    test_username: str | None = option()
    test_password: str | None = option(no_log=True)
    test_client_id: str | None = option()
    test_client_secret: str | None = option(no_log=True)
    test_client: str = option("MCP check")
    # How
    flow: str = option("sealed", choices=["sealed", "documented"])
    preflight: str = option("fail", choices=["fail", "warn", "skip"])
    dcr: bool = option(True)
    user_registration: bool = option(True)
    recreate_lost_server: bool = option(True)
    verify: bool = option(True)
    verify_timeout: int = option(60)
    on_failure: str = option("keep", choices=["keep", "stop", "rollback"])
    credentials_file: str | None = option()
    # Leaving and rotating
    teardown_api: str = option("delete", choices=["delete", "keep"])
    teardown_clients: str = option("delete", choices=["delete", "keep"])
    teardown_domain: bool = option(False)
    rotate: bool = option(False)
    rotate_wait: int = option(15)
    rotate_recreate: bool = option(False)

    def __post_init__(self) -> None:
        if not self.discover and not _are_tools(self.tools):
            raise Refusal("tools: it is neither 'discover' nor a list of tools, each with a key and, if any, a list of scopes.")
        if not all(_are_texts(scopes) for scopes in self.tool_scopes.values()):
            raise Refusal("tool_scopes: give each tool a list of scopes.")
        for client_id in (one.get("client_id") for one in self.clients):
            if is_url(client_id) and not is_document(client_id):
                raise Refusal(f"clients: {client_id!r} is the URL of no document. Give the whole URL, its host in lower case.")

    @property
    def url(self) -> str:
        """The URL that clients call; also the identifier of the MCP server in AM."""
        return below(self.gateway_url, self.context_path)

    @property
    def audience(self) -> list[str]:
        """The identifiers that a token may be for; AM lower-cases them."""
        return [self.url.lower()] if self.bind_audience else []

    @property
    def makes_test_client(self) -> bool:
        """Whether the check in the end needs a client of its own: one that registers itself has no subscription yet."""
        return bool(self.test_username) and not self.test_client_id and self.api_type != "mcp_proxy"

    @property
    def known_clients(self) -> list[dict[str, Any]]:
        """The clients to be made in AM and subscribed, the check's own among them."""
        named = [one["name"] for one in self.clients]
        makes = self.makes_test_client and self.test_client not in named
        return [*self.clients, {"name": self.test_client, "redirect_uris": [REDIRECT_URI]}] if makes else self.clients

    @property
    def enforces_tools(self) -> bool:
        """Whether the gateway is to refuse calls of some tool."""
        scopes = list(self.tool_scopes.values()) if self.discover else [
            tool.get("scopes") for tool in self.tools if isinstance(tool, dict)
        ]
        return self.enforce_tools == "unlisted" or (self.enforce_tools == "true" and any(scopes))

    @property
    def discover(self) -> bool:
        """Whether the tools are those that the MCP server lists."""
        return bool(self.tools == "discover")


def is_url(client_id: str | None) -> bool:
    """Whether a client's id is the URL of its metadata document, so that it is no application of AM."""
    return (client_id or "").startswith(("https://", "http://"))


def _are_tools(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(tool, dict) and isinstance(tool.get("key"), str) and _are_texts(tool.get("scopes") or []) for tool in value
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


REQUIRED = tuple(field.name for field in fields(Variables) if field.metadata["spec"].get("required"))
