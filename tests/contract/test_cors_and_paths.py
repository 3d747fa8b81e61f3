"""What comes before the plans at APIM's gateway: CORS, hosts, context paths, dot segments."""
from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.estate import CORS, PRM, Api, new_domain, new_mcp_server
from tests.sandbox.world import World

ORIGIN = "http://localhost:6274"
ASKED = "Access-Control-Request-"
INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}},
    }
)
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture
def server(world: World) -> dict[str, Any]:
    return new_mcp_server(world, new_domain(world, "mcp-demo"), "Weather", f"{world.urls['gateway']}/w")


@pytest.fixture
def api(world: World, server: dict[str, Any]) -> Api:
    return Api(world, "mcp-demo", server, "/w", addWwwAuthenticateHeader=True)


def allowed(response: requests.Response) -> dict[str, str]:
    start = "access-control-"
    return {name.lower().removeprefix(start): value for name, value in response.headers.items() if name.lower().startswith(start)}


@pytest.mark.parametrize(
    ("cors", "headers", "status"),
    [
        (None, {"Origin": ORIGIN, f"{ASKED}Method": "POST"}, 401),
        ({**CORS, "enabled": False}, {"Origin": ORIGIN, f"{ASKED}Method": "POST"}, 401),
        ({"enabled": True, "allowOrigin": [ORIGIN]}, {"Origin": ORIGIN, f"{ASKED}Method": "POST"}, 400),
        (CORS, {"Origin": ORIGIN, f"{ASKED}Method": "POST"}, 200),
        (CORS, {"Origin": ORIGIN, f"{ASKED}Method": "POST", f"{ASKED}Headers": "authorization, mcp-protocol-version"}, 200),
        (CORS, {"Origin": ORIGIN, f"{ASKED}Method": "POST", f"{ASKED}Headers": "x-other"}, 400),
        (CORS, {"Origin": ORIGIN, f"{ASKED}Method": "PUT"}, 400),
        (CORS, {"Origin": "http://elsewhere", f"{ASKED}Method": "POST"}, 400),
        ({**CORS, "allowOrigin": ["*"]}, {"Origin": "http://elsewhere", f"{ASKED}Method": "POST"}, 200),
        ({**CORS, "allowHeaders": []}, {"Origin": ORIGIN, f"{ASKED}Method": "POST", f"{ASKED}Headers": "x-other"}, 200),
        (CORS, {"Origin": ORIGIN}, 401),
        (CORS, {f"{ASKED}Method": "POST"}, 401),
    ],
)
def test_preflights(api: Api, cors: dict[str, Any] | None, headers: dict[str, str], status: int) -> None:
    api.set(cors=cors)
    response = requests.options(api.url, headers=headers, timeout=10)
    assert response.status_code == status
    if status == 200:
        assert allowed(response) == {
            "allow-origin": headers["Origin"],
            "allow-methods": ", ".join(CORS["allowMethods"]),
            "allow-headers": ", ".join(cors["allowHeaders"]),
            "expose-headers": ", ".join(CORS["exposeHeaders"]),
            "max-age": "600",
        }


@pytest.mark.parametrize(("origin", "told"), [(ORIGIN, True), ("http://elsewhere", False), (None, False)])
def test_the_401_itself_tells_the_browser_what_it_may_read(api: Api, origin: str | None, told: bool) -> None:
    api.set(cors=CORS)
    response = requests.post(api.url, headers={"Origin": origin} if origin else {}, timeout=10)
    assert response.status_code == 401
    assert f"/w{PRM}" in response.headers["WWW-Authenticate"]
    exposed = {"allow-origin": ORIGIN, "expose-headers": "mcp-session-id, www-authenticate"}
    assert allowed(response) == (exposed if told else {})


def test_a_host_of_its_own(world: World, server: dict[str, Any]) -> None:
    """Two paths may differ by host alone; the API of the host that is called comes first."""
    hosted = Api(world, "mcp-demo", server, "/w")
    hosted.set(host="MCP.example.com")
    url, hosts = f"{world.urls['gateway']}/w", ("mcp.example.com", "mcp.EXAMPLE.com:8082", "other.example.com")
    assert [requests.post(url, headers={"Host": host}, timeout=10).status_code for host in hosts] == [401, 401, 404]
    everywhere = Api(world, "mcp-demo", server, "/elsewhere", addWwwAuthenticateHeader=True)
    world.apis[everywhere.id].definition["listeners"][0]["paths"] = [{"path": "/w/"}]
    everywhere.deploy()
    answers = [requests.post(url, headers={"Host": host}, timeout=10) for host in hosts]
    assert ["WWW-Authenticate" in answer.headers for answer in answers] == [False, False, True]


@pytest.mark.parametrize(
    ("path", "status"), [("/w", 401), ("/w/", 401), ("/w/x", 401), ("/wx", 404), ("/W", 404), ("/", 404), (f"{PRM}/w", 404)]
)
def test_context_paths(world: World, api: Api, path: str, status: int) -> None:
    assert requests.post(f"{world.urls['gateway']}{path}", timeout=10).status_code == status


def test_dot_segments_reach_the_same_host_under_another_apis_plan(world: World, server: dict[str, Any]) -> None:
    """Below APIM 4.13: the open API's plan takes the call, the host behind resolves the path."""
    open_one = Api(world, "mcp-demo", server, "/open", security="KEY_LESS")
    secured = Api(world, "mcp-demo", server, "/w")
    secured.target(world.urls["mcp_2025"])
    assert requests.post(secured.url, data=INITIALIZE, headers=HEADERS, timeout=10).status_code == 401
    place = urlsplit(open_one.url)
    connection = http.client.HTTPConnection(place.netloc, timeout=10)
    connection.request("POST", "/open/../2025/mcp", INITIALIZE, HEADERS)
    response = connection.getresponse()
    assert (response.status, response.getheader("mcp-session-id") is not None) == (200, True)
    connection.close()
