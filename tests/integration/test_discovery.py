"""How MCP clients find their way: the metadata's own context path, and what refusals say, on each OAuth2 policy."""
from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

WELL_KNOWN = "/.well-known/oauth-protected-resource"
AT = {"context_path": "/w"}
API = {**AT, "name": "W", "target": "http://w/mcp"}
POLICIES = ["5.1.4", "5.2.1", "5.3.1"]
KEYS = ["GATEWAY_PLAN_UNRESOLVABLE", "OAUTH2_INSUFFICIENT_SCOPE"]
URL = "https://gateway.example.com/w"
OWN = {"*/*": {"statusCode": 418, "headers": {"WWW-Authenticate": 'Bearer realm="mine"'}, "body": "{}"}}


def stored(world: World) -> dict[str, Any]:
    return next(iter(world.apis.values())).definition


def paths(world: World) -> list[tuple[str, str | None]]:
    return [(entry["path"], entry.get("host")) for entry in stored(world)["listeners"][0]["paths"]]


def listening(*entries: dict[str, str]) -> dict[str, Any]:
    return {"listeners": [{"type": "HTTP", "paths": list(entries), "entrypoints": [{"type": "http-proxy"}]}]}


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        (None, {}, [("/w/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": "/w/"}], {}, [("/w/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": "/w/"}, {"path": "/more/"}], {}, [("/w/", None), ("/more/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": "/more/"}, {"path": "/w/"}], {}, [("/w/", None), ("/more/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": f"{WELL_KNOWN}/w/"}, {"path": "/w/"}], {}, [("/w/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": "/w/", "host": "a.example"}], {}, [("/w/", "a.example"), (f"{WELL_KNOWN}/w/", "a.example")]),
        (
            [{"path": "/w/", "host": "a.example"}, {"path": "/w/", "host": "b.example"}],
            {},
            [
                ("/w/", "a.example"),
                ("/w/", "b.example"),
                (f"{WELL_KNOWN}/w/", "a.example"),
                (f"{WELL_KNOWN}/w/", "b.example"),
            ],
        ),
        ([{"path": "/w/"}, {"path": "/more/"}], {"purge_paths": True}, [("/w/", None), (f"{WELL_KNOWN}/w/", None)]),
        ([{"path": "/w/"}, {"path": "/more/"}], {"metadata_path": False}, [("/w/", None), ("/more/", None)]),
        ([{"path": "/w/"}, {"path": f"{WELL_KNOWN}/w/"}], {"metadata_path": False}, [("/w/", None), (f"{WELL_KNOWN}/w/", None)]),
        (
            [{"path": "/w/"}],
            {"definition": listening({"path": "/w", "host": "a.example"})},
            [("/w/", "a.example"), (f"{WELL_KNOWN}/w/", "a.example")],
        ),
    ],
)
def test_the_paths_of_an_api(modules: Modules, world: World, before: Any, given: dict, after: Any) -> None:
    """P first, as the gateway names the resource by it; whatever else the API has stays."""
    if before:
        modules.run("gravitee_api", name="W", target="http://w/mcp", context_path="/w", definition=listening(*before))
        stored(world)["listeners"][0]["paths"] = [{**entry, "overrideAccess": False} for entry in before]
    modules.twice("gravitee_api", **{**API, "metadata_path": True, **given})
    assert paths(world) == after


def test_the_metadata_path_by_id(modules: Modules, world: World) -> None:
    made = modules.run("gravitee_api", **API)
    modules.twice("gravitee_api", id=made["id"], metadata_path=True)
    assert paths(world) == [("/w/", None), (f"{WELL_KNOWN}/w/", None)]


def test_a_metadata_path_of_another_api_is_refused(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", context_path=f"{WELL_KNOWN}/w", name="Documents", target="http://d")
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="metadata_path: .*/w/ belongs to the API 'Documents'"):
        modules.run("gravitee_api", **API, metadata_path=True)
    assert world.writes()[before:] == []


def test_the_list_of_all_apis_is_read_once_for_a_new_one(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", check=True, context_path="/w", name="W", target="http://w/mcp", metadata_path=True)
    assert len([request for request in world.log if request.method == "GET" and request.path.endswith("/apis")]) == 1


@pytest.mark.parametrize("scopes", [["openid"], ["openid", "weather:read"], []])
@pytest.mark.parametrize("policy", POLICIES)
def test_what_the_policy_does_not_say_a_template_does(modules: Modules, world: World, policy: str, scopes: list[str]) -> None:
    world.oauth2_policy = policy
    modules.twice("gravitee_api", **API, metadata_path=True, challenge={"url": URL, "scopes": scopes})
    templates = stored(world).get("responseTemplates") or {}
    assert list(templates) == [KEYS[0]] * (policy == "5.1.4") + [KEYS[1]] * bool(scopes)
    place = "https://gateway.example.com/w" + WELL_KNOWN if policy == "5.1.4" else f"https://gateway.example.com{WELL_KNOWN}/w"
    for template in templates.values():
        assert f'resource_metadata="{place}"' in template["*/*"]["headers"]["WWW-Authenticate"]
        assert (f'scope="{" ".join(scopes)}"' in template["*/*"]["headers"]["WWW-Authenticate"]) is bool(scopes)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_template_of_the_users_own_stays(modules: Modules, world: World, policy: str, key: str) -> None:
    world.oauth2_policy = policy
    modules.run("gravitee_api", **API, definition={"responseTemplates": {key: OWN, "API_KEY_MISSING": OWN}})
    done = modules.twice("gravitee_api", **API, challenge={"url": URL, "scopes": ["openid"]})
    templates = stored(world)["responseTemplates"]
    assert templates["API_KEY_MISSING"]["*/*"]["statusCode"] == templates[key]["*/*"]["statusCode"] == 418
    told = [warning for warning in done["warnings"] if "of its own, which stays" in warning]
    assert bool(told) is (policy == "5.1.4" or key == KEYS[1])


@pytest.mark.parametrize(("old", "new"), [("5.1.4", "5.2.1"), ("5.1.4", "5.3.1"), ("5.2.1", "5.1.4"), ("5.2.1", "5.3.1")])
def test_an_upgrade_of_the_policy_is_followed(modules: Modules, world: World, old: str, new: str) -> None:
    """A template that names the place of the version before leads clients nowhere."""
    world.oauth2_policy = old
    modules.run("gravitee_api", **API, challenge={"url": URL, "scopes": ["openid"]})
    world.oauth2_policy = new
    done = modules.twice("gravitee_api", **API, challenge={"url": URL, "scopes": ["openid"]})
    assert done["changed"] is ("5.1.4" in (old, new))
    assert list(stored(world)["responseTemplates"]) == [KEYS[0]] * (new == "5.1.4") + [KEYS[1]]


@pytest.mark.parametrize(
    ("challenge", "sentence"),
    [
        ({"url": "gateway/w"}, "challenge.url: 'gateway/w' is no http"),
        ({"url": URL, "scopes": ['a"b']}, "challenge.scopes: .* is no scope"),
        ({"url": URL, "scopes": ["a b"]}, "challenge.scopes: 'a b' is no scope"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, world: World, challenge: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed, match=sentence):
        modules.run("gravitee_api", **API, challenge=challenge)
    assert world.writes() == []


@pytest.mark.parametrize(
    ("scopes", "checked"), [(["openid"], False), (["weather:read"], True), (["openid", "weather:read"], True), ([], False)]
)
def test_openid_alone_is_asked_for_and_not_checked(modules: Modules, scopes: list[str], checked: bool) -> None:
    modules.run("gravitee_api", **API)
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s"}
    modules.run("am_resource", **AT, **resource)
    done = modules.twice("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM", required_scopes=scopes)
    configuration = done["plan"]["security"]["configuration"]
    assert (configuration["requiredScopes"], configuration["checkRequiredScopes"]) == (scopes, checked)


@pytest.mark.parametrize(
    ("policy", "broken", "word"),
    [
        ("5.1.4", {"discovery": False}, "use gravitee_plan with discovery=true"),
        ("5.2.1", {}, f"no API has the context path {WELL_KNOWN}/weather-mcp: use gravitee_api with metadata_path=true"),
        ("5.3.1", {}, f"no API has the context path {WELL_KNOWN}/weather-mcp: use gravitee_api with metadata_path=true"),
    ],
)
@pytest.mark.usefixtures("domain")
def test_the_check_names_what_is_missing(modules: Modules, world: World, policy: str, broken: dict, word: str) -> None:
    world.oauth2_policy = policy
    at = {"context_path": "/weather-mcp"}
    modules.run("gravitee_api", **at, name="Weather", target=world.urls["mcp"])
    modules.run(
        "am_resource", **at, server_url=world.urls["am_gateway"], security_domain="mcp-demo", client_id="c", client_secret="s"
    )
    modules.run("gravitee_plan", **at, security="oauth2", oauth_resource="Gravitee AM", required_scopes=["openid"], **broken)
    modules.run("gravitee_deployment", **at)
    url = f"{world.urls['gateway']}/weather-mcp"
    seen = modules.run("mcp_check", url=url)
    assert seen["result"] == "misconfigured"
    assert word in seen["summary"]
    assert ("discovery" in seen["summary"]) is (policy == "5.1.4")
    # What it names is the remedy.
    modules.run("gravitee_api", **at, metadata_path=True, challenge={"url": url, "scopes": ["openid"]})
    modules.run("gravitee_deployment", **at)
    fixed = modules.run("mcp_check", url=url)
    steps = {step["step"]: step for step in fixed["steps"]}
    assert fixed["result"] == "secured"
    assert (steps["challenge"]["verdict"], steps["scopes"]["got"]) == ("ok", "openid")
    answer = requests.post(url, json={}, timeout=5)
    assert 'scope="openid"' in answer.headers["WWW-Authenticate"]
    assert ("resource_metadata" in answer.headers["WWW-Authenticate"]) is (policy == "5.1.4")
