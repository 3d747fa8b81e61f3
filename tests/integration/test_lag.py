"""Gateways that follow late, tokens that expire in the middle, clocks that are off."""
from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import clients
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import token_cache

from tests.clients import Login, register
from tests.integration.test_flows import initialize
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

MANAGEMENT = ("apim", "am")


def test_gateways_thirty_seconds_late(playbooks: Playbooks, world: World, domain: Domain) -> None:
    """Who does not wait long enough is told; the next run waits, makes nothing anew and finds it secured."""
    world.sync_delay = 30
    hasty = playbooks.run(verify_timeout=2)
    assert hasty.code == 2
    assert "wait_timeout: after 2 s a call of" in hasty.failure
    writes = len(world.writes())
    patient = playbooks.run(verify_timeout=60)
    assert patient.code == 0, patient.output
    assert (patient.changes, world.writes()[writes:]) == ([], [])
    assert initialize(playbooks.url) == 401


@pytest.mark.parametrize("flow", ["sealed", "documented"])
def test_tokens_that_expire_in_the_middle(playbooks: Playbooks, world: World, domain: Domain, flow: str) -> None:
    """Every fifth answer is the last for which a token was good."""
    asked: list[Any] = []
    exchanges: list[Any] = []

    def forget(request: Any) -> None:
        if request.plane in MANAGEMENT:
            exchange = request.path.endswith(("/login", "/auth/token"))
            (exchanges if exchange else asked).append(request)
            if not exchange and len(asked) % 5 == 0:
                world.tokens.clear()

    world.on_answer = forget
    done = playbooks.run(flow=flow)
    world.on_answer = None
    assert done.code == 0, done.output
    assert len(exchanges) > 4
    assert (len(world.apis), len(domain.mcp_servers)) == (1, 1)
    assert playbooks.run(flow=flow).changes == []


@pytest.mark.parametrize("minutes", [-15, 15])
def test_a_clock_off(modules: Modules, world: World, domain: Domain, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    """The controller's: tokens that it takes for good or for expired, and the audit log's entries of now."""
    off = SimpleNamespace(time=lambda: time.time() + 60 * minutes)
    monkeypatch.setattr(token_cache, "time", off)
    monkeypatch.setattr(clients, "time", off)
    server = {"domain": domain.id, "name": "W", "resource_identifier": "http://gw/w"}
    modules.run("am_domain_settings", domain=domain.id, mcp_clients=True)
    modules.run("am_mcp_server", **server)
    client_id = register(world).json()["client_id"]
    Login().token(world, client_id, "http://gw/w")
    world.tokens.clear()
    assert modules.run("am_mcp_server", **server)["changes"] == []
    given = {"domain": domain.id, "self_registered": True, "resource": "http://gw/w", "since_days": 1}
    assert [found["client_id"] for found in modules.run("am_application_info", **given)["applications"]] == [client_id]
