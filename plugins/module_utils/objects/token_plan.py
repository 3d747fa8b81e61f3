# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan asks of a token: the configuration of the policy oauth2, the selection rule, the flows of its tools."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.challenges import (
    DISCOVERY,
    known_configuration,
    metadata_url,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart, OneApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import given_parts, rule_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.tool_flows import MODES, tool_flows, with_flows

IDENTITY = {"openid"}  # scopes that say who somebody is, not what they may do


@dataclass(frozen=True)
class OAuth2:
    """The configuration of the policy oauth2."""

    oauth_resource: str | None = option()
    oauth_cache_resource: str | None = option()
    extract_payload: bool | None = option()
    check_required_scopes: bool | None = option()
    required_scopes: list[str] | None = option()
    mode_strict: bool | None = option()
    propagate_auth_header: bool | None = option()


@dataclass(frozen=True)
class TokenOptions(OneApi, OAuth2):
    """The options of a plan that are about tokens."""

    discovery: bool = option(True)
    audience: list[str] | None = option()
    require_user: bool | None = option()
    machine_clients: list[str] | None = option()
    tools: dict[str, Any] | None = option()
    enforce_tools: str = option("true", choices=MODES)
    url: str | None = option()
    security_configuration: dict[str, Any] = option({})


class TokenPlan(ApiPart):
    """The part of a plan that is about tokens."""

    params: TokenOptions

    def settle_tokens(self, security: str, base: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        """Make `wanted` ask of a token what the parameters say; base: the plan as it is, or a new one's frame."""
        if security == "OAUTH2":
            self._settle_discovery(base, wanted)
            self._need_resource(wanted["security"]["configuration"])
        self._bind(security, wanted)
        self._enforce_tools(security, base, wanted)

    def oauth2_configuration(self) -> dict[str, Any]:
        configuration = on_the_wire(self.params, OAuth2)
        if "requiredScopes" in configuration:
            configuration.setdefault("checkRequiredScopes", bool(set(configuration["requiredScopes"]) - IDENTITY))
        return configuration

    def _settle_discovery(self, base: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        """Ask for the challenge with metadata in the way this server knows: 4.10 has an option, 4.11 does it always.

        The schema of 4.11 allows no other property, so what 4.10 left in the configuration has to go, too.
        """
        configuration = {**(wanted["security"].get("configuration") or {}), DISCOVERY: self.params.discovery}
        if configuration != (base["security"].get("configuration") or {}):
            theirs = set(self.params.security_configuration)
            configuration = known_configuration(configuration, self.apim.policy_schema("oauth2"), theirs)
        wanted["security"] = {**wanted["security"], "configuration": configuration}

    def _bind(self, security: str, wanted: dict[str, Any]) -> None:
        """The selection rule, as far as a part of it is given. One that somebody else wrote stays."""
        given = given_parts(self.params)
        if not any(given.values()) and not wanted.get("selectionRule"):
            return
        rule = rule_of(wanted.get("selectionRule"))
        if rule is None and given:
            what = f"{', '.join(given)}: the plan {wanted['name']!r} of the API {self.title} has a selection rule of its own"
            self.warnings.append(f"{what}, which stays: {wanted['selectionRule']}")
        elif rule is not None and given:
            self._need_oauth2(security, next(iter(given)))
            wanted["selectionRule"] = replace(rule, **given).text()
            if not wanted["selectionRule"]:
                del wanted["selectionRule"]

    def _enforce_tools(self, security: str, base: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        """The flows that decide who may call which tool. Without tools they stay as they are, unless none are wanted."""
        mode, tools = self.params.enforce_tools, self.params.tools
        if tools is None and mode != "false":
            return
        ours = []
        if mode == "unlisted" or (mode == "true" and any((tools or {}).values())):
            self._need_oauth2(security, "tools")
            ours = tool_flows(tools, mode, self._metadata())
        flows = wanted.get("flows") or []
        changed = with_flows(base.get("flows") or [], flows, ours)
        if changed != flows:
            wanted["flows"] = changed

    def _metadata(self) -> str:
        url = self.params.url or next(iter(self.params.audience or []), "")
        try:
            return metadata_url(web_url(url), self.apim.policy_schema("oauth2"))
        except ValueError as error:
            raise Refusal(f"url: {error} The challenge of a tool's missing scope names the server's metadata by it.") from error

    @staticmethod
    def _need_oauth2(security: str, option: str) -> None:
        if security != "OAUTH2":
            raise Refusal(f"{option}: it needs the claims of a token, so the plan has to be one with security=oauth2.")

    def _need_resource(self, configuration: Mapping[str, Any]) -> None:
        """APIM takes any name; with one of no resource the metadata is a 500 and no token is ever good."""
        name = configuration.get("oauthResource")
        if not name:
            raise Refusal("oauth_resource: an OAuth2 plan needs the name of the API's resource that checks the tokens.")
        has = [resource["name"] for resource in self.api.get("resources") or []]
        if name not in has and "{#" not in name:
            self.unmet.append(
                f"oauth_resource: the API {self.title} has no resource {name!r} (it has: {', '.join(has) or 'none'}). "
                "Create it first with am_resource, or correct the name."
            )
