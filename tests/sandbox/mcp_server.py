"""An MCP server without any authentication, made with the official SDK."""
from __future__ import annotations

import asyncio
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from .web import empty
from .world import World


def mcp_app(world: World, json_response: bool = False) -> Any:
    """An ASGI application at /mcp. Answers as an event stream, or in JSON."""
    server = MCPServer("weather")

    @server.tool()
    def get_weather(city: str) -> str:
        """The weather in a city"""
        return f"It is sunny in {city}"

    @server.tool()
    async def slow_forecast(seconds: float) -> str:
        """A forecast that takes its time"""
        await asyncio.sleep(seconds)
        return "More of the same"

    # Any Host: the server is called directly, through the gateway and by other names in tests.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app = server.streamable_http_app(json_response=json_response, stateless_http=True, transport_security=security)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        """What an MCP server does that asks for authentication itself, when a test wants one."""
        if scope["type"] == "http" and world.upstream_secured:
            await empty(401, WWW_Authenticate='Bearer realm="upstream"')(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded
