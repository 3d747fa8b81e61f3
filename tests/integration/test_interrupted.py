"""A run that dies after one of its requests is completed by the next, and opens nothing.

Here through ansible-playbook, after some of the requests; after every one of them, module by module, in test_faults.py.
"""
from __future__ import annotations

import pytest

from tests.integration.test_flows import initialize
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

# The requests to the management planes in a first run; the last test keeps these numbers right.
REQUESTS = {"sealed": 33, "documented": 61}


def is_open(world: World) -> bool:
    """Whether APIM's gateway lets in anyone anywhere."""
    served = [api.served.current for api in world.apis.values()]
    return any(plan["security"]["type"] == "KEY_LESS" for api in served if api for plan in api["plans"].values())


@pytest.mark.parametrize(
    ("flow", "number"), [(flow, number) for flow, count in REQUESTS.items() for number in range(3, count + 1, 14)]
)
def test_killed_after_a_request(playbooks: Playbooks, world: World, domain: Domain, flow: str, number: int) -> None:
    """Killed when the request was carried out and its answer not yet sent, as with a machine that loses power."""
    door: list[bool] = []
    world.on_answer = lambda _request: door.append(is_open(world))
    assert playbooks.kill_after(number, "secure_mcp.yml", flow=flow) >= number, "it ended before"
    completed = playbooks.run(flow=flow)
    assert completed.code == 0, completed.output
    world.on_answer = None
    assert initialize(playbooks.url) == 401
    assert (len(world.apis), len(domain.mcp_servers)) == (1, 1)
    plans = [plan["security"]["type"] for plan in next(iter(world.apis.values())).published]
    assert plans == ["OAUTH2"]
    [secret] = next(iter(domain.mcp_servers.values()))["secrets"]
    assert next(iter(world.apis.values())).definition["resources"][0]["configuration"]["clientSecret"] == secret["secret"]
    opened = [place for place in range(1, len(door)) if door[place] and not door[place - 1]]
    assert len(opened) <= (1 if flow == "documented" else 0), "a door was opened twice, or one that should stay closed"
    before = len(world.writes())
    assert playbooks.run("secure_mcp.yml", "--check", flow=flow, verify=False).changes == []
    assert world.writes()[before:] == []


@pytest.mark.parametrize("flow", REQUESTS)
def test_that_is_every_request(playbooks: Playbooks, world: World, domain: Domain, flow: str) -> None:
    assert playbooks.run(flow=flow).code == 0
    assert len([request for request in world.log if request.plane in ("apim", "am")]) == REQUESTS[flow]
