"""MCP servers without any authentication, made with the official SDK: of both eras, of one only, and of the old transport."""
from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import INVALID_REQUEST
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders

from .web import answer, empty
from .world import World

VERSION = "mcp-protocol-version"
# Where each server is: of both eras, of the era with initialize, of the era with server/discover, of HTTP+SSE.
PATHS = {"mcp": "/mcp", "mcp_2025": "/2025/mcp", "mcp_2026": "/2026/mcp", "mcp_sse": "/sse"}
# Any Host: the servers are called directly, through the gateway and by other names in tests.
SECURITY = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def weather() -> MCPServer:
    server = MCPServer("weather", log_level="WARNING")

    @server.tool()
    def get_weather(city: str) -> str:
        """The weather in a city"""
        return f"It is sunny in {city}"

    @server.tool()
    async def slow_forecast(seconds: float) -> str:
        """A forecast that takes its time"""
        await asyncio.sleep(seconds)
        return "More of the same"

    return server


def mcp_app(world: World, json_response: bool = False) -> Any:
    """An ASGI application with the servers at PATHS. They answer as an event stream or in JSON; that of 2025 has sessions."""
    eras = {name: weather() for name in ("mcp", "mcp_2025", "mcp_2026")}
    apps = {
        name: server.streamable_http_app(
            streamable_http_path=PATHS[name],
            json_response=json_response,
            stateless_http=name != "mcp_2025",
            transport_security=SECURITY,
        )
        for name, server in eras.items()
    }
    old = weather().sse_app(sse_path=PATHS["mcp_sse"], transport_security=SECURITY)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for server in eras.values():
                await stack.enter_async_context(server.session_manager.run())
            yield

    both = Starlette(routes=[route for app in (*apps.values(), old) for route in app.routes], lifespan=lifespan)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        """What an MCP server does that asks for authentication itself, when a test wants one."""
        if scope["type"] == "http" and world.upstream_secured:
            await empty(401, WWW_Authenticate='Bearer realm="upstream"')(scope, receive, send)
            return
        refusal = _of_another_era(scope) if scope["type"] == "http" else None
        await (refusal or both)(scope, receive, send)

    return guarded


def _of_another_era(scope: Any) -> Any:
    """The SDK's server decides by the header which era a request is of: the servers of one era take all for theirs.

    That of 2025 refuses other versions, as its revision of the specification says; that of 2026 finds no envelope in them.
    """
    headers = MutableHeaders(scope=scope)
    version = headers.get(VERSION)
    if scope["path"] == PATHS["mcp_2025"] and version not in (None, *HANDSHAKE_PROTOCOL_VERSIONS):
        error = {"code": INVALID_REQUEST, "message": f"Bad Request: Unsupported protocol version: {version}"}
        return answer({"jsonrpc": "2.0", "id": "server-error", "error": error}, 400)
    if scope["path"] == PATHS["mcp_2026"] and version in (None, *HANDSHAKE_PROTOCOL_VERSIONS):
        headers[VERSION] = LATEST_MODERN_VERSION
    return None
