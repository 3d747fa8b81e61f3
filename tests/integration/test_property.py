"""What a run refuses before it writes anything, what belongs to others and stays, and what it must not open."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables

from tests.integration.test_flows import initialize
from tests.integration.test_parity import by_fleet, variables
from tests.role import Role
from tests.runners import ModuleFailed, Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

pytestmark = pytest.mark.usefixtures("domain")
AT = {"context_path": "/weather-mcp"}
Way = Callable[[Modules, Variables], Any]


def by_role(modules: Modules, v: Variables) -> list[str]:
    return Role(modules.run, v).play()


WAYS = pytest.mark.parametrize("way", [by_role, by_fleet])


def api_of(world: World) -> Any:
    return next(iter(world.apis.values()))


def url_of(world: World) -> str:
    return f"{world.urls['gateway']}/weather-mcp"


def theirs(modules: Modules, world: World) -> dict[str, Any]:
    """Another team's API at the path, secured, with its MCP server in AM. The MCP server."""
    modules.run("gravitee_api", **AT, name="Theirs", target=world.urls["mcp"])
    server = modules.run("am_mcp_server", domain="mcp-demo", name="Theirs", resource_identifier=url_of(world))
    credentials = {"client_id": server["client_id"], "client_secret": server["client_secret"]}
    modules.run("am_resource", **AT, server_url=world.urls["am_gateway"], security_domain="mcp-demo", **credentials)
    modules.run("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM")
    modules.run("gravitee_deployment", **AT)
    return server


@WAYS
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"context_path": "/Weather-mcp"}, "has capitals"),
        ({"context_path": "https://gateway/weather"}, "is no context path"),
        ({"context_path": "/a/../weather"}, "is no context path"),
        ({"am_gateway_url": "http://127.0.0.1:9"}, "am_gateway_url: http://127.0.0.1:9/mcp-demo/oidc"),
        ({"am_gateway_url": "auth.example.com"}, "am_gateway_url: 'auth.example.com' is no http"),
        ({"gateway_url": "gateway.example.com"}, "gateway_url: 'gateway.example.com' is no http"),
        ({"target": "weather:9000"}, "is no http(s) URL"),
        ({"domain": "nope"}, "AM knows no domain 'nope'"),
        ({"name": "x" * 65}, "Use 1 to 64 characters"),
        ({"tools": [{"key": "a b"}]}, "is no tool key"),
        ({"client_registration": {"allow_localhost": True}}, "allow_localhost"),
        ({"clients": [{"name": "A", "type": "phone"}]}, "native, web, browser, service"),
        ({"admit": [{"client_name": "VS Code"}]}, "redirect_uris"),
        ({"api_type": "mcp_proxy"}, "has no plugin mcp-proxy"),
        ({"required_scopes": ['wea"ther']}, "is no scope"),
    ],
)
def test_refused_before_anything_is_written(modules: Modules, world: World, way: Way, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as refused:
        way(modules, variables(world, **{"verify_timeout": 1, **given}))
    assert sentence in str(refused.value)
    assert world.writes() == []


@WAYS
def test_another_teams_api_is_refused_whole(modules: Modules, world: World, domain: Domain, way: Way) -> None:
    """Its MCP server in AM was renewed before the refusal, and its tokens got 503."""
    theirs(modules, world)
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="belongs to the API 'Theirs'"):
        way(modules, variables(world))
    assert world.writes()[before:] == []


@WAYS
def test_what_somebody_changed_and_did_not_deploy_is_named_before(
    modules: Modules, world: World, domain: Domain, way: Way
) -> None:
    """And in check mode just so."""
    v = variables(world)
    way(modules, v)
    api_of(world).definition["endpointGroups"][0]["endpoints"][0]["weight"] = 7
    server = {name: value for name, value in vars(v).items() if value is not None}
    if way is by_fleet:
        warned = modules.run("mcp_fleet", check=True, servers=[server])["servers"][0]["warnings"]
    else:
        warned = modules.run("mcp_situation_info", **server)["warnings"]
    said = "has changes that are not deployed yet, and are with the next deployment: weight: 1 → 7."
    assert [warning for warning in warned if said in warning], warned
    way(modules, v)
    assert not [one for one in modules.run("mcp_situation_info", **server)["warnings"] if said in one]


@WAYS
def test_what_another_tool_manages_is_changed_with_the_word_alone(
    modules: Modules, world: World, domain: Domain, way: Way
) -> None:
    v = variables(world)
    modules.run("gravitee_api", **AT, name=v.name, target=world.urls["mcp"])
    api_of(world).origin = "KUBERNETES"
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="has the origin KUBERNETES: another tool manages it"):
        way(modules, v)
    assert world.writes()[before:] == []
    way(modules, replace(v, adopt=True))
    assert [plan["security"]["type"] for plan in api_of(world).published] == ["OAUTH2"]
    after = len(world.writes())
    way(modules, replace(v, adopt=True))
    assert world.writes()[after:] == []


@pytest.mark.parametrize("am", ["4.10", "4.11"])
def test_another_teams_api_is_not_rotated(modules: Modules, world: World, am: str) -> None:
    world.am_version = am
    theirs(modules, world)
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="name: the API at /weather-mcp is 'Theirs', not 'Weather MCP': nothing of it"):
        Role(modules.run, variables(world)).play("rotate.yml")
    assert world.writes()[before:] == []


def test_another_teams_api_is_not_torn_down(modules: Modules, world: World, domain: Domain) -> None:
    """Nor its MCP server, nor its client, though the variables name one of that name."""
    theirs(modules, world)
    client = {"name": "Assistant", "client_id": "assistant"}
    modules.run("am_application", domain="mcp-demo", type="native", redirect_uris=["http://127.0.0.1/"], **client)
    before = len(world.writes())
    assert Role(modules.run, variables(world, clients=[client])).play("teardown.yml") == []
    assert world.writes()[before:] == []


def test_a_client_that_others_use_stays(modules: Modules, world: World, domain: Domain) -> None:
    clients = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1/"]}]
    news = {"name": "News MCP", "context_path": "/news-mcp", "clients": clients}
    by_role(modules, variables(world, clients=clients))
    by_role(modules, variables(world, **news))
    Role(modules.run, variables(world, clients=clients)).play("teardown.yml")
    assert domain.client("assistant") is not None
    assert [one["status"] for one in world.applications.values()] == ["ACTIVE"]
    Role(modules.run, variables(world, **news)).play("teardown.yml")
    assert domain.client("assistant") is None
    assert (world.apis, domain.mcp_servers) == ({}, {})


@WAYS
def test_a_further_path_of_our_api_stays(modules: Modules, world: World, way: Way) -> None:
    way(modules, variables(world))
    api_of(world).definition["listeners"][0]["paths"].append({"path": "/old-weather/", "overrideAccess": False})
    way(modules, variables(world))
    assert "/old-weather/" in api_of(world).paths


@WAYS
def test_the_domain_is_written_once(modules: Modules, world: World, way: Way) -> None:
    tools = [{"key": "get_weather", "scopes": ["weather:read"]}]
    way(modules, variables(world, tools=tools))
    assert len([write for write in world.writes() if write.method == "PATCH" and "/applications" not in write.path]) == 1


@WAYS
def test_a_disabled_resource_is_enabled(modules: Modules, world: World, way: Way) -> None:
    way(modules, variables(world))
    api_of(world).definition["resources"][0]["enabled"] = False
    way(modules, variables(world))
    assert api_of(world).served.current["resources"][0]["enabled"] is True


def publish_keyless(modules: Modules) -> None:
    modules.run("gravitee_plan", **AT, name="Oops", security="key_less")


def test_a_rotation_serves_no_plan_that_somebody_published(modules: Modules, world: World) -> None:
    world.am_version = "4.11"
    by_role(modules, variables(world))
    publish_keyless(modules)
    with pytest.raises(ModuleFailed, match="allow_open: .* its plan Oops"):
        Role(modules.run, variables(world)).play("rotate.yml")
    assert initialize(url_of(world)) == 401


def test_documented_does_not_open_what_a_sealed_run_closes_meanwhile(modules: Modules, world: World) -> None:
    """Another run secures the API between the look and the opening."""
    answers: list[int] = []

    def run(name: str, /, **options: Any) -> dict[str, Any]:
        if name == "gravitee_plan" and 401 not in answers:
            by_role(modules, variables(world))
        answers.append(initialize(url_of(world)))
        return modules.run(name, **options)

    with pytest.raises(ModuleFailed, match="only_new_api: the API /weather-mcp was deployed since, so it is not opened"):
        Role(run, variables(world, flow="documented")).play()
    assert set(answers) <= {404, 401}
    assert initialize(url_of(world)) == 401


def test_documented_does_not_open_an_api_whose_keyless_plan_was_closed(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **AT, name="Weather MCP", target=world.urls["mcp"])
    publish_keyless(modules)
    modules.run("gravitee_plan", **AT, security="key_less", state="closed")
    by_role(modules, variables(world, flow="documented"))
    assert [plan["security"]["type"] for plan in api_of(world).published] == ["OAUTH2"]
    assert not [write for write in world.writes() if write.path.endswith("/deployments")][1:]


@pytest.mark.parametrize("am", ["4.10", "4.11"])
def test_a_secret_of_the_users_own_is_not_rotated(modules: Modules, world: World, am: str) -> None:
    world.am_version = am
    own = {"client_id": "weather", "client_secret": "a-secret-of-ours"}
    by_role(modules, variables(world, **own))
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="client_secret: the secret of this MCP server is your own"):
        Role(modules.run, variables(world, **own)).play("rotate.yml")
    assert world.writes()[before:] == []


@WAYS
def test_a_secret_of_the_users_own_that_am_refuses_is_not_put_back(modules: Modules, world: World, way: Way) -> None:
    """Rotated behind these variables: the API would get the own secret back, and every call 503."""
    world.am_version = "4.11"
    own = {"client_id": "weather", "client_secret": "a-secret-of-ours"}
    way(modules, variables(world, **own))
    assert Role(modules.run, variables(world, rotate_wait=0)).play("rotate.yml")
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match="client_secret: AM does not take it"):
        way(modules, variables(world, **own, verify_timeout=1))
    assert world.writes()[before:] == []


def test_words_are_what_they_say(playbooks: Playbooks, world: World, domain: Domain) -> None:
    """On the command line every value is a string, and strings are true in a bare condition."""
    words = {"dcr": "false", "user_registration": "no", "rotate": "false", "verify": "False", "read_timeout": "5000"}
    given = [part for name, word in words.items() for part in ("-e", f"secure_mcp_{name}={word}")]
    done = playbooks.run("secure_mcp.yml", *given)
    assert done.code == 0, done.output
    assert "loginSettings" not in domain.wire
    assert not domain.wire["oidc"]["clientRegistrationSettings"]["isDynamicClientRegistrationEnabled"]
    assert api_of(world).definition["endpointGroups"][0]["sharedConfiguration"]["http"]["readTimeout"] == 5000
    again = playbooks.run("secure_mcp.yml", *given)
    assert (again.code, again.changes) == (0, [])


def test_many_hosts_share_scopes_and_a_client(playbooks: Playbooks, world: World, domain: Domain) -> None:
    world.latency = {"am": 0.08}
    hosts = {
        f"s{i}": {
            "secure_mcp_context_path": f"/s{i}-mcp",
            "secure_mcp_name": f"Server {i}",
            "secure_mcp_required_scopes": ["openid", f"scope{i}"],
            "secure_mcp_clients": [{"name": "Assistant", "redirect_uris": ["http://127.0.0.1/"]}],
        }
        for i in range(4)
    }
    done = playbooks.run(hosts=hosts)
    assert done.code == 0, done.output
    world.latency = {}
    allowed = domain.wire["oidc"]["clientRegistrationSettings"]["allowedScopes"]
    assert {f"scope{i}" for i in range(4)} <= set(allowed)
    assert len(domain.applications) == 1
    again = playbooks.run(hosts=hosts)
    assert (again.code, again.changed) == (0, [])


def test_a_loop_over_servers_leaves_nothing_for_the_next(playbooks: Playbooks, world: World) -> None:
    """With include_role, on one host: the second failed with what the first had left."""
    servers = [{"name": "One", "path": "/one-mcp"}, {"name": "Two", "path": "/two-mcp"}]
    of_each = ("secure_mcp_name", "secure_mcp_context_path")
    given = {name: value for name, value in playbooks.variables.items() if name not in of_each}
    include = {
        "name": "Secure each",
        "ansible.builtin.include_role": {"name": "gravitee.mcp.secure_mcp"},
        "vars": {"secure_mcp_name": "{{ item.name }}", "secure_mcp_context_path": "{{ item.path }}"},
        "loop": servers,
    }
    show = {"name": "Show", "ansible.builtin.debug": {"msg": "{{ secure_mcp_results | dict2items }}"}}
    play = [{"hosts": "localhost", "gather_facts": False, "become": True, "vars": given, "tasks": [include, show]}]
    path = playbooks.folder / "loop.yml"
    path.write_text(yaml.safe_dump(play), encoding="utf-8")
    for flow in ("documented", "sealed"):
        done = playbooks.run(str(path), "-e", f"secure_mcp_flow={flow}")
        assert done.code == 0, done.output
        shown = done.result("Show")["msg"]
        assert [one["value"]["name"] for one in shown] == ["One", "Two"]
        assert [bool(one["value"]["changes"]) for one in shown] == [flow == "documented"] * 2
        assert {one["value"]["seen"]["result"] for one in shown} == {"secured"}
    assert {initialize(f"{world.urls['gateway']}{server['path']}") for server in servers} == {401}
