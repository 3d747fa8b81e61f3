"""gravitee_api."""
from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

WEATHER = {"context_path": "/weather-mcp", "name": "Weather", "target": "http://127.0.0.1:9000/mcp"}


def test_create_is_predicted_done_and_done_once(modules: Modules, world: World) -> None:
    made = modules.twice("gravitee_api", **WEATHER)
    assert made["changed"] is True
    assert made["changes"] == ["create API Weather at /weather-mcp/"]
    assert made["api"]["state"] == "STOPPED"
    assert made["deployment_due"] is True
    assert len(world.apis) == 1


def test_what_a_create_drops_is_put_afterwards(modules: Modules, world: World) -> None:
    given = {"labels": ["b", "a"], "definition": {"properties": [{"key": "team", "value": "x"}], "lifecycleState": "PUBLISHED"}}
    made = modules.twice("gravitee_api", **WEATHER, **given)
    assert made["api"]["labels"] == ["b", "a"]
    assert made["api"]["properties"] == [{"key": "team", "value": "x", "encrypted": False, "dynamic": False}]
    assert made["changes"][1] == "set labels, properties, lifecycleState of API Weather"


def test_an_interrupted_create_is_completed(modules: Modules) -> None:
    modules.run("gravitee_api", **WEATHER)
    assert modules.twice("gravitee_api", **WEATHER, labels=["a"])["changes"] == ["update labels of API Weather"]


def test_everything_the_server_normalizes_is_no_drift(modules: Modules) -> None:
    definition = {
        "listeners": [{"type": "HTTP", "paths": [{"path": "weather-mcp"}], "cors": {"enabled": True, "allowOrigin": ["*"]}}],
        "flows": [{"name": "f", "enabled": True, "selectors": [{"type": "HTTP", "path": "/", "pathOperator": "STARTS_WITH"}]}],
        "responseTemplates": {"DEFAULT": {"*/*": {"statusCode": 400, "body": "x"}}},
        "failover": {"enabled": True, "maxRetries": 2},
        "resources": [],
    }
    modules.twice("gravitee_api", **WEATHER, definition=definition, visibility="public", labels=["a", "b"])
    again = modules.run("gravitee_api", **{**WEATHER, "context_path": "weather-mcp/"}, labels=["b", "a"])
    assert again["changed"] is False


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"description": "new"}, ["description"]),
        ({"version": "2.0"}, ["apiVersion"]),
        ({"read_timeout": 5000}, ["endpointGroups"]),
        ({"max_concurrent_connections": 3, "idle_timeout": 7}, ["endpointGroups"]),
        ({"target": "https://other.example.com/mcp"}, ["endpointGroups"]),
        ({"visibility": "public"}, ["visibility"]),
        ({"definition": {"analytics": {"enabled": False}}}, ["analytics"]),
    ],
)
def test_a_difference_is_fixed_and_nothing_else(modules: Modules, world: World, given: dict, shown: list[str]) -> None:
    modules.run("gravitee_api", **WEATHER, labels=["kept"], definition={"properties": [{"key": "k", "value": "v"}]})
    before = next(iter(world.apis.values())).definition
    done = modules.twice("gravitee_api", **{**WEATHER, **given})
    after = next(iter(world.apis.values())).definition
    assert sorted(done["diff"]["after"]) == shown
    assert [key for key in after if after[key] != before.get(key)] == shown


def test_the_connection_pool_of_an_endpoint_of_its_own(modules: Modules, world: World) -> None:
    group = {"name": "g", "type": "http-proxy"}
    endpoint = {"name": "e", "type": "http-proxy", "configuration": {"target": "http://a/mcp"}}
    definition = {"endpointGroups": [{**group, "endpoints": [endpoint]}]}
    modules.run("gravitee_api", context_path="/own", name="Own", definition=definition)
    modules.twice("gravitee_api", context_path="/own", read_timeout=9000, target="http://b/mcp")
    stored = next(iter(world.apis.values())).definition["endpointGroups"][0]["endpoints"][0]
    assert stored["sharedConfigurationOverride"] == {"http": {"readTimeout": 9000}}
    assert stored["configuration"] == {"target": "http://b/mcp"}


def test_more_paths_are_set_exactly(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **WEATHER)
    modules.twice("gravitee_api", context_paths=["/weather-mcp", "/w"])
    assert next(iter(world.apis.values())).paths == ["/weather-mcp/", "/w/"]


def test_absent_stops_and_deletes(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **WEATHER)
    modules.run("gravitee_plan", context_path="/weather-mcp", security="key_less")
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    gone = modules.twice("gravitee_api", context_path="/weather-mcp", state="absent")
    assert gone["changes"] == ["stop API Weather", "delete API Weather and its plans"]
    assert world.apis == {}


def test_found_by_id(modules: Modules) -> None:
    made = modules.run("gravitee_api", **WEATHER)
    renamed = modules.twice("gravitee_api", id=made["id"], name="Another")
    assert renamed["api"]["name"] == "Another"


def test_found_on_the_second_page_of_the_list(modules: Modules) -> None:
    for number in range(103):
        modules.run("gravitee_api", context_path=f"/a{number}", name=f"A{number:03}", target="http://a/mcp")
    assert modules.run("gravitee_api", context_path="/a102", name="A102", target="http://a/mcp")["changed"] is False


def test_adopted(modules: Modules) -> None:
    modules.run("gravitee_api", **WEATHER)
    adopted = modules.twice("gravitee_api", **{**WEATHER, "name": "Mine"}, adopt=True)
    assert adopted["api"]["name"] == "Mine"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"context_path": "/Weather-mcp"}, "AM lower-cases"),
        ({"context_path": "/weather mcp"}, "is no context path"),
        ({"context_path": "https://gateway/weather"}, "is no context path"),
        ({"context_path": "/a/../b"}, "is no context path"),
        ({"context_path": "/a//b"}, "is no context path"),
        ({"context_path": "/weather?x=1"}, "is no context path"),
        ({"target": "weather:9000"}, "no http(s) URL"),
        ({"target": "http://a b/"}, "no http(s) URL"),
        ({"name": "Mine"}, "belongs to the API 'Weather'"),
        ({"definition": {"categories": ["nope"]}}, "did not keep categories"),
        ({"definition": {"naem": "x"}}, "did not keep naem"),
        ({"tags": ["t1"]}, "not allowed to use deployment on the tag(s) [t1]"),
        ({"id": "nope"}, "there is no API nope"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, given: dict, sentence: str) -> None:
    modules.run("gravitee_api", **WEATHER)
    with pytest.raises(ModuleFailed, match=".") as failure:
        modules.run("gravitee_api", **{**WEATHER, **given})
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"context_path": "/new", "target": "http://a/mcp"}, "a new one needs a name"),
        ({"context_path": "/new", "name": "New"}, "a new one needs its MCP server's URL"),
        ({"context_path": "/weather-mcp/child", "name": "New", "target": "http://a"}, "Path [/weather-mcp/] already exists"),
        ({"context_paths": ["/weather-mcp", "/b"]}, "belong to more than one API"),
    ],
)
def test_a_new_api_refused(modules: Modules, given: dict, sentence: str) -> None:
    modules.run("gravitee_api", **WEATHER)
    modules.run("gravitee_api", context_path="/b", name="B", target="http://b/mcp")
    with pytest.raises(ModuleFailed) as failure:
        modules.run("gravitee_api", **given)
    assert sentence in str(failure.value)


def test_capitals_are_fine_where_no_mcp_client_asks(modules: Modules) -> None:
    modules.twice("gravitee_api", **{**WEATHER, "context_path": "/Weather"}, mcp_resource=False)


def test_two_endpoints_are_nobodys_target(modules: Modules) -> None:
    endpoints = [{"name": n, "type": "http-proxy", "configuration": {"target": f"http://{n}/mcp"}} for n in ("e", "f")]
    group = {"name": "g", "type": "http-proxy", "endpoints": endpoints}
    modules.run("gravitee_api", context_path="/two", name="Two", definition={"endpointGroups": [group]})
    with pytest.raises(ModuleFailed, match="exactly one endpoint"):
        modules.run("gravitee_api", context_path="/two", target="http://x/mcp")


def test_somebody_else_was_faster(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **WEATHER)
    record = next(iter(world.apis.values()))
    world.on_answer = lambda request: record.touch() if request.method == "GET" and request.path.endswith(record.id) else None
    with pytest.raises(ModuleFailed, match="answered 412.*run again"):
        modules.run("gravitee_api", **WEATHER, description="mine")


def test_secrets_in_a_definition_are_masked(modules: Modules) -> None:
    configuration = {"serverURL": "http://am", "securityDomain": "d", "clientId": "i", "clientSecret": "hush-hush"}
    resource = {"name": "AM", "type": "oauth2-am-resource", "configuration": configuration}
    modules.run("gravitee_api", **WEATHER)
    definition = {"resources": [resource], "properties": [{"key": "db.password", "value": "hush-hush"}]}
    assert "hush-hush" not in str(modules.run("gravitee_api", **WEATHER, definition=definition) | {"invocation": None})
    definition["resources"][0]["configuration"]["clientSecret"] = "hush-again"
    done = modules.run("gravitee_api", **WEATHER, definition=definition) | {"invocation": None}
    assert "hush" not in str(done)
    assert done["diff"]["after"]["resources"][0]["configuration"]["clientSecret"] == "******** (changed)"


def test_info_filters_and_masks(modules: Modules) -> None:
    modules.run("gravitee_api", **WEATHER, labels=["mcp"])
    modules.run("gravitee_api", context_path="/b", name="B", target="http://b/mcp")
    modules.run("gravitee_plan", context_path="/b", security="key_less")
    assert len(modules.run("gravitee_api_info")["apis"]) == 2
    for given in ({"context_path": "weather-mcp"}, {"name": "Weather"}, {"label": "mcp"}):
        assert [api["name"] for api in modules.run("gravitee_api_info", **given)["apis"]] == ["Weather"]
    assert modules.run("gravitee_api_info", state="started")["apis"] == []
    with_plans = modules.run("gravitee_api_info", name="B", plans=True)["apis"]
    assert [plan["status"] for plan in with_plans[0]["plans"]] == ["PUBLISHED"]
    assert with_plans[0]["deploymentState"] == "NEED_REDEPLOY"


def test_put_back_as_it_was(modules: Modules, world: World) -> None:
    """With the secrets in it, and without what came in the meantime."""
    secret = {"properties": [{"key": "token", "value": "hush-hush"}], "description": "Before"}
    modules.run("gravitee_api", **WEATHER, definition=secret)
    [before] = modules.run("gravitee_api_info", secrets=True, plans=True)["apis"]
    assert before["properties"][0]["value"] == "hush-hush"
    stored = copy.deepcopy(next(iter(world.apis.values())).definition)
    back = {"id": before["id"], "definition": before, "replace": True}
    assert modules.run("gravitee_api", **back)["changes"] == []
    later = {"properties": [{"key": "other", "value": "x"}], "labels": ["new"], "failover": {"enabled": True}}
    modules.run("gravitee_api", **WEATHER, definition=later, description="After")
    done = modules.twice("gravitee_api", **back)
    assert done["changes"] == ["update description, failover, labels, properties of API Weather"]
    assert done["deployment_due"] is True
    assert "hush-hush" not in str(done | {"invocation": None})
    assert next(iter(world.apis.values())).definition == stored


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"listeners": True}, "definition.listeners: Input should be a valid list"),
        ({"listeners": [{"paths": [{"overrideAccess": True}]}]}, "definition.listeners.1.paths.1.path: Field required"),
        ({"endpointGroups": [{"endpoints": []}]}, "definition.endpointGroups.1.name: Field required"),
    ],
)
def test_a_definition_of_another_shape(modules: Modules, world: World, definition: dict[str, Any], told: str) -> None:
    with pytest.raises(ModuleFailed, match=re.escape(told)):
        modules.run("gravitee_api", **WEATHER, definition=definition)
    assert world.writes() == []


def test_what_the_user_said_breaks_no_sentence(modules: Modules) -> None:
    with pytest.raises(ModuleFailed) as refused:
        modules.run("gravitee_deployment", context_path="/no\nsuch")
    assert "\n" not in str(refused.value)
