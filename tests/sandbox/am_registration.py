"""Dynamic registration at AM's gateway (RFC 7591), and what a registered client may do with itself (RFC 7592)."""
from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from .am_domain import Domain, oauth_settings
from .world import World, new_id

Json = dict[str, Any]
# What a client says of itself, its name in the application's settings, and what it is when nothing is said.
METADATA: dict[str, tuple[str, Any]] = {
    "redirect_uris": ("redirectUris", None),
    "response_types": ("responseTypes", ["code"]),
    "grant_types": ("grantTypes", ["authorization_code"]),
    "application_type": ("applicationType", "web"),
    "client_name": ("clientName", "Unknown Client"),
    "token_endpoint_auth_method": ("tokenEndpointAuthMethod", "client_secret_basic"),
}
NO_SUCH_METHOD = "Invalid token_endpoint_auth_method for service application (client_credentials grant type)"


class Refused(Exception):
    def __init__(self, error: str, description: str, status: int = 400):
        super().__init__(description)
        self.body = {"error": error, "error_description": description}
        self.status = status


class Registration:
    """The clients of one domain, by the settings that its gateway knows. base: the domain's URL."""

    def __init__(self, world: World, domain: Domain, wire: Json, base: str):
        self.world, self.domain, self.base = world, domain, base
        self.rules: Json = wire["oidc"]["clientRegistrationSettings"]

    def register(self, body: Json) -> Json:
        """What the new client is told. Refused."""
        self._check(body)
        scope, now = self._granted_scope(body.get("scope")), self.world.now_ms()
        client_id = secrets.token_urlsafe(32)
        oauth = oauth_settings(
            clientId=client_id,
            registrationClientUri=f"{self.base}/oidc/register/{client_id}",
            scopeSettings=[{"scope": name, "defaultScope": False} for name in scope],
            **{ours: body.get(theirs, default) for theirs, (ours, default) in METADATA.items()},
        )
        application = {
            "id": new_id(),
            "name": oauth["clientName"],
            "type": oauth["applicationType"],
            "domain": self.domain.id,
            "enabled": True,
            "template": False,
            "settings": {"oauth": oauth},
            "identityProviders": [{"identity": self.domain.identity_provider, "selectionRule": "", "priority": -1}],
            "createdAt": now,
            "updatedAt": now,
        }
        self.domain.applications[application["id"]] = application
        self._renew_secret(oauth)
        return self._renewed(application)

    def own(self, client_id: str, token: str | None) -> Json:
        """The application that a registration access token is for; it counts until the next change. Refused."""
        application = self.domain.client(client_id)
        if token is None:
            description = "Missing access token. The access token must be sent using the Authorization header field"
            raise Refused("invalid_token", f"{description} (Bearer scheme) or the 'access_token' body parameter", 401)
        if application is None:
            raise Refused("invalid_token", "The token is invalid", 401)
        if token != application["settings"]["oauth"].get("registrationAccessToken"):
            raise Refused("registration_forbidden", "Non matching registration_access_token", 403)
        return application

    def update(self, application: Json, body: Json) -> Json:
        """PUT and PATCH alike: what is not said stays. The token changes with it. Refused."""
        oauth = application["settings"]["oauth"]
        self._check({**{theirs: oauth[ours] for theirs, (ours, _default) in METADATA.items()}, **body})
        oauth.update({ours: body[theirs] for theirs, (ours, _default) in METADATA.items() if theirs in body})
        application.update(name=oauth["clientName"], type=oauth["applicationType"])
        return self._renewed(application)

    def renew_secret(self, application: Json) -> Json:
        self._renew_secret(application["settings"]["oauth"])
        return self._renewed(application)

    def read(self, application: Json) -> Json:
        """Without the secret and the token."""
        oauth = application["settings"]["oauth"]
        scope = " ".join(setting["scope"] for setting in oauth["scopeSettings"])
        return {
            **{theirs: oauth[ours] for theirs, (ours, _default) in METADATA.items()},
            "require_auth_time": False,
            **({"scope": scope} if scope else {}),
            "client_id": oauth["clientId"],
            "client_secret_expires_at": 0,
            "domain": self.domain.id,
            "id": application["id"],
            "enabled": True,
            "created_at": application["createdAt"],
            "updated_at": application["updatedAt"],
            "authorization_signed_response_alg": "RS256",
            "backchannel_user_code_parameter": False,
        }

    @staticmethod
    def _renew_secret(oauth: Json) -> None:
        oauth["clientSecret"] = secrets.token_urlsafe(32)

    def _renewed(self, application: Json) -> Json:
        """With a new token, told with the secret."""
        oauth = application["settings"]["oauth"]
        oauth["registrationAccessToken"] = secrets.token_urlsafe(32)
        application["updatedAt"] = max(application["updatedAt"], self.world.now_ms())
        told = ("clientSecret", "registrationAccessToken", "registrationClientUri")
        names = ("client_secret", "registration_access_token", "registration_client_uri")
        return {**self.read(application), **{name: oauth[key] for name, key in zip(names, told, strict=True)}}

    def _check(self, body: Json) -> None:
        """Refused: a redirect URI that the domain does not allow, or a kind of application that needs a secret, without one."""
        redirect_uris = body.get("redirect_uris") or []
        if not redirect_uris:
            raise Refused("invalid_redirect_uri", "At least one redirect_uri is mandatory for using code grant.")
        for uri in redirect_uris:
            parts = urlsplit(uri)
            if parts.hostname in ("localhost", "127.0.0.1") and not self.rules["allowLocalhostRedirectUri"]:
                raise Refused("invalid_redirect_uri", "localhost is forbidden")
            if parts.scheme == "http" and not self.rules["allowHttpSchemeRedirectUri"]:
                raise Refused("invalid_redirect_uri", "Unsecured http scheme is forbidden")
        service = body.get("application_type", "web") not in ("web", "native", "browser")
        if service and body.get("token_endpoint_auth_method") == "none":
            raise Refused("invalid_client_metadata", NO_SUCH_METHOD)

    def _granted_scope(self, asked: str | None) -> list[str]:
        """The scopes a client is registered with. Refused for one that is none, where the domain names no allowed ones."""
        defaults = self.rules.get("defaultScopes") or []
        if self.rules["isAllowedScopesEnabled"]:
            allowed = [scope for scope in (asked or "").split() if scope in (self.rules.get("allowedScopes") or [])]
            return allowed or defaults
        if asked is None:
            return defaults
        for scope in asked.split(" "):
            if scope not in self.domain.scopes:
                raise Refused("invalid_client_metadata", f"scope {scope} is not valid.")
        return asked.split()
