# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An MCP client's way to a token: from registration, with a test user at AM's pages; or by its own id and secret."""
from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.places import joined
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import json_of, message_of, text_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.limits import LimitedAdapter, whole
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, http_session, request, unreachable

REDIRECT_URI = "http://127.0.0.1:33418/"  # VS Code's; nothing needs to listen there
CLIENT_NAME = "gravitee.mcp mcp_check"
NOT_TRUSTED = (
    "nothing was sent there: it is not the authorization server that this check was told to expect. Name that server in "
    "authorization_server; without it only the host of url is trusted with a password"
)
# What AM says when it refuses, and the setting that fixes it.
REMEDIES = {
    "registration_forbidden": "dynamic registration is off in the domain: am_domain_settings with mcp_clients=true",
    "localhost is forbidden": "redirect URIs on localhost are forbidden: am_domain_settings allow_localhost_redirect_uri",
    "http scheme is forbidden": "redirect URIs without TLS are forbidden: am_domain_settings allow_http_scheme_redirect_uri",
    "is not valid": "no scope by default: am_domain_settings with mcp_clients=true sets allowed_scopes and default_scopes",
    "invalid_scope": "the client lacks a scope: am_domain_settings allowed_scopes and default_scopes, or am_application scopes",
    "invalid_target": (
        "AM has no MCP server with exactly this URL as its identifier, and it lower-cases identifiers: am_mcp_server "
        "resource_identifiers, and a context path without capitals"
    ),
    "invalid_client": "client id or secret are wrong: am_application",
}


class Stopped(Exception):
    """A step failed: its name, what was asked, what came."""

    def __init__(self, step: str, asked: str, got: str):
        super().__init__(got)
        self.step, self.asked, self.got = step, asked, got


@dataclass
class Form:
    """The first form of a page: where it goes, and what is in it before anybody fills it in."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    password: bool = False


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "input" and self.forms and given.get("name"):
            form, kind = self.forms[-1], given.get("type", "text").lower()
            form.password = form.password or kind == "password"
            if kind in ("hidden", "checkbox"):
                form.fields[given["name"]] = given.get("value") or ("true" if kind == "checkbox" else "")


class Journey:
    """Registers (or takes the client given), logs the user in, and gets a token for `resource`.

    Without a user the client gets it for itself (client_credentials). `granted` are the scopes of the last token.
    trusted(url) says where requests of this journey may go; to any other address nothing is sent, the clean-up neither.
    note(step, asked, got) is told each step that went well; Stopped says which did not. Never repeats a secret.
    told: the scopes that the server says to ask for, for those that the parameters do not name.
    """

    def __init__(
        self,
        params: CheckOptions,
        options: Options,
        metadata: Mapping[str, Any],
        note: Callable[..., None],
        trusted: Callable[[str], bool],
        told: str = "",
    ):
        self.params, self.options, self.metadata, self.note, self.trusted = params, options, metadata, note, trusted
        self.scope = params.scope or told
        self.http = http_session(options, cookies=True, adapter=LimitedAdapter)
        self.client: dict[str, Any] = {"client_id": params.client_id, "client_secret": params.client_secret}
        self.redirect_uri = params.redirect_uri or REDIRECT_URI
        self.granted = ""

    def token(self, resource: str | None) -> str:
        """An access token for `resource`, or one without; Stopped where a step does not lead on."""
        if not self.params.username:
            scope = {"scope": self.scope} if self.scope else {}
            return self._exchange({"grant_type": "client_credentials", **scope}, resource)
        if not self.client["client_id"]:
            self._register()
        verifier = secrets.token_urlsafe(48)
        code = self._log_in(resource, verifier).get("code", "")
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return self._exchange({**form, "client_id": self.client["client_id"], "code_verifier": verifier}, resource)

    def _register(self) -> None:
        endpoint = self.metadata.get("registration_endpoint")
        asked = f"POST {endpoint}"
        if not isinstance(endpoint, str):
            raise Stopped("register", "registration_endpoint", "there is none: give client_id of a client that AM knows")
        body = {
            "client_name": CLIENT_NAME,
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            **({"scope": self.params.scope} if self.params.scope else {}),
        }
        response = self._send("register", "POST", endpoint, json=body)
        if response.status_code == 401:
            got = "HTTP 401: registration is not open, AM asks for an initial token: am_domain_settings with mcp_clients=true"
            raise Stopped("register", asked, got)
        if response.status_code != 201:
            raise Stopped("register", asked, _refusal(response))
        self.client = json_of(response)
        if not isinstance(self.client.get("client_id"), str):
            raise Stopped("register", asked, "HTTP 201 without a client_id")
        self.note("register", asked, f"client {self.client['client_id']}, scope {self.client.get('scope') or 'none'}")

    def _log_in(self, resource: str | None, verifier: str) -> dict[str, str]:
        """What comes to the redirect URI: the code, or an error."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        scope = self.scope or self.client.get("scope") or "openid"
        query = {
            "response_type": "code",
            "client_id": self.client["client_id"],
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "scope": scope,
            "state": secrets.token_urlsafe(16),
            "resource": resource,
        }
        endpoint = self._endpoint("authorization_endpoint")
        asked = f"GET {endpoint} for {resource}, scope {scope}"
        page = self._follow("authorize", self._send("authorize", "GET", endpoint, params=query))
        if not self._is_back(page):
            form = _form(page)
            if form is None or not form.password:
                raise Stopped("authorize", asked, f"HTTP {page.status_code} and no login form: {_text(page)}")
            self.note("authorize", asked, "the login form")
            page = self._submit("login", page, form, username=self.params.username or "", password=self.params.password or "")
            form = None if self._is_back(page) else _form(page)
            if form and form.password:
                raise Stopped("login", f"the form, as {self.params.username}", "the form again: is the password right?")
            self.note("login", f"the form, as {self.params.username}", "logged in")
            if form:
                page = self._submit("consent", page, form, user_oauth_approval="true")
                self.note("consent", "the form, all scopes", "given")
        if not self._is_back(page):
            raise Stopped("consent", asked, f"HTTP {page.status_code} and no way back to the client: {_text(page)}")
        answer = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}
        if "error" in answer:
            raise Stopped("authorize", asked, _explained(answer["error"], answer.get("error_description", "")))
        return answer

    def _exchange(self, form: Mapping[str, str], resource: str | None) -> str:
        endpoint = self._endpoint("token_endpoint")
        secret = self.client.get("client_secret") if self.params.client_id else None
        auth = (self.client["client_id"], secret) if secret else None
        response = self._send("token", "POST", endpoint, data={**form, "resource": resource}, auth=auth)
        token = text_of(json_of(response), "access_token")
        if not token:
            raise Stopped("token", f"POST {endpoint}", _refusal(response))
        self.granted = text_of(json_of(response), "scope")
        self.note("token", f"POST {endpoint}", f"a token, scope {self.granted or 'none'}")
        return token

    def clean_up(self) -> str | None:
        """Removes what was registered here (RFC 7592); a sentence if that did not work."""
        uri, key = self.client.get("registration_client_uri"), self.client.get("registration_access_token")
        if not isinstance(uri, str):
            return None
        try:
            response = self._send("clean up", "DELETE", uri, headers={"Authorization": f"Bearer {key}"})
        except Stopped as error:
            return f"the client {self.client['client_id']} is left in the domain: {error.got}"
        if response.status_code in (200, 204):
            return None
        return f"the client {self.client['client_id']} is left in the domain: HTTP {response.status_code}, remove it by hand"

    # Pages

    def _is_back(self, page: Any) -> bool:
        return bool(page.is_redirect) and page.headers["Location"].startswith(self.redirect_uri)

    def _follow(self, step: str, page: Any) -> Any:
        """Redirects, up to the client's own redirect URI."""
        for _hop in range(10):
            if not page.is_redirect or self._is_back(page):
                return page
            page = self._send(step, "GET", joined(page.url, page.headers["Location"]))
        raise Stopped(step, page.url, "more than 10 redirects")

    def _submit(self, step: str, page: Any, form: Form, **filled: str) -> Any:
        """Sends a form to where it says, or else to the page's own URL."""
        action = joined(page.url, form.action or page.url)
        return self._follow(step, self._send(step, "POST", action, data={**form.fields, **filled}))

    def _endpoint(self, name: str) -> str:
        endpoint = self.metadata.get(name)
        if not isinstance(endpoint, str):
            raise Stopped("authorization server metadata", name, "there is none")
        return endpoint

    def _send(self, step: str, method: str, url: str, auth: Any = None, **more: Any) -> Any:
        asked = f"{method} {url.partition('?')[0]}"
        if not self.trusted(url):
            raise Stopped(step, asked, NOT_TRUSTED)
        try:
            with request(self.http, self.options, method, url, auth, stream=True, **more) as response:
                return whole(response, self.options.timeout)
        except (requests.RequestException, OSError) as error:
            raise Stopped(step, asked, unreachable(error)) from error


def _form(page: Any) -> Form | None:
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms[0] if parser.forms else None


def _text(page: Any) -> str:
    """The words of a page, without its markup."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign,assignment]
    parser.feed(page.text.partition("<body")[2] or page.text)
    return " ".join(" ".join(words).split())[:200]


def _refusal(response: Any) -> str:
    return f"HTTP {response.status_code}: {_explained(text_of(json_of(response), 'error'), message_of(response))}"


def _explained(error: str, description: str) -> str:
    said = " ".join(part for part in (error, description if description != error else "") if part)
    remedy = next((remedy for word, remedy in REMEDIES.items() if word in said), "")
    return f"{said} ({remedy})" if remedy else said or "no reason given"
