"""APIM's deployments (v2): what the gateway serves of an API, their events, and the way back to one of them."""
from __future__ import annotations

import copy
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_api import OF_A_PLAN, ApiRecord, Deployment
from .apim_definition import RUNTIME
from .apim_errors import ApimError
from .apim_plans import ApimPlans
from .web import body_of, empty
from .world import iso


class ApimDeployments:
    def __init__(self, plane: Any, plans: ApimPlans):
        self.plane, self.plans, self.world = plane, plans, plane.world

    def routes(self) -> list[Route]:
        api = "/apis/{api}"
        return [
            Route(f"{api}/_start", self.start, methods=["POST"]),
            Route(f"{api}/_stop", self.stop, methods=["POST"]),
            Route(f"{api}/_rollback", self.rollback, methods=["POST"]),
            Route(f"{api}/deployments", self.deploy, methods=["POST"]),
            Route(f"{api}/events", self.list_events, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Deploys an API that never was; does not apply what is pending."""
        record = self.plane.api_of(request)
        if record.state == "STARTED":
            raise ApimError(400, "API is already started")
        record.must_be_deployable("started")
        record.state = "STARTED"
        if record.deployed is None:
            record.deploy()
        else:
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
        record, body = self.plane.api_of(request), await body_of(request)
        record.must_be_deployable("deployed")
        record.deploy(body.get("deploymentLabel"))
        record.serve()
        return empty(202, **record.headers)

    async def list_events(self, request: Request) -> Response:
        """The deployments, newest first: the sandbox keeps no other events."""
        record = self.plane.api_of(request)
        wanted = "PUBLISH_API" in request.query_params.get("types", "PUBLISH_API").split(",")
        events = [self._event(record, deployment) for deployment in reversed(record.deployments)] if wanted else []
        return self.plane.page_of(events, request)

    def _event(self, record: ApiRecord, deployment: Deployment) -> dict[str, Any]:
        label = {"DEPLOYMENT_LABEL": deployment.label} if deployment.label else {}
        user = self.world.admin_ids["apim"]
        return {
            "id": deployment.id,
            "createdAt": iso(deployment.created),
            "environmentIds": ["DEFAULT"],
            "initiator": {"id": user, "displayName": "admin"},
            "type": "PUBLISH_API",
            "payload": deployment.payload,
            "properties": {
                "API_ID": record.id,
                "ORIGIN": "127.0.0.1",
                "USER": user,
                **label,
                "DEPLOYMENT_NUMBER": str(deployment.number),
            },
        }

    async def rollback(self, request: Request) -> Response:
        """Puts back the definition and the plans of a deployment; the gateway serves on what it serves."""
        record, event = self.plane.api_of(request), (await body_of(request))["eventId"]
        found = next((deployment for deployment in record.deployments if deployment.id == event), None)
        if found is None:
            raise ApimError(500, "Cannot rollback an event that is not a publish event!")
        restored = copy.deepcopy(found)
        for key in (*RUNTIME, "name", "apiVersion"):
            record.definition.pop(key, None)
            if key in restored.definition:
                record.definition[key] = restored.definition[key]
        now = iso(self.world.now_ms())
        for plan in restored.plans:
            now_there = record.plans.get(plan["id"]) or self.plans.make(record, plan, plan["id"])
            for key in OF_A_PLAN:
                now_there.pop(key, None)
            now_there.update(plan, updatedAt=now)
        then = {plan["id"] for plan in restored.plans}
        for plan in record.plans.values():
            if plan["id"] not in then and plan["status"] != "CLOSED":
                plan.update(status="CLOSED", closedAt=now, updatedAt=now)
        record.touch()
        return empty(204)
