"""Who is let in by a secured MCP server, and to which tools: the role's steps, and the gateway asked."""
from __future__ import annotations

from typing import Any

import pytest
import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import steps

from tests.clients import REDIRECT, Login, register, subscribe
from tests.contract.estate import Client
from tests.contract.test_flows import ACCEPT, call, other
from tests.integration.test_parity import by_fleet, variables
from tests.role import Role
from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

TOOLS = [
    {"key": "get_weather", "description": "The weather"},
    {"key": "forecast", "description": "The forecast", "scopes": ["weather:read"]},
]
OPEN = {"bind_audience": False, "require_user": False, "enforce_tools": "false"}
SERVICE = {"name": "Nightly", "type": "service", "grant_types": ["client_credentials"], "client_secret": "Nightly-Secret-1"}
KINDS = ("own", "no resource", "no user", "none")


def play(modules: Modules, world: World, **given: Any) -> Role:
    role = Role(modules.run, variables(world, **given))
    role.play()
    return role


def asked(world: World, token: str | None, body: str = other("tools/list")) -> requests.Response:
    headers = {**ACCEPT, **({"Authorization": f"Bearer {token}"} if token else {})}
    return requests.post(f"{world.urls['gateway']}/weather-mcp", data=body, headers=headers, timeout=10)


def statuses(world: World, domain: Domain, role: Role) -> dict[str, int]:
    """Of a token of each kind, of one client that registered itself and was subscribed."""
    grants = ["client_credentials", "authorization_code"]
    client = Client(world, domain, grant_types=grants, token_endpoint_auth_method="client_secret_post")
    subscribe(world, client.id, role.done["api_import"]["id"], role.done["api_import"]["plan"]["id"])
    url = f"{world.urls['gateway']}/weather-mcp"
    tokens = {"own": client.token(url), "no resource": client.token(None), "no user": client.own_token(url), "none": None}
    return {kind: asked(world, tokens[kind]).status_code for kind in KINDS}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (200, 401, 401, 401)),
        ({"require_user": False}, (200, 401, 200, 401)),
        ({"bind_audience": False}, (200, 200, 401, 401)),
        (OPEN, (200, 200, 200, 401)),
    ],
    ids=str,
)
def test_who_is_let_in(modules: Modules, world: World, domain: Domain, given: dict[str, Any], expected: tuple[int, ...]) -> None:
    role = play(modules, world, **given)
    assert statuses(world, domain, role) == dict(zip(KINDS, expected, strict=True))


@pytest.mark.parametrize("client_id", [None, "nightly"])
def test_a_machine_client_is_let_in_by_name(modules: Modules, world: World, domain: Domain, client_id: str | None) -> None:
    """Its id stands in the rule in the first run already, also if AM generates it."""
    known = {**SERVICE, "client_id": client_id} if client_id else SERVICE
    role = play(modules, world, clients=[known])
    made = role.done["clients"]["results"][0]["client_id"]
    form = {"grant_type": "client_credentials", "resource": role.v.url}
    auth = (made, known["client_secret"])
    answered = requests.post(f"{world.urls['am_gateway']}/mcp-demo/oauth/token", data=form, auth=auth, timeout=10)
    assert answered.status_code == 200, answered.text
    assert asked(world, answered.json()["access_token"]).status_code == 200
    before = len(world.writes())
    assert Role(modules.run, role.v).play() == []
    assert world.writes()[before:] == []
    assert statuses(world, domain, role)["no user"] == 401


@pytest.mark.parametrize("mode", ["true", "unlisted", "false"])
def test_tools_need_their_scopes(modules: Modules, world: World, domain: Domain, mode: str) -> None:
    """A client that named them when it registered may ask for them, and so gets in after the challenge."""
    role = play(modules, world, tools=TOOLS, enforce_tools=mode)
    client, enforced = Client(world, domain, scope="openid weather:read"), mode != "false"
    subscribe(world, client.id, role.done["api_import"]["id"], role.done["api_import"]["plan"]["id"])
    without, with_scope = (client.token(role.v.url, f"openid{more}") for more in ("", " weather:read" if enforced else ""))
    refused = asked(world, without, call("forecast"))
    metadata = f"{role.v.url}/.well-known/oauth-protected-resource"
    challenge = f'Bearer error="insufficient_scope", scope="weather:read", resource_metadata="{metadata}"'
    assert (refused.status_code, refused.headers.get("www-authenticate")) == ((403, challenge) if enforced else (200, None))
    unknown = 403 if mode == "unlisted" else 200
    expected = {"with its scope": 200, "another tool": 200, "the list": 200, "an unknown tool": unknown}
    found = {
        "with its scope": asked(world, with_scope, call("forecast")).status_code,
        "another tool": asked(world, without, call("get_weather")).status_code,
        "the list": asked(world, without).status_code,
        "an unknown tool": asked(world, without, call("slow_forecast")).status_code,
    }
    assert found == expected
    assert ("batches are not allowed" in asked(world, with_scope, f"[{call('forecast')}]").text) is enforced


def test_a_tool_that_am_cannot_name_is_enforced_all_the_same(world: World) -> None:
    seen = [{"key": "files.read", "scopes": ["files"]}, {"key": "get_weather", "scopes": []}]
    v = variables(world, tools="discover", tool_scopes={"files.read": ["files"]})
    situation = {"tools": seen, "domain": {"id": "d", "path": "/d"}, "api_id": None, "ours": False}
    assert [tool["key"] for tool in steps.mcp_server(v, {"situation": situation})["tools"]] == ["get_weather"]
    assert steps.oauth2_plan(v, {"situation": situation})["tools"] == {"files.read": ["files"], "get_weather": []}
    assert "files" in steps.domain(v, {"situation": situation})["scopes"]


def test_plans_beside_are_told(modules: Modules, world: World, domain: Domain) -> None:
    play(modules, world, tools=TOOLS)
    at = {"context_path": "/weather-mcp"}
    oauth2 = {**at, "security": "oauth2", "oauth_resource": "Gravitee AM"}
    v = variables(world, tools=TOOLS)
    bound = {"audience": v.audience, "require_user": True, "tools": {"forecast": ["weather:read"]}, "url": v.url}
    modules.run("gravitee_plan", **oauth2, name="Same", **bound)
    modules.run("gravitee_plan", **oauth2, name="Old", state="deprecated")
    modules.run("gravitee_plan", **oauth2, name="Draft", state="staging")
    modules.run("gravitee_plan", **at, security="jwt", name="Partners", definition={"selectionRule": "{#request.path == '/x'}"})
    modules.run("gravitee_plan", **at, security="api_key", name="Keys")
    role = Role(modules.run, v)
    role.play()
    beside = {one["name"]: one for one in role.done["situation"]["plans_beside"]}
    every = "calls of every tool, whatever scopes it has"
    told = f"tokens that are not for this server; tokens of clients without a user; {every}"
    assert beside["Old"] == {"name": "Old", "security": "oauth2", "status": "deprecated", "lets_in": told}
    assert beside["Partners"]["lets_in"] == f"tokens by a selection rule of its own, {{#request.path == '/x'}}; {every}"
    assert set(beside) == {"Old", "Partners"}
    warnings = [warning for warning in role.done["situation"]["warnings"] if "served beside" in warning]
    assert warnings[1].startswith("The plan 'Old' (oauth2, deprecated) is served beside 'OAuth2' and lets in tokens")
    by_fleet(modules, v)
    server = {"name": v.name, "context_path": v.context_path, "target": v.target, "tools": TOOLS, "domain": v.domain}
    urls = {"gateway_url": v.gateway_url, "am_gateway_url": v.am_gateway_url}
    [outcome] = modules.run("mcp_fleet", servers=[{**server, **urls}])["servers"]
    assert [warning for warning in outcome["warnings"] if "served beside" in warning] == warnings
    [lax] = modules.run("mcp_fleet", servers=[{**server, **urls, **OPEN}], check=True)["servers"]
    assert [warning for warning in lax["warnings"] if "served beside" in warning][0].count("'Partners'") == 1


def test_a_client_that_registered_itself_has_the_tools_scopes_once_it_is_admitted(
    modules: Modules, world: World, domain: Domain
) -> None:
    """And only if it asks for them. It registered without a scope, so it has what the domain gives to all."""
    rule = {"redirect_uris": [REDIRECT]}
    role = play(modules, world, tools=TOOLS, admit=[rule], registered_clients="subscribe")
    client_id = register(world, redirect_uris=[REDIRECT]).json()["client_id"]
    token = Login().token(world, client_id, role.v.url)
    [oauth] = [one["settings"]["oauth"] for one in domain.applications.values() if one["name"] == "VS Code"]
    assert [one["scope"] for one in oauth["scopeSettings"]] == ["openid"]
    assert f"let VS Code {client_id} ask for weather:read" in role.play("admit_clients.yml")
    forecast = call("forecast")
    assert asked(world, token, forecast).status_code == 403
    assert asked(world, Login().token(world, client_id, role.v.url, "openid weather:read"), forecast).status_code == 200
    assert role.play() == []
