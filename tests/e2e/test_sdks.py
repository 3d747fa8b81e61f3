"""The official SDKs' own OAuth clients: from 401 to a called tool, by every way that clients come."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients import REDIRECT, Login, register, subscribe
from tests.runners import ROOT, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

pytestmark = pytest.mark.usefixtures("domain")
NODE = ROOT / "build/node"
OUTPUT = ROOT / "tests/output"
SDKS = ["python v2", "python v1", "typescript"]
# With the OAuth2 policies 5.1.4, 5.2.1 and 5.3.1.
VERSIONS = pytest.mark.parametrize(("apim", "am"), [("4.10", "4.10"), ("4.11", "4.11"), ("4.12", "4.12")])
LOOPBACK = [{"client_name": "SDK", "redirect_uris": ["http://127.0.0.1:*/"]}]
# What each says first: where it waits for its subscription; where none is asked for, of a scope that it may not have yet.
GIVES_UP = "Error: Streamable HTTP error: Server returned 403 after trying upscoping"
WAITING = {
    "python v2": "MCPError: Server returned an error response",
    "python v1": "HTTPStatusError: Client error '401 Unauthorized' for url",
    "typescript": "Error: Streamable HTTP error: Server returned 401 after successful authentication",
}
INVALID = "AM sent back {'error': 'invalid_scope', 'error_description': 'Invalid scope(s): weather:read'"
NO_SCOPE = {"python v2": INVALID, "python v1": INVALID, "typescript": GIVES_UP}


def program(name: str) -> list[str | Path]:
    """The command that runs the program made with this SDK."""
    if name == "typescript":
        copy = NODE / f"{os.getpid()}.mjs"  # whole whenever another worker's node reads it
        copy.write_bytes((ROOT / "tests/sdk/node/client.mjs").read_bytes())
        return [ROOT / "build/venv/bin/node", copy.replace(NODE / "client.mjs")]
    python = ROOT / "build" / {"python v1": "sdk-v1", "python v2": "venv"}[name] / "bin/python"
    return [python, "-m", "tests.sdk.python_client"]


def printed(command: list[str | Path]) -> Any:
    """The JSON in the last line that a program prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def at_once(ask: Callable[[str], Any]) -> dict[str, Any]:
    """What `ask` says for the name of each SDK."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(SDKS, pool.map(ask, SDKS), strict=True))


class Sdk:
    """A program made with one of the SDKs, and the file in which it keeps its client and its tokens."""

    def __init__(self, name: str, url: str, folder: Path, called: str = "get_weather", **arguments: Any):
        self.kept = folder / f"{name}.json"
        logs_in = [sys.executable] if name == "typescript" else []
        self.command = [*program(name), url, self.kept, *logs_in, called, json.dumps(arguments or {"city": "Paris"})]

    def call(self) -> dict[str, Any]:
        return printed(self.command)

    @property
    def client_id(self) -> str | None:
        """The client id that it registered or was given."""
        kept = json.loads(self.kept.read_text()) if self.kept.exists() else {}
        return kept.get("client", {}).get("client_id")

    def give_client(self, client_id: str) -> None:
        client = {"client_id": client_id, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"}
        self.kept.write_text(json.dumps({"client": client}))


def served(answer: dict[str, Any]) -> bool:
    return answer.get("text") == "It is sunny in Paris" and answer["tools"] == ["get_weather", "slow_forecast"]


@pytest.mark.parametrize("validated", [True, False], ids=["validated", "not validated"])
@VERSIONS
def test_a_tools_scope_is_asked_for_when_it_is_needed(
    playbooks: Playbooks, world: World, tmp_path: Path, apim: str, am: str, validated: bool
) -> None:
    """It registers with what everyone is told to ask for; once admitted, 403 makes it ask its user for the tool's scope, too.

    Where no subscription is asked for, it has to be admitted all the same: AM then lets it have the scope. TypeScript's SDK
    refreshes its token instead, and gives up.
    """
    world.apim_version, world.am_version, world.introspection_window = apim, am, 0
    world.validate_subscription = validated
    tools = [{"key": "get_weather"}, {"key": "slow_forecast", "scopes": ["weather:read"]}]
    given = {"tools": tools, "registered_clients": "subscribe", "admit": LOOPBACK}
    assert playbooks.run(**given).code == 0
    sdks = {name: Sdk(name, playbooks.url, tmp_path, "slow_forecast", seconds=0) for name in SDKS}
    told = at_once(lambda name: sdks[name].call()["error"])
    expected = WAITING if validated else NO_SCOPE
    assert [name for name in SDKS if expected[name] not in told[name]] == [], told
    assert playbooks.run("admit_clients.yml", **given).code == 0
    called = {name: answer.get("text", answer.get("error")) for name, answer in at_once(lambda name: sdks[name].call()).items()}
    assert called == {"python v2": "More of the same", "python v1": "More of the same", "typescript": GIVES_UP}


@VERSIONS
@pytest.mark.parametrize("name", SDKS)
def test_self_registered_and_admitted(playbooks: Playbooks, world: World, tmp_path: Path, name: str, apim: str, am: str) -> None:
    """It registers and logs in, waits outside with its good token, is admitted, and comes in with what it has."""
    world.apim_version, world.am_version, world.introspection_window = apim, am, 0
    assert playbooks.run().code == 0
    sdk = Sdk(name, playbooks.url, tmp_path)
    assert "error" in sdk.call()
    waiting = sdk.client_id
    assert waiting
    told = playbooks.run("secure_mcp.yml")
    assert f"SDK {waiting} ({REDIRECT}) of alice waits for {playbooks.url}" in told.output
    predicted = playbooks.run("admit_clients.yml", "--check", admit=LOOPBACK)
    admitted = playbooks.run("admit_clients.yml", admit=LOOPBACK)
    assert admitted.code == 0, admitted.output
    assert predicted.changed == admitted.changed == ["Admit the clients that registered themselves"]
    assert playbooks.run("admit_clients.yml", admit=LOOPBACK).changed == []
    assert served(sdk.call())
    assert sdk.client_id == waiting


@pytest.mark.parametrize("name", SDKS)
def test_a_known_client_without_dynamic_registration(playbooks: Playbooks, domain: Domain, tmp_path: Path, name: str) -> None:
    clients = [{"name": "Assistant", "redirect_uris": [REDIRECT], "client_id": "assistant"}]
    predicted = playbooks.run("secure_mcp.yml", "--check", dcr=False, clients=clients)
    done = playbooks.run(dcr=False, clients=clients)
    assert done.code == 0, done.output
    assert done.changes == predicted.changes
    assert "set identityProviders, grantTypes, scopeSettings of application Assistant" in done.changes
    assert done.changes[-2:] == ["create application Assistant", "subscribe Assistant to plan OAuth2"]
    assert domain.wire["oidc"]["clientRegistrationSettings"]["isDynamicClientRegistrationEnabled"] is False
    sdk = Sdk(name, playbooks.url, tmp_path)
    sdk.give_client("assistant")
    assert served(sdk.call())
    assert playbooks.run(dcr=False, clients=clients).changes == []


@VERSIONS
@pytest.mark.parametrize("name", SDKS)
def test_mcp_proxy_asks_for_no_subscription(
    playbooks: Playbooks, world: World, tmp_path: Path, name: str, apim: str, am: str
) -> None:
    world.apim_version, world.am_version, world.enterprise = apim, am, True
    done = playbooks.run(api_type="mcp_proxy")
    assert done.code == 0, done.output
    assert served(Sdk(name, playbooks.url, tmp_path).call())
    assert world.subscriptions == {}
    assert playbooks.run(api_type="mcp_proxy").changes == []


def test_mcp_proxy_without_the_plugin_says_what_to_do(playbooks: Playbooks, world: World) -> None:
    refused = playbooks.run(api_type="mcp_proxy")
    assert "has no plugin mcp-proxy (it is part of the enterprise edition). Use type=proxy" in refused.failure
    assert world.apis == {}


def test_conformance(playbooks: Playbooks, world: World) -> None:
    """What @modelcontextprotocol/conformance finds of the MCP server directly, it finds through the secured gateway, too.

    The suite brings no token, so a proxy adds one. Other scenarios want tools that this server does not have.
    """
    assert playbooks.run().code == 0
    client_id = register(world).json()["client_id"]
    subscribe(world, client_id)
    token = Login().token(world, client_id, playbooks.url)
    kept = ("Content-Type", "Mcp-Session-Id")

    def with_token(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        sent = {name: value for name, value in headers.items() if name.lower() not in ("host", "content-length", "connection")}
        sent["Authorization"] = f"Bearer {token}"
        answer = requests.request(method, f"{world.urls['gateway']}{path}", headers=sent, data=body, timeout=20)
        return answer.status_code, {name: answer.headers[name] for name in kept if name in answer.headers}, answer.content

    direct = _conformance("direct", world.urls["mcp"])
    with serving(with_token, headers=True) as base:
        secured = _conformance("secured", f"{base}/weather-mcp")
    assert secured == direct
    assert {"server-initialize", "ping", "tools-list"} <= {name for name, passed in direct.items() if passed}


def _conformance(name: str, url: str) -> dict[str, bool]:
    """Scenario → whether all of its checks passed; the reports stay in tests/output."""
    folder = OUTPUT / "conformance" / name
    folder.mkdir(parents=True, exist_ok=True)
    command = [ROOT / "build/venv/bin/node", NODE / "node_modules/.bin/conformance", "server", "--url", url, "-o", folder]
    scenarios = ["server-initialize", "ping", "tools-list", "tools-call-simple-text", "resources-list", "prompts-list"]
    found = {}
    for scenario in scenarios:
        done = subprocess.run([*command, "--scenario", scenario], capture_output=True, text=True, check=False, timeout=60)
        (folder / f"{scenario}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
        found[scenario] = done.returncode == 0
    return found
