"""A person in a real browser: makes an account on AM's pages, logs in, consents."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page

from tests.clients import REDIRECT, register
from tests.e2e.conftest import OUTPUT
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World


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
