# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application in AM: a client that does not register itself, or one that did."""
from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, Planes, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.shared import Shared, wait_for_others
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

AT_CREATION = ("name", "type", "description", "redirectUris", "clientId")  # the rest is patched
# The managed part of settings.oauth.
OAUTH = ("redirectUris", "grantTypes", "tokenEndpointAuthMethod", "forcePKCE", "forceS256CodeChallengeMethod")


@dataclass(frozen=True)
class ApplicationOptions(ModuleOptions):
    """Options of am_application."""

    domain: str = option(required=True)
    name: str | None = option()
    type: str | None = option(choices=["native", "web", "browser", "service"])
    description: str | None = option()
    redirect_uris: list[str] | None = option()
    grant_types: list[str] | None = option()
    scopes: list[str] | None = option()
    scopes_mode: str = option("exact", choices=["add", "exact"])
    identity_providers: list[str] | None = option()
    pkce: bool | None = option(wire="forcePKCE")
    token_endpoint_auth_method: str | None = option(
        no_log=False,
        choices=[
            "none",
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
            "tls_client_auth",
            "self_signed_tls_client_auth",
        ],
    )
    template: bool | None = option()
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)
    state: str = option("present", choices=["present", "absent"])
    RULES = {"required_one_of": [["name", "client_id"]]}


def details(am: Am, domain_id: str, first: str | None = None) -> Iterator[dict[str, Any]]:
    """The domain's applications as wholes, one request each; those named `first` before the others."""
    listed = sorted(am.applications(domain_id), key=lambda application: application["name"] != first)
    return still_there(am, domain_id, (application["id"] for application in listed))


def still_there(am: Am, domain_id: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The applications with these ids as wholes, one request each, but for those that were removed since they were listed."""
    for application_id in ids:
        try:
            yield am.application(domain_id, application_id)
        except ApiError as error:
            if error.status not in (403, 404):
                raise


def client_id_of(application: Mapping[str, Any]) -> str:
    """The OAuth client id of an AM application; '' where it has none."""
    return str(oauth_of(application).get("clientId", ""))


def oauth_of(application: Mapping[str, Any]) -> Mapping[str, Any]:
    """settings.oauth of an AM application."""
    return (application.get("settings") or {}).get("oauth") or {}


class ManagedApplication(Shared):
    """{name, type, description, clientId, oauth, scopes, identityProviders} of the application."""

    takes = ApplicationOptions
    kind = "application"
    option = "name"

    def __init__(self, am: Am, params: ApplicationOptions):
        super().__init__()
        self.am, self.params = am, params
        self.title = params.client_id or params.name or ""
        self.domain_id = ""
        self.id = ""
        self.secret: str | None = None

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedApplication:
        return cls(planes.am, params)

    def observe(self) -> dict[str, Any] | None:
        self.domain_id = domain_id_of(self.am, self.params.domain)
        found = self._by_client_id() if self.params.client_id else self._by_name()
        return self._found(found) if found else None

    def read(self) -> dict[str, Any]:
        return self._view(self.am.application(self.domain_id, self.id))

    def _found(self, application: Mapping[str, Any]) -> dict[str, Any]:
        self.id = application["id"]
        return self._view(application)

    def _by_client_id(self) -> dict[str, Any] | None:
        wanted = self.params.client_id
        candidates = details(self.am, self.domain_id, self.params.name)
        return next((application for application in candidates if client_id_of(application) == wanted), None)

    def _by_name(self) -> dict[str, Any] | None:
        """The eldest of this name: a younger one was made at the same time, or by somebody else."""
        made = self._namesakes()
        if len(made) > 1:
            ids = [client_id_of(application) for application in made]
            several = f"the domain has {len(made)} applications named {self.params.name!r}"
            if self.params.state == "absent":
                raise Refusal(f"name: {several}: give the client_id of the one to remove ({', '.join(ids)}).")
            self.warnings.append(
                f"name: {several}: the eldest ({ids[0]}) is used, the others stay ({', '.join(ids[1:])}). Remove those that "
                "nobody uses, or give client_id."
            )
        return made[0] if made else None

    def _namesakes(self) -> list[dict[str, Any]]:
        """Those of this name, the eldest first, but for those that registered themselves: any client may take any name."""
        ids = dict.fromkeys(one["id"] for one in self.am.applications(self.domain_id, self.params.name))
        wholes = still_there(self.am, self.domain_id, ids)
        made = [whole for whole in wholes if not oauth_of(whole).get("registrationClientUri")]
        return sorted(made, key=lambda whole: (whole["createdAt"], whole["id"]))

    @staticmethod
    def _view(application: Mapping[str, Any]) -> dict[str, Any]:
        """What is managed. Scopes and identity providers are sets: sorted, so that their order is no drift."""
        oauth = oauth_of(application)
        return {
            **{key: application[key] for key in ("name", "type", "description", "template") if application.get(key) is not None},
            "clientId": oauth.get("clientId"),
            "oauth": {key: oauth[key] for key in OAUTH if key in oauth},
            "scopes": sorted(oauth.get("scopeSettings") or [], key=lambda setting: setting["scope"]),
            "identityProviders": sorted(application.get("identityProviders") or [], key=lambda one: one["identity"]),
        }

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.params.state == "absent":
            return None
        self._refuse_impossible(observed)
        oauth = on_the_wire(self.params, ("redirect_uris", "grant_types", "token_endpoint_auth_method", "pkce"))
        if "forcePKCE" in oauth:
            oauth["forceS256CodeChallengeMethod"] = oauth["forcePKCE"]
        given = {
            **on_the_wire(self.params, ("name", "type", "description", "template", "client_id")),
            "oauth": oauth,
            "scopes": self._scopes(observed),
            "identityProviders": self._identity_providers(observed),
        }
        wanted: dict[str, Any] = merge(observed or {}, given)
        return wanted

    def _refuse_impossible(self, observed: dict[str, Any] | None) -> None:
        if observed is None:
            for name, value in (("name", self.params.name), ("type", self.params.type)):
                if not value:
                    raise Refusal(f"{name}: the domain has no such application yet, and a new one needs it.")
        elif self.params.type not in (None, observed["type"]):
            raise Refusal(
                f"type: the application {observed['name']!r} is of type {observed['type']}, and a client does not become another "
                "kind of client. Remove it first, or give another name."
            )

    def _scopes(self, observed: dict[str, Any] | None) -> list[dict[str, Any]] | None:
        if self.params.scopes is None:
            return None
        kept = (observed or {}).get("scopes") or [] if self.params.scopes_mode == "add" else []
        return [{"scope": scope} for scope in sorted({*self.params.scopes, *(setting["scope"] for setting in kept)})]

    def _identity_providers(self, observed: dict[str, Any] | None) -> list[dict[str, Any]] | None:
        """Those given, in their order of priority; without any no user could log in, so then the domain's default."""
        given, kind = self.params.identity_providers, observed["type"] if observed else self.params.type
        if given is None and kind != "service" and not (observed or {}).get("identityProviders"):
            given = [f"default-idp-{self.domain_id}"]
        if given is None:
            return None
        return sorted(
            ({"identity": identity, "selectionRule": "", "priority": place} for place, identity in enumerate(given)),
            key=lambda one: one["identity"],
        )

    def changes(self, observed: Any, desired: dict[str, Any] | None) -> Iterable[Change]:
        if desired is None:
            yield Change(f"delete application {observed['name']}", lambda _: self._delete(self.id))
            return
        if observed is None:
            yield Change(f"create application {desired['name']}", lambda _: self._create(desired))
            made = {key: desired.get(key) for key in AT_CREATION}
            observed = {**made, "oauth": {"redirectUris": desired["oauth"].get("redirectUris")}}
        names = self.difference(observed, desired)[1]
        if names:
            yield Change(f"set {', '.join(names)} of application {desired['name']}", lambda _: self.write())

    def difference(self, observed: Mapping[str, Any], desired: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        before = observed.get("oauth") or {}
        oauth = {key: value for key, value in desired["oauth"].items() if value != before.get(key)}
        if (desired.get("scopes") or []) != (observed.get("scopes") or []):
            oauth["scopeSettings"] = desired["scopes"]
        top = ("name", "description", "template", "identityProviders")
        body = {key: desired[key] for key in top if key in desired and desired[key] != observed.get(key)}
        names = [*body, *oauth]
        if oauth:
            body["settings"] = {"oauth": oauth}
        return body, names

    def _create(self, desired: dict[str, Any]) -> dict[str, Any]:
        """A new one, unless another run makes one at the same time: then the one that both runs go on with."""
        body = {**desired, "redirectUris": desired["oauth"].get("redirectUris"), "type": desired["type"].upper()}
        body = {key: body[key] for key in AT_CREATION if body.get(key) is not None}
        if self.params.client_secret:
            body["clientSecret"] = self.params.client_secret
        began = time.monotonic()
        try:
            made = self.am.create_application(self.domain_id, body)
        except ApiError as error:
            # AM refuses a client id that is taken: by the application that another run was faster to make?
            there = self._by_client_id() if error.status == 400 and self.params.client_id else None
            if there is None:
                raise
            return self._found(there)
        if not self.params.client_id:  # AM takes a client id once, and a name any number of times
            wait_for_others(began)
            eldest = next(iter(self._namesakes()), made)
            if eldest["id"] != made["id"]:
                self._delete(made["id"])
                return self._found(eldest)
        if oauth_of(made).get("tokenEndpointAuthMethod") != "none":
            self.secret = oauth_of(made).get("clientSecret")
        return self._found(made)

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._view(self.am.patch_application(self.domain_id, self.id, body))

    def _delete(self, application_id: str) -> None:
        try:
            self.am.delete_application(self.domain_id, application_id)
        except ApiError as error:
            if error.status != 404:  # another run was faster
                raise

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        client_id = (value or plan.before or {}).get("clientId") or self.params.client_id
        facts = {"application": mask(value or {}), "id": self.id or None, "client_id": client_id, "domain_id": self.domain_id}
        return {**facts, "client_secret": self.secret} if self.secret else facts
