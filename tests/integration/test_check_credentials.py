"""Where the test user's password, the client's secret and the clean-up may go: to the expected authorization server alone."""
from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.truth_table import CHALLENGE, own
from tests.runners import Modules
from tests.serving import serving

PASSWORD = "Sec-ret-9!"
USER = {"username": "alice", "password": PASSWORD, "connect": False, "retries": 0, "timeout": 2}
FORM = b'<form method="post" action="%s"><input name="username"><input type="password" name="password"></form>'
ENDPOINTS = ("registration_endpoint", "authorization_endpoint", "token_endpoint")


class Servers:
    """A gateway that refuses, and an authorization server that leads wherever `leads` says; keeps what each was sent."""

    def __init__(self) -> None:
        self.sent: dict[str, list[tuple[str, str, bytes]]] = {"gateway": [], "named": [], "other": []}
        self.bases: dict[str, str] = {}
        self.leads: dict[str, str] = {}  # what is named by the metadata, the form, the registration → which server
        self.named = "named"

    def at(self, name: str) -> Any:
        def answer(method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
            self.sent[name].append((method, path, body))
            return self._answer(method, path)

        return answer

    def _base(self, what: str) -> str:
        return self.bases[self.leads.get(what, self.named)]

    def _answer(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        place = urlsplit(path)
        if place.path == "/mcp":
            status, headers, body = own(401, "Unauthorized", WWW_Authenticate=CHALLENGE)
            return status, {**headers, "WWW-Authenticate": CHALLENGE.replace("{base}", self.bases["gateway"])}, bytes(body)
        if "oauth-protected-resource" in path:
            issuer = f"{self.bases[self.named]}/d/oidc"
            return _json({"resource": f"{self.bases['gateway']}/mcp", "authorization_servers": [issuer]})
        if ".well-known" in path:
            named = {name: f"{self._base(name)}/{name}" for name in ENDPOINTS}
            pkce = {"code_challenge_methods_supported": ["S256"]}
            return _json({"issuer": f"{self.bases[self.named]}/d/oidc", **pkce, **named})
        if place.path == "/registration_endpoint":
            more = {"registration_client_uri": f"{self._base('clean up')}/clients/1", "registration_access_token": "key"}
            return _json({"client_id": "c", **more}, 201)
        if place.path == "/authorization_endpoint" and "redirect" in self.leads:
            return 302, {"Location": f"{self.bases[self.leads['redirect']]}/login?{place.query}"}, b""
        if place.path in ("/authorization_endpoint", "/login"):
            state = parse_qs(place.query).get("state", [""])[0]
            return 200, {"Content-Type": "text/html"}, FORM % f"{self._base('form')}/submit?state={state}".encode()
        if place.path == "/submit":
            return 302, {"Location": "http://127.0.0.1:33418/?code=x"}, b""
        return _json({"access_token": "t"}) if place.path == "/token_endpoint" else (204, {}, b"")


def _json(value: Any, status: int = 200) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


@pytest.fixture
def servers() -> Any:
    servers = Servers()
    with serving(servers.at("gateway")) as gateway, serving(servers.at("named")) as named, serving(servers.at("other")) as other:
        servers.bases = {"gateway": gateway, "named": named, "other": other.replace("127.0.0.1", "localhost")}
        yield servers


def run(servers: Servers, **given: Any) -> dict[str, Any]:
    return Modules(None).run("mcp_check", url=f"{servers.bases['gateway']}/mcp", **USER, **given)  # type: ignore[arg-type]


def passwords(servers: Servers) -> set[str]:
    """Which servers got the password."""
    return {name for name, sent in servers.sent.items() if any(b"Sec-ret-9" in body for _method, _path, body in sent)}


def test_the_expected_server_gets_it(servers: Servers) -> None:
    seen = run(servers, authorization_server=servers.bases["named"])
    assert passwords(servers) == {"named"}
    assert [path for method, path, _body in servers.sent["named"] if method == "DELETE"] == ["/clients/1"]
    assert "login" in [step["step"] for step in seen["steps"] if step["verdict"] == "ok"]
    assert run(servers, authorization_server=f"{servers.bases['named']}/d/oidc")["steps"]


@pytest.mark.parametrize("what", [*ENDPOINTS, "form", "clean up", "redirect"])
def test_nothing_goes_where_the_metadata_leads(servers: Servers, what: str) -> None:
    """Neither the password nor a code, a registration or the DELETE."""
    servers.leads = {what: "other"}
    for given in ({"authorization_server": servers.bases["named"]}, {}):
        seen = run(servers, **given)
        assert servers.sent["other"] == []
        told = [step["got"] for step in seen["steps"] if "was told to expect" in step["got"]]
        assert told, seen["steps"]


def test_another_server_than_the_expected_one_is_a_fault(servers: Servers) -> None:
    servers.named = "other"
    seen = run(servers, authorization_server=servers.bases["named"])
    assert (seen["result"], servers.sent["other"]) == ("misconfigured", [])
    assert f"not {servers.bases['named']} as expected" in seen["summary"]


@pytest.mark.parametrize("expected", ["https://auth.example.com", "http://127.0.0.1", "no URL", "{named}/d/oidc/x", "{named}/e"])
def test_the_expected_server_is_compared_part_by_part(servers: Servers, expected: str) -> None:
    seen = run(servers, authorization_server=expected.replace("{named}", servers.bases["named"]))
    assert (seen["result"], passwords(servers)) == ("misconfigured", set())


def test_without_the_option_only_the_host_of_the_url_is_trusted(servers: Servers) -> None:
    run(servers)
    assert passwords(servers) == {"named"}  # another port of the same host
    servers.named = "other"
    seen = run(servers)
    assert (seen["result"], passwords(servers)) == ("misconfigured", {"named"})
    assert "Name that server in authorization_server" in seen["summary"]
