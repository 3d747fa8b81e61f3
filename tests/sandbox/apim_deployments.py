"""APIM's deployments (v2): what the gateway serves of an API."""
from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_errors import ApimError
from .web import empty


class ApimDeployments:
    def __init__(self, plane: Any):
        self.plane, self.world = plane, plane.world

    def routes(self) -> list[Route]:
        api = "/apis/{api}"
        return [
            Route(f"{api}/_start", self.start, methods=["POST"]),
            Route(f"{api}/_stop", self.stop, methods=["POST"]),
            Route(f"{api}/deployments", self.deploy, methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        record = self.plane.api_of(request)
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
        record = self.plane.api_of(request)
        if record.state == "STOPPED":
            raise ApimError(400, "API is already stopped")
        record.state = "STOPPED"
        record.touch()
        record.serve()
        return empty(204, **record.headers)

    async def deploy(self, request: Request) -> Response:
        record = self.plane.api_of(request)
        record.deploy("deployed")
        record.serve()
        return empty(202, **record.headers)
