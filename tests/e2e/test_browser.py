"""A person in a real browser: makes an account on AM's pages, logs in, consents."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Error, Page

from tests.clients import REDIRECT, Login, register
from tests.e2e.conftest import OUTPUT
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.fill(f"input[name={name}]", value)


def photograph(page: Page, name: str) -> None:
    """docs/login.png and docs/consent.png are what this writes."""
    OUTPUT.mkdir(exist_ok=True)
    page.set_viewport_size({"width": 560, "height": 480})
    page.screenshot(path=OUTPUT / f"{name}.png")


def test_a_new_user_registers_and_logs_in(playbooks: Playbooks, world: World, domain: Domain, page: Page) -> None:
    assert playbooks.run().code == 0
    client_id = register(world, client_name="Visual Studio Code").json()["client_id"]
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "state": "s",
        "resource": playbooks.url,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    authorize = f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode(query)}"
    page.goto(authorize)
    photograph(page, "login")
    page.click("#register")
    fill(page, firstName="Bo", lastName="B", username="bob", email="bob@example.com", password="Bob-Passw0rd!")
    page.click("button[type=submit]")
    assert "sign in now" in page.inner_text("body")
    assert "bob" in domain.users

    page.goto(authorize)
    fill(page, username="bob", password="wrong")
    page.click("button[type=submit]")
    assert "Wrong user name or password" in page.inner_text("body")
    fill(page, username="bob", password="Bob-Passw0rd!")
    page.click("button[type=submit]")
    photograph(page, "consent")
    assert "asks for access" in page.inner_text("h1")
    page.route(f"{REDIRECT}**", lambda route: route.fulfill(status=200, body="back at the client"))
    page.click("button[value=true]")
    page.wait_for_url(f"{REDIRECT}**")
    answer = parse_qs(urlsplit(page.url).query)
    assert answer["state"] == ["s"]
    assert answer["code"][0]


def test_no_account_without_user_registration(playbooks: Playbooks, world: World, domain: Domain, page: Page) -> None:
    assert playbooks.run(user_registration=False).code == 0
    client_id = register(world).json()["client_id"]
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT, "scope": "openid"}
    page.goto(f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode(query)}")
    assert page.query_selector("input[name=username]")
    assert page.query_selector("#register") is None


CALL = """async ([url, token, method, params]) => {
  const version = '2026-07-28', prefix = 'io.modelcontextprotocol/';
  const meta = {[prefix + 'protocolVersion']: version, [prefix + 'clientInfo']: {name: 'page', version: '1'}};
  const body = {jsonrpc: '2.0', id: 1, method, params: {...params, _meta: {...meta, [prefix + 'clientCapabilities']: {}}}};
  const headers = {'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': version, 'Mcp-Method': method};
  if (params.name) headers['Mcp-Name'] = params.name;
  if (token) headers.Authorization = 'Bearer ' + token;
  const answer = await fetch(url, {method: 'POST', headers, body: JSON.stringify(body)});
  return [answer.status, answer.headers.get('www-authenticate') || '', await answer.text()];
}"""


@pytest.fixture
def origin() -> Iterator[str]:
    """Of a client in a page, as MCP Inspector's http://localhost:6274."""
    with serving(lambda *_request: (200, {"Content-Type": "text/html"}, b"<title>a client</title>")) as base:
        yield base


def test_a_client_in_a_page_gets_in_and_asks_for_more(
    playbooks: Playbooks, world: World, domain: Domain, page: Page, origin: str
) -> None:
    """As MCP Inspector, from an origin of its own: the browser lets it read the challenges, that of a tool's scope among them."""
    world.introspection_window = 0
    tools = [{"key": "get_weather"}, {"key": "slow_forecast", "scopes": ["weather:read"]}]
    given = {"cors_origins": [origin], "tools": tools, "registered_clients": "subscribe", "admit_profiles": ["vscode"]}
    assert playbooks.run(**given).code == 0
    client_id = register(world).json()["client_id"]
    token = Login().token(world, client_id, playbooks.url)
    assert playbooks.run("admit_clients.yml", **given).code == 0
    page.goto(origin)

    def call(token: str, method: str, **params: Any) -> list[Any]:
        return page.evaluate(CALL, [playbooks.url, token, method, params])

    status, challenge, _text = call("", "tools/list")
    assert (status, 'scope="openid"' in challenge) == (401, True)
    assert call(token, "tools/list")[0] == 200
    status, _challenge, text = call(token, "tools/call", name="get_weather", arguments={"city": "Paris"})
    assert (status, "sunny in Paris" in text) == (200, True)
    slow = {"name": "slow_forecast", "arguments": {"seconds": 0}}
    status, challenge, _text = call(token, "tools/call", **slow)
    assert (status, 'error="insufficient_scope", scope="weather:read"' in challenge) == (403, True)
    more = Login().token(world, client_id, playbooks.url, "openid weather:read")
    status, _challenge, text = call(more, "tools/call", **slow)
    assert (status, "More of the same" in text) == (200, True)
    page.goto("about:blank")
    with pytest.raises(Error, match="Failed to fetch"):
        call(token, "tools/list")
