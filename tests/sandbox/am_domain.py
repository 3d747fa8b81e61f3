"""An AM domain and all it has, with the settings that a new one gets."""
from __future__ import annotations

import copy
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from .world import World, new_id, recordings

REGISTRATION = (
    "allowLocalhostRedirectUri",
    "allowHttpSchemeRedirectUri",
    "allowWildCardRedirectUri",
    "isDynamicClientRegistrationEnabled",
    "isOpenDynamicClientRegistrationEnabled",
    "allowRedirectUriParamsExpressionLanguage",
    "isAllowedScopesEnabled",
    "isClientTemplateEnabled",
)
LOGIN = (
    "inherited",
    "forgotPasswordEnabled",
    "registerEnabled",
    "rememberMeEnabled",
    "passwordlessEnabled",
    "passwordlessRememberDeviceEnabled",
    "passwordlessEnforcePasswordEnabled",
    "passwordlessDeviceNamingEnabled",
    "certificateBasedAuthEnabled",
    "magicLinkAuthEnabled",
    "hideForm",
    "identifierFirstEnabled",
)
VALIDITY = {
    "accessTokenValiditySeconds": 7200,
    "refreshTokenValiditySeconds": 14400,
    "idTokenValiditySeconds": 14400,
}
SECRET_SETTINGS = {"id": "KCeEqDS0LQnBo4BRBmgrPgFHROR2E/lVFbZK6TqEHmg=", "algorithm": "NONE"}


class AmError(Exception):
    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def known(body: dict[str, Any], properties: set[str]) -> None:
    """Refuse a body with any other property."""
    for key in body:
        if key not in properties:
            raise AmError(400, f"Property [{key}] is not recognized as a valid property")


class Things(dict[str, dict[str, Any]]):
    """Objects by their ids. gone: takes the ids of those that are deleted."""

    def __init__(self, gone: set[str]):
        super().__init__()
        self.gone = gone

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.gone.add(key)


def merge_registration(settings: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return {**settings, **copy.deepcopy(patch)}


def oauth_settings(**given: Any) -> dict[str, Any]:
    """settings.oauth with what AM fills in."""
    return {
        "requireAuthTime": False,
        "enhanceScopesWithUserPermissions": False,
        **VALIDITY,
        "tlsClientCertificateBoundAccessTokens": False,
        "forcePKCE": False,
        "forceS256CodeChallengeMethod": False,
        "singleSignOut": False,
        "silentReAuthentication": False,
        "requireParRequest": False,
        "backchannelUserCodeParameter": False,
        "disableRefreshTokenRotation": False,
        **given,
    }


class Domain:
    """A domain; what its gateway knows of it follows by `synced`."""

    def __init__(self, world: World, body: dict[str, Any]):
        self.world, self.deleted = world, False
        self.id, self.certificate = new_id(), new_id()
        now = world.now_ms()
        hrid = re.sub(r"[^a-z0-9]+", "-", body["name"].lower()).strip("-")
        self.wire: dict[str, Any] = {
            "id": self.id,
            "hrid": hrid,
            "name": body["name"],
            "version": "v2_0",
            **({"description": body["description"]} if body.get("description") else {}),
            "referenceType": "environment",
            "referenceId": "DEFAULT",
            "enabled": False,
            "alertEnabled": False,
            "path": f"/{hrid}",
            "master": False,
            "vhostMode": False,
            "vhosts": [],
            "tags": [],
            "createdAt": now,
            "updatedAt": now,
            "oidc": {
                "clientRegistrationSettings": dict.fromkeys(REGISTRATION, False),
                "securityProfileSettings": {"enablePlainFapi": False, "enableFapiBrazil": False},
                "redirectUriStrictMatching": False,
                "cibaSettings": {
                    "enabled": False,
                    "authReqExpiry": 600,
                    "tokenReqInterval": 5,
                    "bindingMessageLength": 256,
                },
            },
            "dataPlaneId": "default",
        }
        self.scopes = {scope["key"]: {**scope, "id": new_id()} for scope in _system_scopes()}
        self.gone: set[str] = set()  # ids of what was deleted, which AM answers otherwise than ids that never were
        self.mcp_servers = Things(self.gone)
        self.applications = Things(self.gone)
        self.users: dict[str, dict[str, Any]] = {}
        self.passwords: dict[str, str] = {}
        self.audits: list[dict[str, Any]] = []
        self.documents: dict[str, Any] = {}  # the gateway's cache of client ID metadata documents, see am_documents
        self.synced = world.synced()
        self.sync()

    @property
    def identity_provider(self) -> str:
        return f"default-idp-{self.id}"

    def update(self, wire: dict[str, Any], gap: float = 0.0) -> None:
        self.wire = {**wire, "updatedAt": self.world.now_ms()}
        self.sync(gap)

    def sync(self, gap: float = 0.0) -> None:
        """Tell the gateway: its settings, its MCP servers, and that it is there at all. gap: see Synced."""
        alive = self.wire["enabled"] and not self.deleted
        self.synced.push(copy.deepcopy({"wire": self.wire, "mcp_servers": self.mcp_servers}) if alive else None, gap)

    def client(self, client_id: str) -> dict[str, Any] | None:
        """The application with this client id."""
        clients = (a for a in self.applications.values() if a["settings"]["oauth"]["clientId"] == client_id)
        return next(clients, None)

    def new_secret(self, name: str, value: str | None = None) -> dict[str, Any]:
        now, expiry = self.world.now_ms(), self.wire.get("secretExpirationSettings") or {}
        secret = {"id": new_id(), "settingsId": SECRET_SETTINGS["id"], "name": name, "secret": value or secrets.token_urlsafe(32)}
        expires = {"expiresAt": now + expiry["expiryTimeSeconds"] * 1000} if expiry.get("enabled") else {}
        return {**secret, "createdAt": now, **expires}

    def new_application(self, name: str, kind: str, redirect_uris: list[str]) -> dict[str, Any]:
        """kind: web, native, browser, service or resource_server."""
        secret, now = self.new_secret("Default"), self.world.now_ms()
        public, machine = kind in ("native", "browser"), kind == "service"
        grant_types = {"web": ["authorization_code", "password"], "service": ["client_credentials"]}
        oauth = oauth_settings(
            clientId=new_id(),
            clientSecret=secret["secret"],
            clientType="public" if public else "confidential",
            responseTypes=[] if machine else ["code", "code id_token token", "code id_token", "code token"],
            grantTypes=grant_types.get(kind, ["authorization_code"]),
            applicationType="web" if machine else kind,
            clientName=name,
            tokenEndpointAuthMethod="none" if public else "client_secret_basic",
            scopeSettings=[],
            forcePKCE=public,
            forceS256CodeChallengeMethod=public,
            **({} if machine else {"redirectUris": redirect_uris}),
        )
        application = {
            "id": new_id(),
            "name": name,
            "type": kind,
            "domain": self.id,
            "enabled": True,
            "template": False,
            "factors": [],
            "certificate": self.certificate,
            "settings": {
                "oauth": oauth,
                **({} if machine else {"saml": _saml(redirect_uris)}),
                "advanced": {"skipConsent": False, "flowsInherited": True},
            },
            "identityProviders": [],
            "createdAt": now,
            "updatedAt": now,
            "secretSettings": [SECRET_SETTINGS],
            "secrets": [secret],
        }
        self.applications[application["id"]] = application
        return application

    def new_user(self, body: dict[str, Any]) -> dict[str, Any]:
        now = self.world.now_ms()
        user = {
            "id": new_id(),
            "externalId": new_id(),
            **{key: body.get(key, "") for key in ("username", "email", "firstName", "lastName")},
            "accountNonExpired": True,
            "accountNonLocked": True,
            "credentialsNonExpired": True,
            "enabled": True,
            "internal": True,
            "preRegistration": False,
            "registrationCompleted": True,
            "referenceType": "domain",
            "referenceId": self.id,
            "source": self.identity_provider,
            "loginsCount": 0,
            "lastPasswordReset": now,
            "createdAt": now,
            "updatedAt": now,
            "serviceAccount": False,
        }
        self.users[body["username"]] = user
        self.passwords[body["username"]] = body["password"]
        return user


def _saml(redirect_uris: list[str]) -> dict[str, Any]:
    first = redirect_uris[0] if redirect_uris else ""
    parts = urlsplit(first)
    return {
        "entityId": f"{parts.scheme}://{parts.netloc}" if first else "",
        "attributeConsumeServiceUrl": first,
        "wantResponseSigned": True,
        "wantAssertionsSigned": False,
        "responseBinding": "urn:oasis:names:tc:SAML:2.0:bindings:custom:Initial-Request",
    }


def _system_scopes() -> list[dict[str, Any]]:
    exchange = next(e for e in recordings("am-management") if e["note"] == "scopes")
    return exchange["response"]["data"]


ALICE = {"alice": "Alice-Passw0rd!"}


def enabled_domain(world: World, name: str = "MCP demo", **users: str) -> Domain:
    """A new domain that is enabled, with users: name → password."""
    made = Domain(world, {"name": name})
    made.update({**made.wire, "enabled": True})
    for username, password in users.items():
        made.new_user({"username": username, "password": password, "email": f"{username}@example.com"})
    world.domains[made.id] = made
    return made
