"""The flows of a plan at APIM's gateway: who may call which tool, with the recorded plan."""
from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.contract.estate import PRM, Api, Client, new_domain, new_mcp_server
from tests.sandbox.world import RECORDINGS, World

PLAN = json.loads((RECORDINGS / "plan-with-tool-flows.json").read_text(encoding="utf-8"))
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
CHALLENGE = f'Bearer error="insufficient_scope", scope="weather:read", resource_metadata="http://127.0.0.1:8082/rec2-mcp{PRM}"'
OK, NO_BATCH, UNKNOWN, SCOPE = (200, None), (400, "batches are not allowed"), (403, "unknown tool"), (403, "insufficient_scope")


def call(name: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {}}})


def other(method: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}})


BODIES: dict[str, tuple[str | bytes, tuple[int, str | None], tuple[int, str | None]]] = {
    # the body, and what is answered without the scope and with it
    "another method": (other("tools/list"), OK, OK),
    "a tool for all": (call("get_weather"), OK, OK),
    "the tool": (call("forecast"), SCOPE, OK),
    "the other tool of that scope": (call("forecast_hourly"), SCOPE, OK),
    "an unknown tool": (call("fore"), UNKNOWN, UNKNOWN),
    "no name at all": (other("tools/call"), OK, OK),
    "escapes": (call("forecast").replace("forecast", "\\u0066orecast"), SCOPE, OK),
    "a name given twice": (call("get_weather").replace('"name"', '"name": "x", "name"'), OK, OK),
    "a name given twice, the last counts": (call("forecast").replace('"name"', '"name": "get_weather", "name"'), SCOPE, OK),
    "a batch": (f"[{call('forecast')}]", NO_BATCH, NO_BATCH),
    "a byte order mark": (f"\ufeff{call('forecast')}".encode(), NO_BATCH, NO_BATCH),
    "UTF-16 with its mark": (call("forecast").encode("utf-16"), NO_BATCH, NO_BATCH),
}


@pytest.fixture
def api(world: World) -> Api:
    """As recorded, its plan with the flows; the rule for this server's URL."""
    domain = new_domain(world, "rec2")
    domain.scopes["weather:read"] = {"key": "weather:read"}
    domain.wire["oidc"]["clientRegistrationSettings"]["allowedScopes"].append("weather:read")
    domain.sync()
    made = new_mcp_server(world, domain, "Weather", f"{world.urls['gateway']}/rec2-mcp")
    api = Api(world, "rec2", made, "/rec2-mcp")
    rule = PLAN["selectionRule"].replace("http://127.0.0.1:8082", world.urls["gateway"])
    api.set_plan(rule=rule, flows=PLAN["flows"], addWwwAuthenticateHeader=True)
    return api


@pytest.fixture
def tokens(world: World, api: Api) -> dict[str | None, str]:
    client = Client(world, next(iter(world.domains.values())), scope="openid weather:read").subscribe(api)
    return {scope: client.token(api.url, scope) for scope in (None, "openid", "openid weather:read")}


def answered(api: Api, token: str, body: str | bytes) -> requests.Response:
    return requests.post(api.url, data=body, headers={**ACCEPT, "Authorization": f"Bearer {token}"}, timeout=10)


def test_each_body(api: Api, tokens: dict[str | None, str]) -> None:
    found, expected = {}, {}
    for name, (body, without, with_scope) in BODIES.items():
        for scope, outcome in ((None, without), ("openid", without), ("openid weather:read", with_scope)):
            response = answered(api, tokens[scope], body)
            told = response.json()["message"] if response.headers.get("content-type") == "application/json" else None
            found[name, scope], expected[name, scope] = (response.status_code, told), outcome
            if outcome == SCOPE:
                assert response.raw.headers.getlist("www-authenticate") == [CHALLENGE]
    assert found == expected


def test_without_the_scope_the_stream_of_other_calls_is_not_touched(api: Api, tokens: dict[str | None, str]) -> None:
    body = json.loads(call("get_weather"))
    body["params"]["arguments"] = {"city": "Paris"}
    response = answered(api, tokens["openid"], json.dumps(body))
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "It is sunny in Paris" in response.text


def test_the_flows_count_for_their_methods(api: Api, tokens: dict[str | None, str]) -> None:
    """The recorded ones for POST: another method with the same body is none of their business."""
    headers = {**ACCEPT, "Authorization": f"Bearer {tokens['openid']}"}
    assert requests.put(api.url, data="[]", headers=headers, timeout=10).status_code == 405


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({"enabled": False}, False),
        ({"request": [{"condition": "{!#request.path == '/x'}"}]}, False),
        ({"request": [{"condition": "{#jsonPath(#request.content, '$.method') == 'tools/call'}"}]}, True),
        ({"request": [{"condition": "{#nobody.knows}"}]}, False),
        ({"request": [{"enabled": False}]}, False),
        ({"selectors": [{"type": "CONDITION", "condition": "{#request.path != null}"}]}, True),
        ({"selectors": [{"type": "CONDITION", "condition": "{#request.path == null}"}]}, False),
        ({"selectors": [{"type": "CONDITION", "condition": "{#nobody.knows}"}]}, False),
        ({"selectors": [{"type": "HTTP", "path": "/elsewhere", "pathOperator": "STARTS_WITH"}]}, False),
        ({"selectors": [{"type": "HTTP", "path": "/", "pathOperator": "EQUALS"}]}, True),
        ({}, True),
    ],
)
def test_when_a_flow_is_met(api: Api, tokens: dict[str | None, str], change: dict[str, Any], met: bool) -> None:
    step = {"policy": "mock", "enabled": True, "configuration": {"status": "418", "content": "{#request.path}", "headers": []}}
    flow = {"name": "f", "enabled": True, "selectors": [], **change}
    flow["request"] = [{**step, **given} for given in change.get("request", [{}])]
    api.set_plan(flows=[flow])
    response = answered(api, tokens["openid"], call("get_weather"))
    assert (response.status_code, response.text if met else None) == ((418, "/rec2-mcp") if met else (200, None))
