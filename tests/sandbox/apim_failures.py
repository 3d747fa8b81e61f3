"""What APIM's gateway answers when it does not serve a call: its own words, or those of the API's response templates."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .apim_expressions import Variables, fill_in
from .web import answer


@dataclass
class Failure(Exception):
    """A call that is not served. message: none for an empty body. key: the name that a response template may go by."""

    status: int
    message: str
    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, request: Request, api: dict[str, Any], variables: Variables) -> Response:
        template = self._template(request, api.get("responseTemplates") or {})
        if template is None:
            if not self.message:
                return Response("", self.status, self.headers)
            return answer({"message": self.message, "http_status_code": self.status}, self.status, self.headers)
        body = template.get("body") or ""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if body:
            headers["content-type"] = request.headers.get("accept", "*/*")
        headers |= {name.lower(): value for name, value in template["headers"].items()}
        response = Response(fill_in(body, variables), headers=headers)
        response.status_code = template.get("statusCode", 0)
        return response

    def _template(self, request: Request, templates: dict[str, Any]) -> dict[str, Any] | None:
        """By key, else the default; of these by the accepted types, else for any type."""
        by_type = templates.get(self.key or "") or (templates.get("DEFAULT") if self.key else None) or {}
        accepted = [kind.split(";")[0].strip() for kind in request.headers.get("accept", "").split(",")]
        return next((by_type[kind] for kind in [*accepted, "*/*"] if kind in by_type), None)


def unresolvable(headers: dict[str, str]) -> Failure:
    """No plan takes the call: no token, a bad one, or one of a client without a subscription."""
    return Failure(401, "Unauthorized", "GATEWAY_PLAN_UNRESOLVABLE", headers)


def unavailable() -> Failure:
    """Whether a plan takes the call could not be found out."""
    return Failure(503, "Temporarily Unavailable", "GATEWAY_PLAN_RESOLUTION_FAILURE")


def insufficient_scope() -> Failure:
    return Failure(401, "Unauthorized", "OAUTH2_INSUFFICIENT_SCOPE", {"WWW-Authenticate": 'Bearer realm="gravitee.io"'})
