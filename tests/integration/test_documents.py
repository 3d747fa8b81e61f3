"""Clients with a client ID metadata document (AM 4.12) get in, each by a subscription that is its own kill switch."""
from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.login import REDIRECT_URI

from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import ModuleFailed, Modules
from tests.sandbox import am_clients
from tests.sandbox.am_domain import ALICE, Domain
from tests.sandbox.world import World

AT = {"domain": "mcp-demo"}
TEMPLATE = {
    **AT,
    "name": "Client documents",
    "type": "native",
    "template": True,
    "redirect_uris": ["http://localhost/"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scopes": ["openid", "offline_access"],
}
ON_LOOPBACK = {
    "enabled": True,
    "template": "Client documents",
    "allowed_domains": ["127.0.0.1"],
    "allow_unsecured_http_uri": True,
    "allow_private_ip_address": True,
}
[(ALICES_NAME, ALICES_PASSWORD)] = ALICE.items()


class Publisher(BaseHTTPRequestHandler):
    """Serves a client's document at each path."""

    def do_GET(self) -> None:
        url = f"http://{self.headers['Host']}{self.path}"
        document = {"client_id": url, "client_name": self.path.strip("/"), "redirect_uris": [REDIRECT_URI]}
        body = json.dumps({**document, "token_endpoint_auth_method": "none"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def vendor() -> Iterator[str]:
    """The URL of a vendor of clients."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture
def am(world: World, domain: Domain) -> Domain:
    world.apim_version = world.am_version = "4.12"
    world.introspection_window = world.domain_reload = 0
    return domain


def status_of(world: World, client_id: str) -> list[str]:
    ids = {one["id"] for one in world.applications.values() if one["settings"]["app"].get("client_id") == client_id}
    return [one["status"] for one in world.subscriptions.values() if one["application"]["id"] in ids]


def test_each_product_gets_in_and_is_shut_out_alone(modules: Modules, world: World, am: Domain, vendor: str) -> None:
    """From 401 to the tools, by the ids that the clients give: their documents' URLs."""
    editor, agent, stranger = (f"{vendor}/{name}" for name in ("editor", "agent", "stranger"))
    modules.run("am_application", **TEMPLATE)
    clients = [{"name": url.rpartition("/")[2], "client_id": url} for url in (editor, agent)]
    role = Role(modules.run, variables(world, clients=clients, client_metadata_documents=ON_LOOPBACK))
    role.play()
    who = {"url": role.v.url, "username": ALICES_NAME, "password": ALICES_PASSWORD}

    def seen(client_id: str) -> tuple[str, list[str]]:
        told = modules.run("mcp_check", **who, client_id=client_id)
        return told["result"], [step["step"] for step in told["steps"] if step["verdict"] == "failed"]

    assert [seen(url) for url in (editor, agent)] == [("secured", []), ("secured", [])]
    assert seen(stranger) == ("misconfigured", ["call"]), "AM takes any document of the host, the gateway those subscribed"
    asked = {"context_path": "/weather-mcp", "resource": role.v.url, "client_profiles": ["mcp_sdk"]}
    told = modules.twice("mcp_admission", **AT, **asked)
    assert [line.split()[2] for line in told["waiting"]] == [stranger]
    modules.run("gravitee_subscription", context_path="/weather-mcp", client_id=editor, state="closed")
    assert role.play() == [], "the next run does not open it again"
    assert (seen(editor), seen(agent)) == (("misconfigured", ["call"]), ("secured", []))
    assert [one["name"] for one in am.applications.values()] == ["Client documents"]
    with pytest.raises(ModuleFailed, match="referenced as a CIMD template"):
        modules.run("am_application", **{**TEMPLATE, "template": False})
    role.v = replace(role.v, teardown_domain=True)
    role.play("teardown.yml")
    assert am.wire["oidc"]["cimdSettings"]["enabled"] is False
    assert status_of(world, agent) == ["CLOSED"]
    assert {one["status"] for one in world.applications.values()} == {"ARCHIVED"}


# What a document says or a domain allows → whether AM's gateway knows the client. As AM's sources have it, see am_documents.
DOMAINS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"allowed_domains": ["127.0.0.1", "vscode.dev"]}, True),
    ({"allowed_domains": ["vscode.dev"]}, False),
    ({"allowed_domains": ["*.0.0.1"]}, True),
    ({"allow_unsecured_http_uri": False}, False),
    ({"allow_private_ip_address": False}, False),
    ({"enabled": False}, False),
]


@pytest.mark.parametrize(("given", "known"), DOMAINS)
def test_am_knows_a_client_by_its_document(modules: Modules, am: Domain, vendor: str, given: dict[str, Any], known: bool) -> None:
    modules.run("am_application", **TEMPLATE)
    modules.run("am_domain_settings", **AT, client_metadata_documents={**ON_LOOPBACK, **given})
    found = am_clients.find(am, f"{vendor}/editor")
    assert (found is not None) is known
    if found:
        assert found.check_redirect_uri(REDIRECT_URI)
        assert not found.check_redirect_uri(f"{REDIRECT_URI}/more"), "letter by letter"
        assert found.check_grant_type("authorization_code")
        assert not found.check_grant_type("refresh_token"), "the document does not ask for it"
        assert not am_clients.find(am, next(iter(am.applications.values()))["settings"]["oauth"]["clientId"]), "no client"


@pytest.mark.parametrize("url", ["https://Host.example/c", "https://host.example", "https://host.example/", "http://a:b@host/c"])
def test_an_id_that_am_never_gives_is_refused(world: World, url: str) -> None:
    with pytest.raises(Refusal, match="clients: .* is the URL of no document"):
        variables(world, clients=[{"name": "Ours", "client_id": url}])
