"""The secrets of AM's applications, and from 4.11 on of its MCP servers."""
from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .am_domain import AmError, Domain, known
from .web import answer, body_of, empty

MOST = 10
LONGEST = 255  # 256 characters were refused


class AmSecrets:
    """holder: the domain, and what the request's path names in it, with its secrets."""

    def __init__(self, holder: Callable[[Request], tuple[Domain, dict[str, Any]]]):
        self.holder = holder

    def routes(self, prefix: str) -> list[Route]:
        path, one = f"{prefix}/secrets", f"{prefix}/secrets/{{secret}}"
        return [
            Route(path, self.list, methods=["GET"]),
            Route(path, self.create, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/_renew", self.renew, methods=["POST"]),
        ]

    async def list(self, request: Request) -> Response:
        held = self.holder(request)[1]["secrets"]
        return answer([{key: value for key, value in one.items() if key != "secret"} for one in held])

    async def create(self, request: Request) -> Response:
        domain, holder = self.holder(request)
        held, body = holder["secrets"], await body_of(request)
        known(body, {"name"})
        name = (body.get("name") or "").strip()
        if not name:
            raise AmError(400, f"[{body.get('name', 'name')}: must not be empty]")
        if any(secret["name"] == name for secret in held):
            raise AmError(400, f"Secret with description {name} already exists")
        if len(held) >= MOST:
            raise AmError(400, f"Too many Client Secrets. Cannot create more than {MOST} secrets")
        if len(name) > LONGEST:
            raise AmError(500, "An error occurs while trying to create secret for protected resource")
        held.append(domain.new_secret(name))
        self._changed(domain, holder)
        return answer(held[-1], 201)

    async def renew(self, request: Request) -> Response:
        domain, holder, secret = self._one(request)
        secret["secret"] = secrets.token_urlsafe(32)
        self._changed(domain, holder)
        return answer(secret)

    async def delete(self, request: Request) -> Response:
        domain, holder, secret = self._one(request)
        holder["secrets"].remove(secret)
        self._changed(domain, holder)
        return empty(204)

    def _one(self, request: Request) -> tuple[Domain, dict[str, Any], dict[str, Any]]:
        domain, holder = self.holder(request)
        wanted, held = request.path_params["secret"], holder["secrets"]
        if request.method == "DELETE" and len(held) == 1:
            raise AmError(400, "Cannot remove last secret")
        for secret in held:
            if secret["id"] == wanted:
                return domain, holder, secret
        raise AmError(404, f"Secret [{wanted}] can not be found.")

    @staticmethod
    def _changed(domain: Domain, holder: dict[str, Any]) -> None:
        holder["updatedAt"] = domain.world.now_ms()
        domain.sync()
