"""gravitee_subscription."""
from __future__ import annotations

from typing import Any

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import Request, World

AT = {"context_path": "/w"}
CLIENT = {**AT, "client_id": "client-x", "application_name": "X"}


@pytest.fixture(autouse=True)
def _api(modules: Modules) -> None:
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s3cr3t"}
    modules.run("gravitee_api", **AT, name="W", target="http://w/mcp")
    modules.run("am_resource", **AT, **resource)
    modules.run("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM")


def statuses(world: World) -> list[str]:
    return [subscription["status"] for subscription in world.subscriptions.values()]


def only(things: dict[str, Any]) -> dict[str, Any]:
    [thing] = things.values()
    return thing


def test_application_and_subscription_are_made_once(modules: Modules, world: World) -> None:
    made = modules.twice("gravitee_subscription", **CLIENT)
    assert made["changes"] == ["create application X", "subscribe X to plan OAuth2"]
    assert made["subscription"]["status"] == "ACCEPTED"
    assert (made["application_id"], made["id"]) == (only(world.applications)["id"], only(world.subscriptions)["id"])
    assert only(world.applications)["settings"] == {"app": {"type": "native", "client_id": "client-x"}}


def test_an_application_that_is_there_is_taken(modules: Modules, world: World) -> None:
    modules.run("gravitee_subscription", **CLIENT)
    modules.run("gravitee_plan", **AT, name="Second", security="oauth2", oauth_resource="Gravitee AM")
    done = modules.twice("gravitee_subscription", **CLIENT, plan="Second")
    assert done["changes"] == ["subscribe X to plan Second"]
    assert len(world.applications) == 1


def test_a_plan_that_validates_by_hand(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="oauth2", validation="manual")
    made = modules.twice("gravitee_subscription", **CLIENT)
    assert made["changes"][-1] == "accept subscription of X to API /w"
    assert statuses(world) == ["ACCEPTED"]


def test_one_that_waits_is_accepted_and_one_that_pauses_resumed(modules: Modules, world: World) -> None:
    modules.run("gravitee_subscription", **CLIENT)
    for status, verb in (("PENDING", "accept"), ("PAUSED", "resume")):
        only(world.subscriptions)["status"] = status
        done = modules.twice("gravitee_subscription", **CLIENT)
        assert done["changes"] == [f"{verb} subscription of X to API /w"]


def test_closed_and_subscribed_anew(modules: Modules, world: World) -> None:
    modules.run("gravitee_subscription", **CLIENT)
    closed = modules.twice("gravitee_subscription", **CLIENT, state="closed")
    assert closed["changes"] == ["close subscription of X to API /w"]
    assert len(world.applications) == 1
    assert modules.twice("gravitee_subscription", **CLIENT)["changes"] == ["subscribe X to plan OAuth2"]
    assert statuses(world) == ["CLOSED", "ACCEPTED"]


def test_absent_archives_the_application_and_a_new_one_may_follow(modules: Modules, world: World) -> None:
    modules.run("gravitee_subscription", **CLIENT)
    gone = modules.twice("gravitee_subscription", **CLIENT, state="absent")
    assert gone["changes"] == ["close subscription of X to API /w", "archive application X"]
    assert only(world.applications)["status"] == "ARCHIVED"
    assert modules.twice("gravitee_subscription", **CLIENT)["changes"][0] == "create application X"


def test_somebody_else_was_faster(modules: Modules, world: World) -> None:
    """Another controller makes the application and the subscription between our look and our requests."""
    modules.run("gravitee_subscription", **CLIENT)
    theirs = dict(world.applications), dict(world.subscriptions)
    world.applications.clear()
    world.subscriptions.clear()

    def race(request: Request) -> None:
        if request.path.endswith("/applications") and request.method == "GET":
            world.applications.update(theirs[0])
            world.subscriptions.update(theirs[1])

    world.on_answer = race
    done = modules.run("gravitee_subscription", **CLIENT)
    assert [request.status for request in world.writes()[-2:]] == [400, 400]
    assert (done["application_id"], done["id"]) == (only(world.applications)["id"], only(world.subscriptions)["id"])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"plan": "nope"}, "plan: the API has no published plan named 'nope'"),
        ({"context_path": "/no"}, "There is no API"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        modules.run("gravitee_subscription", **{**CLIENT, **given})
    assert sentence in str(failure.value)


def test_two_oauth2_plans_are_ambiguous(modules: Modules) -> None:
    modules.run("gravitee_plan", **AT, name="Second", security="oauth2", oauth_resource="Gravitee AM")
    with pytest.raises(ModuleFailed, match="plan: this could mean any of the API's published plans"):
        modules.run("gravitee_subscription", **CLIENT)


def test_check_mode_foretells_it_for_an_api_that_is_yet_to_come(modules: Modules) -> None:
    foretold = modules.run("gravitee_subscription", check=True, **{**CLIENT, "context_path": "/no"})
    assert foretold["changes"] == ["create application X", "subscribe X to plan OAuth2"]
