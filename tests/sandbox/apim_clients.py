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
            Route(f"{path}/{{subscription}}/_accept", self.process_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_reject", self.process_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_pause", self.pause_subscription, methods=["POST"]),
            Route(f"{path}/{{subscription}}/_resume", self.resume_subscription, methods=["POST"]),
        ]

    def applications(self) -> list[Route]:
        return [
            Route("/_paged", self.paged_applications),
            Route("/", self.list_applications, methods=["GET"]),
            Route("/", self.create_application, methods=["POST"]),
            Route("/{application}", self.get_application, methods=["GET"]),
            Route("/{application}", self.archive_application, methods=["DELETE"]),
            Route("/{application}/_restore", self.restore_application, methods=["POST"]),
        ]

    async def subscribe(self, request: Request) -> Response:
        """By the API's owner, so ACCEPTED at once, also where the plan is validated by hand."""
        record, body = self.plane.api_of(request), await body_of(request)
        application = body["applicationId"]
        if application not in self.world.applications:
            message = f"Application [{application}] cannot be found."
            raise ApimError(404, message, "application.notFound", {"application": application})
        if record.plans[body["planId"]]["status"] != "PUBLISHED":
            raise ApimError(400, body["planId"], "plan.notSubscribable")
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
            "status": "ACCEPTED",
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

    def _subscription(self, request: Request) -> dict[str, Any]:
        return self.world.subscriptions[request.path_params["subscription"]]

    def _left(self, subscription: dict[str, Any], status: str) -> Response:
        """The subscription, now with this status; for how long it paused is told only while it does."""
        subscription.update(status=status, updatedAt=iso(self.world.now_ms()))
        subscription.pop("pausedAt", None)
        if status == "PAUSED":
            subscription["pausedAt"] = subscription["updatedAt"]
        return answer(subscription)

    async def close_subscription(self, request: Request) -> Response:
        return self._left(self._subscription(request), "CLOSED")

    async def process_subscription(self, request: Request) -> Response:
        """Accept or reject one that waits (the status is that of the OpenAPI file); any other is a 500."""
        subscription, verb = self._subscription(request), request.url.path.rsplit("_", 1)[1]
        if subscription["status"] != "PENDING":
            raise ApimError(500, f"Cannot {verb} subscription")
        return self._left(subscription, f"{verb.upper()}ED")

    async def pause_subscription(self, request: Request) -> Response:
        return self._left(self._subscription(request), "PAUSED")

    async def resume_subscription(self, request: Request) -> Response:
        subscription = self._subscription(request)
        if subscription["status"] != "PAUSED":
            message = f"Subscription [{subscription['id']}] cannot be resumed because currently not paused"
            raise ApimError(400, message, "subscription.notPaused", {"subscription": subscription["id"]})
        return self._left(subscription, "ACCEPTED")

    async def create_application(self, request: Request) -> Response:
        body = await body_of(request)
        if body.get("description") is None:
            message = "Application's description must not be null"
            where = {"message": message, "location": "description"}
            return answer({"message": message, "path": "createApplication.application.description", "details": [where]}, 400)
        refusal = self._taken(body.get("settings") or {})
        if refusal:
            return refusal
        application = self.new(body)
        return answer(application, 201, self.plane.location(request, application["id"]))

    def _taken(self, settings: dict[str, Any]) -> Response | None:
        """The refusal of a client id that another application has."""
        client_id = settings.get("app", {}).get("client_id")
        if not client_id or all(a["settings"]["app"].get("client_id") != client_id for a in self._active()):
            return None
        error = {
            "message": f"An application already exists with client_id [{client_id}]",
            "parameters": {"clientId": client_id},
            "technicalCode": "application.clientId.exists",
            "http_status": 400,
        }
        return answer(error, 400)

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
            "owner": self._owner(),
            "settings": body.get("settings") or {"app": {}},
        }
        self.world.applications[application["id"]] = application
        return application

    def _owner(self) -> dict[str, str]:
        return {"id": self.world.admin_ids["apim"], "displayName": "admin", "type": "USER"}

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
        for subscription in self.world.subscriptions.values():
            if subscription["application"]["id"] == application["id"] and subscription["status"] != "CLOSED":
                self._left(subscription, "CLOSED")
        return empty(204)

    async def restore_application(self, request: Request) -> Response:
        """The application is there again; its subscriptions stay closed."""
        application = self.world.applications[request.path_params["application"]]
        refusal = self._taken(application["settings"])
        if refusal:
            return refusal
        application.update(status="ACTIVE", updated_at=self.world.now_ms(), owner=self._owner())
        return answer(application)


def _listed(application: dict[str, Any]) -> dict[str, Any]:
    listed = {key: value for key, value in application.items() if key != "environmentId"}
    return {**listed, "picture_url": "<link>"}
