"""APIM's gateway: serves what was deployed, not what is defined. A call finds its API, then its plan, then the target."""
from __future__ import annotations

import base64
import json
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from . import apim_cors
from .apim_expressions import ExpressionFailed, holds
from .apim_failures import Failure, unavailable, unresolvable
from .apim_flows import answered
from .apim_oauth2 import POLICIES, PRM, TLS, OAuth2Policy
from .web import answer, bearer, text
from .world import World

HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}
# In which order a call is offered to the plans; those of other kinds take no call.
ORDER = ("OAUTH2", "KEY_LESS")
Json = dict[str, Any]


class ApimGateway:
    """An ASGI application."""

    def __init__(self, world: World):
        self.world = world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._find(request)
        if found is None:
            return text("No context-path matches the request URI.", 404)
        context_path, api = found
        call = _Call(self.world, request, context_path, api, await request.body())
        cors = apim_cors.settings(api)
        try:
            response = (apim_cors.preflight(cors, request) if cors else None) or await call.served()
        except Failure as failure:
            response = failure.answer(request, api, call.variables)
        if cors:
            apim_cors.add_headers(cors, request, response)
        return response

    def _find(self, request: Request) -> tuple[str, Json] | None:
        """The deployed API with the longest context path that fits, first among those of the host that is called."""
        path, host = request.url.path, request.url.hostname or ""
        fitting = [
            (entry, served)
            for record in self.world.apis.values()
            if (served := record.served.current)
            for entry in _places(served, self.world)
            if path == entry["path"].rstrip("/") or path.startswith(entry["path"])
            if entry.get("host", host).lower() == host.lower()
        ]
        entry, served = max(fitting, key=lambda pair: ("host" in pair[0], len(pair[0]["path"])), default=(None, None))
        return (entry["path"], served) if entry else None


def _places(api: Json, world: World) -> list[Json]:
    """Where the API listens. That of an MCP_PROXY API's metadata follows from what its challenge says: it was not recorded."""
    places = [entry for listener in api["listeners"] for entry in listener["paths"]]
    if api["type"] == "MCP_PROXY" and world.oauth2_policy != "5.1.4":
        places += [{**entry, "path": PRM + entry["path"]} for entry in places]
    return places


class _Call:
    """One call of one API."""

    def __init__(self, world: World, request: Request, context_path: str, api: Json, body: bytes):
        self.world, self.request, self.context_path, self.api, self.body = world, request, context_path, api, body
        self.token = bearer(request)
        self.taken = False  # whether the token was one that an OAuth2 plan knows
        attributes = {"jwt": {"claims": _claims(self.token)}} if self.token else {}
        content = body.decode("utf-8", "replace")
        self.variables = {
            "request": {"method": request.method, "path": request.url.path, "content": content, "headers": request.headers},
            "context": {"attributes": attributes},
        }

    async def served(self) -> Response:
        """Failure if no plan takes the call, or the one that takes it refuses it."""
        chain = sorted(
            ((plan_id, plan) for plan_id, plan in self.api["plans"].items() if plan["security"]["type"] in ORDER),
            key=lambda pair: ORDER.index(pair[1]["security"]["type"]),
        )
        policies = {
            plan_id: POLICIES[self.world.oauth2_policy](self.api, plan)
            for plan_id, plan in chain
            if plan["security"]["type"] == "OAUTH2"
        }
        for policy in policies.values():
            if document := policy.metadata(self.request):
                return document
        failed = None
        for plan_id, plan in chain:
            try:
                if await self._takes(plan_id, plan, policies.get(plan_id)):
                    return await self._through(plan, policies.get(plan_id))
            except _Unresolved as unresolved:
                failed = unresolved.failure
        headers = {}
        for policy in policies.values():
            if challenge := policy.challenge(self.request):
                headers["WWW-Authenticate"] = challenge
        raise failed or unresolvable(headers)

    async def _takes(self, plan_id: str, plan: Json, policy: OAuth2Policy | None) -> bool:
        """Whether the plan is the one for this call: by its token, the selection rule, the subscription."""
        if policy is None:
            return not self.taken and self._selected(plan)
        self.introspected = await self._introspect(policy)
        if not self.introspected:
            return False
        client_id = self.introspected.get("client_id")
        if not client_id or not self._selected(plan):
            return False
        free = self.api["type"] == "MCP_PROXY" or not self.world.validate_subscription
        return free or self._subscribed(plan_id, client_id)

    async def _introspect(self, policy: OAuth2Policy) -> Json | None:
        if not self.token:
            return None
        try:
            introspected = await policy.introspect(self.token)
        except Failure as failure:
            raise _Unresolved(failure) from None
        self.taken = introspected is not None
        return introspected

    def _selected(self, plan: Json) -> bool:
        """By the plan's rule; a token that it does not choose is nobody's, so that a keyless plan may take the call."""
        rule = plan.get("selectionRule")
        try:
            selected = not rule or holds(rule, self.variables)
        except ExpressionFailed:
            raise _Unresolved(unavailable()) from None
        self.taken = self.taken and selected
        return selected

    def _subscribed(self, plan_id: str, client_id: str) -> bool:
        """Whether an application with the token's client id has a subscription to the plan."""
        applications = {
            application["id"]
            for application in self.world.applications.values()
            if application["settings"]["app"].get("client_id") == client_id and application["status"] == "ACTIVE"
        }
        return any(
            subscription["status"] == "ACCEPTED"
            and subscription["plan"]["id"] == plan_id
            and subscription["application"]["id"] in applications
            for subscription in self.world.subscriptions.values()
        )

    async def _through(self, plan: Json, policy: OAuth2Policy | None) -> Response:
        """The plan's own checks, its flows, then the API's, then the target."""
        kept = dict(self.request.headers)
        if policy:
            policy.check_scopes(self.introspected)
            if not policy.configuration.get("propagateAuthHeader", True):
                kept.pop("authorization", None)
        rest = self.request.url.path.removeprefix(self.context_path.rstrip("/"))
        flows = [*(plan.get("flows") or []), *(self.api.get("flows") or [])]
        return answered(flows, self.request.method, rest, self.variables) or await self._forward(rest, kept)

    async def _forward(self, rest: str, headers: dict[str, str]) -> Response:
        group = self.api["endpointGroups"][0]
        target = group["endpoints"][0]["configuration"]["target"]
        http = (group.get("sharedConfiguration") or {}).get("http") or {}
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        sent = {name: value for name, value in headers.items() if name not in HOP_BY_HOP}
        seconds = http.get("readTimeout", 10000) / 1000
        timeout = httpx.Timeout(seconds, connect=http.get("connectTimeout", 3000) / 1000)
        client = httpx.AsyncClient(verify=TLS, timeout=timeout)
        request = client.build_request(self.request.method, f"{target}{rest}{query}", headers=sent, content=self.body)
        try:
            upstream = await client.send(request, stream=True)
        except httpx.ReadTimeout:
            await client.aclose()
            return answer({"message": "Request timeout", "http_status_code": 504}, 504)
        except httpx.HTTPError:
            await client.aclose()
            return answer({"message": "Bad Gateway", "http_status_code": 502}, 502)

        async def body() -> Any:
            try:
                async for chunk in upstream.aiter_raw():
                    yield chunk
            finally:
                await upstream.aclose()
                await client.aclose()

        kept = {name: value for name, value in upstream.headers.items() if name not in HOP_BY_HOP}
        return StreamingResponse(body(), upstream.status_code, kept)


class _Unresolved(Exception):
    """Whether a plan takes the call could not be found out; another plan may take it."""

    def __init__(self, failure: Failure):
        super().__init__(failure)
        self.failure = failure


def _claims(token: str) -> Json | None:
    """What the token says, unverified, as Gravitee reads it: aud is a list. None for what is no JWT."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return None
    audience = claims.get("aud")
    return {**claims, "aud": [audience] if isinstance(audience, str) else audience}
