"""The unsecured MCP servers behind: of both eras, of one only, and of HTTP+SSE, as the official SDK's client meets them."""
from __future__ import annotations

import asyncio
from typing import Any

import pytest
import requests
from mcp import Client, MCPError

from tests.contract.estate import Api, new_domain, new_mcp_server
from tests.sandbox.world import World

MODERN = "2026-07-28"
ENVELOPE = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def _used(url: str, mode: str) -> tuple[str, str]:
    async with Client(url, mode=mode) as client:
        called = await client.call_tool("get_weather", {"city": "Paris"})
        return client.protocol_version, called.content[0].text


def used(url: str, mode: str) -> str:
    """The version that the SDK's client called a tool with, or the message of the server's error."""
    try:
        version, text = asyncio.run(_used(url, mode))
    except Exception as error:
        return next(message for message in _messages(error))
    assert text == "It is sunny in Paris"
    return version


def _messages(error: Exception) -> list[str]:
    """Of the server's errors in what the client raised, a group of groups or one alone."""
    inner = getattr(error, "exceptions", ())
    return [message for one in inner for message in _messages(one)] or [str(error)] * isinstance(error, MCPError)


@pytest.mark.parametrize("through_gateway", [False, True])
@pytest.mark.parametrize(
    ("server", "mode", "seen"),
    [
        ("mcp", "auto", MODERN),
        ("mcp", "legacy", "2025-11-25"),
        ("mcp_2025", "auto", "2025-11-25"),
        ("mcp_2025", "legacy", "2025-11-25"),
        ("mcp_2025", MODERN, f"Bad Request: Unsupported protocol version: {MODERN}"),
        ("mcp_2026", "auto", MODERN),
        ("mcp_2026", MODERN, MODERN),
        ("mcp_2026", "legacy", "params._meta must be an object carrying the required"),
    ],
)
def test_the_sdk(world: World, server: str, mode: str, seen: str, through_gateway: bool) -> None:
    """The gateway passes sessions, streams and the headers of both eras on."""
    url = world.urls[server]
    if through_gateway:
        made = new_mcp_server(world, new_domain(world, "mcp-demo"), "Weather", "http://gateway/w")
        api = Api(world, "mcp-demo", made, "/w", security="KEY_LESS")
        api.target(url)
        url = api.url
    assert used(url, mode).startswith(seen)


def message(method: str, version: str | None, **params: Any) -> dict[str, Any]:
    meta = {"_meta": ENVELOPE} if version == MODERN else {}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, **meta}}


@pytest.mark.parametrize(
    ("server", "method", "headers", "status"),
    [
        ("mcp_2026", "server/discover", {"Mcp-Method": "server/discover"}, 200),
        ("mcp_2026", "server/discover", {}, 400),
        ("mcp_2026", "tools/list", {"Mcp-Method": "tools/call"}, 400),
        ("mcp_2026", "tools/call", {"Mcp-Method": "tools/call", "Mcp-Name": "slow_forecast"}, 400),
        ("mcp_2026", "tools/call", {"Mcp-Method": "tools/call", "Mcp-Name": "get_weather"}, 200),
        ("mcp_2025", "tools/list", {"Mcp-Method": "tools/list"}, 400),
        ("mcp_sse", "server/discover", {"Mcp-Method": "server/discover"}, 405),
    ],
)
def test_the_headers_of_2026(world: World, server: str, method: str, headers: dict[str, str], status: int) -> None:
    body = message(method, MODERN, name="get_weather", arguments={"city": "Paris"})
    sent = {**ACCEPT, "MCP-Protocol-Version": MODERN, **headers}
    assert requests.post(world.urls[server], json=body, headers=sent, timeout=10).status_code == status


def test_no_sessions_in_2026(world: World) -> None:
    sent = {**ACCEPT, "MCP-Protocol-Version": MODERN, "Mcp-Method": "server/discover"}
    answered = requests.post(world.urls["mcp_2026"], json=message("server/discover", MODERN), headers=sent, timeout=10)
    assert "mcp-session-id" not in answered.headers
    assert answered.json()["result"]["supportedVersions"] == [MODERN]
    assert requests.get(world.urls["mcp_2026"], headers=sent, timeout=10).status_code == 405


def test_sessions_in_2025(world: World) -> None:
    """Without the session of initialize no other call is served."""
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}}
    opened = requests.post(world.urls["mcp_2025"], json=message("initialize", None, **params), headers=ACCEPT, timeout=10)
    session = {"mcp-session-id": opened.headers["mcp-session-id"]}
    listing = message("tools/list", None)
    assert requests.post(world.urls["mcp_2025"], json=listing, headers=ACCEPT, timeout=10).status_code == 400
    assert requests.post(world.urls["mcp_2025"], json=listing, headers={**ACCEPT, **session}, timeout=10).status_code == 200


def test_the_old_transport_opens_with_a_get(world: World) -> None:
    with requests.get(world.urls["mcp_sse"], stream=True, headers={"Accept": "text/event-stream"}, timeout=10) as opened:
        assert opened.headers["content-type"].startswith("text/event-stream")
        lines = opened.iter_lines()
        assert next(lines) == b"event: endpoint"
        assert next(lines).startswith(b"data: /messages/?session_id=")
    posted = requests.post(world.urls["mcp_sse"], json=message("initialize", None), headers=ACCEPT, timeout=10)
    assert posted.status_code == 405


@pytest.mark.parametrize("server", ["mcp", "mcp_2025", "mcp_2026", "mcp_sse"])
def test_each_may_ask_for_authentication_itself(world: World, server: str) -> None:
    world.upstream_secured = True
    answered = requests.get(world.urls[server], timeout=10)
    assert (answered.status_code, answered.headers["WWW-Authenticate"]) == (401, 'Bearer realm="upstream"')
