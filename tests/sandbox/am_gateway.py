"""AM's gateway: discovery, registration, the pages of a login, tokens, introspection."""
from __future__ import annotations

import copy
import json
import secrets
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from . import am_documents
from . import am_pages as pages
from .am_clients import InvalidClient, authenticate
from .am_domain import Domain
from .am_oauth import KEY, DomainServer
from .am_registration import Refused, Registration
from .web import answer, basic, bearer, body_of, empty, text
from .world import RECORDINGS, World

RECORDED_BASE = "http://127.0.0.1:8092/mcp-demo"
SESSION = "GRAVITEE_IO_AM_SESSION"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class AmGateway:
    def __init__(self, world: World):
        self.world = world
        self.servers: dict[str, DomainServer] = {}
        self.sessions: dict[str, dict[str, Any]] = {}

    def app(self) -> Starlette:
        client = "/{domain}/oidc/register/{client}"
        routes = [
            Route("/{domain}/oidc/.well-known/openid-configuration", self.discovery),
            Route("/{domain}/.well-known/oauth-authorization-server", self.pointer),
            Route("/{domain}/oidc/.well-known/jwks.json", self.jwks),
            Route("/{domain}/oidc/register", self.register_client, methods=["POST"]),
            Route(client, self.registered_client, methods=["GET", "PUT", "PATCH", "DELETE"]),
            Route(f"{client}/renew_secret", self.registered_client, methods=["POST"]),
            Route("/{domain}/oauth/authorize", self.authorize, methods=["GET"]),
            Route("/{domain}/oauth/consent", self.consent, methods=["GET", "POST"]),
            Route("/{domain}/oauth/token", self.token, methods=["POST"]),
            Route("/{domain}/oauth/introspect", self.introspect, methods=["POST"]),
            Route("/{domain}/login", self.login, methods=["GET", "POST"]),
            Route("/{domain}/register", self.register_user, methods=["GET", "POST"]),
            Route("/{rest:path}", self.nothing),
        ]
        handlers = {
            _NoDomain: _no_domain,
            json.JSONDecodeError: _malformed,
            Refused: _refused,
            InvalidClient: _invalid_client,
        }
        app = Starlette(routes=routes, exception_handlers=handlers)
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
        domain = self._domain(request)[0]
        document = (RECORDINGS / "openid-configuration.json").read_text(encoding="utf-8")
        metadata = json.loads(document.replace(RECORDED_BASE, self._base(request)))
        if self.world.am_version != "4.10":
            metadata["grant_types_supported"] = sorted([*metadata["grant_types_supported"], TOKEN_EXCHANGE])
        if am_documents.in_use(domain):
            metadata["client_id_metadata_document_supported"] = True
        return answer(metadata)

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
        told = Registration(self.world, domain, wire, self._base(request)).register(await body_of(request))
        return answer(told, 201)

    async def registered_client(self, request: Request) -> Response:
        """RFC 7592, with the token of the client's last registration, change or renewed secret."""
        domain, wire = self._domain(request)
        registration = Registration(self.world, domain, wire, self._base(request))
        try:
            application = registration.own(request.path_params["client"], bearer(request))
        except Refused as refused:
            return self._no_token(refused) if refused.status == 401 else _refused(request, refused)
        if request.url.path.endswith("/renew_secret"):
            return answer(registration.renew_secret(application))
        if request.method in ("PUT", "PATCH"):
            return answer(registration.update(application, await body_of(request)))
        if request.method == "DELETE":
            del domain.applications[application["id"]]
            return empty(204)
        return answer(registration.read(application))

    def _no_token(self, refused: Refused) -> Response:
        """AM 4.10 says nothing, later ones say why."""
        challenge = {"WWW-Authenticate": 'Bearer realm="gravitee-io"'}
        if self.world.am_version == "4.10":
            return Response("", 401, challenge)
        return answer(refused.body, 401, challenge)

    # The pages of a login

    def _session(self, request: Request) -> tuple[str, dict[str, Any]]:
        key = request.cookies.get(SESSION, "")
        if key not in self.sessions:
            key = secrets.token_urlsafe(24)
            self.sessions[key] = {"csrf": secrets.token_urlsafe(24), "user": None, "answered": {}}
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
            return pages.problem("redirect_uri_mismatch: this client or its redirect URI is not known here.")
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
        approved = server.approved.setdefault((user[1], client.get_client_id()), set())
        asked = (grant.request.scope or "").split()
        answered = session["answered"].pop(request.url.query, None)
        if answered is None and not set(asked) <= approved:
            return RedirectResponse(self._here(request, "oauth/consent"), 302)
        if answered is False:
            denied = [("error", "access_denied"), ("error_description", "User denied access")]
            return RedirectResponse(add_params_to_uri(redirect_uri, denied), 302)
        grant.request.scope = " ".join(scope for scope in asked if scope in approved)
        headers = grant.create_authorization_response(redirect_uri, user[1])[2]
        return RedirectResponse(dict(headers)["Location"], 302)

    async def consent(self, request: Request) -> Response:
        """Asks for the scopes that this user has not granted to this client before."""
        server, session = self._server(request), self._session(request)[1]
        client = server.query_client(request.query_params.get("client_id", ""))
        if client is None or session["user"] is None:
            return pages.problem("Nobody is logged in.", 401)
        approved = server.approved.setdefault((session["user"][1], client.get_client_id()), set())
        asked = client.get_allowed_scope(request.query_params.get("scope")).split()
        scopes = [scope for scope in asked if scope not in approved]
        if request.method == "POST":
            form = await request.form()
            if form.get("X-XSRF-TOKEN") != session["csrf"]:
                return pages.problem("The form is too old. Go back and try again.", 403)
            granted = {scope for scope in scopes if form.get(f"scope.{scope}") == "true"}
            session["answered"][request.url.query] = form.get("user_oauth_approval") == "true" and bool(granted)
            if session["answered"][request.url.query]:
                approved |= granted
            return RedirectResponse(self._here(request, "oauth/authorize"), 302)
        action = self._here(request, "oauth/consent")
        return pages.consent(action, session["csrf"], client.name, scopes)

    # Tokens

    async def token(self, request: Request) -> Response:
        server = self._server(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        return server.create_token_response(_oauth(request, form))

    async def introspect(self, request: Request) -> Response:
        server = self._server(request)
        form = {name: str(value) for name, value in (await request.form()).items()}
        asking = authenticate(server.domain, "introspect", basic(request), form)
        return answer(server.introspect(form.get("token", ""), asking))


class _NoDomain(Exception):
    pass


async def _no_domain(request: Request, error: Exception) -> Response:
    return text("No security domain matches the request URI.", 404)


def _refused(request: Request, error: Refused) -> Response:
    return answer(error.body, error.status)


def _invalid_client(request: Request, error: InvalidClient) -> Response:
    return answer(dict(error.get_body()), error.status_code, dict(error.get_headers()))


async def _malformed(request: Request, error: Exception) -> Response:
    return _error("invalid_client_metadata", "The body is no JSON.")


def _error(code: str, description: str, status: int = 400) -> Response:
    return answer({"error": code, "error_description": description}, status)


def _oauth(request: Request, data: dict[str, str]) -> SimpleNamespace:
    return SimpleNamespace(method=request.method, uri=str(request.url), headers=request.headers, data=copy.copy(data))


def _with_session(response: Response, key: str) -> Response:
    response.set_cookie(SESSION, key, httponly=True, samesite="lax")
    return response
