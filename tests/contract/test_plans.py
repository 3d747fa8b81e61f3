"""Which plan takes a call at APIM's gateway, and whom it lets in, where the contract has a sentence and no recording."""
from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.contract.estate import Api, Client, new_domain, new_mcp_server
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

AUD = "#context.attributes['jwt'].claims['aud']"
GIS = "#context.attributes['jwt'].claims['gis']"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}},
}


@dataclass
class Estate:
    world: World
    domain: Domain
    api: Api
    client: Client

    def token(self, kind: str) -> str | None:
        resources = {"own": self.api.url, "without resource": None, "neighbour": f"{self.world.urls['gateway']}/another"}
        if kind in resources:
            return self.client.token(resources[kind])
        if kind == "forged":
            head, claims = ({"alg": "none"}, {"aud": self.api.url, "gis": "a:b", "client_id": self.client.id})
            return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (head, claims)), ""])
        return {"client credentials": self.client.own_token(self.api.url), "none": None}[kind]

    def status(self, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers["Accept"] = "application/json, text/event-stream"
        return requests.post(self.api.url, json=INITIALIZE, headers=headers, timeout=10).status_code


@pytest.fixture
def estate(world: World) -> Estate:
    """One subscribed client, that registered itself with client credentials, too."""
    domain = new_domain(world, "mcp-demo")
    server = new_mcp_server(world, domain, "Weather", f"{world.urls['gateway']}/w")
    new_mcp_server(world, domain, "Another", f"{world.urls['gateway']}/another")
    api = Api(world, "mcp-demo", server, "/w")
    grants = ["client_credentials", "authorization_code"]
    client = Client(world, domain, grant_types=grants, token_endpoint_auth_method="client_secret_post")
    return Estate(world, domain, api, client.subscribe(api))


def rule(text: str, api: Api) -> str:
    return text.replace("URL", api.url)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            None,
            {"own": 200, "without resource": 200, "neighbour": 401, "none": 401, "forged": 401, "client credentials": 200},
        ),
        (
            f"{{{AUD}.contains('URL')}}",
            {"own": 200, "without resource": 401, "neighbour": 401, "none": 401, "forged": 401, "client credentials": 200},
        ),
        (f"{{{AUD}.contains('URL') && {GIS} != null}}", {"own": 200, "client credentials": 401, "without resource": 401}),
        (f"{{{AUD}.contains('URL/elsewhere') || {AUD}.contains('URL')}}", {"own": 200, "without resource": 401}),
        (f"{{{AUD} == 'URL'}}", {"own": 401}),
        (f"{{{GIS} matches '.+'}}", {"own": 200, "client credentials": 503, "none": 401}),
        (f"{{!{AUD}.contains('URL')}}", {"own": 401, "without resource": 401}),
        ("true", {"own": 401}),
        ("{#nobody.knows('this')}", {"own": 503}),
    ],
)
def test_selection_rules(estate: Estate, text: str | None, expected: dict[str, int]) -> None:
    estate.api.set_plan(rule=text and rule(text, estate.api))
    assert {kind: estate.status(estate.token(kind)) for kind in expected} == expected


def test_a_rule_counts_from_its_deployment_on(estate: Estate, world: World) -> None:
    own = estate.token("own")
    world.apis[estate.api.id].plans[estate.api.plan_id]["selectionRule"] = "{false}"
    assert estate.status(own) == 200
    estate.api.set_plan(rule="{#context.attributes['jwt'].claims['aud'].contains('elsewhere')}")
    assert estate.status(own) == 401


@pytest.mark.parametrize("deprecated", [False, True])
def test_every_served_plan_is_a_door_of_its_own(estate: Estate, deprecated: bool) -> None:
    """Beside a plan without the rule, the token that was not meant for this server gets in, as long as that plan is served."""
    estate.api.set_plan(rule=rule(f"{{{AUD}.contains('URL')}}", estate.api))
    beside = estate.api.new_plan("OAUTH2")
    foreign = estate.token("without resource")
    assert estate.status(foreign) == 401
    estate.client.subscribe(estate.api, beside)
    estate.api.deploy()
    assert estate.status(foreign) == 200
    if deprecated:
        estate.api.plan_status(beside, "deprecate")
        assert estate.status(foreign) == 200
    estate.api.plan_status(beside, "close")
    assert estate.status(foreign) == 401


def test_the_flows_of_a_plan_count_for_that_plan_alone(estate: Estate) -> None:
    """A call goes to the plan to which its client is subscribed."""
    refuse = {"policy": "mock", "enabled": True, "configuration": {"status": "418", "content": "no", "headers": []}}
    flow = {"name": "f", "enabled": True, "selectors": [], "request": [refuse]}
    estate.api.set_plan(flows=[flow])
    beside = estate.api.new_plan("OAUTH2")
    estate.api.deploy()
    other = Client(estate.world, estate.domain)
    other.subscribe(estate.api, beside)
    assert estate.status(estate.token("own")) == 418
    assert estate.status(other.token(estate.api.url)) == 200


def test_a_keyless_plan_takes_what_no_other_plan_knows(estate: Estate) -> None:
    estate.api.new_plan("KEY_LESS")
    estate.api.deploy()
    assert [estate.status(token) for token in (None, "bad", estate.token("own"))] == [200, 401, 200]


def test_without_validation_of_subscriptions_a_registered_client_gets_in(estate: Estate, world: World) -> None:
    """Of every API of the gateway; a token of a neighbour MCP server still does not."""
    newcomer = Client(world, estate.domain)
    token, foreign = newcomer.token(estate.api.url), newcomer.token(f"{world.urls['gateway']}/another")
    assert estate.status(token) == 401
    world.validate_subscription = False
    assert [estate.status(token), estate.status(foreign), estate.status(None)] == [200, 401, 401]


@pytest.mark.parametrize(
    ("validated", "seconds", "status"), [(True, None, 401), (True, 0, 200), (False, None, 200)], ids=str
)
def test_a_fresh_token_of_a_subscribed_client_is_refused_from_am_4_11_on(
    estate: Estate, world: World, validated: bool, seconds: float | None, status: int
) -> None:
    """Introspection names its aud as client id at first; where subscriptions are not validated nobody notices."""
    world.am_version, world.validate_subscription = "4.11", validated
    if seconds is not None:
        world.introspection_window = seconds
    assert estate.status(estate.token("own")) == status
    assert estate.status(estate.token("without resource")) == 200


@pytest.mark.parametrize(
    ("configuration", "scope", "status"),
    [
        ({"checkRequiredScopes": True, "requiredScopes": ["openid", "profile"]}, "openid", 401),
        ({"checkRequiredScopes": True, "requiredScopes": ["openid", "profile"], "modeStrict": False}, "openid", 200),
        ({"checkRequiredScopes": True, "requiredScopes": ["openid"]}, None, 401),
        ({"requiredScopes": ["profile"]}, "openid", 200),
    ],
)
def test_required_scopes(estate: Estate, configuration: dict[str, Any], scope: str | None, status: int) -> None:
    estate.api.set_plan(**configuration)
    assert estate.status(estate.client.token(estate.api.url, scope)) == status


@pytest.mark.parametrize("passed_on", [True, False])
def test_the_clients_token_reaches_the_mcp_server_unless_the_plan_keeps_it(estate: Estate, passed_on: bool) -> None:
    seen: list[bool] = []

    def answer(_method: str, _path: str, headers: dict[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append("authorization" in {name.lower() for name in headers})
        return 200, {}, b""

    token = estate.token("own")
    estate.api.set_plan(**({} if passed_on else {"propagateAuthHeader": False}))
    with serving(answer, headers=True) as base:
        estate.api.target(base)
        assert estate.status(token) == 200
    assert seen == [passed_on]
