"""AM's authorization server, on Authlib: code with PKCE, refresh, client credentials, resource indicators; tokens by joserfc."""
from __future__ import annotations

import hashlib
import os
import secrets
import time
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, UnauthorizedClientError, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .am_audits import token_created
from .am_clients import Client, authenticate, find
from .am_domain import VALIDITY, Domain
from .web import answer, basic

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "default"})


class InvalidTarget(OAuth2Error):
    """RFC 8707: a resource that no MCP server of the domain has as its identifier."""

    error = "invalid_target"
    description = "The requested resource is invalid, missing, unknown, or malformed."


@dataclass
class Grant:
    """An authorization code, a refresh token, or, without a user, a client's own credentials."""

    client_id: str
    username: str | None
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


class UnsupportedGrantType(OAuth2Error):
    error = "unsupported_grant_type"


class CredentialsGrant(grants.ClientCredentialsGrant):
    def validate_token_request(self) -> None:
        """Of applications that have the grant type, and from AM 4.11 on of MCP servers."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            if self.server.domain.world.am_version == "4.10":
                raise UnauthorizedClientError
            raise UnsupportedGrantType(description=f"Unsupported grant type: {self.GRANT_TYPE}")
        self.server.check_resource(self.request)
        self.request.client = client
        self.request.credential = Grant(client.get_client_id(), None, "", self.request.payload.data.get("resource"))


class DomainServer(AuthorizationServer):
    """The authorization server of one domain. approved: (user, client id) → the scopes that the user consented to."""

    def __init__(self, domain: Domain, issuer: str):
        super().__init__()
        self.domain, self.issuer = domain, issuer
        self.codes: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, Grant] = {}
        self.issued: dict[str, Grant] = {}  # jti → what the token came from
        self.approved: dict[tuple[str, str], set[str]] = {}
        self.register_grant(CodeGrant, [CodeChallenge(required=False)])
        self.register_grant(RefreshGrant)
        self.register_grant(CredentialsGrant)
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> Client | None:
        return find(self.domain, client_id)

    def authenticate_client(self, request: _Request, methods: list[str], endpoint: str = "token") -> Client:
        return authenticate(self.domain, endpoint, basic(request), request.form)

    def check_resource(self, request: OAuth2Request) -> None:
        """The resource asked for must be an identifier as AM keeps it, letter by letter."""
        resource = request.payload.data.get("resource")
        servers = (self.domain.synced.current or {}).get("mcp_servers", {}).values()
        if resource and not any(resource in server["resourceIdentifiers"] for server in servers):
            raise InvalidTarget(redirect_uri=request.payload.data.get("redirect_uri"))

    def _token(self, grant_type: str, client: Client, scope: str, **options: Any) -> dict[str, Any]:
        lifetime = client.oauth.get("accessTokenValiditySeconds", VALIDITY["accessTokenValiditySeconds"])
        token = {"token_type": "bearer", "expires_in": lifetime - 1}
        if scope:
            token["scope"] = scope
        if options.get("include_refresh_token"):
            token["refresh_token"] = secrets.token_urlsafe(32)
        return token

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Sign the access token for the resource of its grant, keep the refresh token, write the audit log."""
        grant: Grant = request.credential
        scope, now = token.get("scope", ""), int(time.time())
        times = {"iat": now, "exp": now + token["expires_in"] + 1}
        subject = self._subject(grant)
        claims = {
            **subject,
            "aud": grant.resource or grant.client_id,
            "domain": self.domain.id,
            **({"scope": scope} if scope else {}),
            "iss": self.issuer,
            **times,
            "jti": secrets.token_urlsafe(32),
        }
        if self.domain.world.am_version != "4.10":
            claims["client_id"] = grant.client_id
        self.issued[claims["jti"]] = grant
        token["access_token"] = self._sign(claims)
        if "openid" in scope.split():
            token["id_token"] = self._sign({"iss": self.issuer, "sub": subject["sub"], "aud": grant.client_id, **times})
        if "refresh_token" in token:
            self.refresh_tokens[token["refresh_token"]] = Grant(grant.client_id, grant.username, scope, grant.resource)
        self._audit(request, grant, token, claims)

    @staticmethod
    def _sign(claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "default"}, claims, KEY)

    def _subject(self, grant: Grant) -> dict[str, str]:
        """A user is known by the identity provider and the id there; a client is its own subject."""
        if grant.username is None:
            return {"sub": grant.client_id}
        user = self.domain.users[grant.username]
        gis = f"{user['source']}:{user['externalId']}"
        digest = hashlib.md5(gis.encode(), usedforsecurity=False).digest()
        return {"gis": gis, "sub": str(uuid.UUID(bytes=digest, version=3))}

    def _audit(self, request: OAuth2Request, grant: Grant, token: dict[str, Any], claims: dict[str, Any]) -> None:
        given = {"grant_type": request.payload.grant_type, "resource": grant.resource, "scope": token.get("scope")}
        secrets_given = {"access_token": claims["jti"], "refresh_token": token.get("refresh_token")}
        user = self.domain.users[grant.username] if grant.username else None
        asked = self.query_client(grant.client_id)
        client = {"id": asked.id, "name": asked.name, "settings": {"oauth": {"clientId": grant.client_id}}}
        token_created(self.domain, client, user, **given, **secrets_given)

    def introspect(self, token: str, asking: Client) -> dict[str, Any]:
        """What an MCP server hears of a token: those for itself, and those for no MCP server but a client that is still there."""
        try:
            claims = jwt.decode(token, KEY, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return {"active": False}
        audience = claims["aud"]
        if claims["domain"] != self.domain.id or claims["exp"] < time.time():
            return {"active": False}
        if audience not in asking.identifiers and self.query_client(audience) is None:
            return {"active": False}
        grant = self.issued[claims["jti"]]
        fresh = time.time() < claims["iat"] + self.domain.world.introspection_window
        told = {**claims, "active": True, "token_type": "bearer", "client_id": audience if fresh else grant.client_id}
        return {**told, "username": grant.username} if grant.username is not None else told

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
