"""Helpers around starlette, alike for every plane."""
from __future__ import annotations

import base64
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def empty(status: int, **headers: str) -> Response:
    return Response("", status, {name.replace("_", "-"): value for name, value in headers.items()})


def text(body: str, status: int) -> Response:
    return Response(body, status, {"Content-Type": "text/plain"})


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status, headers)


async def body_of(request: Request) -> Any:
    """The JSON body, {} for none; ValueError for a malformed one."""
    raw = await request.body()
    return json.loads(raw) if raw else {}


def basic(request: Request) -> tuple[str, str] | None:
    """User and password of HTTP Basic."""
    kind, value = request.headers.get("authorization", "").partition(" ")[::2]
    if kind.lower() != "basic":
        return None
    try:
        user, password = base64.b64decode(value).decode().partition(":")[::2]
    except ValueError:
        return None
    return user, password


def bearer(request: Request) -> str | None:
    kind, value = request.headers.get("authorization", "").partition(" ")[::2]
    return value if kind.lower() == "bearer" else None


def page(items: list[Any], request: Request, first: int, size_name: str, size: int) -> tuple[list[Any], int, int]:
    """The asked page of `items`, its number and its size."""
    number = int(request.query_params.get("page", first))
    size = int(request.query_params.get(size_name, size))
    start = (number - first) * size
    return items[start : start + size], number, size


def under(prefix: str, routes: list[Route]) -> list[Route]:
    """`routes` below `prefix`; unlike Mount, a route "" is the prefix itself."""
    return [Route(f"{prefix}{route.path.rstrip('/')}", route.endpoint, methods=route.methods) for route in routes]
