"""APIM's import of a definition (v2): an API with its resources and its plans, in one request."""
from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .apim_api import ApiRecord
from .apim_definition import DROPPED_AT_CREATION, normalize
from .apim_errors import ApimError
from .apim_plans import ApimPlans
from .web import answer, body_of

# Recorded as kept, but for response templates, which the vendor's sources keep. What else a create drops is dropped here, too:
# nobody recorded that an import keeps it.
KEPT = ("labels", "resources", "responseTemplates")


class ApimImport:
    def __init__(self, plane: Any, plans: ApimPlans):
        self.plane, self.plans, self.world = plane, plans, plane.world

    def routes(self) -> list[Route]:
        return [Route("/apis/_import/definition", self.create, methods=["POST"])]

    async def create(self, request: Request) -> Response:
        body = await body_of(request)
        given = {key: value for key, value in body["api"].items() if key in KEPT or key not in DROPPED_AT_CREATION}
        record = ApiRecord(self.world, normalize(given, self.world, creating=False))
        try:
            self.plane.check_places(record.places, None)
        except ApimError as error:
            message = f"Cannot import API with invalid paths ({error.body['message']})"
            raise ApimError(400, message, "path.invalid", {}) from error
        for plan in body.get("plans") or []:
            made = self.plans.make(record, plan)
            if plan.get("status") == "PUBLISHED":
                made.update(status="PUBLISHED", publishedAt=made["createdAt"])
        self.world.apis[record.id] = record
        return answer(record.wire(empties=True), 201, self.plane.location(request, record.id))
