"""The secrets of a rotation: at most ten, taken by AM's gateway before use, safe from other runs and failing requests."""
from __future__ import annotations

from typing import Any

import pytest

from tests.faults import Faults, proxy
from tests.integration.test_mcp_server import introspects
from tests.integration.test_mcp_server_secret import MADE, SERVER, have, secrets
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

TEN = [f"gravitee.mcp 20261126T01300512{number}Z" for number in range(9)]


@pytest.fixture
def server(modules: Modules, world: World, domain: Domain) -> dict[str, Any]:
    """What AM said when it made the MCP server, on AM 4.11."""
    world.am_version = "4.11"
    return modules.run("am_mcp_server", **MADE)


@pytest.mark.parametrize(
    ("there", "in_use", "gone"),
    [
        (TEN, [], TEN[0]),
        (TEN, ["Default"], TEN[0]),
        (TEN, [TEN[0]], TEN[1]),
        (TEN, [TEN[1], TEN[0]], TEN[2]),
        (["Paris", *TEN[:7], "London"], [TEN[0]], TEN[1]),
    ],
)
@pytest.mark.parametrize("given", [{"state": "renewed"}, {"name": "New"}])
def test_ten_secrets_do_not_end_it(
    modules: Modules, domain: Domain, server: dict[str, Any], there: list[str], in_use: list[str], gone: str, given: dict
) -> None:
    """AM's limit: the oldest that this collection made and that nothing uses makes room."""
    have(modules, *there)
    made = modules.check_and_run("am_mcp_server_secret", **SERVER, **given, in_use=in_use)
    assert made["changes"][0] == f"delete secret {gone} of MCP server Weather"
    assert list(secrets(domain)) == [*(name for name in ["Default", *there] if name != gone), made["name"]]


@pytest.mark.parametrize(
    ("there", "given", "sentence"),
    [
        (TEN, {}, "state: the MCP server has 10 secrets, and AM takes no more: Default, gravitee.mcp 2026"),
        (TEN, {}, "Say in in_use which are used, so that one which this collection made can go."),
        (TEN, {"in_use": TEN}, "Delete one."),
        (list("abcdefghi"), {"in_use": []}, "AM takes no more: Default, a, b, c, d, e, f, g, h, i. Delete one."),
        (TEN, {"in_use": ["Defualt"]}, "in_use: the MCP server has no secret named 'Defualt'. It has Default, gravitee.mcp"),
    ],
)
def test_none_that_may_be_in_use_makes_room(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any], there: list[str], given: dict, sentence: str
) -> None:
    have(modules, *there)
    before = len(world.writes())
    for check in (True, False):
        with pytest.raises(ModuleFailed) as failure:
            modules.run("am_mcp_server_secret", check=check, **SERVER, state="renewed", **given)
        assert sentence in str(failure.value)
    assert world.writes()[before:] == []


def test_a_named_one_that_is_there_needs_no_room(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, *TEN)
    assert modules.run("am_mcp_server_secret", **SERVER, name="Default")["changed"] is False
    assert modules.run("am_mcp_server_secret", **SERVER, state="renewed", name="Default")["changed"] is True


# AM's gateway follows some seconds later.


def test_it_waits_until_ams_gateway_takes_the_new_secret(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    world.sync_delay = 1.5
    given = {**SERVER, "state": "renewed", "am_gateway_url": f"{world.urls['am_gateway']}/"}
    for more in ({}, {"name": "Default"}):
        made = modules.check_and_run("am_mcp_server_secret", **given, **more)
        assert introspects(world, server["client_id"], made["client_secret"]), "it did not wait"
    hasty = modules.run("am_mcp_server_secret", **SERVER, state="renewed")
    assert not introspects(world, server["client_id"], hasty["client_secret"]), "without am_gateway_url it waits for nothing"


def test_a_secret_that_is_not_taken_in_time_is_deleted_again(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    world.sync_delay = 60
    given = {**SERVER, "am_gateway_url": world.urls["am_gateway"], "wait_timeout": 0.5, "state": "renewed"}
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_mcp_server_secret", **given)
    assert str(failure.value) == (
        f"wait_timeout: after 0.5 s AM's gateway {world.urls['am_gateway']} still refuses the new secret of MCP server Weather, "
        "so it was deleted again."
    )
    assert list(secrets(domain)) == ["Default"]
    with pytest.raises(ModuleFailed, match="the new secret of MCP server Weather, and the old one has ended: run this again"):
        modules.run("am_mcp_server_secret", **given, name="Default")
    faults = Faults()
    faults.broken = "DELETE"
    with proxy(world.urls["am"], faults) as am:
        with pytest.raises(ModuleFailed, match="and could not be deleted again: DELETE .* answered 500"):
            modules.run("am_mcp_server_secret", **given, am_url=am)
    assert len(secrets(domain)) == 2, "it is left over, and its name tells"


@pytest.mark.parametrize("where", ["elsewhere", "disabled"])
def test_no_gateway_no_secret(modules: Modules, world: World, domain: Domain, server: dict[str, Any], where: str) -> None:
    """Where AM's gateway could not be asked afterwards, nothing is written."""
    url = "http://127.0.0.1:9" if where == "elsewhere" else world.urls["am_gateway"]
    if where == "disabled":
        domain.update({**domain.wire, "enabled": False})
    before = len(world.writes())
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=f"am_gateway_url: at {url} no AM gateway serves the domain /mcp-demo"):
            modules.run("am_mcp_server_secret", check=check, **SERVER, state="renewed", am_gateway_url=url)
    assert world.writes()[before:] == []
    assert modules.run("am_mcp_server_secret", **SERVER, name="Default", am_gateway_url=url)["changed"] is False


def test_the_half_second_without_a_gateway_is_waited_for(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    """AM's gateway answers 404 after each write to its domain, also where the write falls between two questions."""

    def changed(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("/secrets"):
            domain.update(domain.wire, gap=0.5)

    domain.update(domain.wire, gap=0.5)
    world.on_answer = changed
    made = modules.run("am_mcp_server_secret", **SERVER, state="renewed", am_gateway_url=world.urls["am_gateway"])
    world.on_answer = None
    assert introspects(world, server["client_id"], made["client_secret"])


# Others at work, and requests that fail


def test_one_that_another_run_deleted_meanwhile(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, "Paris", "London")
    [stored] = domain.mcp_servers.values()

    def deleted(request: Any) -> None:
        if request.method == "GET" and request.path.endswith("/secrets"):
            stored["secrets"][:] = [one for one in stored["secrets"] if one["name"] != "Paris"]

    world.on_answer = deleted
    done = modules.run("am_mcp_server_secret", **SERVER, state="absent", name="Paris")
    world.on_answer = None
    assert done["changes"] == ["delete secret Paris of MCP server Weather"]
    assert list(secrets(domain)) == ["Default", "London"]


def test_two_rotations_at_once_delete_none_that_is_new(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    """The later one's is never deleted by the earlier one, whoever comes to its end first."""
    earlier, later = (modules.run("am_mcp_server_secret", **SERVER, state="renewed")["name"] for _time in range(2))
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=earlier)
    assert list(secrets(domain)) == [earlier, later]
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=later)
    assert list(secrets(domain)) == [later]


def rotation(modules: Modules, **given: Any) -> None:
    made = modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=[], **given)
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=made["name"], **given)


@pytest.mark.parametrize("kind", ["500", "reset before", "reset after", "cut"])
def test_after_any_request_that_fails_the_secret_in_use_is_there_and_the_next_rotation_finishes(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any], kind: str
) -> None:
    faults = Faults()
    with proxy(world.urls["am"], faults) as am:
        given = {"am_url": am, "retries": 0, "token_cache": False}
        rotation(modules, **given)
        requests = len(faults.asked)
        assert requests > 6
        for number in range(1, requests + 1):
            before = secrets(domain)
            faults.arm(number, kind)
            failed = False
            try:
                rotation(modules, **given)
            except ModuleFailed:
                failed = True
            assert failed or kind != "500"
            assert before.items() <= secrets(domain).items() or len(secrets(domain)) == 1, faults.asked
            faults.arm(0, "")
            rotation(modules, **given)
            assert len(secrets(domain)) == 1


def test_the_limit_holds_for_many_that_died(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    """Rotations that die after making their secret, each of them; the secret in use is AM's first."""
    for _time in range(25):
        modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=["Default"])
    assert len(secrets(domain)) == 10
    assert secrets(domain)["Default"] == server["client_secret"]
    last = modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=["Default"])
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=last["name"])
    assert list(secrets(domain)) == [last["name"]]
