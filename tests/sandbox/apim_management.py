"""APIM's management API: v2 for APIs, plans, subscriptions and plugins, v1 for applications and the login."""
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_api import ApiRecord
from .apim_clients import ApimClients
from .apim_definition import normal_path, normalize
from .apim_deployments import ApimDeployments
from .apim_errors import ApimError, invalid
from .apim_import import ApimImport
from .apim_plans import ApimPlans
from .apim_plugins import described
from .web import answer, basic, bearer, body_of, empty, page, text, under
from .world import World, new_id, recorded

COOKIE = "Auth-Graviteeio-APIM"


class ApimManagement:
    def __init__(self, world: World):
        self.world = world

    def app(self) -> Starlette:
        api = "/apis/{api}"
        clients, plans = ApimClients(self), ApimPlans(self)
        environment = [
            *clients.subscriptions(),
            *plans.routes(),
            *ApimDeployments(self, plans).routes(),
            *ApimImport(self, plans).routes(),
            Route("/apis", self.list_apis, methods=["GET"]),
            Route("/apis", self.create_api, methods=["POST"]),
            Route("/apis/_search", self.search, methods=["POST"]),
            Route("/apis/_verify/paths", self.verify_paths, methods=["POST"]),
            Route(api, self.get_api, methods=["GET"]),
            Route(api, self.update_api, methods=["PUT"]),
            Route(api, self.delete_api, methods=["DELETE"]),
            Route("/", self.environment, methods=["GET"]),
            Route("/{rest:path}", self.not_found),
        ]
        organization = "/organizations/{organization}"
        v2 = [
            *under("/environments/{environment}", environment),
            *under(f"{organization}/environments/{{environment}}", environment),
            Route(f"{organization}/environments", self.static),
            Route(f"{organization}/license", self.static),
            Route(f"{organization}/plugins/{{plugin:path}}", self.plugins),
            Route("/{rest:path}", lambda request: empty(500)),
        ]
        v1 = [
            Route("/user/login", self.login, methods=["POST"]),
            Route("/user", self.user),
            Route("/users/{user}/tokens", self.create_token, methods=["POST"]),
            *under("/environments/{environment}/applications", clients.applications()),
            Route("/{rest:path}", lambda request: answer({"message": "HTTP 404 Not Found", "http_status": 404}, 404)),
        ]
        routes = [*under("/management/v2", v2), *under("/management/organizations/{organization}", v1)]
        app = Starlette(routes=routes, exception_handlers={ApimError: _refuse, json.JSONDecodeError: _malformed})
        app.router.redirect_slashes = False
        app.add_middleware(_Guard, world=self.world)
        return app

    # Organization

    async def login(self, request: Request) -> Response:
        """The JWT, and the cookies that make trouble for whoever keeps them."""
        response = answer({"type": "BEARER", "token": self.world.new_token("apim")})
        response.set_cookie(COOKIE, "Bearer%20session")
        response.set_cookie("XSRF-Graviteeio-APIM-API-TOKEN", new_id())
        return response

    async def user(self, request: Request) -> Response:
        return answer({**recorded("apim-v1-management", "/organizations/DEFAULT/user"), "id": self.world.admin_ids["apim"]})

    async def create_token(self, request: Request) -> Response:
        name = (await body_of(request))["name"]
        if ("apim", name) in self.world.token_names:
            message = f"A token with the name [{name}] already exists."
            return answer({"message": message, "technicalCode": "token.alreadyExists", "http_status": 400}, 400)
        self.world.token_names.add(("apim", name))
        token = self.world.new_token("apim")
        return answer({"id": new_id(), "name": name, "token": token, "created_at": self.world.now_ms()}, 201)

    async def static(self, request: Request) -> Response:
        return answer(recorded("apim-management", request.url.path.removeprefix("/management/v2")))

    async def plugins(self, request: Request) -> Response:
        try:
            return answer(described(self.world, request.path_params["plugin"]))
        except StopIteration:
            return await self.not_found(request)

    async def not_found(self, request: Request) -> Response:
        raise ApimError(404, "HTTP 404 Not Found")

    async def environment(self, request: Request) -> Response:
        return answer(recorded("apim-management", "/environments/DEFAULT"))

    # APIs

    def api_of(self, request: Request) -> ApiRecord:
        api_id = request.path_params["api"]
        if api_id not in self.world.apis:
            raise ApimError(404, f"Api [{api_id}] cannot be found.", "api.notFound", {"api": api_id})
        return self.world.apis[api_id]

    def check_places(self, places: list[tuple[str | None, str]], own: str | None) -> None:
        """Refuse a path at or under another API's, or above it, on the same host."""
        for other in self.world.apis.values():
            for taken_host, taken in other.places if other.id != own else []:
                if any(host == taken_host and (path.startswith(taken) or taken.startswith(path)) for host, path in places):
                    raise ApimError(400, f"Path [{taken}] already exists", None, {})

    async def create_api(self, request: Request) -> Response:
        body = await body_of(request)
        record = ApiRecord(self.world, normalize(body, self.world, creating=True))
        self.check_places(record.places, None)
        self.world.apis[record.id] = record
        return answer(record.wire(empties=True), 201, self.location(request, record.id))

    def location(self, request: Request, new: str) -> dict[str, str]:
        return {"Location": f"{self.world.urls.get('apim', '')}{request.url.path}/{new}"}

    async def get_api(self, request: Request) -> Response:
        record = self.api_of(request)
        return answer(record.wire(owner=True), headers=record.headers)

    async def update_api(self, request: Request) -> Response:
        record, body = self.api_of(request), await body_of(request)
        expected = request.headers.get("if-match")
        if expected and expected != record.headers["ETag"]:
            return empty(412)
        if not body.get("definitionVersion"):
            raise invalid("updateApi.updateApi")
        definition = normalize(body, self.world, creating=False)
        self.check_places(ApiRecord(self.world, definition).places, record.id)
        record.definition = definition
        record.touch()
        return answer(record.wire(owner=True), headers=record.headers)

    async def delete_api(self, request: Request) -> Response:
        record = self.api_of(request)
        if record.state == "STARTED":
            message = f"API [{record.id}] is still running and must be stopped before being deleted !"
            raise ApimError(400, message, "api.running", {"api": record.id})
        del self.world.apis[record.id]
        return empty(204)

    async def list_apis(self, request: Request) -> Response:
        deployment = "deploymentState" in request.query_params.get("expands", "")
        apis = sorted(self.world.apis.values(), key=lambda api: api.definition["name"])
        return self.page_of(apis, request, lambda api: api.wire(deployment=deployment))

    async def search(self, request: Request) -> Response:
        """Full text over names and paths."""
        words = (await body_of(request)).get("query", "").lower()
        words = words.removeprefix('name:"').rstrip('"')
        found = [
            api.wire(deployment=False, owner=True)
            for api in self.world.apis.values()
            if words in api.definition["name"].lower() or any(words in path for path in api.paths)
        ]
        return self.page_of(found, request)

    def page_of(self, items: list[Any], request: Request, show: Callable[[Any], Any] = lambda item: item) -> Response:
        shown, number, size = page(items, request, 1, "perPage", 10)
        data = [show(item) for item in shown]
        pagination = {
            "page": number,
            "perPage": size,
            "pageCount": -(-len(items) // size),
            "pageItemsCount": len(data),
            "totalCount": len(items),
        }
        query = f"?{urlencode(request.query_params)}" if request.url.query else ""
        link = f"{self.world.urls.get('apim', '')}{request.url.path}{query}"
        return answer({"data": data, "pagination": pagination if items else {}, "links": {"self": link}})

    async def verify_paths(self, request: Request) -> Response:
        body = await body_of(request)
        try:
            places = [(entry.get("host"), normal_path(entry["path"])) for entry in body["paths"]]
            self.check_places(places, body.get("apiId"))
        except ApimError as error:
            return answer({"ok": False, "reason": error.body["message"]}, 202)
        return answer({"ok": True}, 202)


class _Guard:
    """Credentials, the CSRF check for those who keep cookies, and the environment."""

    def __init__(self, app: Any, world: World):
        self.app, self.world = app, world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if basic(request) != self.world.admins["apim"] and self.world.tokens.get(bearer(request) or "") != "apim":
            return empty(401, WWW_Authenticate='Basic realm="Gravitee.io Management API"')
        if request.method not in ("GET", "HEAD") and COOKIE in request.cookies:
            return empty(403)
        parts = request.url.path.split("/")
        for name in ("organizations", "environments"):
            if name in parts[:-1] and parts[parts.index(name) + 1] not in ("DEFAULT", ""):
                return answer({"httpStatus": 400, "message": "Invalid organization or environment"}, 400)
        return None


async def _refuse(request: Request, error: ApimError) -> Response:
    return answer(error.body, error.status)


async def _malformed(request: Request, error: json.JSONDecodeError) -> Response:
    """Jackson's words."""
    at = error.doc[error.pos : error.pos + 1]
    source = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled);"
    what = f"Unexpected character ('{at}' (code {ord(at) if at else -1})): was expecting double-quote to start field name"
    return text(f"{what}\n at {source} line: {error.lineno}, column: {error.colno}]", 400)
