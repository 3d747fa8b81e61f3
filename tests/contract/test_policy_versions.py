"""The OAuth2 policy's three versions, recorded side by side: every exchange, in the states that the notes name."""
from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.estate import CORS, PRM, Api, Client, new_domain, new_mcp_server, template
from tests.contract.replay import Replay
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World, recordings

NAME = "policy-versions-gateway"
# The port of the recorded gateway, or of the management plane beside it.
POLICIES = {"8184": "5.1.4", "8182": "5.2.1", "8185": "5.3.1", "8083": "5.1.4", "8183": "5.2.1"}
RECORDED_URL = "http://127.0.0.1:8182/pol-mcp"
METADATA = f'resource_metadata="{RECORDED_URL}{PRM}"'

OPENID = {"requiredScopes": ["openid"]}
CHECKED = {**OPENID, "checkRequiredScopes": True}
RULE = {**CHECKED, "rule": "{#context.attributes['jwt'].claims['aud'].contains('" + RECORDED_URL + "')}"}
UNRESOLVABLE = {"GATEWAY_PLAN_UNRESOLVABLE": template(401, f'Bearer {METADATA}, scope="openid"', "Unauthorized")}
INSUFFICIENT = {
    "OAUTH2_INSUFFICIENT_SCOPE": template(
        403, f'Bearer error="insufficient_scope", scope="openid", {METADATA}', "insufficient_scope"
    )
}
TEMPLATES = {"responseTemplates": {**UNRESOLVABLE, **INSUFFICIENT}}
WELL_KNOWN = ("/pol-mcp", f"{PRM}/pol-mcp")
# The beginning of the notes: the plan, the API's paths, and what else its definition says.
STATES: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]] = {
    "plan bare": ({}, (), {}),
    "plan with addWwwAuthenticateHeader true": ({"addWwwAuthenticateHeader": True}, (), {}),
    "requiredScopes [openid], not checked": (OPENID, (), {}),
    "requiredScopes [openid], checked": (CHECKED, (), {}),
    "template GATEWAY_PLAN_UNRESOLVABLE": (CHECKED, (), {"responseTemplates": UNRESOLVABLE}),
    "templates GATEWAY_PLAN_UNRESOLVABLE and": (CHECKED, (), TEMPLATES),
    "selectionRule": (RULE, (), TEMPLATES),
    f"API listens on /pol-mcp and {PRM}/pol-mcp": (CHECKED, WELL_KNOWN, {}),
    f"API listens on /pol-mcp and {PRM}: ": (CHECKED, ("/pol-mcp", PRM), {}),
    "management": ({}, (), {}),
    "product": ({}, (), {}),
    "CORS on, second path": (CHECKED, WELL_KNOWN, {"cors": CORS}),
    "the plan names a resource the API lacks": (CHECKED, WELL_KNOWN, {"resources": False}),
    "resource back": (CHECKED, WELL_KNOWN, {}),
}


class _Run:
    def __init__(self, world: World):
        self.world = world
        domain = new_domain(world, "rec2")
        self.gateway = world.urls["gateway"]
        served = f"{self.gateway}/pol-mcp"
        identifiers = [served, RECORDED_URL, f"{self.gateway}/also-ours"]
        self.server = new_mcp_server(world, domain, "Weather", *identifiers)
        new_mcp_server(world, domain, "Another", f"{self.gateway}/another")
        self.api = Api(world, "rec2", self.server, "/pol-mcp")
        world.apis[self.api.id].plans[self.api.plan_id]["order"] = 0  # as a plan has that came with an import
        client = Client(world, domain, scope="openid profile").subscribe(self.api)
        unsubscribed = Client(world, domain, scope="openid profile")
        own, recorded = client.token(served), client.token(RECORDED_URL)
        self.tokens = {
            "good token": own,
            "token without resource": client.token(None),
            "token of another gateway/server (neighbour)": client.token(f"{self.gateway}/also-ours"),
            "token for another MCP server of the domain": client.token(f"{self.gateway}/another"),
            "good token of a client without subscription": unsubscribed.token(served),
            "garbage token": "garbage",
            "garbage in the form of a JWT": own[:-9],
            "token lacking openid (scope profile)": client.token(served, "profile"),
            "token lacking openid (scope profile), aud right": client.token(RECORDED_URL, "profile"),
            f"token for {RECORDED_URL}": recorded,
        }
        self.subscription_late = unsubscribed.token(served, "profile")
        bases = {f"http://127.0.0.1:{port}": self.gateway for port in POLICIES}
        bases |= {"http://127.0.0.1:8183": world.urls["apim"], "http://127.0.0.1:8092": world.urls["am_gateway"]}
        self.pairs: dict[str, str] = {}
        self.replay = Replay(bases, self.gateway, {}, self.pairs)
        self.management = Replay(bases, f"{world.urls['apim']}/management/v2", self.api.headers, self.pairs)
        self.state = ""

    def differences(self, exchange: dict[str, Any]) -> list[str]:
        note = re.sub(r"^policy [\d.]+: ", "", exchange["note"])
        state = max((title for title in STATES if note.startswith(title)), key=len)
        if state != self.state:
            self._set(state)
        port = exchange["base"].removeprefix("http://127.0.0.1:")[:4]
        self.world.oauth2_policy = POLICIES[port]
        if state == "management":
            return self._managed(exchange)
        token = self._token(note)
        self.replay.headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self.replay.send(exchange)
        if "event: message" in str(exchange["response"]):
            return self._served(response)
        found = self.replay.differences(exchange, response)
        lines = len(response.raw.headers.getlist("www-authenticate"))
        return [*found, *([f"{lines} challenges"] if lines != exchange["www_authenticate_lines"] else [])]

    def _set(self, state: str) -> None:
        plan, paths, definition = STATES[state]
        self.api.set(*paths, **definition)
        self.api.set_plan(**plan)
        if state == "product":
            product = Api(self.world, "pol1", self.server, "/prod1", addWwwAuthenticateHeader=True, **OPENID)
            product.set("/prod1", f"{PRM}/prod1")
        self.state = state

    def _token(self, note: str) -> str | None:
        if "the subscription had not reached this gateway yet" in note:
            return self.subscription_late
        return self.tokens.get(note.rsplit(": ", 1)[-1])

    @staticmethod
    def _served(response: requests.Response) -> list[str]:
        """The recorded MCP server was another: both answer initialize as an event stream."""
        good = response.status_code == 200 and response.headers["content-type"].startswith("text/event-stream")
        return [] if good and response.text.startswith("event: message") else [f"{response.status_code} {response.text[:200]}"]

    def _managed(self, exchange: dict[str, Any]) -> list[str]:
        recorded = exchange["path"].split("/")
        self.pairs[recorded[4]] = self.api.id
        if len(recorded) == 7:
            self.pairs.setdefault(recorded[6].partition("?")[0], self.api.plan_id)
        return self.management.differences(exchange, self.management.send(exchange))


@pytest.fixture(scope="module")
def replayed() -> Iterator[list[list[str]]]:
    """What differed in each exchange."""
    sandbox = Sandbox(World()).start()
    run = _Run(sandbox.world)
    yield [run.differences(exchange) for exchange in recordings(NAME)]
    sandbox.stop()


@pytest.mark.parametrize("index", range(len(recordings(NAME))))
def test_exchange(replayed: list[list[str]], index: int) -> None:
    assert replayed[index] == [], recordings(NAME)[index]["note"]
