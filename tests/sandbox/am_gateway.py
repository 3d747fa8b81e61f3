"""AM's gateway: discovery, registration, the pages of a login, tokens, introspection."""
from __future__ import annotations

import copy
import json
import secrets
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import am_pages as pages
from .am_domain import Domain, oauth_settings
from .am_oauth import KEY, DomainServer
from .web import answer, basic, bearer, body_of, empty, text
from .world import RECORDINGS, World, new_id

RECORDED_BASE = "http://127.0.0.1:8092/mcp-demo"
SESSION = "GRAVITEE_IO_AM_SESSION"


class AmGateway:
    def __init__(self, world: World):
        self.world = world
        self.servers: dict[str, DomainServer] = {}
        self.sessions: dict[str, dict[str, Any]] = {}

    def app(self) -> Starlette:
        routes = [
            Route("/{domain}/oidc/.well-known/openid-configuration", self.discovery),
            Route("/{domain}/.well-known/oauth-authorization-server", self.pointer),
            Route("/{domain}/oidc/.well-known/jwks.json", self.jwks),
            Route("/{domain}/oidc/register", self.register_client, methods=["POST"]),
            Route("/{domain}/oidc/register/{client}", self.unregister_client, methods=["DELETE"]),
            Route("/{domain}/oauth/authorize", self.authorize, methods=["GET"]),
            Route("/{domain}/oauth/consent", self.consent, methods=["GET", "POST"]),
            Route("/{domain}/oauth/token", self.token, methods=["POST"]),
            Route("/{domain}/oauth/introspect", self.introspect, methods=["POST"]),
            Route("/{domain}/login", self.login, methods=["GET", "POST"]),
            Route("/{domain}/register", self.register_user, methods=["GET", "POST"]),
            Route("/{rest:path}", self.nothing),
        ]
        app = Starlette(routes=routes, exception_handlers={_NoDomain: _no_domain, json.JSONDecodeError: _malformed})
        app.router.redirect_slashes = False
        return app

    def _served(self, path: str) -> tuple[Domain, dict[str, Any]] | None:
        """The domain with this path, and its settings as the gateway knows them."""
        for domain in self.world.domains.values():
            known = domain.synced.current
            if known and known["wire"]["path"] == f"/{path}":
                return domain, known["wire"]
        return None

    def _domain(self, request: Request) -> tuple[Domain, dict[str, Any]]:
        served = self._served(request.path_params["domain"])
        if served is None:
            raise _NoDomain
        return served

    def _base(self, request: Request) -> str:
        return f"{request.url.scheme}://{request.url.netloc}/{request.path_params['domain']}"

    def _server(self, request: Request) -> DomainServer:
        domain = self._domain(request)[0]
        if domain.id not in self.servers:
            self.servers[domain.id] = DomainServer(domain, f"{self._base(request)}/oidc")
        return self.servers[domain.id]

    async def nothing(self, request: Request) -> Response:
        served = self._served(request.url.path.split("/")[1])
        what = "No endpoint matches the request URI." if served else "No security domain matches the request URI."
        return text(what, 404)

    # Discovery and registration

    async def discovery(self, request: Request) -> Response:
        self._domain(request)
        document = (RECORDINGS / "openid-configuration.json").read_text(encoding="utf-8")
        return answer(json.loads(document.replace(RECORDED_BASE, self._base(request))))

    async def pointer(self, request: Request) -> Response:
        self._domain(request)
        return answer({"openid-configuration": f"{self._base(request)}/oidc/.well-known/openid-configuration"})

    async def jwks(self, request: Request) -> Response:
        return answer({"keys": [KEY.as_dict(private=False)]})

    async def register_client(self, request: Request) -> Response:
        domain, wire = self._domain(request)
        rules = wire["oidc"]["clientRegistrationSettings"]
        if not rules["isDynamicClientRegistrationEnabled"]:
            return _error("registration_forbidden", "Not allowed to access to this resource.", 403)
        if not rules["isOpenDynamicClientRegistrationEnabled"]:
            return empty(401, WWW_Authenticate='Bearer realm="gravitee-io"')
        body = await body_of(request)
        refusal = _redirect_problem(rules, body.get("redirect_uris") or [])
        if refusal:
            return _error("invalid_redirect_uri", refusal)
        scope, problem = _granted_scope(rules, domain, body.get("scope"))
        if problem:
            return _error("invalid_client_metadata", problem)
        return answer(self._new_client(domain, body, scope, self._base(request)), 201)

    async def unregister_client(self, request: Request) -> Response:
        """Not recorded; RFC 7592, which the recorded registration_client_uri and registration_access_token stand for."""
        domain = self._domain(request)[0]
        application = domain.client(request.path_params["client"])
        if application is None or bearer(request) != application["settings"]["oauth"].get("registrationAccessToken"):
            return empty(401, WWW_Authenticate='Bearer realm="gravitee-io"')
        del domain.applications[application["id"]]
        return empty(204)

    def _new_client(self, domain: Domain, body: dict[str, Any], scope: list[str], base: str) -> dict[str, Any]:
        now, client_id, secret = self.world.now_ms(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        application_type = body.get("application_type", "web")
        told = {
            "redirect_uris": body["redirect_uris"],
            "response_types": body.get("response_types", ["code"]),
            "grant_types": body.get("grant_types", ["authorization_code"]),
            "application_type": application_type,
            "client_name": body.get("client_name", "Unknown Client"),
            "token_endpoint_auth_method": body.get("token_endpoint_auth_method", "client_secret_basic"),
            "require_auth_time": False,
            **({"scope": " ".join(scope)} if scope else {}),
            "client_id": client_id,
            "client_secret": secret,
            "registration_access_token": secrets.token_urlsafe(32),
            "registration_client_uri": f"{base}/oidc/register/{client_id}",
            "client_secret_expires_at": 0,
            "domain": domain.id,
            "id": new_id(),
            "enabled": True,
            "created_at": now,
            "updated_at": now,
            "authorization_signed_response_alg": "RS256",
            "backchannel_user_code_parameter": False,
        }
        oauth = oauth_settings(
            clientId=client_id,
            clientSecret=secret,
            redirectUris=told["redirect_uris"],
            responseTypes=told["response_types"],
            grantTypes=told["grant_types"],
            applicationType=application_type,
            clientName=told["client_name"],
            tokenEndpointAuthMethod=told["token_endpoint_auth_method"],
            registrationAccessToken=told["registration_access_token"],
            registrationClientUri=told["registration_client_uri"],
            scopeSettings=[{"scope": name, "defaultScope": False} for name in scope],
        )
        provider = {"identity": domain.identity_provider, "selectionRule": "", "priority": -1}
        domain.applications[told["id"]] = {
            "id": told["id"],
            "name": told["client_name"],
            "type": application_type,
            "domain": domain.id,
            "enabled": True,
            "template": False,
            "settings": {"oauth": oauth},
            "identityProviders": [provider],
            "createdAt": now,
            "updatedAt": now,
        }
        return told

    # The pages of a login

    def _session(self, request: Request) -> tuple[str, dict[str, Any]]:
        key = request.cookies.get(SESSION, "")
        if key not in self.sessions:
            key = secrets.token_urlsafe(24)
            self.sessions[key] = {"csrf": secrets.token_urlsafe(24), "user": None, "approved": {}}
        return key, self.sessions[key]

    def _here(self, request: Request, page: str) -> str:
        return f"{self._base(request)}/{page}?{request.url.query}"

    async def login(self, request: Request) -> Response:
        wire = self._domain(request)[1]
        key, session = self._session(request)
        client_id = request.query_params.get("client_id", "")
        if request.method == "POST":
            domain, form = self._domain(request)[0], await request.form()
            if form.get("X-XSRF-TOKEN") != session["csrf"]:
                return pages.problem("The form is too old. Go back and try again.", 403)
            username = str(form.get("username", ""))
            if username in domain.passwords and domain.passwords[username] == form.get("password"):
                session["user"] = (domain.id, username)
                return _with_session(RedirectResponse(self._here(request, "oauth/authorize"), 302), key)
            query = urlencode({**request.query_params, "error": "login_failed"})
            return RedirectResponse(f"{self._base(request)}/login?{query}", 302)
        registration = (wire.get("loginSettings") or {}).get("registerEnabled")
        register = self._here(request, "register") if registration else None
        failed = "error" in request.query_params
        page = pages.login(self._here(request, "login"), session["csrf"], client_id, register, failed)
        return _with_session(page, key)

    async def register_user(self, request: Request) -> Response:
        domain, wire = self._domain(request)
        if not (wire.get("loginSettings") or {}).get("registerEnabled"):
            return text("No endpoint matches the request URI.", 404)
        key, session = self._session(request)
        if request.method == "POST":
            form = await request.form()
            if form.get("X-XSRF-TOKEN") != session["csrf"]:
                return pages.problem("The form is too old. Go back and try again.", 403)
            if form.get("username") in domain.users:
                return pages.problem("This user name is taken.")
            domain.new_user({name: str(value) for name, value in form.items()})
            return RedirectResponse(self._here(request, "register") + "&success=registration_succeed", 302)
        if "success" in request.query_params:
            return pages.registered()
        client_id = request.query_params.get("client_id", "")
        return _with_session(pages.registration(self._here(request, "register"), session["csrf"], client_id), key)

    async def authorize(self, request: Request) -> Response:
        """Login first, then what is wrong with the request, then consent, then the code."""
        server, session = self._server(request), self._session(request)[1]
        client = server.query_client(request.query_params.get("client_id", ""))
        redirect_uri = request.query_params.get("redirect_uri", "")
        if client is None or not client.check_redirect_uri(redirect_uri):
            return pages.problem("This client or its redirect URI is not known here.")
        user = session["user"]
        if user is None or user[0] != server.domain.id:
            return RedirectResponse(self._here(request, "login"), 302)
        oauth_request = _oauth(request, dict(request.query_params))
        try:
            grant = server.get_consent_grant(oauth_request, user[1])
            server.check_resource(grant.request)
        except OAuth2Error as error:
            problem = {"error": error.error, "error_description": error.description or error.error}
            state = request.query_params.get("state")
            told = [*problem.items(), *([("state", state)] if state else [])]
            return RedirectResponse(add_params_to_uri(redirect_uri, told), 302)
        approved = session["approved"].pop(request.url.query, None)
        if approved is None:
            return RedirectResponse(self._here(request, "oauth/consent"), 302)
        if approved is False:
            denied = [("error", "access_denied"), ("error_description", "User denied access")]
            return RedirectResponse(add_params_to_uri(redirect_uri, denied), 302)
        grant.request.scope = " ".join(approved)
        headers = grant.create_authorization_response(redirect_uri, user[1])[2]
        return RedirectResponse(dict(headers)["Location"], 302)

    async def consent(self, request: Request) -> Response:
        server, session = self._server(request), self._session(request)[1]
        client = server.query_client(request.query_params.get("client_id", ""))
        if client is None or session["user"] is None:
            return pages.problem("Nobody is logged in.", 401)
        scopes = (client.get_allowed_scope(request.query_params.get("scope")) or "").split()
        if request.method == "POST":
            form = await request.form()
            if form.get("X-XSRF-TOKEN") != session["csrf"]:
                return pages.problem("The form is too old. Go back and try again.", 403)
            granted = [scope for scope in scopes if form.get(f"scope.{scope}") == "true"]
            allowed = form.get("user_oauth_approval") == "true" and granted
            session["approved"][request.url.query] = granted if allowed else False
            return RedirectResponse(self._here(request, "oauth/authorize"), 302)
        action = self._here(request, "oauth/consent")
        return pages.consent(action, session["csrf"], client.get_client_id(), client.oauth["clientName"], scopes)

    # Tokens

    async def token(self, request: Request) -> Response:
        server = self._server(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        return server.create_token_response(_oauth(request, form))

    async def introspect(self, request: Request) -> Response:
        domain, server = self._domain(request)[0], self._server(request)
        asking = basic(request) or ("", "")
        servers = domain.synced.current["mcp_servers"].values()
        credentials = {(one["clientId"], secret["secret"]) for one in servers for secret in one["secrets"]}
        if asking not in credentials:
            return _error("invalid_client", "Invalid client: missing or unsupported authentication method", 401)
        form = await request.form()
        return answer(server.introspect(str(form.get("token", ""))))


class _NoDomain(Exception):
    pass


async def _no_domain(request: Request, error: Exception) -> Response:
    return text("No security domain matches the request URI.", 404)


async def _malformed(request: Request, error: Exception) -> Response:
    return _error("invalid_client_metadata", "The body is no JSON.")


def _error(code: str, description: str, status: int = 400) -> Response:
    return answer({"error": code, "error_description": description}, status)


def _oauth(request: Request, data: dict[str, str]) -> SimpleNamespace:
    headers = {name.title(): value for name, value in request.headers.items()}
    return SimpleNamespace(method=request.method, uri=str(request.url), headers=headers, data=copy.copy(data))


def _with_session(response: Response, key: str) -> Response:
    response.set_cookie(SESSION, key, httponly=True, samesite="lax")
    return response


def _redirect_problem(rules: dict[str, Any], redirect_uris: list[str]) -> str | None:
    if not redirect_uris:
        return "At least one redirect_uri is mandatory for using code grant."
    for uri in redirect_uris:
        parts = urlsplit(uri)
        if parts.hostname in ("localhost", "127.0.0.1") and not rules["allowLocalhostRedirectUri"]:
            return "localhost is forbidden"
        if parts.scheme == "http" and not rules["allowHttpSchemeRedirectUri"]:
            return "Unsecured http scheme is forbidden"
    return None


def _granted_scope(rules: dict[str, Any], domain: Domain, asked: str | None) -> tuple[list[str], str | None]:
    """The scopes a client is registered with, or what is wrong with those it asked for."""
    defaults = rules.get("defaultScopes") or []
    if rules["isAllowedScopesEnabled"]:
        allowed = [scope for scope in (asked or "").split() if scope in (rules.get("allowedScopes") or [])]
        return allowed or defaults, None
    if asked is None:
        return defaults, None
    for scope in asked.split(" "):
        if scope not in domain.scopes:
            return [], f"scope {scope} is not valid."
    return asked.split(), None
