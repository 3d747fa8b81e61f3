"""A new secret, and calls that keep working."""
from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Login, register, subscribe
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

FAST = {"rotate_wait": 0}


@pytest.fixture
def token(playbooks: Playbooks, world: World, domain: Domain) -> str:
    """Of a subscribed client, for the secured server on AM 4.11."""
    world.am_version, world.introspection_window = "4.11", 0
    assert playbooks.run().code == 0
    client_id = register(world).json()["client_id"]
    subscribe(world, client_id)
    return Login().token(world, client_id, playbooks.url)


def secrets(domain: Domain) -> list[str]:
    [server] = domain.mcp_servers.values()
    return [secret["secret"] for secret in server["secrets"]]


def works(modules: Modules, playbooks: Playbooks, token: str) -> bool:
    return modules.run("mcp_check", url=playbooks.url, token=token)["result"] == "secured"


def test_a_new_secret_without_a_gap(playbooks: Playbooks, modules: Modules, world: World, domain: Domain, token: str) -> None:
    [old] = secrets(domain)
    accepted: list[bool] = []

    def watch(request: Any) -> None:
        """Whether the secret that the gateway holds is one that AM takes."""
        [api] = world.apis.values()
        held = api.served.current["resources"][0]["configuration"]["clientSecret"]
        accepted.append(held in secrets(domain))

    writes = len(world.writes())
    predicted = playbooks.run("rotate.yml", "--check", **FAST)
    assert predicted.code == 0, predicted.output
    assert world.writes()[writes:] == []
    world.on_answer = watch
    done = playbooks.run("rotate.yml", "-vvv", "--diff", **FAST)
    world.on_answer = None
    assert done.code == 0, done.output
    assert done.changes[:3] == predicted.changes
    assert done.changes == [
        "create another secret of MCP server Weather MCP",
        "update clientSecret of resource Gravitee AM of API /weather-mcp",
        "deploy API /weather-mcp",
        "delete secret Default of MCP server Weather MCP",
    ]
    [new] = secrets(domain)
    assert new != old
    assert all(accepted)
    assert new not in done.output
    assert works(modules, playbooks, token)
    assert playbooks.run().changes == []
    assert playbooks.run("rotate.yml", **FAST).code == 0
    assert works(modules, playbooks, token)


@pytest.mark.parametrize("number", range(1, 16, 3))  # a third of the requests, by their faults see test_faults.py
def test_interrupted_anywhere_calls_keep_working(
    playbooks: Playbooks, modules: Modules, domain: Domain, token: str, number: int
) -> None:
    playbooks.kill_after(number, "rotate.yml", **FAST)
    assert works(modules, playbooks, token)
    assert playbooks.run("rotate.yml", **FAST).code == 0
    assert works(modules, playbooks, token)
    assert len(secrets(domain)) == 1
    assert playbooks.run().changes == []


def test_am_4_10_takes_the_users_word(playbooks: Playbooks, modules: Modules, world: World, domain: Domain) -> None:
    assert playbooks.run().code == 0
    [old] = secrets(domain)
    refused = playbooks.run("rotate.yml", **FAST)
    assert refused.code == 2
    assert "cannot renew a secret, nor hold two. Set recreate=true" in refused.failure
    assert secrets(domain) == [old]
    done = playbooks.run("rotate.yml", rotate_recreate=True, **FAST)
    assert done.code == 0, done.output
    [new] = secrets(domain)
    assert new != old
    assert next(iter(world.apis.values())).definition["resources"][0]["configuration"]["clientSecret"] == new
    assert playbooks.run().changes == []


def test_nothing_to_rotate(playbooks: Playbooks, domain: Domain) -> None:
    failure = playbooks.run("rotate.yml", **FAST).failure
    assert f"there is no secured MCP server at {playbooks.url} to rotate the secret of" in failure


def test_as_a_part_of_the_role(playbooks: Playbooks, modules: Modules, domain: Domain, token: str) -> None:
    [old] = secrets(domain)
    done = playbooks.run(rotate=True, **FAST)
    assert done.code == 0, done.output
    assert secrets(domain) != [old]
    assert works(modules, playbooks, token)
