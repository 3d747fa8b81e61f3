"""What each module does on the sandbox, in an order in which each finds what it needs: the calls whose answers are fuzzed."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients import Login, register
from tests.inventories import listed
from tests.runners import Modules
from tests.sandbox.am_domain import Domain, enabled_domain
from tests.sandbox.world import World
from tests.tapes import Recorder, Tape, instead_of_the_network

INVENTORY = "inventory"  # in the place of a module's name
SECRET = "hush-hush"  # how every secret here begins
CREDENTIALS = {
    "apim_username": "admin",
    "apim_password": f"{SECRET}-apim-password",
    "am_username": "admin",
    "am_password": f"{SECRET}-am-password",
}
PASSWORD = f"{SECRET}-Passw0rd!"
# What the sandbox generates, wherever it stands in an answer's JSON.
_GENERATED = re.compile(
    rb'("(?:clientSecret|client_secret|secret|token|access_token|refresh_token|registration_access_token)" *: *")([^"]+)'
)
WEATHER = {"context_path": "/weather-mcp"}
TOOLS = [{"key": "get_weather", "description": "The weather", "scopes": ["weather:read"]}, {"key": "get_time"}]
HIDDEN = {
    "labels": ["mcp"],
    "properties": [
        {"key": "db-password", "value": f"{SECRET}-property"},
        {"key": "sealed", "value": f"{SECRET}-encrypted", "encryptable": True},
    ],
}
HEADERS = [{"name": "Authorization", "value": f"Bearer {SECRET}-header"}]
ENDPOINTS = {
    "endpointGroups": [
        {
            "name": "g",
            "type": "http-proxy",
            "sharedConfiguration": {
                "headers": HEADERS,
                "ssl": {"keyStore": {"type": "PKCS12", "password": f"{SECRET}-key", "content": f"{SECRET}-store"}},
            },
            "endpoints": [
                {
                    "name": "e",
                    "type": "http-proxy",
                    "inheritConfiguration": True,
                    "configuration": {"target": f"http://user:{SECRET}-userinfo@n/mcp?api_key={SECRET}-query"},
                }
            ],
        }
    ]
}
CLIENTS = [{"name": "Assistant", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"], "scopes": ["openid"]}]


@dataclass
class Scene:
    """A module and what it is given. tells: the keys of its result that are meant to hold secrets."""

    module: str
    given: dict[str, Any]
    tells: tuple[str, ...] = ()
    tape: Tape = field(default_factory=Tape)

    @property
    def arguments(self) -> dict[str, Any]:
        return {**CREDENTIALS, "token_cache": False, "retries": 0, **self.given}


def stage(world: World) -> Domain:
    """An APIM 4.10 with an AM 4.11, whose administrators and users have secrets that can be told."""
    world.apim_version, world.am_version, world.introspection_window, world.domain_reload = "4.10", "4.11", 0, 0
    world.admins = {"apim": ("admin", CREDENTIALS["apim_password"]), "am": ("admin", CREDENTIALS["am_password"])}
    return enabled_domain(world, alice=PASSWORD)


def server(world: World, **given: Any) -> dict[str, Any]:
    """The variables of the MCP server that all is about."""
    return {
        "gateway_url": world.urls["gateway"],
        "am_gateway_url": world.urls["am_gateway"],
        "domain": "mcp-demo",
        "name": "Weather MCP",
        **WEATHER,
        "target": world.urls["mcp"],
        "verify_timeout": 1,
        "tools": TOOLS,
        "clients": CLIENTS,
        "api_definition": HIDDEN,
        "registered_clients": "subscribe",
        "admit_profiles": ["vscode"],
        "test_username": "alice",
        "test_password": PASSWORD,
        "cors_origins": ["http://localhost:6274"],
        **given,
    }


def imported(url: str, gateway: str) -> dict[str, Any]:
    """What gravitee_api_import is given for an API of its own."""
    client = {"client_id": "c", "client_secret": f"{SECRET}-client"}
    return {
        "api": {"context_paths": ["/imported"], "name": "Imported", "definition": {**HIDDEN, **ENDPOINTS}},
        "resource": {"server_url": gateway, "security_domain": "mcp-demo", **client},
        "plan": {"security": "oauth2", "oauth_resource": "Gravitee AM", "audience": [url], "required_scopes": ["openid"]},
    }


def scenes(world: World, folder: Path) -> list[Scene]:
    v, at = server(world), WEATHER
    url, gateway = f"{world.urls['gateway']}/weather-mcp", world.urls["am_gateway"]
    server_at, own = {"domain": "mcp-demo", "resource_identifier": url}, {"domain": "mcp-demo", "client_id": "second"}
    proof = {"wait": True, "wait_timeout": 1, "gateway_url": url, "wait_for": "secured", "wait_check": True}
    gone = {"wait": True, "wait_timeout": 1, "gateway_url": f"{url}x"}
    outside = {"gateway_url": world.urls["gateway"], "am_gateway_url": gateway, "domain": "mcp-demo"}
    login = {"username": "alice", "password": PASSWORD, "list_tools": True, "audience": True}
    secret = {**server_at, "am_gateway_url": gateway, "wait_timeout": 1}
    made = ("client_secret",)
    fleet = {"servers": [v, server(world, name="Other", context_path="/other", tools="discover")], "parallel": 1}
    return [
        Scene("mcp_situation_info", v),
        Scene("mcp_fleet", {**fleet, "look": True, "doctor": True}),
        Scene("mcp_fleet", {"servers": [v], "look": True, "parallel": 2}),
        *(Scene("mcp_situation_info", {**v, "purpose": one, "rotate": one == "rotate"}) for one in ("secure", "rotate")),
        *(Scene("mcp_situation_info", {**v, "purpose": one}) for one in ("admit", "teardown")),
        Scene("mcp_export_info", outside),
        Scene(INVENTORY, {"domain": "mcp-demo", "gateway_url": world.urls["gateway"], "probe": True}),
        Scene("gravitee_api_info", {"plans": True, "check_credentials": True, "wait_timeout": 1}),
        Scene("gravitee_api_info", {"secrets": True}, ("apis",)),
        Scene("am_application_info", {"domain": "mcp-demo"}),
        Scene("am_application_info", {"domain": "mcp-demo", "resource": url, "client_profiles": ["vscode"]}),
        Scene("am_mcp_server_info", {"domain": "mcp-demo", "secrets": True}),
        Scene("mcp_check", {"url": url, "doctor": True, **login}),
        Scene("mcp_check", {"url": url, "client_id": "assistant", "authorization_server": gateway, **login}),
        Scene("mcp_check", {"url": world.urls["mcp"], "gateway": False, "list_tools": True}),
        Scene("mcp_admission", {**at, "domain": "mcp-demo", "resource": url, "client_profiles": ["vscode"], "scopes": ["email"]}),
        Scene("mcp_admission", {**at, "domain": "mcp-demo", "resource": url}),
        Scene("gravitee_api_import", imported(url, gateway)),
        Scene("gravitee_api_import", {**imported(url, gateway), "api": {"context_paths": ["/imported"], "name": "Imported"}}),
        Scene("gravitee_api", {"context_path": "/new", "name": "New", "definition": {**HIDDEN, **ENDPOINTS}, "labels": ["a"]}),
        Scene("gravitee_api", {"context_path": "/new", "name": "New", "description": "x", "read_timeout": 9, "labels": ["b"]}),
        Scene("gravitee_api", {**at, "name": "Weather MCP", "challenge": {"url": url, "scopes": ["a"]}, "metadata_path": True}),
        Scene("am_resource", {"context_path": "/new", "server_url": gateway, "security_domain": "mcp-demo", **own_secret()}),
        Scene("am_resource", {"context_path": "/new", "user_claim": "sub", "http": {"useSystemProxy": True}}),
        Scene("gravitee_plan", {"context_path": "/new", "security": "oauth2", "oauth_resource": "Gravitee AM", "name": "P"}),
        Scene("gravitee_plan", {**at, "name": "OAuth2", "tools": {"a": ["b"]}, "url": url, "audience": [url]}),
        Scene("gravitee_plan", {"context_path": "/new", "security": "key_less"}),
        Scene("gravitee_deployment", {"context_path": "/new", "allow_open": True, "label": "open"}),
        Scene("gravitee_plan", {"context_path": "/new", "security": "key_less", "state": "closed"}),
        Scene("gravitee_deployment", {**at, **proof, "on_failure": "rollback", "label": "again"}),
        Scene("gravitee_deployment", {"context_path": "/new", "state": "stopped", **gone}),
        Scene("am_domain_settings", {"domain": "mcp-demo", "client_profiles": ["cursor"], "scopes": ["new:scope"]}),
        Scene("am_domain_settings", {"domain": "mcp-demo", "login": {"hide_form": True}, "mcp_clients": True}),
        Scene("am_mcp_server", {**own, "name": "M", "resource_identifier": "http://gw/m", **own_secret()}, made),
        Scene("am_mcp_server", {**own, "description": "d", "tools": TOOLS, "grant_types": ["authorization_code"]}),
        Scene("am_mcp_server_secret", {**secret, "state": "renewed"}, made),
        Scene("am_mcp_server_secret", {**server_at, "name": "Default", "state": "renewed"}, made),
        Scene("am_mcp_server_secret", {**server_at, "name": "Default", "state": "absent"}),
        Scene("mcp_credentials_file", {**at, "path": str(folder / "credentials.json")}),
        Scene("am_application", {"domain": "mcp-demo", "name": "App", "type": "web", "scopes": ["openid"], "pkce": True}, made),
        Scene("am_application", {"domain": "mcp-demo", "name": "App", "description": "d", "grant_types": ["client_credentials"]}),
        Scene("gravitee_subscription", {**at, "client_id": "third", "application_name": "T", "plan": "OAuth2", "reopen": False}),
        Scene("gravitee_subscription", {**at, "client_id": "third", "state": "closed"}),
        Scene("gravitee_subscription", {**at, "client_id": "third", "state": "absent"}),
        Scene("am_application", {"domain": "mcp-demo", "name": "App", "state": "absent"}),
        Scene("gravitee_plan", {"context_path": "/new", "name": "P", "state": "absent"}),
        Scene("am_resource", {"context_path": "/new", "state": "absent"}),
        Scene("am_mcp_server", {**own, "state": "absent"}),
        Scene("gravitee_api", {"context_path": "/new", "state": "absent"}),
    ]


def own_secret() -> dict[str, str]:
    return {"client_id": "second", "client_secret": f"{SECRET}-client"}


def recorded(world: World, folder: Path) -> list[Scene]:
    """Every scene with its tape."""
    modules, found = Modules(world), scenes(world, folder)
    for number, scene in enumerate(found):
        if number == 2:  # a client that registered itself, with a token
            client_id = register(world).json()["client_id"]
            Login(password=PASSWORD).token(world, client_id, f"{world.urls['gateway']}/weather-mcp")
        with instead_of_the_network(Recorder(scene.tape, hushed)):
            if scene.module == INVENTORY:
                listed(folder, **world_urls(world), **scene.arguments)
            else:
                modules.run(scene.module, **scene.arguments)
    return found


def world_urls(world: World) -> dict[str, str]:
    return {f"{plane}_url": world.urls[plane] for plane in ("apim", "am")}


def hushed(body: bytes) -> bytes:
    """An answer in which what was generated can be told from everything else."""
    return _GENERATED.sub(lambda match: match[1] + f"{SECRET}-generated".encode(), body)
