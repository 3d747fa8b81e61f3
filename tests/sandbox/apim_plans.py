"""APIM's plans (v2): who may call an API, and with what."""
from __future__ import annotations

import copy
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_api import ApiRecord
from .apim_definition import stored_flow
from .apim_errors import ApimError
from .apim_plugins import check_configuration, oauth2_schema
from .web import answer, body_of, empty
from .world import iso, new_id

STATUSES = ("STAGING", "PUBLISHED", "DEPRECATED", "CLOSED")


class ApimPlans:
    def __init__(self, plane: Any):
        self.plane, self.world = plane, plane.world

    def routes(self) -> list[Route]:
        path, plan = "/apis/{api}/plans", "/apis/{api}/plans/{plan}"
        return [
            Route(path, self.list_plans, methods=["GET"]),
            Route(path, self.create_plan, methods=["POST"]),
            Route(plan, self.get_plan, methods=["GET"]),
            Route(plan, self.update_plan, methods=["PUT"]),
            Route(plan, self.delete_plan, methods=["DELETE"]),
            Route(f"{plan}/_publish", self.publish_plan, methods=["POST"]),
            Route(f"{plan}/_deprecate", self.deprecate_plan, methods=["POST"]),
            Route(f"{plan}/_close", self.close_plan, methods=["POST"]),
        ]

    def _plan(self, request: Request) -> tuple[ApiRecord, dict[str, Any]]:
        record, plan_id = self.plane.api_of(request), request.path_params["plan"]
        if plan_id not in record.plans:
            raise ApimError(404, f"Plan [{plan_id}] cannot be found.", "plan.notFound", {"plan": plan_id})
        return record, record.plans[plan_id]

    async def list_plans(self, request: Request) -> Response:
        record = self.plane.api_of(request)
        statuses = request.query_params.get("statuses", "PUBLISHED").split(",")
        if any(status not in STATUSES for status in statuses):
            raise ApimError(500, "HTTP 404 Not Found")
        plans = [plan for plan in record.plans.values() if plan["status"] in statuses]
        return self.plane.page_of(plans, request)

    async def create_plan(self, request: Request) -> Response:
        plan = self.make(self.plane.api_of(request), await body_of(request))
        return answer(plan, 201, self.plane.location(request, plan["id"]))

    def make(self, record: ApiRecord, body: dict[str, Any], plan_id: str | None = None) -> dict[str, Any]:
        """A new plan of the API, staging."""
        if not body.get("name"):
            raise ApimError(500, f"An error occurred while trying to create the plan: {new_id()}", None, {})
        self._check_security(body["security"])
        now = iso(self.world.now_ms())
        fixed = {"id": plan_id or new_id(), "apiId": record.id, "type": "API", "definitionVersion": "V4"}
        plan = {**self._fields(body), **fixed, "createdAt": now, "updatedAt": now, "status": "STAGING", "order": 0}
        record.plans[plan["id"]] = plan
        return plan

    def _check_security(self, security: dict[str, Any]) -> None:
        if security["type"] == "OAUTH2":
            check_configuration(oauth2_schema(self.world), security.get("configuration") or {})

    async def get_plan(self, request: Request) -> Response:
        return answer(self._plan(request)[1])

    async def update_plan(self, request: Request) -> Response:
        """Replaces; the type of security and what was set at creation stay."""
        record, plan = self._plan(request)
        body = await body_of(request)
        body["security"] = {**body.get("security", {}), "type": plan["security"]["type"]}
        self._check_security(body["security"])
        kept = {key: plan[key] for key in ("id", "apiId", "createdAt", "status", "order", "type", "definitionVersion")}
        dates = {key: plan[key] for key in ("publishedAt", "closedAt") if key in plan}
        fields = self._fields({"validation": plan["validation"], **body})
        record.plans[plan["id"]] = {**fields, **kept, **dates, "updatedAt": iso(self.world.now_ms())}
        return answer(record.plans[plan["id"]])

    async def publish_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        self._refuse(plan, "CLOSED", "PUBLISHED", "DEPRECATED")
        if plan["security"]["type"] == "KEY_LESS" and any(p["security"]["type"] == "KEY_LESS" for p in record.published):
            message = "A key-less plan is already published (or has been deprecated)!"
            raise ApimError(400, message, "plan.keyless.exists", {"plan": plan["id"]})
        now = iso(self.world.now_ms())
        order = 1 + max((p["order"] for p in record.published), default=0)
        plan.update(status="PUBLISHED", publishedAt=now, updatedAt=now, order=order)
        return answer(plan)

    async def deprecate_plan(self, request: Request) -> Response:
        plan = self._plan(request)[1]
        self._refuse(plan, "CLOSED", "DEPRECATED")
        plan.update(status="DEPRECATED", updatedAt=iso(self.world.now_ms()))
        return answer(plan)

    async def close_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        self._refuse(plan, "CLOSED")
        now = iso(self.world.now_ms())
        for other in record.published:
            if other["order"] > plan["order"]:
                other["order"] -= 1
        plan.update(status="CLOSED", closedAt=now, updatedAt=now)
        return answer(plan)

    @staticmethod
    def _refuse(plan: dict[str, Any], *statuses: str) -> None:
        if plan["status"] in statuses:
            word = plan["status"].lower()
            raise ApimError(400, f"Plan {plan['id']} is already {word} !", f"plan.{word}", {"plan": plan["id"]})

    async def delete_plan(self, request: Request) -> Response:
        record, plan = self._plan(request)
        if plan["status"] not in ("STAGING", "CLOSED"):
            raise ApimError(400, f"Plan {plan['id']} is not closed", None, {"plan": plan["id"]})
        del record.plans[plan["id"]]
        return empty(204)

    def _fields(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a plan keeps of a body, defaults filled in."""
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
        fields = {**defaults, **{key: copy.deepcopy(body[key]) for key in given if body.get(key) is not None}}
        return {**fields, "flows": [stored_flow(self.world, flow) for flow in fields["flows"]]}
