"""AM's authorization server, on Authlib: authorization code with PKCE, refresh, resource indicators; tokens by joserfc."""
from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .am_audits import token_created
from .am_domain import VALIDITY, Domain
from .web import answer

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "default"})
AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]


class InvalidTarget(OAuth2Error):
    """RFC 8707: a resource that no MCP server of the domain has as its identifier."""

    error = "invalid_target"
    description = "The requested resource is invalid, missing, unknown, or malformed."


@dataclass
class Client(ClientMixin):
    """An application as Authlib wants to ask it."""

    application: dict[str, Any]

    @property
    def oauth(self) -> dict[str, Any]:
        return self.application["settings"]["oauth"]

    def get_client_id(self) -> str:
        return self.oauth["clientId"]

    def get_default_redirect_uri(self) -> str:
        return self.oauth["redirectUris"][0]

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The requested scopes that the client has; without a request those it registered; None is invalid_scope."""
        own = [setting["scope"] for setting in self.oauth.get("scopeSettings", [])]
        wanted = (scope or "").split() or own
        allowed = [name for name in wanted if name in own]
        return " ".join(allowed) if wanted and len(allowed) == len(wanted) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.oauth["redirectUris"]

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.oauth.get("clientSecret")

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in (self.oauth["tokenEndpointAuthMethod"], "client_secret_post", "client_secret_basic")

    def check_response_type(self, response_type: str) -> bool:
        return response_type in self.oauth["responseTypes"]

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.oauth["grantTypes"]


@dataclass
class Grant:
    """An authorization code or a refresh token."""

    client_id: str
    username: str
    scope: str
    resource: str | None
    redirect_uri: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def check_client(self, client: Client) -> bool:
        return client.get_client_id() == self.client_id


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        data = request.payload.data
        self.server.codes[code] = Grant(
            request.client.get_client_id(),
            request.user,
            request.scope,
            data.get("resource"),
            data.get("redirect_uri"),
            data.get("code_challenge"),
            data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Client) -> Grant | None:
        grant = self.server.codes.get(code)
        if grant is None or not grant.check_client(client):
            return None
        self.request.credential = grant
        return grant

    def delete_authorization_code(self, authorization_code: Grant) -> None:
        codes = self.server.codes
        codes.pop(next(code for code, grant in codes.items() if grant is authorization_code))

    def authenticate_user(self, authorization_code: Grant) -> str:
        return authorization_code.username


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Grant | None:
        grant = self.server.refresh_tokens.get(refresh_token)
        self.request.credential = grant
        return grant

    def authenticate_user(self, refresh_token: Grant) -> str:
        return refresh_token.username

    def revoke_old_credential(self, refresh_token: Grant) -> None:
        tokens = self.server.refresh_tokens
        tokens.pop(next(token for token, grant in tokens.items() if grant is refresh_token))


class DomainServer(AuthorizationServer):
    """The authorization server of one domain."""

    def __init__(self, domain: Domain, issuer: str):
        super().__init__()
        self.domain, self.issuer = domain, issuer
        self.codes: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, Grant] = {}
        self.register_grant(CodeGrant, [CodeChallenge(required=False)])
        self.register_grant(RefreshGrant)
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> Client | None:
        application = self.domain.client(client_id)
        return Client(application) if application else None

    def check_resource(self, request: OAuth2Request) -> None:
        """The resource asked for must be an identifier as AM keeps it, letter by letter."""
        resource = request.payload.data.get("resource")
        servers = (self.domain.synced.current or {}).get("mcp_servers", {}).values()
        if resource and not any(resource in server["resourceIdentifiers"] for server in servers):
            raise InvalidTarget(redirect_uri=request.payload.data.get("redirect_uri"))

    def _token(self, grant_type: str, client: Client, user: str, scope: str, **options: Any) -> dict[str, Any]:
        lifetime = VALIDITY["accessTokenValiditySeconds"]
        token = {"token_type": "bearer", "expires_in": lifetime, "scope": scope}
        if options.get("include_refresh_token"):
            token["refresh_token"] = secrets.token_urlsafe(32)
        return token

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Sign the access token for the resource of its grant, keep the refresh token, write the audit log."""
        grant: Grant = request.credential
        resource, now = grant.resource, int(time.time())
        user = self.domain.users[grant.username]
        claims = {
            "iss": self.issuer,
            "sub": user["id"],
            "aud": resource or grant.client_id,
            "client_id": grant.client_id,
            "domain": self.domain.id,
            "scope": token["scope"],
            "iat": now,
            "exp": now + token["expires_in"],
            "jti": secrets.token_urlsafe(32),
        }
        token["access_token"] = jwt.encode({"alg": "RS256", "kid": "default"}, claims, KEY)
        if "refresh_token" in token:
            self.refresh_tokens[token["refresh_token"]] = Grant(grant.client_id, grant.username, token["scope"], resource)
        given = {"grant_type": request.payload.grant_type, "resource": resource, "scope": token["scope"]}
        secrets_given = {"access_token": claims["jti"], "refresh_token": token.get("refresh_token")}
        token_created(self.domain, self.domain.client(grant.client_id), user, **given, **secrets_given)

    def introspect(self, token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, KEY, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return {"active": False}
        if claims["domain"] != self.domain.id or claims["exp"] < time.time():
            return {"active": False}
        return {"active": True, "token_type": "bearer", **claims}

    # What Authlib asks of a framework

    def create_oauth2_request(self, request: SimpleNamespace | OAuth2Request) -> OAuth2Request:
        if isinstance(request, OAuth2Request):
            return request
        created = _Request(request.method, request.uri, headers=request.headers)
        created.payload = BasicOAuth2Payload(request.data)
        created.values = request.data
        return created

    def create_json_request(self, request: Any) -> Any:
        raise NotImplementedError

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Any:
        return answer(body, status, dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


class _Request(OAuth2Request):
    values: dict[str, str]

    @property
    def form(self) -> dict[str, str]:
        return self.values

    @property
    def args(self) -> dict[str, str]:
        return self.values
