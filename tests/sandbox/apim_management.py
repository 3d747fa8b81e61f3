"""APIM's management API: v2 for APIs, plans, subscriptions and plugins, v1 for applications and the login."""
from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_clients import ApimClients
from .apim_definition import RUNTIME, ApimError, check_configuration, invalid, normal_path, normalize, plugins, policy_schema
from .web import answer, basic, bearer, body_of, empty, page, text, under
from .world import Synced, World, iso, new_id, recorded

STATUSES = ("STAGING", "PUBLISHED", "DEPRECATED", "CLOSED")
COOKIE = "Auth-Graviteeio-APIM"


class ApiRecord:
    """An API, its plans, and what the gateway was told to serve."""

    def __init__(self, world: World, definition: dict[str, Any]):
        self.world, self.definition = world, definition
        self.id = new_id()
        self.created = self.updated = world.now_ms()
        self.deployed_at: int | None = None
        self.state = "STOPPED"
        self.plans: dict[str, dict[str, Any]] = {}
        self.deployed: dict[str, Any] | None = None
        self.served: Synced = world.synced()

    @property
    def paths(self) -> list[str]:
        return [entry["path"] for listener in self.definition["listeners"] for entry in listener["paths"]]

    @property
    def published(self) -> list[dict[str, Any]]:
        return [plan for plan in self.plans.values() if plan["status"] in ("PUBLISHED", "DEPRECATED")]

    def snapshot(self) -> dict[str, Any]:
        """What a deployment hands to the gateway."""
        runtime = {key: self.definition.get(key) or None for key in RUNTIME}
        plans = {plan["id"]: {key: plan.get(key) for key in ("security", "flows", "selectionRule")} for plan in self.published}
        return copy.deepcopy({**runtime, "plans": plans})

    def touch(self) -> None:
        self.updated = self.world.now_ms()

    def deploy(self, verb: str) -> None:
        if not self.published:
            # The server writes "The api" when it deploys and "The API" when it starts.
            what = "The API" if verb == "started" else "The api"
            message = f"{what} {{{self.id}}} can not be {verb} without at least one published plan"
            raise ApimError(400, message, "api.NotDeployable")
        self.deployed = self.snapshot()
        self.touch()
        self.deployed_at = self.updated

    def serve(self) -> None:
        self.served.push(self.deployed if self.state == "STARTED" else None)

    def wire(self, *, owner: bool = False, deployment: bool = True, empties: bool = False) -> dict[str, Any]:
        wire = {
            **copy.deepcopy(self.definition),
            "id": self.id,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "disableMembershipNotifications": False,
            "state": self.state,
            "originContext": {"origin": "MANAGEMENT"},
            "definitionContext": {"origin": "MANAGEMENT", "mode": "FULLY_MANAGED", "syncFrom": "MANAGEMENT"},
            "_links": {"pictureUrl": "<link>", "backgroundUrl": "<link>"},
        }
        if self.deployed_at:
            wire["deployedAt"] = iso(self.deployed_at)
        if deployment:
            wire["deploymentState"] = "DEPLOYED" if self.snapshot() == self.deployed else "NEED_REDEPLOY"
        if owner:
            wire["primaryOwner"] = {"id": self.world.admin_ids["apim"], "displayName": "admin", "type": "USER"}
        if empties:
            wire.setdefault("resources", [])
            wire.setdefault("responseTemplates", {})
        return wire

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{self.updated}"'}


class ApimManagement:
    def __init__(self, world: World):
        self.world = world

    def app(self) -> Starlette:
        api, plan = "/apis/{api}", "/apis/{api}/plans/{plan}"
        clients = ApimClients(self)
        environment = [
            *clients.subscriptions(),
            Route("/apis", self.list_apis, methods=["GET"]),
            Route("/apis", self.create_api, methods=["POST"]),
            Route("/apis/_search", self.search, methods=["POST"]),
            Route("/apis/_verify/paths", self.verify_paths, methods=["POST"]),
            Route(api, self.get_api, methods=["GET"]),
            Route(api, self.update_api, methods=["PUT"]),
            Route(api, self.delete_api, methods=["DELETE"]),
            Route(f"{api}/_start", self.start, methods=["POST"]),
            Route(f"{api}/_stop", self.stop, methods=["POST"]),
            Route(f"{api}/deployments", self.deploy, methods=["POST"]),
            Route(f"{api}/plans", self.list_plans, methods=["GET"]),
            Route(f"{api}/plans", self.create_plan, methods=["POST"]),
            Route(plan, self.update_plan, methods=["PUT"]),
            Route(plan, self.delete_plan, methods=["DELETE"]),
            Route(f"{plan}/_publish", self.publish_plan, methods=["POST"]),
            Route(f"{plan}/_deprecate", self.deprecate_plan, methods=["POST"]),
            Route(f"{plan}/_close", self.close_plan, methods=["POST"]),
            Route("/", self.environment, methods=["GET"]),
            Route("/{rest:path}", self.not_found),
        ]
        organization = "/organizations/{organization}"
        v2 = [
            *under("/environments/{environment}", environment),
            *under(f"{organization}/environments/{{environment}}", environment),
            Route(f"{organization}/environments", self.static),
            Route(f"{organization}/license", self.static),
            Route(f"{organization}/plugins/policies/oauth2/schema", self.oauth2_schema),
            Route(f"{organization}/plugins/{{rest:path}}", self.static),
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
        """Plugins and the like, as recorded."""
        path = request.url.path.removeprefix("/management/v2")
        try:
            found = recorded("apim-management", path)
        except StopIteration:
            return await self.not_found(request)
        return answer(plugins(self.world, path.rsplit("/", 1)[1]) if isinstance(found, list) and "/plugins/" in path else found)

    async def oauth2_schema(self, request: Request) -> Response:
        return answer(policy_schema(self.world, "oauth2"))

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

    def _check_paths(self, paths: list[str], own: str | None) -> None:
        for other in self.world.apis.values():
            for taken in other.paths:
                if other.id != own and any(path.startswith(taken) or taken.startswith(path) for path in paths):
                    raise ApimError(400, f"Path [{taken}] already exists", None, {})

    async def create_api(self, request: Request) -> Response:
        body = await body_of(request)
        record = ApiRecord(self.world, normalize(body, self.world, creating=True))
        self._check_paths(record.paths, None)
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
        self._check_paths(ApiRecord(self.world, definition).paths, record.id)
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
        return self.page_of([api.wire(deployment=deployment) for api in apis], request)

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

    def page_of(self, items: list[Any], request: Request) -> Response:
        data, number, size = page(items, request, 1, "perPage", 10)
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
            self._check_paths([normal_path(entry["path"]) for entry in body["paths"]], body.get("apiId"))
        except ApimError as error:
            return answer({"ok": False, "reason": error.body["message"]}, 202)
        return answer({"ok": True}, 202)

    async def start(self, request: Request) -> Response:
        record = self.api_of(request)
        if record.state == "STARTED":
            raise ApimError(400, "API is already started")
        if not record.published:
            record.deploy("started")
        if record.deployed is None:
            record.deploy("started")
        record.state = "STARTED"
        record.touch()
        record.serve()
        return empty(204, **record.headers)

    async def stop(self, request: Request) -> Response:
        record = self.api_of(request)
        if record.state == "STOPPED":
            raise ApimError(400, "API is already stopped")
        record.state = "STOPPED"
        record.touch()
        record.serve()
        return empty(204, **record.headers)

    async def deploy(self, request: Request) -> Response:
        record = self.api_of(request)
        record.deploy("deployed")
        record.serve()
        return empty(202, **record.headers)

    # Plans

    def _plan(self, request: Request) -> tuple[ApiRecord, dict[str, Any]]:
        record, plan_id = self.api_of(request), request.path_params["plan"]
        if plan_id not in record.plans:
            raise ApimError(404, f"Plan [{plan_id}] cannot be found.", "plan.notFound", {"plan": plan_id})
        return record, record.plans[plan_id]

    async def list_plans(self, request: Request) -> Response:
        record = self.api_of(request)
        statuses = request.query_params.get("statuses", "PUBLISHED").split(",")
        if any(status not in STATUSES for status in statuses):
            raise ApimError(500, "HTTP 404 Not Found")
        plans = [plan for plan in record.plans.values() if plan["status"] in statuses]
        return self.page_of(plans, request)

    async def create_plan(self, request: Request) -> Response:
        record, body = self.api_of(request), await body_of(request)
        if not body.get("name"):
            raise ApimError(500, f"An error occurred while trying to create the plan: {new_id()}", None, {})
        self._check_security(body["security"])
        now = iso(self.world.now_ms())
        fixed = {"id": new_id(), "apiId": record.id, "createdAt": now, "updatedAt": now, "status": "STAGING", "order": 0}
        plan = {**_plan_fields(body), **fixed, "type": "API", "definitionVersion": "V4"}
        record.plans[plan["id"]] = plan
        return answer(plan, 201, self.location(request, plan["id"]))

    def _check_security(self, security: dict[str, Any]) -> None:
        if security["type"] == "OAUTH2":
            check_configuration(policy_schema(self.world, "oauth2"), security.get("configuration") or {})

    async def update_plan(self, request: Request) -> Response:
        """Replaces; the type of security and what was set at creation stay."""
        record, plan = self._plan(request)
        body = await body_of(request)
        body["security"] = {**body.get("security", {}), "type": plan["security"]["type"]}
        self._check_security(body["security"])
        kept = {key: plan[key] for key in ("id", "apiId", "createdAt", "status", "order", "type", "definitionVersion")}
        dates = {key: plan[key] for key in ("publishedAt", "closedAt") if key in plan}
        fields = _plan_fields({"validation": plan["validation"], **body})
        record.plans[plan["id"]] = {**fields, **kept, **dates, "updatedAt": iso(self.world.now_ms())}
        return answer(record.plans[plan["id"]])

    async def publish_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        self._refuse_status(plan, "CLOSED", "closed")
        self._refuse_status(plan, "PUBLISHED", "published")
        if plan["security"]["type"] == "KEY_LESS" and any(p["security"]["type"] == "KEY_LESS" for p in record.published):
            message = "A key-less plan is already published (or has been deprecated)!"
            raise ApimError(400, message, "plan.keyless.exists", {"plan": plan["id"]})
        now = iso(self.world.now_ms())
        order = 1 + max((p["order"] for p in record.published), default=0)
        plan.update(status="PUBLISHED", publishedAt=now, updatedAt=now, order=order)
        return answer(plan)

    async def deprecate_plan(self, request: Request) -> Response:
        """Not recorded; the status is that of the OpenAPI file."""
        plan = self._plan(request)[1]
        plan.update(status="DEPRECATED", updatedAt=iso(self.world.now_ms()))
        return answer(plan)

    async def close_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        self._refuse_status(plan, "CLOSED", "closed")
        now = iso(self.world.now_ms())
        for other in record.published:
            if other["order"] > plan["order"] > 0:
                other["order"] -= 1
        plan.update(status="CLOSED", closedAt=now, updatedAt=now)
        return answer(plan)

    def _refuse_status(self, plan: dict[str, Any], status: str, word: str) -> None:
        if plan["status"] == status:
            raise ApimError(400, f"Plan {plan['id']} is already {word} !", f"plan.{word}", {"plan": plan["id"]})

    async def delete_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        if plan["status"] not in ("STAGING", "CLOSED"):
            raise ApimError(400, f"Plan {plan['id']} is not closed", None, {"plan": plan["id"]})
        del record.plans[plan["id"]]
        return empty(204)


def _plan_fields(body: dict[str, Any]) -> dict[str, Any]:
    defaults = {
        "flows": [],
        "mode": "STANDARD",
        "characteristics": [],
        "commentRequired": False,
        "excludedGroups": [],
        "tags": [],
        "validation": "MANUAL",
    }
    given = ("name", "description", "security", "selectionRule", "generalConditions", *defaults)
    return {**defaults, **{key: copy.deepcopy(body[key]) for key in given if body.get(key) is not None}}


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
