"""Who AM's gateway takes for a client: applications and MCP servers, what they may ask for, how they say who they are."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin

from . import am_documents
from .am_domain import Domain

LOCALHOST = ("localhost", "127.0.0.1")
BAD_METHOD = "Invalid client: missing or unsupported authentication method"
BAD_CREDENTIALS = "Client authentication failed due to unknown clientId, expired or invalid client secret"


class InvalidClient(OAuth2Error):
    """challenged: whether the answer asks for Basic."""

    error = "invalid_client"
    status_code = 401

    def __init__(self, description: str, challenged: bool = False):
        super().__init__(description=description)
        self.challenged = challenged

    def get_headers(self) -> list[tuple[str, str]]:
        challenge = [("WWW-Authenticate", 'Basic realm="gravitee-io"')] if self.challenged else []
        return [*super().get_headers(), *challenge]


class InvalidScope(OAuth2Error):
    error = "invalid_scope"


@dataclass
class Client(ClientMixin):
    """identifiers: of an MCP server, none of an application. any_port: of redirect URIs on localhost that name none."""

    id: str
    name: str
    oauth: dict[str, Any]
    secrets: list[str]
    identifiers: list[str]
    strict_redirects: bool = False
    any_port: bool = False

    def get_client_id(self) -> str:
        return self.oauth["clientId"]

    def get_default_redirect_uri(self) -> str:
        return self.oauth["redirectUris"][0]

    def get_allowed_scope(self, scope: str | None) -> str:
        """The scopes asked for, "" if none is. InvalidScope names those that the client does not have.

        A blank in front makes an empty element, which nobody has; so has nobody anything who was registered without scopes.
        """
        own = [setting["scope"] for setting in self.oauth.get("scopeSettings", [])]
        asked = re.split(r"\s+", scope.rstrip()) if scope and scope.strip() else []
        strange = [name for name in asked if name not in own]
        if strange or not own:
            raise InvalidScope(description=f"Invalid scope(s): {' '.join(strange)}")
        return " ".join(asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return any(self._matches(registered, redirect_uri) for registered in self.oauth["redirectUris"])

    def _matches(self, registered: str, asked: str) -> bool:
        """By the beginning of the path, of http and https URIs where the domain is not strict."""
        ours, theirs = urlsplit(registered), urlsplit(asked)
        if self.any_port and theirs.hostname in LOCALHOST and ours.port is None:
            return (ours.scheme, ours.hostname, ours.path) == (theirs.scheme, theirs.hostname, theirs.path)
        if self.strict_redirects or theirs.scheme not in ("http", "https") or ".." in theirs.path.split("/"):
            return registered == asked
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc) and theirs.path.startswith(ours.path)

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret in self.secrets

    def check_response_type(self, response_type: str) -> bool:
        return response_type in self.oauth["responseTypes"]

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.oauth["grantTypes"]


def find(domain: Domain, client_id: str) -> Client | None:
    """The application, or the MCP server as the gateway knows it, with this client id."""
    known = domain.synced.current or {}
    oidc = domain.wire["oidc"]
    application = domain.client(client_id)
    if application and not application["template"]:  # a template is no client (ClientSyncServiceImpl of AM's sources)
        oauth = application["settings"]["oauth"]
        strict = oidc.get("redirectUriStrictMatching", False)
        return Client(application["id"], application["name"], oauth, [oauth.get("clientSecret")], [], strict)
    for server in known.get("mcp_servers", {}).values():
        if server["clientId"] == client_id:
            now = domain.world.now_ms()
            secrets = [one["secret"] for one in server["secrets"] if one.get("expiresAt", now) >= now]
            oauth = {"grantTypes": [], **server.get("settings", {}).get("oauth", {}), "clientId": client_id}
            return Client(server["id"], server["name"], oauth, secrets, server["resourceIdentifiers"])
    made = am_documents.client(domain, client_id)
    if made:  # RedirectUriValidationHandler of AM's sources
        any_port = oidc["clientRegistrationSettings"]["allowLocalhostRedirectUri"]
        return Client(made["id"], made["settings"]["oauth"]["clientName"], made["settings"]["oauth"], [], [], True, any_port)
    return None


def authenticate(domain: Domain, endpoint: str, basic: tuple[str, str] | None, form: dict[str, str]) -> Client:
    """The client that calls an endpoint, token or introspect: by Basic, by its form, a public one by its id alone. InvalidClient.

    As recorded with each tokenEndpointAuthMethod of an MCP server; one that is not set allows every way.
    """
    client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret"))
    if not client_id:
        raise InvalidClient(BAD_METHOD)
    client = find(domain, client_id)
    method = client.oauth.get("tokenEndpointAuthMethod") if client else None
    if secret is None:
        if method != "none":
            raise InvalidClient(BAD_METHOD)
    elif client is None or not client.check_client_secret(secret):
        raise InvalidClient(BAD_CREDENTIALS, challenged=bool(basic))
    elif basic and method == "client_secret_post":
        raise InvalidClient(BAD_CREDENTIALS)
    elif basic and method == "none" and endpoint == "token":
        raise InvalidClient(BAD_METHOD)
    elif not basic and method == "client_secret_basic":
        raise InvalidClient(BAD_METHOD, challenged=True)
    return client
