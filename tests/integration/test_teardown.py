"""Leaving without a trace, in the order that never opens the server."""
from __future__ import annotations

import pytest

from tests.integration.test_interrupted import is_open
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

CLIENTS = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}, {"name": "Generated"}]


@pytest.mark.parametrize("flow", ["sealed", "documented"])
def test_everything_that_was_made_goes(playbooks: Playbooks, world: World, domain: Domain, flow: str) -> None:
    given = {"flow": flow, "clients": CLIENTS}
    assert playbooks.run(**given).code == 0
    writes = len(world.writes())
    predicted = playbooks.run("teardown.yml", "--check", **given)
    assert predicted.code == 0, predicted.output
    assert world.writes()[writes:] == []
    doors: list[bool] = []
    world.on_answer = lambda _request: doors.append(is_open(world))
    gone = playbooks.run("teardown.yml", **given)
    assert gone.code == 0, gone.output
    assert gone.changes == predicted.changes
    assert gone.changes[0] == "stop API /weather-mcp"
    assert (world.apis, domain.mcp_servers, domain.applications) == ({}, {}, {})
    assert {subscription["status"] for subscription in world.subscriptions.values()} == {"CLOSED"}
    assert {application["status"] for application in world.applications.values()} == {"ARCHIVED"}
    assert not any(doors)
    assert domain.wire["loginSettings"]["registerEnabled"] is True
    assert "The settings of the domain mcp-demo stay" in gone.output
    assert playbooks.run("teardown.yml", **given).changes == []
    assert playbooks.run(**given).code == 0


def test_the_api_can_be_kept_and_the_domain_closed(playbooks: Playbooks, world: World, domain: Domain) -> None:
    assert playbooks.run(clients=CLIENTS).code == 0
    given = {"teardown_api": "keep", "teardown_domain": True, "teardown_clients": "keep", "clients": CLIENTS}
    done = playbooks.run("teardown.yml", **given)
    assert done.code == 0, done.output
    [api] = world.apis.values()
    assert (api.state, api.published) == ("STOPPED", [])
    registration = domain.wire["oidc"]["clientRegistrationSettings"]
    assert [name for name in registration if registration[name] is True] == ["isAllowedScopesEnabled"]
    assert (len(domain.applications), {one["status"] for one in world.applications.values()}) == (2, {"ACTIVE"})
    assert {subscription["status"] for subscription in world.subscriptions.values()} == {"CLOSED"}
    assert "The clients Assistant, Generated stay in AM" in done.output
    assert domain.wire["loginSettings"]["registerEnabled"] is False
    assert playbooks.run("teardown.yml", **given).changes == []


def test_what_others_made_is_left_alone_and_named(playbooks: Playbooks, modules: Modules, world: World, domain: Domain) -> None:
    modules.run("gravitee_api", context_path="/weather-mcp", name="Theirs", target="http://theirs/mcp")
    modules.run("gravitee_plan", context_path="/weather-mcp", security="key_less")
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    modules.run("am_mcp_server", domain="mcp-demo", name="Other", resource_identifier="http://gw/other")
    done = playbooks.run("teardown.yml")
    assert done.code == 0, done.output
    assert "The API Theirs at /weather-mcp is not Weather MCP: it is left as it is" in done.output
    [api] = world.apis.values()
    assert (api.state, len(api.published), len(domain.mcp_servers)) == ("STARTED", 1, 1)


def test_an_api_with_a_plan_of_others_is_kept(playbooks: Playbooks, modules: Modules, world: World, domain: Domain) -> None:
    assert playbooks.run().code == 0
    modules.run("gravitee_plan", context_path="/weather-mcp", name="Partners", security="api_key")
    done = playbooks.run("teardown.yml")
    assert done.code == 0, done.output
    assert "The API Weather MCP is kept, stopped: others made its plan(s) Partners." in done.output
    [api] = world.apis.values()
    assert (api.state, [plan["name"] for plan in api.published]) == ("STOPPED", ["Partners"])
    assert domain.mcp_servers == {}
    assert playbooks.run("teardown.yml").changes == []


@pytest.mark.parametrize("number", range(1, 18, 3))
def test_a_teardown_that_died_is_finished_by_the_next(playbooks: Playbooks, world: World, domain: Domain, number: int) -> None:
    given = {"clients": CLIENTS}
    assert playbooks.run(**given).code == 0
    playbooks.kill_after(number, "teardown.yml", **given)
    assert playbooks.run("teardown.yml", **given).code == 0
    assert (world.apis, domain.mcp_servers, domain.applications) == ({}, {}, {})
