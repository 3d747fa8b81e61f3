"""secure_mcp_on_failure: what stands after a run that failed."""
from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import Faults, proxy
from tests.integration.test_flows import initialize
from tests.integration.test_interrupted import is_open
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

# The request of each step that is refused, in the order of the sealed flow.
STEPS = {
    "registration": "PATCH .*/domains/[^/]+$",
    "MCP server": "POST .*/protected-resources$",
    "API": "POST .*/apis$",
    "resource": "PUT .*/apis/[^/]+$",
    "client in AM": "POST .*/domains/[^/]+/applications$",
    "plan": "POST .*/plans$",
    "publication": "POST .*/_publish$",
    "deployment": "POST .*/deployments$",
    "start": "POST .*/_start$",
    "client in APIM": "POST .*/applications$",
    "subscription": "POST .*/subscriptions$",
}
BEFORE_THE_DEPLOYMENT = list(STEPS)[:7]
CLIENTS = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}]
NOWHERE = "http://127.0.0.1:9"  # as AM's gateway: clients are sent there, so it does not look right from outside


@pytest.fixture
def faults(playbooks: Playbooks, world: World) -> Iterator[Faults]:
    faults = Faults()
    with proxy(world.urls["apim"], faults) as apim, proxy(world.urls["am"], faults) as am:
        playbooks.variables |= {"secure_mcp_apim_url": apim, "secure_mcp_am_url": am, "secure_mcp_verify_timeout": 1}
        yield faults


def the_api(world: World) -> Any:
    return next(iter(world.apis.values()))


def plans(world: World) -> dict[str, str]:
    """Status of each plan by its security; of two, that of the later."""
    return {plan["security"]["type"]: plan["status"] for plan in the_api(world).plans.values()}


def essence(served: dict[str, Any]) -> dict[str, Any]:
    """What the gateway serves; an option that is off is the same as one that is not there."""
    plans = [plan["security"] for plan in copy.deepcopy(served)["plans"].values()]
    return {**served, "plans": [{key: value for key, value in plan["configuration"].items() if value} for plan in plans]}


@pytest.mark.parametrize("way", ["stop", "rollback"])
def test_a_new_api_with_each_step_broken(playbooks: Playbooks, world: World, domain: Domain, faults: Faults, way: str) -> None:
    """Each run goes on where the one before ended, and meets the next step broken."""
    given = {"clients": CLIENTS, "on_failure": way}
    doors: list[bool] = []
    world.on_answer = lambda _request: doors.append(is_open(world))
    for step, faults.broken in STEPS.items():
        done = playbooks.run(**given)
        assert done.code == 2, step
        assert "answered 500" in done.failure, step
        assert ("What the gateway serves was not touched" in done.failure) == (step in BEFORE_THE_DEPLOYMENT), step
        assert initialize(playbooks.url) == 404, step
    faults.broken = ""
    assert playbooks.run(**given).code == 0
    assert initialize(playbooks.url) == 401
    assert not any(doors)
    assert (len(world.apis), len(domain.mcp_servers), len(the_api(world).plans)) == (1, 1, 1)
    assert playbooks.run(**given).changes == []


def test_kept_and_said_aloud(playbooks: Playbooks, domain: Domain, faults: Faults) -> None:
    done = playbooks.run(am_gateway_url=NOWHERE)
    assert done.code == 2
    assert "WARNING: the API Weather MCP stays deployed as this run left it, not proven to work" in done.failure
    assert initialize(playbooks.url) == 401
    again = playbooks.run(am_gateway_url=NOWHERE, on_failure="stop")
    assert "What the gateway serves was not touched" in again.failure, "that run deployed nothing"
    assert initialize(playbooks.url) == 401


def test_a_secured_api_goes_back(
    playbooks: Playbooks, modules: Modules, world: World, domain: Domain, faults: Faults
) -> None:
    """The definition as it was, with what others put into it, the plan as it was, and served again."""
    assert playbooks.run().code == 0
    theirs = {"properties": [{"key": "token", "value": "hush-hush"}]}
    modules.run("gravitee_api", context_path="/weather-mcp", definition=theirs)
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    api = the_api(world)
    before, served = copy.deepcopy(api.definition), essence(api.served.current)
    worse = {
        "target": f"{world.urls['mcp']}?v=2",
        "api_definition": {"description": "Another", "labels": ["new"]},
        "required_scopes": ["weather"],
        "am_gateway_url": NOWHERE,
        "preflight": "skip",
    }
    done = playbooks.run("secure_mcp.yml", "-vvvv", on_failure="rollback", **worse)
    assert done.code == 2
    assert "has its definition and its plans of before again" in done.failure, done.output[-3000:]
    assert "hush-hush" not in done.output
    assert api.definition == before
    assert essence(api.served.current) == served
    assert plans(world) == {"OAUTH2": "PUBLISHED"}
    assert playbooks.run().changes == []


@pytest.mark.parametrize("way", ["keep", "stop", "rollback"])
def test_an_open_door_that_was_closed_stays_closed(
    playbooks: Playbooks, modules: Modules, world: World, domain: Domain, faults: Faults, way: str
) -> None:
    modules.run("gravitee_api", context_path="/weather-mcp", name="Weather MCP", target=world.urls["mcp"])
    modules.run("gravitee_plan", context_path="/weather-mcp", security="key_less")
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    assert initialize(playbooks.url) == 200
    done = playbooks.run(on_failure=way, am_gateway_url=NOWHERE)
    assert done.code == 2
    assert plans(world)["KEY_LESS"] == "CLOSED"
    assert initialize(playbooks.url) == (401 if way == "keep" else 404)
    assert playbooks.run().code == 0
    assert initialize(playbooks.url) == 401


def test_beside_another_plan(playbooks: Playbooks, modules: Modules, world: World, domain: Domain, faults: Faults) -> None:
    """Who came in with an API key does so again; who came in with nothing does not."""
    modules.run("gravitee_api", context_path="/weather-mcp", name="Weather MCP", target=world.urls["mcp"])
    for security in ("key_less", "api_key"):
        modules.run("gravitee_plan", context_path="/weather-mcp", security=security)
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    done = playbooks.run(on_failure="rollback", am_gateway_url=NOWHERE)
    assert "a keyless one that was closed stays closed" in done.failure
    assert plans(world) == {"KEY_LESS": "CLOSED", "API_KEY": "PUBLISHED", "OAUTH2": "CLOSED"}
    assert not the_api(world).definition["resources"]
    assert initialize(playbooks.url) == 401
    assert [plan["security"]["type"] for plan in the_api(world).served.current["plans"].values()] == ["API_KEY"]


def test_a_lost_secret_does_not_come_back(playbooks: Playbooks, modules: Modules, domain: Domain, faults: Faults) -> None:
    assert playbooks.run().code == 0
    again = {"domain": domain.id, "resource_identifier": playbooks.url, "state": "renewed", "recreate": True}
    modules.run("am_mcp_server_secret", **again)
    assert "plans of before again" in playbooks.run(on_failure="rollback", test_username="nobody", test_password="x").failure
    assert playbooks.run().changes == []


def test_a_door_that_the_documented_flow_opened(playbooks: Playbooks, world: World, domain: Domain, faults: Faults) -> None:
    faults.broken = STEPS["MCP server"]
    kept = playbooks.run(flow="documented")
    assert "OPEN TO STRANGERS" in kept.failure
    assert initialize(playbooks.url) == 200
    world.apis.clear()
    assert playbooks.run(flow="documented", on_failure="stop").code == 2
    assert initialize(playbooks.url) == 404


def test_when_that_fails_too_both_are_said(playbooks: Playbooks, domain: Domain, faults: Faults) -> None:
    faults.broken = "POST .*/_stop$"
    done = playbooks.run(on_failure="stop", am_gateway_url=NOWHERE)
    assert "Check the secured API as a client would: " in done.failure
    assert "What secure_mcp_on_failure asks for failed, too: Close the door: POST" in done.failure
    assert "The API Weather MCP stays as it is." in done.failure


def test_a_dry_run_touches_nothing(playbooks: Playbooks, world: World, domain: Domain, faults: Faults) -> None:
    faults.broken = "GET .*/plugins/resources"
    done = playbooks.run("secure_mcp.yml", "--check", on_failure="stop")
    assert done.code in (0, 2)
    assert world.writes() == []
