"""MCP servers of both eras, of one only, and of the old transport: seen right, secured, and listed through the gateway."""
from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.discovery import speaks_mcp
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

from tests.integration.test_parity import variables
from tests.integration.test_with_token import USER
from tests.role import Role
from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

TOOLS = ["get_weather", "slow_forecast"]
ERAS = pytest.mark.parametrize("era", ["mcp", "mcp_2025", "mcp_2026"])


@ERAS
def test_an_open_server_is_seen_and_its_tools_are_listed(modules: Modules, world: World, era: str) -> None:
    seen = modules.run("mcp_check", url=world.urls[era], gateway=False, list_tools=True)
    assert (seen["result"], [tool["name"] for tool in seen["tools"]]) == ("open", TOOLS)
    assert "MCP server weather answers anyone" in str(seen["steps"])
    assert speaks_mcp(world.urls[era], Options())


def test_the_old_transport_is_named(modules: Modules, world: World) -> None:
    seen = modules.run("mcp_check", url=world.urls["mcp_sse"], gateway=False)
    assert seen["result"] == "open"
    assert "an MCP server of the old transport (HTTP+SSE) answers anyone" in str(seen["steps"])


@ERAS
@pytest.mark.parametrize("flow", ["sealed", "documented"])
def test_each_is_secured_and_a_user_gets_its_tools(
    modules: Modules, world: World, domain: Domain, era: str, flow: str
) -> None:
    """The documented flow tests it open on the way; tools are discovered."""
    world.apim_version = "4.12"
    tools = {"tools": "discover", "tool_scopes": {"get_weather": ["weather:read"]}}
    v = variables(world, target=world.urls[era], flow=flow, **tools, **USER)
    role = Role(modules.run, v)
    role.play()
    assert [tool["name"] for tool in role.done["verified"]["tools"]] == TOOLS
    [server] = domain.mcp_servers.values()
    assert [feature["key"] for feature in server["features"]] == TOOLS
    assert role.play() == []


def test_a_refused_call_is_one_request_in_either_era(modules: Modules, world: World) -> None:
    asked: list[bytes] = []

    def refuse(_method: str, _path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(body)
        return 401, {"Content-Type": "application/json"}, b'{"message": "Unauthorized", "http_status_code": 401}'

    with serving(refuse) as base:
        assert McpClient(f"{base}/mcp", Options()).greet().status == 401
    assert len(asked) == 1


Asked = list[tuple[dict[str, str], dict[str, Any]]]


@contextlib.contextmanager
def answering(**results: Any) -> Iterator[tuple[str, Asked]]:
    """A server that answers each method (_ for /) with its result and a session, others with an error; the URL, and what came."""
    asked: Asked = []

    def answer(_method: str, _path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        message = json.loads(body or b"{}")
        asked.append(({name.lower(): value for name, value in headers.items()}, message))
        result = results.get(message.get("method", "").replace("/", "_"))
        told = {"error": {"code": -32601, "message": "no"}} if result is None else {"result": result}
        kind = {"Content-Type": "application/json", "Mcp-Session-Id": "s1"}
        return 200, kind, json.dumps({"jsonrpc": "2.0", "id": message.get("id"), **told}).encode()

    with serving(answer, headers=True) as base:
        yield f"{base}/mcp", asked


@pytest.mark.parametrize(
    "results",
    [
        {"server_discover": {"supportedVersions": ["2025-11-25", "2026-07-28"]}},
        {"server_discover": {}},
        {"initialize": {"protocolVersion": "2026-07-28"}},
    ],
)
def test_what_the_later_era_asks_for_is_sent(results: dict[str, Any]) -> None:
    """Version, method and name in headers and in `_meta`, no session, whatever the server does."""
    with answering(**results, tools_list={"tools": []}, tools_call={}) as (url, asked):
        client = McpClient(url, Options())
        assert client.greet().message
        assert client.tools() == ([], "")
        assert client.call("get_weather", {}).status == 200
        client.close()
    assert (asked[0][1]["method"], asked[-1][1]["method"], asked[-1][0]["mcp-name"]) == (
        "server/discover",
        "tools/call",
        "get_weather",
    )
    for headers, message in (one for one in asked if one[1]["method"] != "initialize"):
        assert (headers["mcp-protocol-version"], headers["mcp-method"]) == ("2026-07-28", message["method"])
        assert "mcp-session-id" not in headers
        assert ("mcp-name" in headers) is (message["method"] == "tools/call")
        meta = message["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert {"io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/clientCapabilities"} <= set(meta)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("get weather", "get weather"),
        (" a ", "=?base64?IGEg?="),
        ("wetter für", "=?base64?d2V0dGVyIGbDvHI=?="),
        ("a\nb", "=?base64?YQpi?="),
        ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
    ],
)
def test_a_name_that_no_header_can_hold_is_encoded(name: str, value: str) -> None:
    with answering(server_discover={"supportedVersions": ["2026-07-28"]}, tools_call={}) as (url, asked):
        client = McpClient(url, Options())
        client.greet()
        assert client.call(name, {}).status == 200
    assert (asked[-1][0]["mcp-name"], asked[-1][1]["params"]["name"]) == (value, name)


def test_a_server_of_the_earlier_era_gets_its_session_and_its_version() -> None:
    with answering(initialize={"protocolVersion": "2025-06-18"}, tools_list={"tools": []}) as (url, asked):
        client = McpClient(url, Options())
        client.greet()
        assert client.tools() == ([], "")
        client.close()
    methods = ["server/discover", "initialize", "notifications/initialized", "tools/list", None]
    assert [message.get("method") for _headers, message in asked] == methods
    for headers, _message in asked[2:]:
        assert (headers["mcp-session-id"], headers["mcp-protocol-version"]) == ("s1", "2025-06-18")
        assert "mcp-method" not in headers


def test_a_server_that_speaks_no_revision_of_ours_is_said_to() -> None:
    with answering(server_discover={"supportedVersions": ["2027-01-01"]}) as (url, _asked):
        client = McpClient(url, Options())
        assert client.greet().status == 200
        assert client.tools() == (None, "the server speaks MCP 2027-01-01 and no revision that is known here")
