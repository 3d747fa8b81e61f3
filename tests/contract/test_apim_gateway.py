"""APIM's gateway answers as recorded: the states of the recordings are made anew, their requests sent in order."""
from __future__ import annotations

from typing import Any

import requests

from tests.contract.estate import CORS, PRM, Api, Client, new_domain, new_mcp_server, template
from tests.contract.replay import Replay
from tests.sandbox.world import World, recordings

BROWSER = {"Origin": "http://localhost:6274", "Access-Control-Request-Method": "POST"}


class Recorded:
    """Sends the recorded requests of a file and compares."""

    def __init__(self, world: World, name: str):
        ports = {8082: "gateway", 8092: "am_gateway"}
        bases = {f"http://127.0.0.1:{port}": world.urls[plane] for port, plane in ports.items()}
        bases["http://127.0.0.1:9000/mcp"] = world.urls["mcp"]
        self.replay = Replay(bases, world.urls["gateway"], {})
        self.exchanges = recordings(name)
        self.seen: set[int] = set()

    def send(self, *numbers: int, token: str | None = None, headers: dict[str, str] | None = None) -> None:
        """headers: those that the recording leaves out."""
        for number in numbers:
            exchange = self.exchanges[number]
            self.replay.headers = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
            response = self.replay.send(exchange)
            self.seen.add(number)
            if str(exchange["response"]).startswith("event: message"):
                self._same_kind(exchange, response)
            else:
                assert self.replay.differences(exchange, response) == [], exchange["note"]

    @staticmethod
    def _same_kind(exchange: dict[str, Any], response: requests.Response) -> None:
        """The recorded MCP server was another than the sandbox's: both answer initialize as an event stream."""
        assert response.status_code == exchange["status"]
        assert response.headers["content-type"].startswith(exchange["headers"]["content-type"])
        for text in (exchange["response"], response.text):
            assert text.startswith("event: message")
            assert '"protocolVersion"' in text

    def assert_complete(self) -> None:
        assert self.seen == set(range(len(self.exchanges)))


def test_first_recording(world: World) -> None:
    recorded = Recorded(world, "apim-gateway")
    domain, url = new_domain(world, "mcp-demo"), f"{world.urls['gateway']}/weather-mcp"
    server = new_mcp_server(world, domain, "Weather", url)
    api = Api(world, "mcp-demo", server, "/Weather-mcp", security="KEY_LESS")
    recorded.send(0, 1, 2)
    keyless, api.plan_id = api.plan_id, api.new_plan("OAUTH2")
    api.deploy()
    recorded.send(3, token="bad")
    api.plan_status(keyless, "close")
    recorded.send(4, 5, 6, 7, 8)
    api.set("/weather-mcp")
    api.set_plan(addWwwAuthenticateHeader=True)
    recorded.send(9, 10, 11)
    for path, resources in (("/sealed", True), ("/sealed2", False)):
        Api(world, "mcp-demo", server, path, addWwwAuthenticateHeader=True).set(resources=resources)
    recorded.send(12)
    token = Client(world, domain).subscribe(api).token(url)
    api.resources[0]["configuration"]["clientSecret"] = "wrong"
    api.set("/weather-mcp")
    recorded.send(13, token=token)
    recorded.send(14)
    recorded.assert_complete()


def test_second_recording(world: World) -> None:
    recorded = Recorded(world, "apim-2-gateway")
    server = new_mcp_server(world, new_domain(world, "rec2"), "Weather", f"{world.urls['gateway']}/rec2-mcp")
    challenge = f'Bearer resource_metadata="http://127.0.0.1:8082/rec2-mcp{PRM}", scope="openid"'.replace(
        "http://127.0.0.1:8082", world.urls["gateway"]
    )
    templates = {"GATEWAY_PLAN_UNRESOLVABLE": template(401, challenge, "Unauthorized")}
    api = Api(world, "rec2", server, "/rec2-mcp", addWwwAuthenticateHeader=True)
    api.set(responseTemplates=templates)
    recorded.send(0, 1)
    recorded.send(2, headers=BROWSER)
    api.set(responseTemplates=templates, cors={"enabled": True, "allowOrigin": CORS["allowOrigin"]})
    recorded.send(3, headers=BROWSER)
    api.set(responseTemplates=templates, cors=CORS)
    recorded.send(4, headers=BROWSER)
    recorded.assert_complete()
