"""gravitee_deployment."""
from __future__ import annotations

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

AT = {"context_path": "/w"}


@pytest.fixture(autouse=True)
def _api(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **AT, name="W", target=world.urls["mcp"])


def here(world: World) -> dict[str, str]:
    return {"gateway_url": f"{world.urls['gateway']}/w"}


def test_deployed_and_started_once(modules: Modules) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    done = modules.twice("gravitee_deployment", **AT, label="first")
    assert done["changes"] == ["deploy API /w", "start API /w"]
    assert done["deployment"]["state"] == "STARTED"
    assert done["deployment_due"] is False


def test_a_label_too_long_is_refused(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="label: .* has 33 characters, and APIM takes 32. Give a shorter one."):
        modules.run("gravitee_deployment", **AT, label="x" * 33)
    assert len(world.writes()) == before


def test_deployed_leaves_it_stopped(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    done = modules.twice("gravitee_deployment", **AT, state="deployed")
    assert done["changes"] == ["deploy API /w"]
    assert next(iter(world.apis.values())).state == "STOPPED"


def test_only_what_is_due(modules: Modules) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    modules.run("gravitee_api", **AT, description="not of the gateway")
    assert modules.run("gravitee_deployment", **AT)["changed"] is False
    modules.run("gravitee_api", **AT, read_timeout=7000)
    assert modules.twice("gravitee_deployment", **AT)["changes"] == ["deploy API /w"]


def test_stop_and_start_leaves_pending_changes_to_the_deployment(modules: Modules, world: World) -> None:
    """_start does not apply them, so started deploys first."""
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    modules.run("gravitee_api", **AT, read_timeout=7000)
    assert modules.twice("gravitee_deployment", **AT, state="stopped")["changes"] == ["stop API /w"]
    assert modules.twice("gravitee_deployment", **AT)["changes"] == ["deploy API /w", "start API /w"]
    served = next(iter(world.apis.values())).served.current
    assert served["endpointGroups"][0]["sharedConfiguration"]["http"]["readTimeout"] == 7000


def test_check_mode_is_told_what_earlier_tasks_would_change(modules: Modules) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert modules.run("gravitee_deployment", check=True, **AT)["changed"] is False
    predicted = modules.run("gravitee_deployment", check=True, **AT, definition_changed=True)
    assert predicted["changes"] == ["deploy API /w"]


def test_no_published_plan_is_refused_and_nothing_is_served(modules: Modules) -> None:
    with pytest.raises(ModuleFailed, match="no published plan.*the gateway serves nothing of it, as it never was deployed"):
        modules.run("gravitee_deployment", **AT)


def test_no_published_plan_is_refused_and_the_open_door_named(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    modules.run("gravitee_plan", **AT, security="key_less", state="closed")
    with pytest.raises(ModuleFailed, match="goes on serving its deployment of 20.*state=stopped ends that") as failure:
        modules.run("gravitee_deployment", **AT)
    assert modules.run("mcp_check", url=here(world)["gateway_url"])["result"] == "open", failure.value
    modules.run("gravitee_deployment", **AT, state="stopped")
    with pytest.raises(ModuleFailed, match="as it is stopped"):
        modules.run("gravitee_deployment", **AT)


def test_an_api_that_is_not_there(modules: Modules) -> None:
    with pytest.raises(ModuleFailed, match="There is no API /no: create it first"):
        modules.run("gravitee_deployment", context_path="/no")
    assert modules.run("gravitee_deployment", context_path="/no", state="stopped")["changed"] is False


def test_waits_until_the_gateway_follows(modules: Modules, world: World) -> None:
    world.sync_delay = 1.5
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT, wait=True, wait_timeout=20, **here(world))
    assert modules.run("mcp_check", url=here(world)["gateway_url"])["result"] == "open"
    modules.run("gravitee_deployment", **AT, state="stopped", wait=True, wait_timeout=20, **here(world))
    assert modules.run("mcp_check", url=here(world)["gateway_url"])["result"] == "unreachable"


def test_does_not_wait_for_ever(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    with pytest.raises(ModuleFailed, match="wait_timeout: after 1 s .* still gets 200, not secured"):
        modules.run("gravitee_deployment", **AT, wait=True, wait_for="secured", wait_timeout=1, **here(world))


def test_waiting_needs_a_url(modules: Modules) -> None:
    with pytest.raises(ModuleFailed, match="wait is True but all of the following are missing: gateway_url"):
        modules.run("gravitee_deployment", **AT, wait=True)
