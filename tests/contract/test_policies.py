"""The OAuth2 policy's version, its schema, and what a plan's configuration may hold, on APIM's management plane."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.replay import Replay
from tests.runners import Modules
from tests.sandbox.world import World, recordings

OPENAPI = Path(__file__).parent.parent.parent.parent / "shared/contract/openapi"
VERSIONS = {"5.1.4": "4.10", "5.2.1": "4.11", "5.3.1": "4.12"}
FILE = "policy-versions-gateway"
# What both of the recorded management planes answered, the one with policy 5.1.4 and the one with 5.2.1.
PROBES = [
    exchange
    for exchange in recordings(FILE)
    if exchange["base"].endswith("/management/v2") and exchange["path"].endswith("/plans") and exchange["method"] == "POST"
]


def ask(world: World, method: str, path: str, body: Any = None) -> requests.Response:
    url = f"{world.urls['apim']}/management/v2{path}"
    return requests.request(method, url, json=body, auth=world.admins["apim"], timeout=10)


@pytest.mark.parametrize("policy", VERSIONS)
def test_the_server_tells_its_policy(world: World, policy: str) -> None:
    """In the list with phases, and alone."""
    world.apim_version = VERSIONS[policy]
    listed = ask(world, "GET", "/organizations/DEFAULT/plugins/policies").json()
    [oauth2] = [entry for entry in listed if entry["id"] == "oauth2"]
    alone = ask(world, "GET", "/organizations/DEFAULT/plugins/policies/oauth2").json()
    assert (oauth2["version"], alone["version"]) == (policy, policy)
    assert all(entry["flowPhaseCompatibility"]["HTTP_PROXY"] == ["REQUEST"] for entry in listed)


@pytest.mark.parametrize("policy", VERSIONS)
def test_the_schema_is_the_vendors(world: World, policy: str) -> None:
    world.apim_version = VERSIONS[policy]
    schema = ask(world, "GET", "/organizations/DEFAULT/plugins/policies/oauth2/schema").json()
    assert ("addWwwAuthenticateHeader" in schema["properties"]) is (policy == "5.1.4")
    file = OPENAPI / f"oauth2-policy-{policy}.schema.json"
    if file.exists():
        assert schema == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("exchange", PROBES, ids=lambda exchange: str(exchange["request"]["security"]["configuration"]))
def test_what_a_plan_may_hold(modules: Modules, world: World, exchange: dict[str, Any]) -> None:
    """Unknown properties are kept on both; a missing one that is required, or one of another type, is refused."""
    world.apim_version = "4.10" if "5.1.4" in exchange["note"] else "4.11"
    modules.run("gravitee_api", context_path="/w", name="W", target=world.urls["mcp"])
    answered = ask(world, "POST", f"/environments/DEFAULT/apis/{next(iter(world.apis))}/plans", exchange["request"])
    assert Replay({}, "", {}).differences({**exchange, "headers": {}}, answered) == []


@pytest.mark.parametrize("where", ["plan", "API"])
def test_a_flow_with_a_policy_that_is_not_there(modules: Modules, world: World, where: str) -> None:
    """As policy-interrupt in the community edition; mock is there."""
    modules.run("gravitee_api", context_path="/w", name="W", target=world.urls["mcp"])
    path = f"/environments/DEFAULT/apis/{next(iter(world.apis))}"
    plan = {"name": "p", "security": {"type": "KEY_LESS"}}
    for policy, status in (("mock", {201, 200}), ("policy-interrupt", {404})):
        flows = [{"name": "f", "request": [{"policy": policy}]}]
        if where == "plan":
            answered = ask(world, "POST", f"{path}/plans", {**plan, "flows": flows})
        else:
            answered = ask(world, "PUT", path, {**ask(world, "GET", path).json(), "flows": flows})
        assert answered.status_code in status
    assert answered.json()["technicalCode"] == "plugin.notFound"
