"""MCP clients as the tests play them: registration, login on AM's pages, consent, token."""
from __future__ import annotations

import base64
import functools
import hashlib
import re
import secrets
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

if TYPE_CHECKING:
    from tests.sandbox.world import World

REDIRECT = "http://127.0.0.1:33418/"
VS_CODE = {
    "client_name": "VS Code",
    "redirect_uris": [REDIRECT, "http://127.0.0.1/", "https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


def register(world: World, domain: str = "mcp-demo", **given: Any) -> requests.Response:
    """Dynamic registration, as VS Code does it unless `given` says otherwise."""
    url = f"{world.urls['am_gateway']}/{domain}/oidc/register"
    return requests.post(url, json={**VS_CODE, **given}, timeout=10)


def subscribe(world: World, client_id: str) -> None:
    """As an administrator would do it in the console: an application with the client id, subscribed to the OAuth2 plan."""
    record = next(iter(world.apis.values()))
    plans = [plan for plan in record.published if plan["security"]["type"] == "OAUTH2"]
    body = {"name": "c", "description": "d", "settings": {"app": {"client_id": client_id, "type": "native"}}}
    post = functools.partial(requests.post, auth=world.admins["apim"], timeout=10)
    v1 = f"{world.urls['apim']}/management/organizations/DEFAULT/environments/DEFAULT/applications"
    application = post(v1, json=body).json()["id"]
    v2 = f"{world.urls['apim']}/management/v2/environments/DEFAULT/apis/{record.id}/subscriptions"
    post(v2, json={"applicationId": application, "planId": plans[0]["id"]}).raise_for_status()


class Login:
    """A person in a browser on AM's pages: a session with cookies, forms filled in and sent."""

    def __init__(self, username: str = "alice", password: str = "Alice-Passw0rd!"):
        self.username, self.password = username, password
        self.http = requests.Session()

    def token(
        self, world: World, client_id: str, resource: str | None, scope: str | None = "openid", domain: str = "mcp-demo"
    ) -> str:
        """An access token for `resource`, by authorization code with PKCE S256."""
        base = f"{world.urls['am_gateway']}/{domain}/oauth"
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": scope,
            "state": "s",
            "resource": resource,
        }
        given = {name: value for name, value in query.items() if value is not None}
        answer = self.approve(f"{base}/authorize?{urlencode(given)}", REDIRECT)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": REDIRECT,
            "client_id": client_id,
            "code_verifier": verifier,
            "resource": resource,
        }
        return self.http.post(f"{base}/token", data=form, timeout=10).json()["access_token"]

    def approve(self, url: str, redirect_uri: str) -> dict[str, str]:
        """Logs in, consents, and returns what comes to the client's redirect URI."""
        page = self._follow(self.http.get(url, allow_redirects=False, timeout=10), redirect_uri)
        for filled in ({"username": self.username, "password": self.password}, {"user_oauth_approval": "true"}):
            if not page.is_redirect:
                page = self._follow(self._send(page, filled), redirect_uri)
        return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}

    def _follow(self, page: requests.Response, redirect_uri: str) -> requests.Response:
        while page.is_redirect and not page.headers["Location"].startswith(redirect_uri):
            page = self.http.get(page.headers["Location"], allow_redirects=False, timeout=10)
        return page

    def _send(self, page: requests.Response, filled: dict[str, str]) -> requests.Response:
        """The form of a page with its hidden fields and checked boxes, and what the person filled in."""
        action = unescape(re.search(r'<form[^>]* action="([^"]*)"', page.text).group(1))
        kept = re.findall(r'<input type="(?:hidden|checkbox)" name="([^"]*)" value="([^"]*)"', page.text)
        data = {**{name: unescape(value) for name, value in kept}, **filled}
        return self.http.post(action, data=data, allow_redirects=False, timeout=10)
