"""secure_mcp_on_failure: what stands after a run that failed."""
from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import Faults, proxy
from tests.integration.test_flows import initialize
from tests.integration.test_interrupted import is_open
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

# The request of each step that is refused, in the order of the sealed flow.
STEPS = {
    "registration": "PATCH .*/domains/[^/]+$",
    "MCP server": "POST .*/protected-resources$",
    "client in AM": "POST .*/domains/[^/]+/applications$",
    "import": "POST .*/apis/_import/definition$",
    "deployment": "POST .*/deployments$",
    "start": "POST .*/_start$",
    "client in APIM": "POST .*/environments/[^/]+/applications$",
    "subscription": "POST .*/subscriptions$",
}
AFTER_THE_DEPLOYMENT = ("client in APIM", "subscription")
CLIENTS = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}]


@pytest.fixture
def faults(playbooks: Playbooks, world: World) -> Iterator[Faults]:
    faults = Faults()
    with proxy(world.urls["apim"], faults) as apim, proxy(world.urls["am"], faults) as am:
        playbooks.variables |= {"secure_mcp_apim_url": apim, "secure_mcp_am_url": am, "secure_mcp_verify_timeout": 1}
        yield faults


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
        assert initialize(playbooks.url) == (401 if step in AFTER_THE_DEPLOYMENT else 404), step
    faults.broken = ""
    assert playbooks.run(**given).code == 0
    assert initialize(playbooks.url) == 401
    assert not any(doors)
    assert (len(world.apis), len(domain.mcp_servers), len(next(iter(world.apis.values())).plans)) == (1, 1, 1)
    assert playbooks.run(**given).changes == []


@pytest.mark.parametrize(
    ("way", "status", "stands"),
    [
        ("keep", 401, "is started, its newest deployment"),
        ("stop", 404, "The API /weather-mcp is stopped"),
        ("rollback", 401, "Rolled back: definition and plans of the deployment"),
    ],
)
def test_a_deployment_that_fails(
    playbooks: Playbooks, world: World, domain: Domain, faults: Faults, way: str, status: int, stands: str
) -> None:
    """The role hands secure_mcp_on_failure on; all that the module does with it is in test_way_back.py."""
    assert playbooks.run().code == 0
    [api] = world.apis.values()
    before = api.served.current
    faults.broken, faults.times = STEPS["deployment"], 1
    done = playbooks.run(on_failure=way, read_timeout=5000)
    assert done.code == 2
    assert "Deploy the secured API: " in done.failure
    assert stands in done.failure
    assert initialize(playbooks.url) == status
    if way == "rollback":
        assert api.served.current == before
    faults.broken, faults.times = "", None
    assert playbooks.run(read_timeout=5000).code == 0
    assert initialize(playbooks.url) == 401


@pytest.mark.parametrize("way", ["keep", "stop", "rollback"])
def test_what_the_documented_flow_opened(playbooks: Playbooks, world: World, domain: Domain, faults: Faults, way: str) -> None:
    """It fails between opening and closing: said aloud, or stopped."""
    faults.broken = STEPS["MCP server"]
    done = playbooks.run(flow="documented", on_failure=way)
    assert done.code == 2
    assert "Register the MCP server in AM: " in done.failure
    assert ("WARNING: the API Weather MCP is open to anyone at" in done.failure) is (way == "keep")
    assert initialize(playbooks.url) == (200 if way == "keep" else 404)
    faults.broken = ""
    assert playbooks.run(flow="documented").code == 0
    assert initialize(playbooks.url) == 401


def test_a_dry_run_touches_nothing(playbooks: Playbooks, world: World, domain: Domain, faults: Faults) -> None:
    faults.broken = "GET .*/plugins/resources"
    done = playbooks.run("secure_mcp.yml", "--check", on_failure="stop")
    assert done.code == 2
    assert world.writes() == []
