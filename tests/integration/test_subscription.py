"""gravitee_subscription."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim

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
    assert made["changes"][-1] == "subscribe X to plan OAuth2", "and accept it, where APIM does not do so at once"
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


OTHER = {"context_path": "/other"}


@pytest.fixture
def other_api(modules: Modules) -> str:
    """The id of a second API that the client is subscribed to."""
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s3cr3t"}
    made = modules.run("gravitee_api", **OTHER, name="Other", target="http://other/mcp")
    modules.run("am_resource", **OTHER, **resource)
    modules.run("gravitee_plan", **OTHER, security="oauth2", oauth_resource="Gravitee AM")
    for at in (AT, OTHER):
        modules.run("gravitee_subscription", **{**CLIENT, **at})
    return made["id"]


def test_absent_keeps_an_application_with_other_subscriptions(modules: Modules, world: World, other_api: str) -> None:
    gone = modules.twice("gravitee_subscription", **CLIENT, state="absent")
    assert gone["changes"] == ["close subscription of X to API /w"]
    assert only(world.applications)["status"] == "ACTIVE"
    [other] = gone["other_subscriptions"]
    assert (other["api"], other["api_id"], other["status"]) == ("Other", other_api, "ACCEPTED")
    last = modules.twice("gravitee_subscription", **{**CLIENT, **OTHER}, state="absent")
    assert last["changes"] == ["close subscription of X to API /other", "archive application X"]
    assert last["other_subscriptions"] == []


@pytest.mark.parametrize("status", ["PENDING", "PAUSED"])
def test_a_subscription_that_does_not_let_in_yet_counts(modules: Modules, world: World, other_api: str, status: str) -> None:
    for one in world.subscriptions.values():
        if one["api"]["id"] == other_api:
            one["status"] = status
    assert modules.twice("gravitee_subscription", **CLIENT, state="absent")["other_subscriptions"][0]["status"] == status
    assert only(world.applications)["status"] == "ACTIVE"


def test_another_plan_of_the_same_api_counts(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, name="Second", security="oauth2", oauth_resource="Gravitee AM")
    for plan in ("OAuth2", "Second"):
        modules.run("gravitee_subscription", **CLIENT, plan=plan)
    gone = modules.twice("gravitee_subscription", **CLIENT, plan="OAuth2", state="absent")
    assert [one["api"] for one in gone["other_subscriptions"]] == ["W"]
    assert only(world.applications)["status"] == "ACTIVE"


def test_with_force_it_goes_all_the_same(modules: Modules, world: World, other_api: str) -> None:
    gone = modules.twice("gravitee_subscription", **CLIENT, state="absent", force=True)
    assert gone["changes"] == ["close subscription of X to API /w", "archive application X"]
    assert only(world.applications)["status"] == "ARCHIVED"
    assert [one["api"] for one in gone["other_subscriptions"]] == ["Other"]


@pytest.mark.parametrize(("status", "left"), [(403, "ACTIVE"), (404, "ARCHIVED")])
def test_what_cannot_be_read_counts_and_what_is_gone_does_not(
    modules: Modules, world: World, other_api: str, monkeypatch: pytest.MonkeyPatch, status: int, left: str
) -> None:
    ask = Apim.subscriptions

    def answer(self: Apim, api_id: str, *given: Any) -> list[dict[str, Any]]:
        if api_id == other_api:
            raise ApiError("GET", "/subscriptions", status, "no")
        return ask(self, api_id, *given)

    monkeypatch.setattr(Apim, "subscriptions", answer)
    gone = modules.twice("gravitee_subscription", **CLIENT, state="absent")
    assert only(world.applications)["status"] == left
    assert [one["status"] for one in gone["other_subscriptions"]] == (["UNKNOWN"] if status == 403 else [])


def test_subscribed_elsewhere_while_it_is_removed(modules: Modules, world: World) -> None:
    """Looked at once more before it is archived."""
    modules.run("gravitee_plan", **AT, name="Second", security="oauth2", oauth_resource="Gravitee AM")
    modules.run("gravitee_subscription", **CLIENT, plan="OAuth2")
    second = next(plan for api in world.apis.values() for plan in api.published if plan["name"] == "Second")

    def subscribe(request: Request) -> None:
        if request.path.endswith("_close"):
            made = only(world.subscriptions)
            world.subscriptions["new"] = {**made, "id": "new", "plan": {"id": second["id"]}, "status": "ACCEPTED"}

    world.on_answer = subscribe
    done = modules.run("gravitee_subscription", **CLIENT, plan="OAuth2", state="absent")
    assert only(world.applications)["status"] == "ACTIVE"
    assert [one["plan_id"] for one in done["other_subscriptions"]] == [second["id"]]


def test_every_subscription_to_the_plan_is_closed(modules: Modules, world: World) -> None:
    """One that pauses does not keep APIM from taking a second."""
    modules.run("gravitee_subscription", **CLIENT)
    first = only(world.subscriptions)
    world.subscriptions["second"] = {**first, "id": "second"}
    first["status"] = "PAUSED"
    assert modules.run("gravitee_subscription", **CLIENT)["id"] == "second"
    modules.twice("gravitee_subscription", **CLIENT, state="closed")
    assert statuses(world) == ["CLOSED", "CLOSED"]


def test_an_application_that_this_account_does_not_see(modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    modules.run("gravitee_subscription", **CLIENT)
    monkeypatch.setattr(Apim, "applications", lambda _self: [])
    with pytest.raises(ModuleFailed, match="400: An application already exists with client_id"):
        modules.run("gravitee_subscription", **CLIENT)


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


def test_check_mode_predicts_it_for_an_api_that_is_yet_to_come(modules: Modules) -> None:
    predicted = modules.run("gravitee_subscription", check=True, **{**CLIENT, "context_path": "/no"})
    assert predicted["changes"] == ["create application X", "subscribe X to plan OAuth2"]


@pytest.mark.parametrize("status", ["CLOSED", "PAUSED", "REJECTED"])
def test_what_somebody_decided_against_a_client_stays_if_asked(modules: Modules, world: World, status: str) -> None:
    careful = {**CLIENT, "reopen": False}
    assert modules.twice("gravitee_subscription", **careful)["changed"] is True
    only(world.subscriptions)["status"] = status
    told = modules.twice("gravitee_subscription", **careful)
    assert (told["changed"], [one["status"] for one in world.subscriptions.values()]) == (False, [status])
    assert f"was {status.lower()}, and stays so" in told["warnings"][-1]
    modules.twice("gravitee_subscription", **CLIENT)
    assert modules.twice("gravitee_subscription", **careful)["warnings"] == []
