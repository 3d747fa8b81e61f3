"""APIM's gateway answers as recorded: the states of the recording are made anew, its requests sent in order."""
from __future__ import annotations

import functools
from typing import Any

import pytest
import requests

from tests.clients import Login, register, subscribe
from tests.contract.replay import Replay
from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World, recordings

NAME = "apim-gateway"
AT = {"context_path": "/Weather-mcp"}


class Recorded:
    """Sends the recorded requests and compares; `headers` stand for those that the recordings leave out."""

    def __init__(self, world: World):
        ports = {8082: "gateway", 8092: "am_gateway"}
        bases = {f"http://127.0.0.1:{port}": world.urls[plane] for port, plane in ports.items()}
        bases["http://127.0.0.1:9000/mcp"] = world.urls["mcp"]
        self.replay = Replay(bases, world.urls["gateway"], {})
        self.seen: set[int] = set()

    def send(self, *numbers: int, token: str | None = None) -> None:
        for number in numbers:
            exchange = recordings(NAME)[number]
            self.replay.headers = {"Authorization": f"Bearer {token}"} if token else {}
            response = self.replay.send(exchange)
            self.seen.add(number)
            if number == 0:
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


def test_every_recording(modules: Modules, world: World, domain: Domain) -> None:
    recorded = Recorded(world)
    run = functools.partial(modules.run, mcp_resource=False)
    run("gravitee_api", **AT, name="Weather", target=world.urls["mcp"])
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    recorded.send(0, 1, 2)

    url = f"{world.urls['gateway']}/weather-mcp"
    server = modules.run("am_mcp_server", domain="mcp-demo", name="Weather", resource_identifier=url)
    resource = {
        "name": "AM",
        "server_url": world.urls["am_gateway"],
        "security_domain": "mcp-demo",
        "client_id": server["client_id"],
        "client_secret": server["client_secret"],
    }
    oauth2 = {"security": "oauth2", "oauth_resource": "AM"}
    modules.run("am_resource", **AT, **resource)
    modules.run("gravitee_plan", **AT, **oauth2, discovery=False)
    modules.run("gravitee_deployment", **AT)
    recorded.send(3, token="bad")
    modules.run("gravitee_plan", **AT, security="key_less", state="closed")
    modules.run("gravitee_deployment", **AT)
    recorded.send(4, 5, 6, 7, 8)

    api_id = next(iter(world.apis))
    modules.run("gravitee_api", id=api_id, context_path="/weather-mcp")
    modules.run("gravitee_plan", api_id=api_id, **oauth2)
    modules.run("gravitee_deployment", api_id=api_id)
    recorded.send(9, 10, 11)

    for path in ("/sealed", "/sealed2"):
        modules.run("gravitee_api", context_path=path, name=path, target=world.urls["mcp"])
        modules.run("am_resource", context_path=path, **resource)
        modules.run("gravitee_plan", context_path=path, **oauth2)
    world.apis[next(i for i, api in world.apis.items() if api.paths == ["/sealed2/"])].definition["resources"] = []
    for path in ("/sealed", "/sealed2"):
        modules.run("gravitee_deployment", context_path=path)
    recorded.send(12)

    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    client_id = register(world).json()["client_id"]
    subscribe(world, client_id)
    token = Login().token(world, client_id, url)
    modules.run("am_resource", api_id=api_id, name="AM", client_secret="wrong")
    modules.run("gravitee_deployment", api_id=api_id)
    recorded.send(13, token=token)
    recorded.send(14)
    assert recorded.seen == set(range(len(recordings(NAME))))


@pytest.mark.parametrize("version", ["4.10", "4.12"])
def test_where_the_metadata_is(modules: Modules, world: World, version: str) -> None:
    """Not recorded beyond 4.10; the contract's page says where."""
    world.apim_version = version
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s3cr3t"}
    modules.run("gravitee_api", context_path="/w", name="W", target=world.urls["mcp"])
    modules.run("am_resource", context_path="/w", name="AM", **resource)
    modules.run("gravitee_plan", context_path="/w", security="oauth2", oauth_resource="AM", required_scopes=["a", "b"])
    modules.run("gravitee_deployment", context_path="/w")
    gateway, prm = world.urls["gateway"], "/.well-known/oauth-protected-resource"
    challenge = requests.post(f"{gateway}/w", timeout=10).headers["WWW-Authenticate"]
    well_known = requests.get(f"{gateway}{prm}/w", timeout=10)
    if version == "4.10":
        assert challenge == f'Bearer resource_metadata="{gateway}/w{prm}"'
        assert well_known.status_code == 404
        assert requests.get(f"{gateway}/w{prm}", timeout=10).json()["scopes_supported"] == []
    else:
        assert challenge == 'Bearer scope="a b"'
        assert well_known.json() == {
            "resource": f"{gateway}/w",
            "authorization_servers": ["http://am/d/oidc"],
            "scopes_supported": ["a", "b"],
        }
