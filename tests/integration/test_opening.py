"""gravitee_deployment and allow_open: what is or was closed is not opened by a deployment that was not told to."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.test_interrupted import is_open
from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import Request, World

AT = {"context_path": "/w"}
REFUSED = "allow_open: this would let in anyone, without credentials, at the API /w: its plan .* lets in nobody so far"


@pytest.fixture(autouse=True)
def _api(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **AT, name="W", target=world.urls["mcp"])


class Scene:
    """What stood before, told step by step."""

    def __init__(self, modules: Modules):
        self.modules = modules

    def plan(self, security: str, **params: Any) -> Scene:
        self.modules.run("gravitee_plan", **AT, security=security, **params)
        return self

    def deploy(self, **params: Any) -> Scene:
        self.modules.run("gravitee_deployment", **AT, allow_open=True, **params)
        return self


# What stood before, and which values of allow_open open it with state=started and with state=deployed.
ANY, TOLD, NONE = {None, False, True}, {True}, set[Any]()
SCENES: dict[str, tuple[Callable[[Scene], Any], set[Any], set[Any]]] = {
    "new": (lambda s: s.plan("key_less"), {None, True}, NONE),
    "new, beside another plan": (lambda s: s.plan("key_less").plan("api_key"), TOLD, NONE),
    "new, beside a staged plan": (lambda s: s.plan("key_less").plan("api_key", state="staging"), {None, True}, NONE),
    "new, another one was closed": (
        lambda s: s.plan("key_less", name="a").plan("key_less", name="a", state="closed").plan("key_less", name="b"),
        TOLD,
        NONE,
    ),
    "closed, and published by hand": (lambda s: s.plan("api_key").deploy().plan("key_less"), TOLD, TOLD),
    "closed, and deprecated by hand": (lambda s: s.plan("api_key").deploy().plan("key_less", state="deprecated"), TOLD, TOLD),
    "closed and stopped": (lambda s: s.plan("api_key").deploy().plan("key_less").deploy(state="stopped"), TOLD, NONE),
    "closed after it was open": (
        lambda s: s.plan("key_less", name="a").deploy().plan("api_key").plan("key_less", name="a", state="closed").deploy()
        .plan("key_less", name="b"),
        TOLD,
        TOLD,
    ),
    "open": (lambda s: s.plan("key_less").deploy(), ANY, ANY),
    "open, and changed": (lambda s: s.plan("key_less").deploy().plan("api_key"), ANY, ANY),
    "open and stopped": (lambda s: s.plan("key_less").deploy().deploy(state="stopped"), {None, True}, NONE),
    "closed": (lambda s: s.plan("api_key").deploy(), NONE, NONE),
}


@pytest.mark.parametrize("state", ["started", "deployed"])
@pytest.mark.parametrize("allow_open", [None, False, True])
@pytest.mark.parametrize("name", SCENES)
def test_what_is_closed_stays_closed(modules: Modules, world: World, name: str, allow_open: bool | None, state: str) -> None:
    prepare, *opened = SCENES[name]
    prepare(Scene(modules))
    before, [api] = len(world.writes()), world.apis.values()
    task = {**AT, "state": state, **({} if allow_open is None else {"allow_open": allow_open})}
    predicted = modules.run("gravitee_deployment", check=True, **task)
    try:
        modules.run("gravitee_deployment", **task)
    except ModuleFailed as failure:
        assert failure.result["msg"].startswith("allow_open: ")
        assert world.writes()[before:] == []
        assert [warning for warning in predicted["warnings"] if "allow_open: " in warning]
    else:
        assert predicted["warnings"] == []
        assert api.snapshot() == api.deployed
    assert is_open(world) == (allow_open in opened[state == "deployed"])


@pytest.mark.parametrize("allow_open", [None, False])
def test_a_plan_published_between_the_look_and_the_writing(modules: Modules, world: World, allow_open: bool | None) -> None:
    scene = Scene(modules).plan("api_key").deploy()
    modules.run("gravitee_plan", **AT, security="key_less", state="staging")
    modules.run("gravitee_api", **AT, read_timeout=7000)
    [api] = world.apis.values()
    looks = []

    def publish(request: Request) -> None:
        if request.path.endswith("/events"):
            looks.append(request)
            for plan in api.plans.values() if len(looks) == 1 else []:
                plan["status"] = "PUBLISHED"

    before, world.on_answer = len(world.writes()), publish
    with pytest.raises(ModuleFailed, match=REFUSED):
        scene.modules.run("gravitee_deployment", **AT, **({} if allow_open is None else {"allow_open": allow_open}))
    assert len(looks) == 2
    assert world.writes()[before:] == []
    assert not is_open(world)


def test_a_rule_of_an_open_plan_that_changed_is_told_to_be_served(modules: Modules, world: World) -> None:
    """Who got in by a rule was somebody; without it, it is anyone."""
    rule = {"selectionRule": "{#request.headers['x-inside'] != null}"}
    scene = Scene(modules).plan("key_less", definition=rule).deploy()
    scene.plan("key_less", definition={"selectionRule": "{#request.path != null}"})
    with pytest.raises(ModuleFailed, match=REFUSED):
        modules.run("gravitee_deployment", **AT)
    scene.deploy()


def test_what_waits_is_told_and_shown(modules: Modules, world: World) -> None:
    Scene(modules).plan("api_key").deploy()
    modules.run("gravitee_api", **AT, read_timeout=7000, description="not of the gateway")
    Scene(modules).plan("key_less")
    told = modules.run("gravitee_deployment", check=True, **AT, allow_open=True)
    assert told["waiting"] == ["readTimeout: 120000 → 7000", "plan Keyless: not served → published"]
    assert told["diff"]["before"]["waiting"] == told["waiting"]
    assert told["diff"]["after"]["waiting"] == []
    assert modules.run("gravitee_deployment", **AT, allow_open=True)["waiting"] == told["waiting"]
    assert modules.run("gravitee_deployment", **AT, allow_open=True)["waiting"] == []


def test_a_secret_that_waits_is_not_shown(modules: Modules, world: World) -> None:
    resource = {"server_url": world.urls["am_gateway"], "security_domain": "d", "client_id": "c"}
    modules.run("am_resource", **AT, **resource, client_secret="first-s3cret")
    Scene(modules).plan("oauth2", oauth_resource="Gravitee AM").deploy()
    modules.run("am_resource", **AT, client_secret="second-s3cret")
    told = modules.run("gravitee_deployment", **AT)
    assert told["waiting"] == ["resources clientSecret: ******** → ******** (changed)"]
    assert "s3cret" not in str(told)


def test_a_steady_api_costs_no_look_at_its_deployments(modules: Modules, world: World) -> None:
    Scene(modules).plan("key_less").deploy()
    before = len(world.log)
    assert modules.run("gravitee_deployment", **AT)["changed"] is False
    assert [request.path for request in world.log[before:] if request.path.endswith(("/events", "/plans"))] == []
