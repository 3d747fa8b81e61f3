"""What modules make of credentials with line breaks, names that are no ids, secrets in definitions and answers without end."""
from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import MASK
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import transport
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import DEEPEST
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, segment
from hypothesis import given as drawn
from hypothesis import strategies as st

from tests.integration.test_connection import JSON, apim
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

PASSWORDS = ["Passw0rd-\u20ac-\u65e5\u672c-\U0001f511", "pass: word#%/?", "p\u00e4ssw\u00f6rd-latin", "pass'\"\\{{ word }}"]
BLANKS = ["{}\n", " {}", "\t{}\r\n", "{} \n\n"]


def shown(modules: Modules, module_name: str, /, **given: Any) -> str:
    """Everything that a module returns, with its invocation, whether it fails or not."""
    try:
        return json.dumps(modules.run(module_name, **given), ensure_ascii=False)
    except ModuleFailed as failure:
        return json.dumps(failure.result, ensure_ascii=False)


@pytest.mark.parametrize("blanks", BLANKS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_works_and_is_not_shown(modules: Modules, world: World, domain: Domain, password: str, blanks: str) -> None:
    """Of any characters, and as vault files hold it: with a line break at its end."""
    world.admins = {"apim": ("Zo\u00eb", password), "am": ("Zo\u00eb", password)}
    for plane, name, given in (("apim", "gravitee_api_info", {}), ("am", "am_mcp_server_info", {"domain": "mcp-demo"})):
        user = {f"{plane}_username": blanks.format("Zo\u00eb"), f"{plane}_password": blanks.format(password)}
        result = modules.run(name, **{**user, **given})
        assert result["changed"] is False
        told = json.dumps(result, ensure_ascii=False)
        assert password not in told
        assert json.dumps(password, ensure_ascii=False)[1:-1] not in told


@pytest.mark.parametrize("blanks", BLANKS)
def test_a_token_works_and_is_not_shown(modules: Modules, world: World, domain: Domain, blanks: str) -> None:
    tokens = {plane: world.new_token(plane) for plane in ("apim", "am")}
    given = {f"{plane}_token": blanks.format(token) for plane, token in tokens.items()}
    urls = {f"{plane}_url": world.urls[plane] for plane in tokens}
    for name, more in (("gravitee_api_info", {}), ("am_mcp_server_info", {"domain": "mcp-demo"}), ("gravitee_api", {"id": "x"})):
        told = shown(modules, name, connect=False, **urls, **given, **more)
        assert "refused the credentials" not in told
        assert not [token for token in tokens.values() if token in told]


@pytest.mark.parametrize("token", ["abc-defghi\njkl-mnopqr", "abc defghijk", "abc-\u20ac-defgh", "abc-\x00-defgh"])
def test_what_no_header_can_carry_is_refused_and_not_shown(modules: Modules, world: World, token: str) -> None:
    told = shown(modules, "gravitee_api_info", connect=False, apim_url=world.urls["apim"], apim_token=token)
    assert "apim_token is no token" in told
    assert token not in json.loads(told)["msg"]
    assert token.split("\n")[0] not in told


PEM = "-----BEGIN PRIVATE KEY-----\nhush-pem-0123456789\n-----END PRIVATE KEY-----"
DEFINITION = {
    "properties": [{"key": "db", "value": "hush-property-1", "encryptable": True}, {"key": "api-key", "value": "hush-2"}],
    "endpointGroups": [
        {
            "name": "g",
            "type": "http-proxy",
            "sharedConfiguration": {
                "headers": [{"name": "Authorization", "value": "Bearer hush-header-1"}],
                "ssl": {"keyStore": {"type": "PEM", "keyContent": PEM, "certContent": "public"}},
            },
            "endpoints": [
                {
                    "name": "e",
                    "type": "http-proxy",
                    "inheritConfiguration": True,
                    "configuration": {"target": "http://user:hush-user-info@w/mcp?api_key=hush-query-1"},
                }
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "given",
    [{}, {"name": ""}, {"id": "no-such-api"}, {"apim_password": "wrong"}, {"no_such_option": 1}, {"state": "nope"}, {"type": []}],
)
def test_secrets_in_a_definition_are_not_shown(modules: Modules, world: World, given: dict[str, Any]) -> None:
    """Whether the task works, fails or is refused its parameters; nor are they when another task meets them."""
    told = shown(modules, "gravitee_api", context_path="/w", **{"name": "W", "definition": DEFINITION, **given})
    told += shown(modules, "gravitee_api", context_path="/w", name="W", labels=["a"], adopt=True, check=True)
    told += shown(modules, "gravitee_api_info", plans=True)
    assert "hush" not in told
    assert "invocation" in told
    if not given:
        assert "Bearer hush-header-1" in str(next(iter(world.apis.values())).definition), "it is sent as it is"


def test_a_secret_that_a_server_sent_is_in_no_sentence(modules: Modules, world: World) -> None:
    definition = {"properties": [{"key": "password", "value": "hush-elsewhere"}]}
    modules.run("gravitee_api", context_path="/w", name="W", target="http://w/mcp", definition=definition)
    next(iter(world.apis.values())).definition["name"] = "hush-elsewhere"
    told = shown(modules, "gravitee_api", context_path="/w", name="W")
    assert f"belongs to the API '{MASK}'" in told
    assert "hush" not in told
    kept = modules.run("gravitee_api_info", secrets=True)["apis"][0]["properties"]
    assert kept[0]["value"] == "hush-elsewhere", "whoever asks for secrets gets them"


@pytest.mark.parametrize("value", ["https://", "/weather-mcp/", "Weather MCP"])
def test_a_servers_secret_hides_nothing_of_others(modules: Modules, world: World, value: str) -> None:
    """Somebody gives a property named like a secret the value that others need."""
    modules.run("gravitee_api", context_path="/w", name="W", target="https://w/mcp")
    next(iter(world.apis.values())).definition["properties"] = [{"key": "password", "value": value}]
    weather = {"context_path": "/weather-mcp", "name": "Weather MCP", "target": "https://weather/mcp"}
    for _time in range(2):
        assert MASK not in json.dumps(modules.run("gravitee_api", **weather)["api"])


NO_IDS = ["mcp#x", "../", "..", ".", "", " ", "a/b", "a?b", "a%2Fb", "mcp;x", "a\\b", "mcp\n", "a b", "\x00"]
PLACES = {
    "domain": ("am_mcp_server_info", "domain", {}),
    "API": ("gravitee_plan", "api_id", {"security": "key_less"}),
    "organization": ("gravitee_api_info", "organization", {}),
    "environment": ("am_mcp_server_info", "environment", {"domain": "mcp-demo"}),
}


@pytest.mark.parametrize(("place", "name"), [(place, name) for place in PLACES for name in NO_IDS if name or place != "API"])
def test_what_is_no_id_reaches_no_server(modules: Modules, world: World, domain: Domain, place: str, name: str) -> None:
    module, option, given = PLACES[place]
    with pytest.raises(ModuleFailed) as failure:
        modules.run(module, **{**given, option: name})
    assert option.removeprefix("api_") in str(failure.value)
    assert "is no id of Gravitee's" in str(failure.value)
    assert [request.path for request in world.log if "login" not in request.path and "token" not in request.path] == []


@drawn(st.text())
def test_an_id_is_one_segment_or_is_refused(value: str) -> None:
    """It can be neither another path, nor a query, nor a fragment, nor another host."""
    try:
        quoted = segment(value)
    except Refusal:
        return
    assert quoted not in ("", ".", "..")
    assert not set(quoted) & set("/\\?#;@: \n")
    assert quoted.isascii()


@contextlib.contextmanager
def dripping(part: bytes, pause: float) -> Iterator[str]:
    """A server whose answer never ends."""
    stop, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection = listener.accept()[0]
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n")
            while not stop.wait(pause):
                connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()


@pytest.mark.parametrize(
    ("part", "pause", "told"), [(b" ", 0.05, "no answer in time"), (b" " * 2**16, 0, "an answer of more than 1 MiB")]
)
def test_an_answer_without_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, part: bytes, pause: float, told: str
) -> None:
    monkeypatch.setattr(transport, "LARGEST", 2**20)
    monkeypatch.setattr(transport, "SLOWEST", 2)
    began = time.monotonic()
    with dripping(part, pause) as base:
        client = Apim(Credentials(base, username="u", password="p"), Options(timeout=0.4, retries=0))
        with pytest.raises(ApiError, match=told):
            next(client.apis())
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("depth", [DEEPEST + 1, 900, 100_000])
@pytest.mark.parametrize("inner", ["[{}]", '{{"a":{}}}'])
def test_an_answer_nested_too_deep_ends_in_a_sentence(modules: Modules, depth: int, inner: str) -> None:
    begin, end = inner.format(" ").split(" ")
    body = f'{{"token":"t","data":{begin * depth}1{end * depth}}}'.encode()

    def answer(method: str, path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 200, JSON, b'{"token": "t"}' if path.endswith("login") else body

    with serving(answer) as base, pytest.raises(ModuleFailed, match="something that is no JSON"):
        modules.run("gravitee_api_info", **apim(base))
