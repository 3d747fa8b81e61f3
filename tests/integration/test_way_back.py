"""gravitee_deployment and on_failure: what follows a deployment that failed, and what the message says of it."""
from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import Faults, proxy
from tests.integration.test_interrupted import is_open
from tests.runners import ModuleFailed, Modules
from tests.sandbox.servers import Sandbox

AT = {"context_path": "/w"}
FAILED = "wait_timeout: after 0 s a call of .* still gets"


class Scene:
    """An API on the sandbox; the task under test goes through a proxy that can refuse."""

    def __init__(self, sandbox: Sandbox, url: str, faults: Faults):
        self.sandbox, self.world, self.url, self.faults = sandbox, sandbox.world, url, faults
        self.modules = Modules(self.world)

    @property
    def api(self) -> Any:
        [api] = self.world.apis.values()
        return api

    @property
    def target(self) -> str:
        return self.api.definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"]

    @property
    def secret(self) -> str:
        return self.api.definition["resources"][0]["configuration"]["clientSecret"]

    @property
    def statuses(self) -> dict[str, str]:
        return {plan["name"]: plan["status"] for plan in self.api.plans.values()}

    def run(self, module: str, /, **params: Any) -> dict[str, Any]:
        return self.modules.run(module, **AT, **params)

    def resource(self, **params: Any) -> None:
        given = {"server_url": self.world.urls["am_gateway"], "security_domain": "d", **params}
        self.run("am_resource", **given)

    def create(self) -> Scene:
        """Never deployed; its plan asks for a token."""
        self.sandbox.reset()
        self.run("gravitee_api", name="W", target="http://first")
        self.resource(client_id="c", client_secret="first-s3cret")
        self.run("gravitee_plan", security="oauth2", oauth_resource="Gravitee AM")
        return self

    def secure(self) -> Scene:
        """Once open, then closed: deployment 2 asks for a token."""
        self.open()
        self.run("gravitee_plan", security="key_less", state="closed")
        self.run("gravitee_deployment")
        return self

    def open(self) -> Scene:
        self.create().run("gravitee_plan", security="key_less")
        self.run("gravitee_deployment", allow_open=True)
        return self

    def change(self) -> Scene:
        """What the task under test is to deploy: another target, a new secret, a plan more."""
        self.run("gravitee_api", target="http://second")
        self.resource(client_secret="second-s3cret")
        self.run("gravitee_plan", security="api_key")
        return self

    def fail(self, way: str, **params: Any) -> str:
        """Deploy, and wait for what never comes. What the message says."""
        given = {"on_failure": way, "wait": True, "wait_timeout": 0, "wait_for": "absent", "apim_url": self.url, **params}
        gateway = f"{self.world.urls['gateway']}/w"
        with pytest.raises(ModuleFailed) as failure:
            self.run("gravitee_deployment", gateway_url=gateway, timeout=0.5, token_cache=False, **given)
        return str(failure.value)


@pytest.fixture
def scene(sandbox: Sandbox) -> Iterator[Scene]:
    faults = Faults()
    with proxy(sandbox.world.urls["apim"], faults) as url:
        yield Scene(sandbox, url, faults)


def test_keep(scene: Scene) -> None:
    told = scene.secure().change().fail("keep")
    assert told.startswith("wait_timeout: after 0 s a call of ")
    assert "The API /w is started, its newest deployment 3 of 20" in told
    assert told.endswith(" lets in nobody without credentials.")
    assert (scene.target, scene.api.state, scene.api.snapshot() == scene.api.deployed) == ("http://second", "STARTED", True)


def test_stop(scene: Scene) -> None:
    told = scene.secure().change().fail("stop")
    assert told.endswith(" The API /w is stopped: as soon as the gateways have followed, they answer 404.")
    assert (scene.target, scene.api.state, scene.api.served.current) == ("http://second", "STOPPED", None)


def test_rollback(scene: Scene) -> None:
    scene.secure().change()
    told = scene.fail("rollback")
    assert " Rolled back: definition and plans of the deployment 2 of 20" in told
    assert "The API /w is started, its newest deployment 4 of 20" in told
    assert told.endswith(" lets in nobody without credentials.")
    assert scene.target == "http://first"
    assert scene.statuses == {"OAuth2": "PUBLISHED", "Keyless": "CLOSED", "API key": "CLOSED"}
    assert scene.secret == "second-s3cret"
    assert (scene.api.state, scene.api.snapshot() == scene.api.deployed) == ("STARTED", True)
    assert scene.api.served.current == scene.api.deployed
    assert scene.api.deployments[-1].label == "back to deployment 2"


def test_the_secret_of_another_client_is_not_kept(scene: Scene) -> None:
    scene.secure()
    scene.resource(client_id="other", client_secret="others-s3cret")
    assert "Rolled back" in scene.fail("rollback")
    assert (scene.secret, scene.api.snapshot() == scene.api.deployed) == ("first-s3cret", True)


def test_nothing_to_go_back_to(scene: Scene) -> None:
    told = scene.create().fail("rollback")
    assert "There is nothing to roll back to, as the API /w was never deployed before: the API is stopped instead." in told
    assert scene.api.state == "STOPPED"


def test_the_way_back_is_open(scene: Scene) -> None:
    scene.open().run("gravitee_plan", security="key_less", state="closed")
    told = scene.fail("rollback")
    assert "There is nothing to roll back to, as the deployment 1 of 20" in told
    assert "lets in anyone through its plan Keyless: the API is stopped instead." in told
    assert (scene.api.state, scene.statuses["Keyless"]) == ("STOPPED", "CLOSED")


def test_what_was_stopped_is_stopped_again(scene: Scene) -> None:
    scene.secure().run("gravitee_deployment", state="stopped")
    told = scene.change().fail("rollback")
    assert "Rolled back: " in told
    assert told.endswith("The API /w is stopped: as soon as the gateways have followed, they answer 404.")
    assert (scene.target, scene.api.state, scene.api.snapshot() == scene.api.deployed) == ("http://first", "STOPPED", True)


def test_a_plan_that_somebody_opens_during_the_way_back(scene: Scene) -> None:
    scene.secure().change()
    scene.run("gravitee_plan", security="key_less", name="other", state="staging")

    def publish(request: Any) -> None:
        if request.path.endswith("/_rollback"):
            next(plan for plan in scene.api.plans.values() if plan["name"] == "other")["status"] = "PUBLISHED"

    scene.world.on_answer = publish
    told = scene.fail("rollback")
    assert "Rolling back failed, too: the plan other, published in the meantime, lets in anyone." in told
    assert scene.api.state == "STOPPED"


@pytest.mark.parametrize("way", ["keep", "stop", "rollback"])
def test_a_task_that_wrote_nothing_leaves_everything_as_it_is(scene: Scene, way: str) -> None:
    scene.secure()
    before = len(scene.world.writes())
    assert scene.fail(way).endswith("reach its management repository?")
    scene.run("gravitee_plan", security="key_less", name="b")
    before = len(scene.world.writes())
    assert scene.fail(way, allow_open=False).startswith("allow_open: ")
    assert scene.world.writes()[before:] == []


@pytest.mark.parametrize(
    ("way", "broken", "told", "state"),
    [
        ("keep", "POST .*/deployments", ["answered 500", "deployment 2 of 20"], "STARTED"),
        ("stop", "POST .*/deployments", ["answered 500", "The API /w is stopped"], "STOPPED"),
        ("stop", "POST .*/_stop", [FAILED, "Stopping it failed: POST .*/_stop answered 500", "/w is started"], "STARTED"),
        ("rollback", "_rollback", ["Rolling back failed, too: POST .*_rollback answered 500", "/w is stopped"], "STOPPED"),
        ("rollback", "PUT ", ["Rolling back failed, too: PUT ", "The API is stopped instead", "/w is stopped"], "STOPPED"),
        ("rollback", "POST .*/deployments", ["answered 500", "Rolling back failed, too: POST ", "/w is stopped"], "STOPPED"),
        ("rollback", "_rollback|_stop", ["Rolling back failed, too: ", "Stopping it failed: ", "/w is started, its"], "STARTED"),
    ],
)
def test_when_the_way_back_fails_that_is_told_too(scene: Scene, way: str, broken: str, told: list[str], state: str) -> None:
    scene.secure().change()
    scene.faults.broken = broken
    message = scene.fail(way)
    for part in told:
        assert re.search(part, message), f"{part} is not in: {message}"
    assert scene.api.state == state
    assert not is_open(scene.world)


def test_apims_refusal_keeps_its_status(scene: Scene) -> None:
    scene.secure().change()
    scene.faults.broken = "POST .*/deployments"
    with pytest.raises(ModuleFailed) as failure:
        scene.run("gravitee_deployment", apim_url=scene.url, token_cache=False, on_failure="stop")
    assert failure.value.result["status"] == 500


SCENES = {"closed": Scene.secure, "open": Scene.open, "new": Scene.create}
STANDS = ("The API /w is started", "The API /w is stopped", "What stands now could not be asked")


@pytest.mark.parametrize("kind", ["500", "reset after"])
@pytest.mark.parametrize("way", ["stop", "rollback"])
@pytest.mark.parametrize("name", SCENES)
def test_every_request_refused_in_turn(scene: Scene, name: str, way: str, kind: str, record_property: Any) -> None:
    """Nothing is opened on the way, the message says once what stands, and the next run converges."""
    SCENES[name](scene).change()
    if name == "open":
        scene.run("gravitee_plan", security="key_less", state="closed")
    world = scene.world
    prepared = copy.deepcopy(world.apis, {id(world): world})
    opened: list[bool] = []

    def fail(number: int) -> str:
        world.apis = copy.deepcopy(prepared, {id(world): world})
        opened[:] = [is_open(world)]
        world.on_answer = lambda _request: opened.append(is_open(world))
        scene.faults.arm(number, kind)
        return scene.fail(way)

    fail(0)
    requests = len(scene.faults.asked)
    assert requests > 10
    for number in range(1, requests + 1):
        told = fail(number)
        meant = f"{kind} at {number}, {scene.faults.asked[number - 1]}: {told}"
        assert sorted(opened, reverse=True) == opened, f"{meant} opened the API"
        wrote = any(re.search("POST .*/(deployments|_start)$", asked) for asked in scene.faults.asked)
        said = [sentence for sentence in STANDS if sentence in told]
        assert len(said) == wrote, meant
        assert said == [*STANDS[2:]] or STANDS[scene.api.state == "STOPPED"] in told or not wrote, meant
        scene.faults.arm(0, "")
        scene.run("gravitee_deployment")
        assert (scene.api.state, scene.api.snapshot() == scene.api.deployed) == ("STARTED", True), meant
        assert not is_open(world), meant
    record_property("cases", requests)
