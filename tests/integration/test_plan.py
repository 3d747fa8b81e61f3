"""gravitee_plan."""
from __future__ import annotations

from typing import Any

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

RESOURCE = {
    "name": "AM",
    "type": "oauth2-am-resource",
    "configuration": {"serverURL": "http://am", "securityDomain": "d", "clientId": "i", "clientSecret": "s3cret"},
}
AT = {"context_path": "/w"}
OAUTH2 = {**AT, "security": "oauth2", "oauth_resource": "AM"}


@pytest.fixture(autouse=True)
def _api(modules: Modules) -> None:
    modules.run("gravitee_api", **AT, name="W", target="http://w/mcp", definition={"resources": [RESOURCE]})


def plans(world: World) -> list[dict[str, Any]]:
    return list(next(iter(world.apis.values())).plans.values())


def test_oauth2_is_created_and_published(modules: Modules, world: World) -> None:
    made = modules.twice("gravitee_plan", **OAUTH2)
    assert made["changes"] == ["create plan OAuth2 (OAUTH2) of API /w", "publish plan OAuth2 (OAUTH2) of API /w"]
    assert (made["plan"]["status"], made["plan"]["validation"]) == ("PUBLISHED", "AUTO")
    assert made["plan"]["security"]["configuration"] == {"oauthResource": "AM", "addWwwAuthenticateHeader": True}
    assert made["deployment_due"] is True


@pytest.mark.parametrize("version", ["4.10", "4.12"])
def test_discovery_is_sent_where_the_schema_knows_it(modules: Modules, world: World, version: str) -> None:
    world.apim_version = version
    made = modules.twice("gravitee_plan", **OAUTH2)
    assert ("addWwwAuthenticateHeader" in made["plan"]["security"]["configuration"]) is (version == "4.10")


def test_what_an_upgrade_left_behind_does_not_stop_an_update(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **OAUTH2)
    world.apim_version = "4.12"
    done = modules.twice("gravitee_plan", **OAUTH2, required_scopes=["a"])
    configuration = done["plan"]["security"]["configuration"]
    assert configuration == {"oauthResource": "AM", "requiredScopes": ["a"], "checkRequiredScopes": True}


def test_discovery_can_be_off(modules: Modules) -> None:
    modules.run("gravitee_plan", **OAUTH2)
    done = modules.twice("gravitee_plan", **OAUTH2, discovery=False)
    assert done["plan"]["security"]["configuration"]["addWwwAuthenticateHeader"] is False


def test_an_update_resets_nothing(modules: Modules, world: World) -> None:
    given = {"description": "d", "extract_payload": True, "mode_strict": False, "required_scopes": ["a", "b"]}
    modules.run("gravitee_plan", **OAUTH2, **given)
    done = modules.twice("gravitee_plan", **OAUTH2, propagate_auth_header=False)
    configuration = done["plan"]["security"]["configuration"]
    assert done["plan"]["description"] == "d"
    assert (configuration["extractPayload"], configuration["modeStrict"]) == (True, False)
    assert (configuration["requiredScopes"], configuration["checkRequiredScopes"]) == (["a", "b"], True)
    assert modules.run("gravitee_plan", **OAUTH2, required_scopes=["b", "a"])["changed"] is False


def test_a_staged_plan_is_published_not_made_again(modules: Modules, world: World) -> None:
    staged = modules.twice("gravitee_plan", **OAUTH2, state="staging")
    assert (staged["plan"]["status"], staged["deployment_due"]) == ("STAGING", False)
    done = modules.twice("gravitee_plan", **OAUTH2)
    assert done["changes"] == ["publish plan OAuth2 (OAUTH2) of API /w"]
    assert len(plans(world)) == 1


def test_keyless_is_closed_whatever_its_name(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, name="Come in", security="key_less")
    closed = modules.twice("gravitee_plan", **AT, security="key_less", state="closed")
    assert closed["changes"] == ["close plan Come in (KEY_LESS) of API /w"]
    assert closed["deployment_due"] is True
    assert [plan["status"] for plan in plans(world)] == ["CLOSED"]


def test_closing_what_is_not_there_changes_nothing(modules: Modules) -> None:
    assert modules.check_and_run("gravitee_plan", **AT, security="key_less", state="closed")["changed"] is False
    assert modules.run("gravitee_plan", context_path="/no", security="key_less", state="closed")["changed"] is False


def test_a_plan_that_will_exist(modules: Modules) -> None:
    given = {**AT, "security": "key_less", "state": "closed", "will_exist": True}
    predicted = modules.run("gravitee_plan", check=True, **given)
    assert predicted["changes"] == ["close plan Keyless (KEY_LESS) of API /w"]
    with pytest.raises(ModuleFailed, match="against what will_exist says"):
        modules.run("gravitee_plan", **given)


def test_deprecated(modules: Modules) -> None:
    modules.run("gravitee_plan", **OAUTH2)
    assert modules.twice("gravitee_plan", **OAUTH2, state="deprecated")["plan"]["status"] == "DEPRECATED"


def test_absent_closes_and_deletes(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **OAUTH2)
    modules.run("gravitee_plan", **AT, name="Other", security="key_less", state="staging")
    gone = modules.twice("gravitee_plan", **AT, name="OAuth2", state="absent")
    assert gone["changes"] == ["close plan OAuth2 (OAUTH2) of API /w", "delete plan OAuth2 (OAUTH2) of API /w"]
    assert [plan["name"] for plan in plans(world)] == ["Other"]


@pytest.mark.parametrize("security", ["api_key", "jwt", "mtls"])
def test_other_securities_pass_through(modules: Modules, security: str) -> None:
    given = {"security_configuration": {"propagateApiKey": True}} if security == "api_key" else {}
    made = modules.twice("gravitee_plan", **AT, security=security, **given)
    assert made["plan"]["security"]["type"] == security.upper()
    if given:
        assert made["plan"]["security"]["configuration"] == {"propagateApiKey": True}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({**OAUTH2, "oauth_resource": "nope"}, "no resource 'nope' (it has: AM)"),
        ({**AT, "name": "X", "security": "oauth2"}, "oauth_resource: an OAuth2 plan needs"),
        ({**AT, "name": "X"}, "security: the API /w has no plan 'X'"),
        ({**AT, "name": "Keyless", "security": "oauth2", "oauth_resource": "AM"}, "no plan changes its security"),
        ({**AT, "name": "Keyless", "state": "staging"}, "cannot become staging again"),
        ({**AT, "name": "Second", "security": "key_less"}, "a key-less plan is already published"),
        ({"context_path": "/no", "security": "key_less"}, "There is no API /no: create it first"),
        ({"security": "key_less"}, "one of the following is required: api_id, context_path"),
        (AT, "one of the following is required: name, security"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, given: dict, sentence: str) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    with pytest.raises(ModuleFailed) as failure:
        modules.run("gravitee_plan", **given)
    assert sentence.lower() in str(failure.value).lower()


def test_two_plans_of_a_name_are_ambiguous(modules: Modules, world: World) -> None:
    made = modules.run("gravitee_plan", **OAUTH2)["plan"]
    record = next(iter(world.apis.values()))
    record.plans["twin"] = {**made, "id": "twin"}
    with pytest.raises(ModuleFailed, match="2 published plans that this could mean"):
        modules.run("gravitee_plan", **OAUTH2)


# Who is let in, and to which tool

URL = "http://gw/w"
AUD = f"#context.attributes['jwt'].claims['aud'].contains('{URL}')"
USER = "#context.attributes['jwt'].claims['gis'] != null"
BOUND = {**OAUTH2, "audience": [URL], "require_user": True}
TOOLS = {"get_weather": [], "forecast": ["weather:read"], "it's": ["a", "b"]}
ELSE = {"name": "theirs", "enabled": True, "selectors": [], "request": []}


def test_a_plan_is_bound_to_its_urls(modules: Modules, world: World) -> None:
    made = modules.twice("gravitee_plan", **BOUND)
    assert made["plan"]["selectionRule"] == f"{{{AUD} && {USER}}}"
    more = modules.twice("gravitee_plan", **BOUND, machine_clients=["m"])
    assert (more["changes"], more["deployment_due"]) == (["update selectionRule of plan OAuth2 (OAUTH2) of API /w"], True)
    many = modules.twice("gravitee_plan", **{**OAUTH2, "audience": ["http://other/w", URL]})
    assert many["plan"]["selectionRule"].count("contains") == 2
    assert modules.run("gravitee_plan", **{**OAUTH2, "audience": [URL, "http://other/w"]})["changed"] is False


def test_what_is_not_given_of_a_rule_stays(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **BOUND)
    assert modules.run("gravitee_plan", **OAUTH2, description="d")["plan"]["selectionRule"] == f"{{{AUD} && {USER}}}"
    assert modules.twice("gravitee_plan", **OAUTH2, require_user=False)["plan"]["selectionRule"] == f"{{{AUD}}}"
    lifted = modules.twice("gravitee_plan", **OAUTH2, audience=[])
    assert "selectionRule" not in lifted["plan"]
    assert lifted["deployment_due"] is True


def test_a_rule_that_went_missing_is_drift(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **BOUND)
    del plans(world)[0]["selectionRule"]
    drift = modules.run("gravitee_plan", check=True, **BOUND)
    assert (drift["changed"], drift["deployment_due"]) == (True, True)
    assert drift["diff"]["after"]["plans"][0]["selectionRule"] == f"{{{AUD} && {USER}}}"


def test_a_rule_of_somebody_else_stays_and_is_warned_of(modules: Modules) -> None:
    theirs = "{#context.attributes['jwt'].claims['domain'] == 'x'}"
    modules.run("gravitee_plan", **OAUTH2, definition={"selectionRule": theirs})
    done = modules.run("gravitee_plan", **BOUND)
    assert (done["changed"], done["plan"]["selectionRule"]) == (False, theirs)
    [warning] = [warning for warning in done["warnings"] if "selection rule" in warning]
    assert theirs in warning
    assert "audience, require_user" in warning


@pytest.mark.parametrize("version", ["4.10", "4.12"])
def test_tools_are_enforced_by_flows_beside_those_of_others(modules: Modules, world: World, version: str) -> None:
    world.apim_version = version
    modules.run("gravitee_plan", **OAUTH2, definition={"flows": [ELSE]})
    done = modules.twice("gravitee_plan", **OAUTH2, tools=TOOLS, url=URL)
    read = ("each member once", "members as MCP names them", "a name for each call")
    readable = ("only plain JSON", "only JSON objects", "no deep nesting", *read)
    names = [f"gravitee.mcp: {name}" for name in (*readable, "scope a b", "scope weather:read")]
    assert [flow["name"] for flow in done["plan"]["flows"]] == [*names, "theirs"]
    assert (done["changes"], done["deployment_due"]) == (["update flows of plan OAuth2 (OAUTH2) of API /w"], True)
    place = {"4.10": f"{URL}/.well-known/oauth-protected-resource", "4.12": "http://gw/.well-known/oauth-protected-resource/w"}
    challenge = f'Bearer error="insufficient_scope", scope="weather:read", resource_metadata="{place[version]}"'
    answer = done["plan"]["flows"][7]["request"][0]["configuration"]
    assert answer["headers"][0] == {"name": "WWW-Authenticate", "value": challenge}
    kept = modules.run("gravitee_plan", **OAUTH2)
    assert kept["changed"] is False
    listed = modules.twice("gravitee_plan", **BOUND, tools=TOOLS, enforce_tools="unlisted")
    assert [flow["name"] for flow in listed["plan"]["flows"]] == [*names, "gravitee.mcp: only listed tools", "theirs"]
    off = modules.twice("gravitee_plan", **OAUTH2, enforce_tools=False)
    assert [flow["name"] for flow in off["plan"]["flows"]] == ["theirs"]


def test_a_flow_that_somebody_changed_is_drift(modules: Modules, world: World) -> None:
    given = {**OAUTH2, "tools": TOOLS, "url": URL}
    modules.run("gravitee_plan", **given)
    for change in ({"enabled": False}, {"selectors": []}, {"request": []}):
        plans(world)[0]["flows"][1].update(change)
        assert modules.twice("gravitee_plan", **given)["changes"] == ["update flows of plan OAuth2 (OAUTH2) of API /w"]
    plans(world)[0]["flows"].reverse()
    assert modules.twice("gravitee_plan", **given)["changed"] is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({**AT, "security": "api_key", "audience": [URL]}, "audience: it needs the claims of a token"),
        ({**AT, "security": "jwt", "tools": TOOLS}, "tools: it needs the claims of a token"),
        ({**OAUTH2, "tools": TOOLS}, "url: '' is no http(s) URL"),
        ({**OAUTH2, "tools": {"a": ["b c"]}, "url": URL}, "tools: 'b c' is no scope"),
        ({**OAUTH2, "audience": ["http://gw/'"]}, "audience: \"http://gw/'\" cannot stand in an expression"),
        ({**OAUTH2, "tools": {}, "url": URL, "enforce_tools": "unlisted"}, "tools is empty"),
    ],
)
def test_what_cannot_be_enforced_is_refused(modules: Modules, world: World, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        modules.run("gravitee_plan", **given)
    assert sentence in str(failure.value)
    assert plans(world) == []
