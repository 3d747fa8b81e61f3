"""What stands becomes variables, and with them neither role nor fleet has anything to do."""
from __future__ import annotations

import functools
import itertools
import json
from dataclasses import asdict
from typing import Any

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables

from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import ModuleFailed, Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

TOOLS = [{"key": "get_weather", "description": "The weather", "scopes": ["weather:read"]}, {"key": "slow_forecast"}]
MACHINE = {"type": "service", "grant_types": ["client_credentials"]}
# Each server gets one of each column, in turn; the columns' lengths have no common divisor with most others.
VARIETY: list[list[dict[str, Any]]] = [
    [{}, {"version": "2.0"}],
    [{}, {"read_timeout": 5000}, {"resource_name": "AM"}],
    [{}, *({"tools": TOOLS, "enforce_tools": mode} for mode in ("true", "unlisted", "false")), {"plan_name": "Tokens"}],
    [
        {},
        {"required_scopes": ["openid", "weather:read"]},
        {"required_scopes": []},
        {"bind_audience": False},
        {"require_user": False},
        {"propagate_auth_header": True},
        {"cors_origins": ["http://localhost:6274"]},
    ],
    [
        {},
        {"api_definition": {"description": "By hand", "labels": ["mcp"]}},
        {"api_definition": {"properties": [{"key": "password", "value": "hush-property"}]}},
        {"api_definition": {"tags": []}, "client_id": "client-of-{n}"},
        {"context_path": "/team/{n}/mcp"},
        {"context_path": "/{n}-mcp", "name": "Zo\u00eb's {n}, MCP"},
        {"clients": [{**MACHINE, "name": "Nightly {n}", "client_id": "nightly-{n}"}]},
        {"target": "http://user@127.0.0.1:9/{n}/mcp?tenant=a"},
        {"api_definition": {"failover": {"enabled": True}}},
        {"client_secret": "hush-secret-of-ours"},
        {"clients": [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}]},
    ],
]


def servers(world: World, count: int) -> list[dict[str, Any]]:
    columns = [itertools.cycle(column) for column in VARIETY]
    made = []
    for n in range(count):
        row = {key: value for column in columns for key, value in next(column).items()}
        row = json.loads(json.dumps(row).replace("{n}", str(n)))
        made.append({"name": f"Server {n} MCP", "context_path": f"/s{n}-mcp", "preflight": "skip", **row})
    return [given(variables(world, **one)) for one in made]


def given(v: Variables) -> dict[str, Any]:
    return {name: value for name, value in asdict(v).items() if value is not None}


def exported(modules: Modules, world: World, **filters: Any) -> dict[str, Any]:
    return modules.run("mcp_export_info", **where(world), **filters)


def where(world: World) -> dict[str, str]:
    return {"gateway_url": world.urls["gateway"], "am_gateway_url": world.urls["am_gateway"], "domain": "mcp-demo"}


def read_back(world: World, hosts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The variables of hosts and of their group, as a fleet gets them."""
    return [
        {**where(world), "preflight": "skip", **{name.removeprefix("secure_mcp_"): value for name, value in one.items()}}
        for one in hosts.values()
    ]


@pytest.mark.parametrize("version", ["4.10", "4.12"])
def test_fifty_varied_servers(modules: Modules, world: World, domain: Domain, version: str) -> None:
    world.apim_version = version
    world.am_version = {"4.10": "4.10", "4.12": "4.11"}[version]
    world.domain_reload = world.introspection_window = 0
    estate = servers(world, 50)
    done = modules.run("mcp_fleet", servers=estate)
    assert done["failed_servers"] == []
    before = len(world.writes())
    told = exported(modules, world)
    assert (len(told["hosts"]), told["to_secure"], told["findings"]) == (50, {}, {})
    assert "hush" not in str({key: told[key] for key in ("hosts", "findings")})
    fleet = read_back(world, told["hosts"])
    checked = modules.run("mcp_fleet", check=True, servers=fleet)
    assert [one["changes"] for one in checked["servers"]] == [[]] * 50
    assert checked["domain"]["changes"] == []
    role = Role(functools.partial(modules.run, check=True), Variables(**fleet[3]), check=True)
    assert role.play() == []
    assert world.writes()[before:] == []


def test_what_the_role_would_need_of_an_open_api(modules: Modules, world: World, domain: Domain) -> None:
    modules.run("gravitee_api", context_path="/open-mcp", name="Open", target="http://open/mcp", labels=["team-a"])
    modules.run("gravitee_plan", context_path="/open-mcp", security="key_less")
    modules.run("gravitee_api", context_path="/shop", name="Shop", target="http://shop/api")
    told = exported(modules, world)
    assert told["hosts"] == {}
    [open_one] = told["to_secure"].values()
    assert open_one["secure_mcp_target"] == "http://open/mcp"
    [findings] = told["findings"].values()
    assert "The role would close plan Keyless (KEY_LESS) of API /open-mcp." in findings
    [v] = read_back(world, told["to_secure"])
    modules.run("mcp_fleet", servers=[v])
    again = exported(modules, world)
    assert (list(again["hosts"]), again["to_secure"], again["findings"]) == (["open-mcp"], {}, {})


def test_what_others_changed_is_told(modules: Modules, world: World, domain: Domain) -> None:
    modules.run("mcp_fleet", servers=servers(world, 1))
    [api] = world.apis.values()
    plan = next(plan for plan in api.plans.values() if plan["security"]["type"] == "OAUTH2")
    plan["selectionRule"] = "{#request.path == '/x'}"
    api.definition["responseTemplates"] = {}
    told = exported(modules, world)
    assert list(told["findings"]) == ["s0-mcp"]
    assert [finding for finding in told["findings"]["s0-mcp"] if "responseTemplates" in finding]


def test_what_another_tool_manages_is_told(modules: Modules, world: World, domain: Domain) -> None:
    modules.run("mcp_fleet", servers=servers(world, 1))
    [api] = world.apis.values()
    api.origin = "KUBERNETES"
    told = exported(modules, world)
    assert told["findings"]["s0-mcp"] == ["Its origin is KUBERNETES: the role changes it with adopt=true alone."]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["a-mcp", "team-b-mcp"]),
        ({"name": "A*"}, ["a-mcp"]),
        ({"context_path": "/team/*"}, ["team-b-mcp"]),
        ({"label": "x"}, ["a-mcp"]),
        ({"label": "y"}, []),
        ({"match": "shop"}, ["shop"]),
    ],
)
def test_filters(modules: Modules, world: World, domain: Domain, filters: dict[str, str], names: list[str]) -> None:
    modules.run("gravitee_api", context_path="/a-mcp", name="A", target="http://a/x", labels=["x"])
    modules.run("gravitee_api", context_path="/team/b-mcp", name="B", target="http://b/x")
    modules.run("gravitee_api", context_path="/shop", name="Shop", target="http://shop/api")
    assert list(exported(modules, world, **filters)["to_secure"]) == names


@pytest.mark.parametrize("name", ["{{ lookup('pipe', 'id') }}", "a {% raw %}", "{# x #}"])
def test_no_template_comes_into_an_inventory(modules: Modules, world: World, domain: Domain, name: str) -> None:
    modules.run("gravitee_api", context_path="/a-mcp", name=name, target="http://a/mcp")
    told = exported(modules, world)
    assert (told["hosts"], told["to_secure"]) == ({}, {})
    assert "which Ansible would take for a template" in told["findings"]["a-mcp"][0]


def test_a_pattern_that_is_none(modules: Modules, world: World, domain: Domain) -> None:
    with pytest.raises(ModuleFailed, match="match: .*Give a regular expression"):
        exported(modules, world, match="(")


def test_the_playbook_writes_an_inventory(playbooks: Playbooks, modules: Modules, world: World, domain: Domain) -> None:
    """With which, and with the names of its vault, nothing changes."""
    assert playbooks.run(tools=TOOLS).code == 0
    modules.run("gravitee_api", context_path="/open-mcp", name="Open: #1, 'x'", target="http://open/mcp")
    before = len(world.writes())
    folder = playbooks.folder / "exported"
    done = playbooks.run("export.yml", export=str(folder))
    assert done.code == 0, done.output
    assert yaml.safe_load((folder / "hosts.yml").read_text())["to_secure"]["hosts"] == {"open-mcp": None}
    assert yaml.safe_load((folder / "host_vars/open-mcp.yml").read_text())["secure_mcp_name"] == "Open: #1, 'x'"
    assert "admin" not in "".join(path.read_text() for path in folder.rglob("*.yml"))
    names = [(plane, name) for plane in world.admins for name in ("username", "password")]
    values = [value for plane in world.admins for value in world.admins[plane]]
    vault = [f"vault_secure_mcp_{plane}_{name}: {value}" for (plane, name), value in zip(names, values, strict=True)]
    (folder / "group_vars/mcp_servers.yml").write_text("\n".join(vault))
    playbooks.inventory = folder / "hosts.yml"
    checked = playbooks.run("secure_mcp.yml", "--check")
    assert checked.code == 0, checked.output
    assert checked.changes == []
    assert world.writes()[before:] == []
