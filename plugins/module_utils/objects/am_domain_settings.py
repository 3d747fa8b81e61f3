# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration and login settings of an AM domain."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, Planes, differing, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES, document_hosts, needs
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.client_documents import MetadataDocuments, with_documents
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.shared import Shared
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What MCP clients ask for when they register: identity, and a refresh token.
MCP_ALLOWED_SCOPES = ["openid", "profile", "email", "offline_access"]
MCP_DEFAULT_SCOPES = ["openid"]
OIDC = ("clientRegistrationSettings", "cimdSettings")  # the managed parts of oidc


@dataclass(frozen=True)
class ClientRegistration:
    """The wire's oidc.clientRegistrationSettings.

    AM's switches carry an "is" on the wire that its OpenAPI file leaves away; without it they are refused.
    """

    dynamic_client_registration_enabled: bool | None = option(wire="isDynamicClientRegistrationEnabled")
    open_dynamic_client_registration_enabled: bool | None = option(wire="isOpenDynamicClientRegistrationEnabled")
    allow_localhost_redirect_uri: bool | None = option()
    allow_http_scheme_redirect_uri: bool | None = option()
    allow_wild_card_redirect_uri: bool | None = option()
    allow_redirect_uri_params_expression_language: bool | None = option()
    allowed_scopes_enabled: bool | None = option(wire="isAllowedScopesEnabled")
    allowed_scopes: list[str] | None = option()
    default_scopes: list[str] | None = option()
    client_template_enabled: bool | None = option(wire="isClientTemplateEnabled")


@dataclass(frozen=True)
class Login:
    """The wire's loginSettings."""

    inherited: bool | None = option()
    register_enabled: bool | None = option()
    forgot_password_enabled: bool | None = option()
    remember_me_enabled: bool | None = option()
    passwordless_enabled: bool | None = option()
    passwordless_remember_device_enabled: bool | None = option()
    passwordless_enforce_password_enabled: bool | None = option()
    passwordless_device_naming_enabled: bool | None = option()
    hide_form: bool | None = option()
    identifier_first_enabled: bool | None = option()
    certificate_based_auth_enabled: bool | None = option()
    magic_link_auth_enabled: bool | None = option()


@dataclass(frozen=True)
class DomainOptions(ModuleOptions):
    """Options of am_domain_settings."""

    domain: str = option(required=True)
    mcp_clients: bool = option(False)
    mcp_client_scopes: list[str] = option([])
    mcp_client_optional_scopes: list[str] = option([])
    mcp_client_scopes_mode: str = option("add", choices=["add", "exact"])
    scopes: list[str] = option([])
    client_profiles: list[str] | None = option(choices=list(PROFILES))
    client_metadata_documents: MetadataDocuments = option(of=MetadataDocuments)
    client_registration: ClientRegistration = option(of=ClientRegistration)
    login: Login = option(of=Login)


def find_domain(am: Am, domain: str) -> dict[str, Any]:
    """The domain with this hrid or id; Refusal when there is none to be seen."""
    found = am.domain(domain)
    if found is None:
        raise Refusal(
            f"domain: AM knows no domain {domain!r}, neither as hrid nor as id, or hides it from this user. Create it first, "
            "or correct its name, environment or organization."
        )
    return found


def domain_id_of(am: Am, domain: str) -> str:
    """The domain's id; asks AM only when `domain` is none."""
    return domain if _UUID.fullmatch(domain) else find_domain(am, domain)["id"]


def scope_changes(am: Am, domain_id: str, scopes: Iterable[str]) -> list[Change]:
    """The creation of those scopes that the domain does not have. Asks once, and only when there is one to look for."""
    wanted = list(dict.fromkeys(scopes))
    present = am.scopes(domain_id) if wanted else set()
    return [_scope_change(am, domain_id, key) for key in wanted if key not in present]


def _scope_change(am: Am, domain_id: str, key: str) -> Change:
    def create(now: Any) -> Any:
        try:
            am.create_scope(domain_id, key)
        except ApiError as error:
            if error.status != 400 or key not in am.scopes(domain_id):  # there is one when another run was faster
                raise
        return now

    return Change(f"create scope {key}", create)


class ManagedDomain(Shared):
    """{"clientRegistrationSettings", "cimdSettings", "loginSettings"} of a domain that exists."""

    takes = DomainOptions
    kind = "settings"
    option = "domain"

    def __init__(self, am: Am, params: DomainOptions):
        super().__init__()
        self.am, self.params = am, params
        self.domain: dict[str, Any] = {}

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedDomain:
        return cls(planes.am, params)

    def observe(self) -> dict[str, Any]:
        settings = self._read(self.params.domain)
        self.title = self.domain.get("hrid") or self.params.domain
        if not self.domain.get("enabled"):
            self.warnings.append(f"The domain {self.title} is disabled: its gateway answers 404 until it is enabled.")
        self._warn_of_defaults(settings["clientRegistrationSettings"].get("defaultScopes") or [])
        return settings

    def _warn_of_defaults(self, defaults: list[str]) -> None:
        """Nobody can tell whose the domain's default scopes are, so they stay; earlier versions added those of the tools."""
        given = self.params.client_registration.default_scopes
        left = [scope for scope in self.params.mcp_client_optional_scopes if scope in defaults]
        if left and given is None and self.params.mcp_client_scopes_mode == "add":
            self.warnings.append(
                f"Every client that registers itself in the domain {self.title} may ask for {', '.join(left)}: these are default "
                "scopes. Unless all need them, take them out once with client_registration.default_scopes."
            )

    def read(self) -> dict[str, Any]:
        return self._read(self.domain["id"])

    def _read(self, domain: str) -> dict[str, Any]:
        self.domain = find_domain(self.am, domain)
        return self._settings(self.domain)

    @staticmethod
    def _settings(domain: Mapping[str, Any]) -> dict[str, Any]:
        oidc = domain.get("oidc") or {}
        return {
            **{part: oidc.get(part) or {} for part in OIDC},
            "loginSettings": domain.get("loginSettings") or {},
        }

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        registration = on_the_wire(self.params.client_registration)
        profiles = self.params.client_profiles or (list(PROFILES) if self.params.mcp_clients else [])
        if profiles:
            needed = self._for_mcp_clients(observed["clientRegistrationSettings"], profiles)
            registration = {**on_the_wire(needed), **registration}
        login = on_the_wire(self.params.login)
        if login:
            login = {"inherited": False, **login}  # what is inherited is ignored
        return {
            "clientRegistrationSettings": merge(observed["clientRegistrationSettings"], registration),
            "cimdSettings": self._metadata_documents(observed["cimdSettings"], profiles),
            "loginSettings": merge(observed["loginSettings"], login),
        }

    def _metadata_documents(self, observed: Mapping[str, Any], profiles: list[str]) -> dict[str, Any]:
        """What is given; switched on without naming hosts, those of the profiles are allowed, too."""
        given = self.params.client_metadata_documents
        if given.enabled and given.allowed_domains is None and self.params.client_profiles:
            given = replace(given, allowed_domains=_union(observed.get("allowedDomains"), document_hosts(profiles)))
        return with_documents(observed, given, lambda name: self.am.applications(self.domain["id"], name))

    def _for_mcp_clients(self, observed: Mapping[str, Any], profiles: list[str]) -> ClientRegistration:
        """Registration as the clients of these profiles need it; what is allowed already stays allowed, unless exact."""
        extra, optional = self.params.mcp_client_scopes, self.params.mcp_client_optional_scopes
        kept = {} if self.params.mcp_client_scopes_mode == "exact" else observed
        return ClientRegistration(
            dynamic_client_registration_enabled=True,
            open_dynamic_client_registration_enabled=True,
            **needs(profiles),
            allowed_scopes_enabled=True,
            allowed_scopes=_union(kept.get("allowedScopes"), MCP_ALLOWED_SCOPES, extra, optional),
            default_scopes=_union(kept.get("defaultScopes") or MCP_DEFAULT_SCOPES, extra),
        )

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        if "oidc" not in self.domain:  # AM leaves out what the account may not read, and a PATCH would switch that off
            raise Refusal(
                f"domain: AM does not show the settings of {self.title} to this account. Give it READ on DOMAIN_SETTINGS, "
                "DOMAIN_OPENID, DOMAIN_DCR and DOMAIN_LOGIN_SETTINGS."
            )
        names = self.difference(observed, desired)[1]
        yield Change(f"set {', '.join(names)} of domain {self.title}", lambda _: self.write())

    def difference(self, observed: dict[str, Any], desired: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """One PATCH, since each makes AM's gateway answer 404 for a moment."""
        changed = {
            part: {key: desired[part][key] for key in differing(observed[part], desired[part])}
            for part in differing(observed, desired)
        }
        names = [key for settings in changed.values() for key in settings]
        body: dict[str, Any] = {}
        if changed.pop("loginSettings", None):
            body["loginSettings"] = desired["loginSettings"]  # whole: a PATCH switches off what it leaves out
        if changed:
            body["oidc"] = changed
        return body, names

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._settings(self.am.patch_domain(self.domain["id"], body))

    def plan(self) -> Plan:
        plan = super().plan()
        plan.changes[:0] = scope_changes(self.am, self.domain["id"], self.params.scopes)
        return plan

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        domain = {key: self.domain.get(key) for key in ("id", "hrid", "name", "path", "enabled")}
        return {"settings": mask(value), "domain": domain, "id": domain["id"]}


def _union(*lists: list[str] | None) -> list[str]:
    return list(dict.fromkeys(item for items in lists for item in items or []))
