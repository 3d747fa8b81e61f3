"""APIM's gateway: serves what was deployed, not what is defined, and asks AM about tokens."""
from __future__ import annotations

from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from .web import answer, bearer, text
from .world import World

PRM = "/.well-known/oauth-protected-resource"
HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}


class ApimGateway:
    """An ASGI application."""

    def __init__(self, world: World):
        self.world = world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if self.world.apim_version != "4.10" and path.startswith(f"{PRM}/"):
            path = path.removeprefix(PRM) + PRM
        found = self._find(path)
        if found is None:
            return text("No context-path matches the request URI.", 404)
        context_path, api = found
        plans = {plan["security"]["type"]: (plan_id, plan) for plan_id, plan in api["plans"].items()}
        if "OAUTH2" in plans and path == context_path.rstrip("/") + PRM:
            return self._metadata(request, context_path, api, plans["OAUTH2"][1])
        token = bearer(request)
        if "OAUTH2" in plans and (token or "KEY_LESS" not in plans):
            refusal = await self._refusal(request, api, *plans["OAUTH2"], token)
            if refusal:
                return refusal
        elif "KEY_LESS" not in plans:
            return _unauthorized({})
        return await self._proxy(request, context_path, api)

    def _find(self, path: str) -> tuple[str, dict[str, Any]] | None:
        """The deployed API with the longest context path that fits."""
        fitting = [
            (entry["path"], served)
            for record in self.world.apis.values()
            if (served := record.served.current)
            for listener in served["listeners"]
            for entry in listener["paths"]
            if path == entry["path"].rstrip("/") or path.startswith(entry["path"])
        ]
        return max(fitting, key=lambda pair: len(pair[0]), default=None)

    @staticmethod
    def _origin(request: Request) -> str:
        scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
        host = request.headers.get("x-forwarded-host", request.headers.get("host", ""))
        return f"{scheme}://{host}"

    @staticmethod
    def _resource(api: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any] | None:
        name = plan["security"]["configuration"]["oauthResource"]
        resources = api["resources"] or []
        return next((one["configuration"] for one in resources if one["name"] == name and one["enabled"]), None)

    def _scopes(self, plan: dict[str, Any]) -> list[str]:
        """What clients are told to ask for: nothing on 4.10."""
        return [] if self.world.apim_version == "4.10" else plan["security"]["configuration"].get("requiredScopes") or []

    def _metadata(self, request: Request, context_path: str, api: dict[str, Any], plan: dict[str, Any]) -> Response:
        resource = self._resource(api, plan)
        if resource is None:
            return answer({"message": "Internal Server Error", "http_status_code": 500}, 500)
        document = {
            "resource": self._origin(request) + context_path.rstrip("/"),
            "authorization_servers": [f"{resource['serverURL']}/{resource['securityDomain']}/oidc"],
            "scopes_supported": self._scopes(plan),
        }
        return answer(document)

    def _challenge(self, request: Request, plan: dict[str, Any]) -> dict[str, str]:
        if self.world.apim_version == "4.10":
            if not plan["security"]["configuration"].get("addWwwAuthenticateHeader"):
                return {}
            return {"WWW-Authenticate": f'Bearer resource_metadata="{self._origin(request)}{request.url.path}{PRM}"'}
        scopes = self._scopes(plan)
        return {"WWW-Authenticate": f'Bearer scope="{" ".join(scopes)}"' if scopes else "Bearer"}

    async def _refusal(
        self, request: Request, api: dict[str, Any], plan_id: str, plan: dict[str, Any], token: str | None
    ) -> Response | None:
        """The answer to a caller whom the OAuth2 plan does not let in."""
        if not token:
            return _unauthorized(self._challenge(request, plan))
        resource = self._resource(api, plan)
        if resource is None:
            return _unauthorized({})
        url = f"{resource['serverURL']}/{resource['securityDomain']}/oauth/introspect"
        try:
            async with httpx.AsyncClient() as client:
                credentials = (resource["clientId"], resource["clientSecret"])
                response = await client.post(url, data={"token": token}, auth=credentials)
        except httpx.HTTPError:
            return _unavailable()
        if response.status_code != 200:
            return _unavailable()
        claims = response.json()
        free = api["type"] == "MCP_PROXY"  # such an API asks for no subscription
        if not claims["active"] or not (free or self._subscribed(plan_id, claims["client_id"])):
            return _unauthorized({})
        return None

    def _subscribed(self, plan_id: str, client_id: str) -> bool:
        """An API of type PROXY asks for a subscription of an application with the token's client id."""
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

    async def _proxy(self, request: Request, context_path: str, api: dict[str, Any]) -> Response:
        group = api["endpointGroups"][0]
        target = group["endpoints"][0]["configuration"]["target"]
        http = (group.get("sharedConfiguration") or {}).get("http") or {}
        rest = request.url.path.removeprefix(context_path.rstrip("/"))
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        seconds = http.get("readTimeout", 10000) / 1000
        client = httpx.AsyncClient(timeout=httpx.Timeout(seconds, connect=http.get("connectTimeout", 3000) / 1000))
        upstream_request = client.build_request(
            request.method, f"{target}{rest}{query}", headers=headers, content=await request.body()
        )
        try:
            upstream = await client.send(upstream_request, stream=True)
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


def _unauthorized(headers: dict[str, str]) -> Response:
    return answer({"message": "Unauthorized", "http_status_code": 401}, 401, headers)


def _unavailable() -> Response:
    return answer({"message": "Temporarily Unavailable", "http_status_code": 503}, 503)
