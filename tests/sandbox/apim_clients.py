"""APIM's applications (v1) and subscriptions (v2): which clients may call an API."""
from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_errors import ApimError
from .web import answer, body_of, empty, page
from .world import iso, new_id


class ApimClients:
    def __init__(self, plane: Any):
        self.plane, self.world = plane, plane.world

    def subscriptions(self) -> list[Route]:
        path = "/apis/{api}/subscriptions"
        return [
            Route(path, self.list_subscriptions, methods=["GET"]),
            Route(path, self.subscribe, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_close", self.close_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_accept", self.accept_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_resume", self.accept_subscription, methods=["POST"]),
        ]

    def applications(self) -> list[Route]:
        return [
            Route("/_paged", self.paged_applications),
            Route("/", self.list_applications, methods=["GET"]),
            Route("/", self.create_application, methods=["POST"]),
            Route("/{application}", self.get_application, methods=["GET"]),
            Route("/{application}", self.archive_application, methods=["DELETE"]),
        ]

    async def subscribe(self, request: Request) -> Response:
        record, body = self.plane.api_of(request), await body_of(request)
        for other in self.world.subscriptions.values():
            same = other["plan"]["id"] == body["planId"] and other["application"]["id"] == body["applicationId"]
            if same and other["status"] in ("PENDING", "ACCEPTED"):
                message = "There is already a PENDING or ACCEPTED subscription for this plan."
                raise ApimError(400, message, "plan.subscribed", {"plan": body["planId"]})
        now, admin = iso(self.world.now_ms()), {"id": self.world.admin_ids["apim"]}
        subscription = {
            "id": new_id(),
            "api": {"id": record.id},
            "plan": {"id": body["planId"]},
            "application": {"id": body["applicationId"]},
            "metadata": {},
            "status": "ACCEPTED" if record.plans[body["planId"]]["validation"] == "AUTO" else "PENDING",
            "consumerStatus": "STARTED",
            "processedBy": admin,
            "subscribedBy": admin,
            **dict.fromkeys(("processedAt", "startingAt", "createdAt", "updatedAt"), now),
            "origin": "MANAGEMENT",
        }
        self.world.subscriptions[subscription["id"]] = subscription
        return answer(subscription, 201, self.plane.location(request, subscription["id"]))

    async def list_subscriptions(self, request: Request) -> Response:
        record, query = self.plane.api_of(request), request.query_params
        wanted = {
            "plan": query.get("planIds", "").split(",") if query.get("planIds") else None,
            "application": query.get("applicationIds", "").split(",") if query.get("applicationIds") else None,
        }
        statuses = query.get("statuses", "ACCEPTED,PENDING,PAUSED").split(",")
        found = [
            subscription
            for subscription in reversed(self.world.subscriptions.values())
            if subscription["api"]["id"] == record.id
            and subscription["status"] in statuses
            and all(ids is None or subscription[key]["id"] in ids for key, ids in wanted.items())
        ]
        return self.plane.page_of(found, request)

    async def close_subscription(self, request: Request) -> Response:
        subscription = self.world.subscriptions[request.path_params["subscription"]]
        subscription.update(status="CLOSED", updatedAt=iso(self.world.now_ms()))
        return answer(subscription)

    async def accept_subscription(self, request: Request) -> Response:
        """Not recorded; the status is that of the OpenAPI file."""
        subscription = self.world.subscriptions[request.path_params["subscription"]]
        subscription.update(status="ACCEPTED", updatedAt=iso(self.world.now_ms()))
        return answer(subscription)

    async def create_application(self, request: Request) -> Response:
        body = await body_of(request)
        if body.get("description") is None:
            message = "Application's description must not be null"
            where = {"message": message, "location": "description"}
            return answer({"message": message, "path": "createApplication.application.description", "details": [where]}, 400)
        client_id = body.get("settings", {}).get("app", {}).get("client_id")
        if client_id and any(a["settings"]["app"].get("client_id") == client_id for a in self._active()):
            error = {
                "message": f"An application already exists with client_id [{client_id}]",
                "parameters": {"clientId": client_id},
                "technicalCode": "application.clientId.exists",
                "http_status": 400,
            }
            return answer(error, 400)
        application = self.new(body)
        return answer(application, 201, self.plane.location(request, application["id"]))

    def new(self, body: dict[str, Any]) -> dict[str, Any]:
        now = self.world.now_ms()
        application = {
            "id": new_id(),
            "name": body["name"],
            "description": body["description"],
            "environmentId": "DEFAULT",
            "groups": [],
            "status": "ACTIVE",
            "type": "SIMPLE",
            "origin": "MANAGEMENT",
            "created_at": now,
            "updated_at": now,
            "disable_membership_notifications": False,
            "api_key_mode": "UNSPECIFIED",
            "owner": {"id": self.world.admin_ids["apim"], "displayName": "admin", "type": "USER"},
            "settings": body.get("settings") or {"app": {}},
        }
        self.world.applications[application["id"]] = application
        return application

    def _active(self) -> list[dict[str, Any]]:
        return [a for a in self.world.applications.values() if a["status"] == "ACTIVE"]

    async def list_applications(self, request: Request) -> Response:
        return answer([_listed(a) for a in self._active()])

    async def paged_applications(self, request: Request) -> Response:
        query = request.query_params.get("query", "").lower()
        found = [a for a in self._active() if query in a["name"].lower()]
        data, number, size = page([_listed(a) for a in found], request, 1, "size", 10)
        counts = {"total_pages": -(-len(found) // size), "total_elements": len(found)}
        return answer({"data": data, "page": {"current": number, "size": len(data), "per_page": size, **counts}})

    async def get_application(self, request: Request) -> Response:
        return answer(self.world.applications[request.path_params["application"]])

    async def archive_application(self, request: Request) -> Response:
        application = self.world.applications[request.path_params["application"]]
        application.update(status="ARCHIVED", updated_at=self.world.now_ms())
        application["owner"] = {"id": "0", "displayName": "Unknown User", "type": "USER"}
        return empty(204)


def _listed(application: dict[str, Any]) -> dict[str, Any]:
    listed = {key: value for key, value in application.items() if key != "environmentId"}
    return {**listed, "picture_url": "<link>"}
