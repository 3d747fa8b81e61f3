"""AM's gateway answers as recorded of 4.10 and 4.11: registration and its changes, logins, tokens, introspection."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.clients import Login
from tests.contract.estate import new_domain, new_mcp_server
from tests.contract.replay import Replay
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World, recordings

NAME, URL = "am-4.11-gateway", "http://127.0.0.1:8082/h411rec"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SERVER, NEIGHBOUR = "vGyBDq15q219szcvdnPDgx4WqKVJH0lq8mnuGM95FU0", "the neighbour's"
CONFIDENTIAL = "wAP8SkkRJzDCIMUHIuj7rDXzscqJ3PzVSHirWNEhcoE"
# What the MCP server's settings said before an exchange, by the beginning of its note.
SETTINGS = {
    "grantTypes ['authorization_code']": ("client_secret_basic", ["authorization_code"]),
    "grantTypes []": ("client_secret_basic", ["client_credentials"]),  # the management plane brings the default back
    "tokenEndpointAuthMethod client_secret_post": ("client_secret_post", ["client_credentials"]),
    "tokenEndpointAuthMethod none": ("none", ["client_credentials"]),
    "tokenEndpointAuthMethod unset by a PATCH": (None, ["client_credentials"]),
}
# Which token an introspection is about, by what the note says; any other is a bad one.
TOKENS = {
    "introspection at once": "with resource",
    "introspection after 12 s": "with resource",
    "introspection, credentials in the form (": "with resource",
    "introspection by a": "with resource",
    "introspection of a token of a client removed since (with resource)": "with resource",
    "introspection of a token of a client removed since (without": "without resource",
    "introspection of a token without resource": "without resource",
    "introspection of the MCP server's own token": "client_credentials with the MCP server's own credentials",
    "introspection of it by the neighbour": "client_credentials with the MCP server's own credentials, resource=the neighbour",
    "introspection of it by the MCP server": "client_credentials of a self-registered client, resource=the MCP server",
}
FRESH = ("introspection at once", "introspection of the MCP server's own", "introspection of it")


class _Run:
    """A recording's requests in order, with the headers, codes, tokens and secrets that it leaves out."""

    def __init__(self, world: World, domain: str):
        self.world, self.domain = world, new_domain(world, domain)
        bases = {f"http://127.0.0.1:{port}": world.urls["am_gateway"] for port in (8092, 8192)}
        self.replay = Replay(bases, world.urls["am_gateway"], {})
        self.registered: dict[str, list[dict[str, Any]]] = {}  # recorded client id → what it was told, the newest last
        self.secrets: dict[str, tuple[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.browser = Login()
        self.code = ""

    def new_server(self, recorded: str, *identifiers: str) -> None:
        made = new_mcp_server(self.world, self.domain, recorded[:9], *identifiers)
        self.replay.pairs[recorded] = made["clientId"]
        self.secrets[recorded] = (made["clientId"], made["clientSecret"])

    def differences(self, exchange: dict[str, Any]) -> list[str]:
        path = urlsplit(exchange["path"]).path
        for start, (method, grants) in SETTINGS.items():
            if exchange["note"].startswith(start):
                self._set(method, grants)
        if "/oidc/register/" in path:
            return self._own_registration(exchange, path.split("/register/")[1].split("/")[0])
        if path.endswith("/register"):
            return self._register(exchange)
        if path.endswith(("/authorize", "/login", "/consent")):
            return self._page(exchange)
        if path.endswith("/token"):
            return self._token(exchange)
        if path.endswith("/introspect"):
            return self._introspection(exchange)
        return self._compared(exchange, {})

    def _compared(self, exchange: dict[str, Any], headers: dict[str, str]) -> list[str]:
        self.replay.headers = headers
        self.answered = self.replay.send(exchange)
        return self.replay.differences(exchange, self.answered)

    def _register(self, exchange: dict[str, Any]) -> list[str]:
        found = self._compared(exchange, {})
        if exchange["status"] == 201:
            told, recorded = self.answered.json(), exchange["response"]["client_id"]
            self.registered[recorded] = [told]
            self.secrets[recorded] = (told["client_id"], told["client_secret"])
        return found

    def _own_registration(self, exchange: dict[str, Any], recorded: str) -> list[str]:
        note, told = exchange["note"], self.registered[recorded]
        first = self.world.am_version == "4.10" or any(word in note for word in ("first token", "before the update"))
        token = told[0 if first else -1]["registration_access_token"]
        found = self._compared(exchange, {} if "without a token" in note else {"Authorization": f"Bearer {token}"})
        if "registration_access_token" in str(exchange["response"]) and exchange["status"] == 200:
            told.append(self.answered.json())
        return found

    def _page(self, exchange: dict[str, Any]) -> list[str]:
        """A step of a login. The recordings name the fields of a form that were sent."""
        if exchange["note"].endswith(": authorize"):
            self.browser = Login()
        path, http = self.replay.translate(exchange["path"]), self.browser.http
        url = self.replay.url + path
        if exchange["method"] == "POST":
            person = {"username": "alice", "password": "Alice-Passw0rd!"} if "/login" in path else {"user_oauth_approval": "true"}
            sent = self.browser.form(http.get(url, timeout=10), person)
            answered = http.post(url, data=sent, allow_redirects=False, timeout=10)
            fields = [] if sorted(sent) == exchange["request"] else [f"the form has {sorted(sent)}"]
        else:
            answered, fields = http.get(url, allow_redirects=False, timeout=10), []
        self.code = parse_qs(urlsplit(answered.headers.get("location", "")).query).get("code", [""])[0]
        return [*fields, *self.replay.differences(exchange, answered)]

    def _token(self, exchange: dict[str, Any]) -> list[str]:
        note, body = exchange["note"], self.replay.translate(exchange["request"]).replace("<code>", self.code)
        asking = CONFIDENTIAL if "self-registered" in note else SERVER
        auth = self.secrets[asking] if "client_credentials" in body else None
        answered = requests.post(self.replay.url + exchange["path"], data=body, headers=FORM, auth=auth, timeout=10)
        told = answered.json()
        self.tokens[note.removesuffix(": token")] = told.get("access_token", "")
        lifetime = exchange["response"].get("expires_in", 0)
        found = [] if abs(told.pop("expires_in", 0) - lifetime) <= 1 else ["expires_in differs"]
        recorded = {key: value for key, value in exchange["response"].items() if key != "expires_in"}
        answered._content = requests.compat.json.dumps(told).encode()
        return [*found, *self.replay.differences({**exchange, "response": recorded}, answered)]

    def _introspection(self, exchange: dict[str, Any]) -> list[str]:
        """Later than ten seconds after the token, unless the note says otherwise: no test waits for that."""
        note = exchange["note"]
        fresh = note.startswith(FRESH) or note == "introspection of a token without resource, by the MCP server"
        self.world.introspection_window = 10 if fresh else 0
        kind = next((token for start, token in TOKENS.items() if note.startswith(start)), "")
        secret = self.secrets[SERVER][1]
        body = self.replay.translate(exchange["request"]).replace("=<token>", f"={self.tokens.get(kind, 'bad')}")
        answered = requests.post(
            self.replay.url + exchange["path"],
            data=body.replace("<secret>", secret),
            headers=FORM,
            auth=self._asking(note, "client_id=" in body),
            timeout=10,
        )
        return self.replay.differences(exchange, answered)

    def _asking(self, note: str, in_form: bool) -> tuple[str, str] | None:
        if in_form or "without credentials" in note:
            return None
        if "neighbour" in note:
            return self.secrets[NEIGHBOUR]
        client_id, secret = self.secrets[CONFIDENTIAL if "self-registered" in note else SERVER]
        return client_id, "wrong" if "wrong secret" in note else self.second if "second secret" in note else secret

    def _set(self, method: str | None, grants: list[str]) -> None:
        oauth = self._server["settings"]["oauth"]
        oauth |= {"grantTypes": grants, "tokenEndpointAuthMethod": method}
        oauth["accessTokenValiditySeconds"] = 7200 if method else 600
        self.domain.sync()

    @property
    def _server(self) -> dict[str, Any]:
        return next(iter(self.domain.mcp_servers.values()))

    @property
    def second(self) -> str:
        """A second secret beside the first, made when it is asked for."""
        made = {**self._server["secrets"][0], "id": "second", "name": "second", "secret": "of the second"}
        self._server["secrets"].append(made)
        self.domain.sync()
        return made["secret"]


@pytest.fixture(scope="module")
def replayed() -> Iterator[list[list[str]]]:
    """What differed in each exchange of 4.11's recording."""
    sandbox = Sandbox(World(am_version="4.11")).start()
    run = _Run(sandbox.world, "h411rec")
    run.new_server(SERVER, URL)
    run.new_server(NEIGHBOUR, f"{URL}-2")
    run._server["settings"]["oauth"].pop("tokenEndpointAuthMethod")  # a PUT without settings had come before
    run.domain.sync()
    yield [run.differences(exchange) for exchange in recordings(NAME)]
    sandbox.stop()


@pytest.mark.parametrize("index", range(len(recordings(NAME))))
def test_exchange_of_411(replayed: list[list[str]], index: int) -> None:
    assert replayed[index] == [], recordings(NAME)[index]["note"]


def test_second_recording_of_410(world: World) -> None:
    run = _Run(world, "rec2")
    for exchange in recordings("am-2-gateway"):
        assert run.differences(exchange) == [], exchange["note"]
