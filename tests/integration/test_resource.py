"""am_resource."""
from __future__ import annotations

from typing import Any

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

AT = {"context_path": "/w"}
GIVEN = {**AT, "server_url": "http://am:8092", "security_domain": "mcp", "client_id": "c-1", "client_secret": "hush-hush"}


@pytest.fixture(autouse=True)
def _api(modules: Modules) -> None:
    modules.run("gravitee_api", **AT, name="W", target="http://w/mcp", description="kept", labels=["kept"])


def stored(world: World) -> list[dict[str, Any]]:
    return next(iter(world.apis.values())).definition["resources"]


def test_added(modules: Modules, world: World) -> None:
    made = modules.twice("am_resource", **GIVEN)
    assert made["changes"] == ["add resource Gravitee AM to API /w"]
    assert made["deployment_due"] is True
    assert stored(world)[0]["configuration"] == {
        "serverURL": "http://am:8092",
        "version": "V3_X",
        "securityDomain": "mcp",
        "clientId": "c-1",
        "clientSecret": "hush-hush",
        "userClaim": "sub",
    }
    assert "hush" not in str(made | {"invocation": None})


def test_the_rest_of_the_api_stays(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN, name="Other")
    modules.twice("am_resource", **GIVEN)
    definition = next(iter(world.apis.values())).definition
    assert (definition["description"], definition["labels"]) == ("kept", ["kept"])
    assert [resource["name"] for resource in stored(world)] == ["Other", "Gravitee AM"]


def test_a_secret_left_out_stays(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN)
    done = modules.twice("am_resource", **AT, user_claim="email")
    assert done["changes"] == ["update userClaim of resource Gravitee AM of API /w"]
    assert stored(world)[0]["configuration"]["clientSecret"] == "hush-hush"


def test_a_changed_secret_shows_as_changed_only(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN)
    done = modules.twice("am_resource", **{**GIVEN, "client_secret": "hush-again"})
    assert done["diff"]["after"]["configuration"]["clientSecret"] == "******** (changed)"
    assert "hush" not in str(done | {"invocation": None})
    assert stored(world)[0]["configuration"]["clientSecret"] == "hush-again"


def test_blocks_are_merged(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN, http={"connectTimeout": 5, "readTimeout": 6}, ssl={"trustAll": True})
    modules.twice("am_resource", **AT, http={"readTimeout": 7}, proxy={"enabled": False})
    configuration = stored(world)[0]["configuration"]
    assert configuration["http"] == {"connectTimeout": 5, "readTimeout": 7}
    assert (configuration["ssl"], configuration["proxy"]) == ({"trustAll": True}, {"enabled": False})


def test_a_disabled_one_is_enabled_unless_the_task_says_otherwise(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN)
    disabled = modules.twice("am_resource", **AT, enabled=False)
    assert disabled["changes"] == ["update enabled of resource Gravitee AM of API /w"]
    assert stored(world)[0]["enabled"] is False
    predicted = modules.run("am_resource", check=True, **AT)
    assert predicted["diff"]["after"] == {"enabled": True}
    enabled = modules.twice("am_resource", **AT, user_claim="email")
    assert enabled["changes"] == ["update userClaim, enabled of resource Gravitee AM of API /w"]
    assert stored(world)[0]["enabled"] is True


def test_removed_unless_a_plan_needs_it(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN)
    modules.run("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM")
    with pytest.raises(ModuleFailed, match="plan 'OAuth2' .* checks its tokens with the resource"):
        modules.run("am_resource", **AT, state="absent")
    modules.run("gravitee_plan", **AT, security="oauth2", state="closed")
    gone = modules.twice("am_resource", **AT, state="absent")
    assert gone["changes"] == ["remove resource Gravitee AM from API /w"]
    assert stored(world) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({**GIVEN, "client_secret": None}, "client_secret: the API /w holds none"),
        ({**GIVEN, "client_id": None}, "client_id: give the client id"),
        ({**GIVEN, "server_url": None}, "server_url: the API /w has no resource"),
        ({**GIVEN, "security_domain": None}, "security_domain: the API /w has no resource"),
        ({**GIVEN, "server_url": "am:8092"}, "server_url: 'am:8092' is no http(s) URL"),
        ({**GIVEN, "context_path": "/no"}, "There is no API /no: create it first"),
        ({**GIVEN, "version": "V9"}, "value of version must be one of"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_resource", **{name: value for name, value in given.items() if value is not None})
    assert sentence in str(failure.value)


def test_another_client_needs_its_own_secret(modules: Modules) -> None:
    modules.run("am_resource", **GIVEN)
    with pytest.raises(ModuleFailed, match="belongs to the client c-1"):
        modules.run("am_resource", **AT, client_id="c-2")


def test_the_name_of_another_type_is_refused(modules: Modules, world: World) -> None:
    cache = {"name": "Gravitee AM", "type": "cache", "enabled": True, "configuration": {}}
    modules.run("gravitee_api", **AT, definition={"resources": [cache]})
    with pytest.raises(ModuleFailed, match="is of type cache"):
        modules.run("am_resource", **GIVEN)


def test_two_resources_of_a_name_are_ambiguous(modules: Modules, world: World) -> None:
    modules.run("am_resource", **GIVEN)
    stored(world).append(dict(stored(world)[0]))
    with pytest.raises(ModuleFailed, match="has 2 resources named 'Gravitee AM'"):
        modules.run("am_resource", **GIVEN)


def test_check_mode_predicts_it_for_an_api_that_is_yet_to_come(modules: Modules) -> None:
    predicted = modules.run("am_resource", check=True, **{**GIVEN, "context_path": "/no"})
    assert predicted["changes"] == ["add resource Gravitee AM to API /no"]
    assert "There is no API /no" in predicted["warnings"][0]
