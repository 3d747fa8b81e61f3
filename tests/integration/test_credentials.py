"""A secret that AM takes no more: nobody but AM's gateway tells, and the role renews it."""
from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Login, register, subscribe
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

AT = {"context_path": "/w"}


@pytest.fixture
def resource(modules: Modules, world: World, domain: Domain) -> dict[str, Any]:
    """The parameters of an AM resource with good credentials, which the API /w has."""
    modules.run("gravitee_api", **AT, name="W", target="http://w/mcp")
    made = modules.run("am_mcp_server", domain=domain.id, name="W", resource_identifier="http://gw/w")
    where = {"server_url": world.urls["am_gateway"], "security_domain": "mcp-demo"}
    given = {**AT, **where, "client_id": made["client_id"], "client_secret": made["client_secret"]}
    modules.run("am_resource", **given)
    return given


def lose_secret(modules: Modules, domain: Domain, url: str) -> None:
    """AM takes the secret that the API holds no more."""
    given = {"recreate": True} if modules.world.am_version == "4.10" else {"name": "Default"}
    modules.run("am_mcp_server_secret", domain=domain.id, resource_identifier=url, state="renewed", **given)


def credentials(modules: Modules, **given: Any) -> str:
    [api] = modules.run("gravitee_api_info", check_credentials=True, **{"wait_timeout": 0, **given})["apis"]
    return api["resources"][0]["credentials"]


def test_what_am_says_of_them(modules: Modules, resource: dict[str, Any]) -> None:
    assert credentials(modules) == "accepted"
    for another in ("another", "\u20ac"):
        modules.run("am_resource", **{**resource, "client_secret": another})
        assert credentials(modules) == "refused"


@pytest.mark.parametrize(
    "elsewhere",
    [{"server_url": "http://127.0.0.1:9"}, {"security_domain": "no-such-domain"}, {"security_domain": "mcp-demo?x=/"}],
)
def test_where_it_cannot_be_asked_nothing_is_known(modules: Modules, resource: dict[str, Any], elsewhere: dict[str, str]) -> None:
    modules.run("am_resource", **{**resource, **elsewhere})
    assert credentials(modules) == "unknown"


def test_nobody_else_is_believed(modules: Modules, resource: dict[str, Any]) -> None:
    """A proxy in front of AM's gateway that wants credentials of its own, or says welcome to anyone."""
    for status, body in ((401, b"<html>Who are you?</html>"), (200, b"<html>It works</html>"), (502, b"")):
        with serving(lambda *_request, told=(status, {}, body): told) as base:
            modules.run("am_resource", **{**resource, "server_url": base})
            assert credentials(modules) == "unknown"


def test_a_gateway_that_lags_is_waited_for(modules: Modules, world: World, domain: Domain, resource: dict[str, Any]) -> None:
    world.am_version, world.sync_delay = "4.11", 3
    renewed = modules.run("am_mcp_server_secret", domain=domain.id, client_id=resource["client_id"], state="renewed")
    modules.run("am_resource", **{**resource, "client_secret": renewed["client_secret"]})
    assert credentials(modules) == "refused"
    assert credentials(modules, wait_timeout=20) == "accepted"


@pytest.mark.parametrize("version", ["4.10", "4.11"])
def test_the_role_finds_and_mends_it(playbooks: Playbooks, modules: Modules, world: World, domain: Domain, version: str) -> None:
    world.am_version, world.introspection_window = version, 0
    assert playbooks.run().code == 0
    client_id = register(world).json()["client_id"]
    subscribe(world, client_id)
    token = Login().token(world, client_id, playbooks.url)
    lose_secret(modules, domain, playbooks.url)
    assert modules.run("mcp_check", url=playbooks.url, token=token, expect=["misconfigured"])["result"] == "misconfigured"
    assert playbooks.run("drift.yml", verify=False).code == 0, "found without asking AM's gateway"
    drift = playbooks.run("drift.yml", verify_timeout=1)
    assert drift.code == 2
    fixed = playbooks.run(verify_timeout=1)
    assert fixed.changes == drift.changes
    assert fixed.changes[-2:] == [
        "update clientSecret of resource Gravitee AM of API /weather-mcp",
        "deploy API /weather-mcp",
    ]
    assert modules.run("mcp_check", url=playbooks.url, token=token)["result"] == "secured"
    assert playbooks.run().changes == []


def test_so_does_a_fleet_that_looks(modules: Modules, world: World, domain: Domain) -> None:
    world.am_version = "4.11"
    server = {"name": "W", "context_path": "/w-mcp", "target": world.urls["mcp"], "verify_timeout": 5}
    urls = {"gateway_url": world.urls["gateway"], "am_gateway_url": world.urls["am_gateway"]}
    given = {"domain": "mcp-demo", "servers": [server], **urls}
    modules.run("mcp_fleet", **given)
    url = f"{world.urls['gateway']}/w-mcp"
    lose_secret(modules, domain, url)
    predicted = modules.run("mcp_fleet", check=True, look=True, **given)["servers"][0]["changes"]
    assert predicted == modules.run("mcp_fleet", look=True, **given)["servers"][0]["changes"]
    assert predicted[0] == "create another secret of MCP server W"
    assert credentials(modules) == "accepted"
    assert modules.run("mcp_fleet", look=True, **given)["changed"] is False
