"""make demo: the main job on the embedded sandbox, told as a short story. Ends non-zero if any of it is not so."""
from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from .runners import ROOT, Playbooks, Played
from .sandbox.am_domain import ALICE, enabled_domain
from .sandbox.servers import Sandbox
from .sandbox.world import World

ACCEPT = {"Accept": "application/json, text/event-stream"}


class NotSo(Exception):
    """The story took another turn."""


def say(text: str) -> None:
    print(text, flush=True)


def need(true: bool, otherwise: str) -> None:
    if not true:
        raise NotSo(otherwise)


def call(url: str, method: str, **params: Any) -> requests.Response:
    """An unauthenticated caller's JSON-RPC request."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(url, json=message, headers=ACCEPT, timeout=20)


def play(playbooks: Playbooks, title: str, *arguments: str, code: int = 0) -> Played:
    began = time.monotonic()
    played = playbooks.run(*arguments)
    need(played.code == code, played.output)
    say(f"   $ ansible-playbook {' '.join(arguments)}   ({time.monotonic() - began:.1f} s)  {title}")
    return played


def story(world: World, playbooks: Playbooks) -> None:
    weather = {"name": "get_weather", "arguments": {"city": "Paris"}}

    say("1. Before: an MCP server that anyone on the network can call")
    answer = call(world.urls["mcp"], "tools/call", **weather)
    need(answer.status_code == 200 and "sunny in Paris" in answer.text, f"the MCP server answered {answer.text}")
    say(f"   POST {world.urls['mcp']} tools/call get_weather, no token: 200 It is sunny in Paris\n")

    say("2. What the role would do (nothing is sent)")
    predicted = play(playbooks, "", "secure_mcp.yml", "--check")
    need(world.writes() == [], f"check mode sent {world.writes()}")
    for change in predicted.changes:
        say(f"     {change}")

    say("\n3. The role does it")
    done = play(playbooks, f"{len(predicted.changes)} changes, as predicted", "secure_mcp.yml")
    need(done.changes == predicted.changes, f"predicted {predicted.changes}, done {done.changes}")

    say("\n4. After: a call without a token is refused, and an MCP client finds its way")
    answer = call(playbooks.url, "tools/call", **weather)
    need(answer.status_code == 401, f"an unauthenticated caller got {answer.status_code}")
    challenge = answer.headers["WWW-Authenticate"]
    say(f"   POST {playbooks.url} tools/call get_weather, no token: 401\n   WWW-Authenticate: {challenge}")
    metadata = requests.get(challenge.split('"')[1], timeout=20).json()
    need(metadata["resource"] == playbooks.url, f"the metadata is of {metadata['resource']}")
    say(f"   authorization server: {metadata['authorization_servers'][0]}")
    issuer = requests.get(f"{metadata['authorization_servers'][0]}/.well-known/openid-configuration", timeout=20).json()
    say(f"   register at {issuer['registration_endpoint']}, log in at {issuer['authorization_endpoint']}")

    say("\n5. Again")
    again = play(playbooks, "changed=0", "secure_mcp.yml")
    need(again.changes == [] and again.changed == [], f"a second run changed {again.changes}")

    say("\n6. Someone edits the API in the console; the hourly check finds it")
    record = next(iter(world.apis.values()))
    record.definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = "http://elsewhere/mcp"
    drifted = play(playbooks, "ends with 2", "drift.yml", code=2)
    need(bool(drifted.changes), "the edit was not found")
    for finding in drifted.changes:
        say(f"     weather: {finding}")
    play(playbooks, "fixes it", "secure_mcp.yml")
    play(playbooks, "nothing found", "drift.yml")


def meet_client(world: World, playbooks: Playbooks, folder: Path) -> None:
    say("\n7. A client made with the official SDK registers, and alice logs in")
    command = [sys.executable, "-m", "tests.sdk.python_client", playbooks.url, folder / "client.json", "get_weather"]

    def use() -> dict[str, Any]:
        done = subprocess.run([*command, '{"city": "Paris"}'], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
        return json.loads(done.stdout.splitlines()[-1])

    need("error" in use(), "a client without a subscription got in")
    [client] = next(iter(world.domains.values())).applications.values()
    say(f"   it has a token of AM, and waits outside: client {client['settings']['oauth']['clientId']} has no subscription yet")
    rule = '{"secure_mcp_admit": [{"client_name": "SDK", "redirect_uris": ["http://127.0.0.1:*/"]}]}'
    play(playbooks, "admits it, by its redirect URI", "admit_clients.yml", "-e", rule)
    answer = use()
    need(answer.get("text") == "It is sunny in Paris", f"the client got {answer}")
    say(f"   tools: {', '.join(answer['tools'])}; get_weather says: {answer['text']}")


def main() -> int:
    logging.disable(logging.INFO)
    world = World()
    sandbox = Sandbox(world).start()
    enabled_domain(world, **ALICE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            playbooks = Playbooks(world, Path(folder))
            story(world, playbooks)
            meet_client(world, playbooks, Path(folder))
    except NotSo as error:
        say(f"\nNot so: {error}")
        return 1
    finally:
        sandbox.stop()
    say("\nThe MCP server is secured. Against your own Gravitee: see the README.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
