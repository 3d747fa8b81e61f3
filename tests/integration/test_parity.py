"""Role and fleet do the same: for each variable the same objects come out, by the same writes."""
from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.fleet import UNFIT
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables

from tests.role import Role
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain, enabled_domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OTHERS = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|[\w-]{43}")
TOOLS = [{"key": "get_weather", "description": "The weather", "scopes": ["weather:read"]}]
CLIENTS = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}, {"name": "Second"}]
TABLE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "documented": {"flow": "documented"},
    "version": {"version": "2.0"},
    "read_timeout": {"read_timeout": 5000},
    "tools": {"tools": TOOLS},
    "discovered tools": {"tools": "discover", "tool_scopes": {"*": ["weather:all"]}},
    "required_scopes": {"required_scopes": ["openid", "weather:read"]},
    "no required scope": {"required_scopes": []},
    "names": {"resource_name": "AM", "plan_name": "Tokens"},
    "own credentials": {"client_id": "weather", "client_secret": "a-secret-of-ours"},
    "definition": {"api_definition": {"description": "Weather", "labels": ["mcp"], "properties": [{"key": "k", "value": "v"}]}},
    "client_registration": {"client_registration": {"allow_localhost_redirect_uri": False}},
    "client_profiles": {"client_profiles": ["claude_ai"]},
    "client_metadata_documents": {"client_metadata_documents": {"enabled": False, "allowed_domains": ["vscode.dev"]}},
    "documents of clients": {"clients": [*CLIENTS, {"name": "VS Code", "client_id": "https://vscode.dev/c.json"}]},
    "tools of an admitted client": {"tools": TOOLS, "registered_clients": "subscribe", "client_profiles": ["vscode"]},
    "no registration": {"dcr": False, "user_registration": False},
    "clients": {"clients": CLIENTS},
    "registered clients": {"registered_clients": "subscribe", "admit": [{"redirect_uris": ["http://127.0.0.1:*/"]}]},
    "ignored clients": {"registered_clients": "ignore"},
    "mcp_proxy": {"api_type": "mcp_proxy", "clients": CLIENTS},
    "not verified": {"verify": False},
    "on_failure": {"on_failure": "rollback"},
    "nothing bound": {"bind_audience": False, "require_user": False, "propagate_auth_header": True},
    "a machine": {"clients": [{"name": "Nightly", "type": "service", "grant_types": ["client_credentials"]}]},
    "unlisted tools": {"tools": TOOLS, "enforce_tools": "unlisted"},
    "no tool enforced": {"tools": TOOLS, "enforce_tools": "false"},
    "browsers": {"cors_origins": ["http://localhost:6274"]},
}


def variables(world: World, **given: Any) -> Variables:
    where = {"gateway_url": world.urls["gateway"], "am_gateway_url": world.urls["am_gateway"], "domain": "mcp-demo"}
    what = {"name": "Weather MCP", "context_path": "/weather-mcp", "target": world.urls["mcp"], "verify_timeout": 5}
    return Variables(**{**where, **what, **given})


def by_role(modules: Modules, v: Variables) -> None:
    Role(modules.run, v).play()


def by_fleet(modules: Modules, v: Variables) -> None:
    modules.run("mcp_fleet", servers=[{name: value for name, value in asdict(v).items() if value is not None}])


def estate(world: World, domain: Domain) -> dict[str, Any]:
    """Everything that stands in the end, and the writes that led there; what servers generate is all the same."""
    apis = [
        {"api": api.definition, "plans": list(api.plans.values()), "state": api.state, "served": api.served.current}
        for api in world.apis.values()
    ]
    wanted = ("oidc", "loginSettings")
    found = {
        "apis": apis,
        "domain": {key: domain.wire.get(key) for key in wanted},
        "scopes": sorted(domain.scopes),
        "mcp servers": [{key: one[key] for key in one if key != "secrets"} for one in domain.mcp_servers.values()],
        "clients": list(domain.applications.values()),
        "applications": list(world.applications.values()),
        "subscriptions": list(world.subscriptions.values()),
        "writes": [f"{write.method} {write.path}" for write in world.writes()],
    }
    told: dict[str, Any] = plain(json.loads(json.dumps(found, default=lambda thing: getattr(thing, "__dict__", str(thing)))))
    return {**told, "writes": sorted(told["writes"])}


def plain(value: Any) -> Any:
    """Without what a server generates: ids, secrets, times."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return OTHERS.sub("…", IDS.sub("…", value))
    return "…" if isinstance(value, int) and value > 10**12 else value


@pytest.mark.parametrize("case", TABLE)
def test_the_same_comes_out(sandbox: Sandbox, world: World, modules: Modules, case: str) -> None:
    ways: list[Callable[[Modules, Variables], None]] = [by_role, by_fleet]
    came_out = []
    for way in ways:
        sandbox.reset()
        world.am_version, world.enterprise = "4.12" if "documents" in case else "4.10", case == "mcp_proxy"
        domain = enabled_domain(world)
        v = variables(world, **TABLE[case])
        way(modules, v)
        came_out.append(estate(world, domain))
        before = len(world.writes())
        way(modules, v)
        assert world.writes()[before:] == [], f"{way.__name__} has something to do again"
    for part in came_out[0]:
        assert came_out[0][part] == came_out[1][part], part


@pytest.mark.parametrize("name", UNFIT)
def test_what_a_fleet_cannot_do_it_refuses_by_name(modules: Modules, world: World, domain: Domain, name: str) -> None:
    value = {"credentials_file": "/tmp/file"}.get(name, True)
    with pytest.raises(ModuleFailed, match=f"servers: number 1 has {name}, but "):
        by_fleet(modules, variables(world, **{name: value}))
    assert world.writes() == []
