"""CORS at APIM's gateway: preflights are answered before any plan is asked, other answers get their headers."""
from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .apim_failures import Failure

Cors = dict[str, Any]


def settings(api: dict[str, Any]) -> Cors | None:
    """What the API's listener says, None where CORS is off."""
    found = [listener["cors"] for listener in api["listeners"] if (listener.get("cors") or {}).get("enabled")]
    return found[0] if found else None


def preflight(cors: Cors, request: Request) -> Response | None:
    """The answer to a preflight, None for another request. Failure for one that the settings do not allow or do not provide for.

    Without methods there is no preflight that passes; without headers any may be asked for.
    """
    method = request.headers.get("access-control-request-method")
    if request.method != "OPTIONS" or "origin" not in request.headers or method is None:
        return None
    headers = {name.strip() for name in request.headers.get("access-control-request-headers", "").split(",")} - {""}
    if not _allowed(cors, request) or method not in cors["allowMethods"]:
        raise Failure(400, "", "CORS_PREFLIGHT_FAILED")
    if cors["allowHeaders"] and not headers <= set(cors["allowHeaders"]):
        raise Failure(400, "", "CORS_PREFLIGHT_FAILED")
    response = Response()
    response.headers["Access-Control-Allow-Methods"] = ", ".join(cors["allowMethods"])
    response.headers["Access-Control-Allow-Headers"] = ", ".join(cors["allowHeaders"])
    if cors["maxAge"] > -1:
        response.headers["Access-Control-Max-Age"] = str(cors["maxAge"])
    return response


def add_headers(cors: Cors, request: Request, response: Response) -> None:
    """What a browser needs to show the answer to the page that called; what the target said of it is taken away."""
    for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"):
        if name in response.headers:
            del response.headers[name]
    if not _allowed(cors, request):
        return
    response.headers["Access-Control-Allow-Origin"] = request.headers["origin"]
    if cors["allowCredentials"]:
        response.headers["Access-Control-Allow-Credentials"] = "true"
    if cors["exposeHeaders"]:
        response.headers["Access-Control-Expose-Headers"] = ", ".join(cors["exposeHeaders"])


def _allowed(cors: Cors, request: Request) -> bool:
    return bool({"*", request.headers.get("origin")} & set(cors["allowOrigin"])) and "origin" in request.headers
