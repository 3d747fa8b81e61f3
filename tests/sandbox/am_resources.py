"""AM's protected resources of type MCP_SERVER and, from 4.11, their secrets."""
from __future__ import annotations

import copy
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .am_domain import SECRET_SETTINGS, AmError, Domain, known, oauth_settings
from .am_secrets import AmSecrets
from .web import answer, body_of, empty
from .world import new_id

AT_CREATION = {"type", "clientId", "clientSecret"}
FEATURE = {"key", "type", "description", "scopes"}
# ApplicationOAuthSettings of AM's OpenAPI file.
OAUTH = {
    "accessTokenValiditySeconds", "applicationType", "authorizationEncryptedResponseAlg", "authorizationEncryptedResponseEnc",
    "authorizationSignedResponseAlg", "backchannelAuthRequestSignAlg", "backchannelClientNotificationEndpoint",
    "backchannelTokenDeliveryMode", "backchannelUserCodeParameter", "clientId", "clientIdIssuedAt", "clientName",
    "clientSecret", "clientSecretExpiresAt", "clientType", "clientUri", "contacts", "defaultACRvalues", "defaultMaxAge",
    "defaultScopes", "disableRefreshTokenRotation", "enhanceScopesWithUserPermissions", "forcePKCE",
    "forceS256CodeChallengeMethod", "grantTypes", "idTokenEncryptedResponseAlg", "idTokenEncryptedResponseEnc",
    "idTokenSignedResponseAlg", "idTokenValiditySeconds", "initiateLoginUri", "jwks", "jwksUri", "logoUri", "policyUri",
    "postLogoutRedirectUris", "redirectUris", "refreshTokenValiditySeconds", "registrationAccessToken",
    "registrationClientUri", "requestObjectEncryptionAlg", "requestObjectEncryptionEnc", "requestObjectSigningAlg",
    "requestUris", "requireAuthTime", "requireParRequest", "responseTypes", "scopeApprovals", "scopeSettings", "scopes",
    "sectorIdentifierUri", "silentReAuthentication", "singleSignOut", "softwareId", "softwareStatement", "softwareVersion",
    "subjectType", "tlsClientAuthSanDns", "tlsClientAuthSanEmail", "tlsClientAuthSanIp", "tlsClientAuthSanUri",
    "tlsClientAuthSubjectDn", "tlsClientCertificateBoundAccessTokens", "tokenCustomClaims", "tokenEndpointAuthMethod",
    "tokenEndpointAuthSigningAlg", "tokenExchangeOAuthSettings", "tosUri", "userinfoCustomClaims",
    "userinfoEncryptedResponseAlg", "userinfoEncryptedResponseEnc", "userinfoSignedResponseAlg",
}


class AmResources:
    def __init__(self, plane: Any):
        self.plane, self.world = plane, plane.world

    @property
    def modern(self) -> bool:
        return self.world.am_version != "4.10"

    def routes(self) -> list[Route]:
        one = "/{resource}"
        return [
            Route("/", self.list, methods=["GET"]),
            Route("/", self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.put, methods=["PUT"]),
            Route(one, self.patch, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            *AmSecrets(self._with_secrets).routes(one),
        ]

    def _with_secrets(self, request: Request) -> tuple[Domain, dict[str, Any]]:
        if not self.modern:
            raise AmError(404, "HTTP 404 Not Found")
        return self._resource(request)

    def _resource(self, request: Request) -> tuple[Domain, dict[str, Any]]:
        domain, resource_id = self.plane.domain_of(request), request.path_params["resource"]
        if self.modern and resource_id in domain.gone:
            raise AmError(404, f"ProtectedResource [{resource_id}] can not be found.")
        if resource_id not in domain.mcp_servers:
            raise AmError(403, "Permission denied")
        return domain, domain.mcp_servers[resource_id]

    def _need_type(self, request: Request) -> None:
        if request.query_params.get("type") != "MCP_SERVER":
            raise AmError(500, "Internal error")

    def _known(self, body: dict[str, Any], *modern: str) -> None:
        """Refuse properties that AM does not know; `modern` are those that it knows from 4.11 on."""
        common = {"name", "resourceIdentifiers", "description", "features"}
        known(body, common | set(modern if self.modern else ()))
        known((body.get("settings") or {}).get("oauth") or {}, OAUTH)

    # Validation

    def _identifiers(self, domain: Domain, values: list[str], own: str | None) -> list[str]:
        if not values:
            raise AmError(400, "[[]: must not be empty]")
        for value in values:
            parts = urlsplit(value.strip())
            if not parts.scheme or not parts.netloc or parts.fragment or " " in value.strip():
                raise AmError(400, f"[{value}: Invalid URL]")
        normal = [value.strip().lower() for value in values]
        others = (server for server in domain.mcp_servers.values() if server["id"] != own)
        if any(set(normal) & set(server["resourceIdentifiers"]) for server in others):
            raise AmError(400, "Resource identifier already exists")
        return normal

    def _name(self, name: str) -> str:
        if not 1 <= len(name) <= 64:
            raise AmError(400, f"[{name}: Name must be between 1 and 64 characters]")
        if name[0].isspace():
            raise AmError(400, f"[{name}: Name must begin with a non-whitespace character]")
        return name

    def _features(self, domain: Domain, given: list[dict[str, Any]], check_scopes: bool) -> list[dict[str, Any]]:
        now = self.world.now_ms()
        for feature in given:
            known(feature, FEATURE)
            if not feature.get("type"):
                raise AmError(400, "Malformed json")
            if not re.fullmatch(r"[a-zA-Z0-9_-]+", feature["key"]):
                raise AmError(400, f"[{feature['key']}: must match regex ^[a-zA-Z0-9_-]+$]")
            for scope in (feature.get("scopes") or []) if check_scopes else []:
                if scope not in domain.scopes:
                    raise AmError(400, f"scope {scope} is not valid.")
        if len({feature["key"] for feature in given}) < len(given):
            raise AmError(400, "Feature key names must be unique")
        dates = {"createdAt": now, "updatedAt": now} if check_scopes else {"createdAt": now}
        stored = [{**feature, **dates, "type": feature["type"].lower()} for feature in given]
        return [{key: value for key, value in feature.items() if value is not None} for feature in stored]

    # Protected resources

    async def list(self, request: Request) -> Response:
        domain = self.plane.domain_of(request)
        self._need_type(request)
        query = request.query_params.get("q", "").lower()
        servers = sorted(domain.mcp_servers.values(), key=lambda server: -server["updatedAt"])
        if query:
            pattern = re.escape(query).replace(r"\*", ".*")
            servers = [server for server in servers if re.fullmatch(pattern, server["name"].lower())]
        return self.plane.page_of([self._shown(server) for server in servers], request)

    def _shown(self, server: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in server.items() if key != "secrets"}
        return copy.deepcopy(shown)

    async def create(self, request: Request) -> Response:
        domain, body = self.plane.domain_of(request), await body_of(request)
        self._known({key: value for key, value in body.items() if key not in AT_CREATION}, "settings")
        for key, problem in (("name", "must not be blank"), ("resourceIdentifiers", "must not be empty")):
            if body.get(key) is None:
                raise AmError(400, f"[{key}: {problem}]")
        if not body.get("type"):
            raise AmError(400, "[type: must not be empty]")
        if body["type"] != "MCP_SERVER":
            raise AmError(400, f"[{body['type']}: Available types: [MCP_SERVER]]")
        server = self._new(domain, body)
        domain.mcp_servers[server["id"]] = server
        domain.sync()
        shown = {key: server[key] for key in ("id", "name", "clientId")}
        secret = server["secrets"][0]["secret"]
        return answer({**shown, "clientSecret": secret}, 201, self.plane.location(request, server["id"]))

    def _new(self, domain: Domain, body: dict[str, Any]) -> dict[str, Any]:
        name = self._name(body["name"])
        identifiers = self._identifiers(domain, body["resourceIdentifiers"], None)
        features = self._features(domain, body.get("features") or [], check_scopes=False)
        client_id = body.get("clientId") or secrets.token_urlsafe(32)
        taken = {server["clientId"] for server in domain.mcp_servers.values()}
        if client_id in taken or domain.client(client_id):
            raise AmError(400, f"A client [{client_id}] already exists for domain [{domain.id}]")
        now = self.world.now_ms()
        server = {"id": new_id(), "clientId": client_id, "name": name}
        if body.get("description"):
            server["description"] = body["description"].strip()
        server |= {"type": "mcp_server", "resourceIdentifiers": identifiers, "features": features, "updatedAt": now}
        if self.modern:
            oauth = (body.get("settings") or {}).get("oauth", {"tokenEndpointAuthMethod": "client_secret_basic"})
            server["settings"] = self._settings(client_id, oauth)
            server |= {"secretSettings": [SECRET_SETTINGS], "certificate": domain.certificate}
        server["secrets"] = [domain.new_secret("Default", body.get("clientSecret"))]
        return server

    @staticmethod
    def _settings(client_id: str, given: dict[str, Any]) -> dict[str, Any]:
        """Settings with this oauth: what it lacks is reset, an empty list of grant types as well. No secret is kept there."""
        oauth = {key: value for key, value in given.items() if key != "clientSecret"}
        oauth["grantTypes"] = oauth.get("grantTypes") or ["client_credentials"]
        filled = oauth_settings(**{"clientId": client_id, "responseTypes": ["code"], **oauth})
        return {"oauth": filled, "advanced": {"skipConsent": False, "flowsInherited": True}}

    async def get(self, request: Request) -> Response:
        server = self._resource(request)[1]
        self._need_type(request)
        return answer(self._shown(server))

    async def put(self, request: Request) -> Response:
        domain, server = self._resource(request)
        body = await body_of(request)
        self._known(body, "type", "settings")
        server.pop("description", None)
        return self._updated(domain, server, {"features": [], "settings": {"oauth": {}}, **body})

    async def patch(self, request: Request) -> Response:
        domain, server = self._resource(request)
        body = await body_of(request)
        self._known(body, "settings", "certificate")
        if not body:
            raise AmError(400, "You need to specify at least one value to update.")
        return self._updated(domain, server, body)

    def _updated(self, domain: Domain, server: dict[str, Any], body: dict[str, Any]) -> Response:
        changes = {key: body[key] for key in ("name", "description", "features", "resourceIdentifiers") if key in body}
        if "name" in changes:
            self._name(changes["name"])
        if "description" in changes:
            changes["description"] = changes["description"].strip()
        if "resourceIdentifiers" in changes:
            changes["resourceIdentifiers"] = self._identifiers(domain, changes["resourceIdentifiers"], server["id"])
        if "features" in changes:
            changes["features"] = self._features(domain, changes["features"], check_scopes=True)
        if self.modern and "oauth" in body.get("settings", {}):
            changes["settings"] = self._settings(server["clientId"], body["settings"]["oauth"])
        if "certificate" in body:
            changes["certificate"] = body["certificate"]
            if not body["certificate"]:
                server.pop("certificate", None)
                del changes["certificate"]
        server.update(changes, updatedAt=self.world.now_ms())
        domain.sync()
        return answer(self._shown(server))

    async def delete(self, request: Request) -> Response:
        domain, server = self._resource(request)
        del domain.mcp_servers[server["id"]]
        domain.sync()
        return empty(204)
