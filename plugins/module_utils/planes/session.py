# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and who: credentials, tokens, authenticated requests; a server's refusals as exceptions."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask_text, secrets_in, without
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import Answer, code_of, message_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.forms import Form, misfit
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.token_cache import TokenCache
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import (
    Options,
    basic,
    bearer,
    http_session,
    request,
    unreachable,
    whole,
)

MOST_PAGES = 10_000  # of one list: a million APIs, half a million clients


@dataclass(frozen=True)
class Token:
    """What a login gives. expires: seconds since 1970, None if only the token itself says it."""

    value: str = field(repr=False)
    expires: float | None = None


@dataclass(frozen=True)
class Credentials:
    """A token, or a user with a password. The token wins."""

    url: str
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, plane: str, params: Mapping[str, Any]) -> Credentials:
        """The credentials for `plane` (apim or am) among the module parameters; Refusal names what is missing."""
        url, token, username, password = (
            (params.get(f"{plane}_{name}") or "").strip() for name in ("url", "token", "username", "password")
        )
        variable = f"GRAVITEE_{plane.upper()}"
        if not url:
            raise Refusal(f"{plane}_url is missing: give it, or set {variable}_URL.")
        try:
            web_url(url)
        except ValueError as error:
            raise Refusal(f"{plane}_url is no http(s) URL: {mask_text(url)!r}. Give the base of the management API.") from error
        if not token and not (username and password):
            raise Refusal(
                f"{plane}_token is missing, and so is {plane}_username with {plane}_password: give either, or set "
                f"{variable}_TOKEN, or {variable}_USERNAME and {variable}_PASSWORD."
            )
        if token and not is_token(token):
            raise Refusal(f"{plane}_token is no token: it has a blank, a line break or a character that no token has.")
        if ":" in username and not token:
            raise Refusal(f"{plane}_username has a colon, which HTTP Basic cannot carry. Give {plane}_token.")
        return cls(base_of(url), token or None, username or None, password or None)

    @property
    def in_the_open(self) -> bool:
        """Whether they travel without TLS to a host that is not this one."""
        parts = urlsplit(self.url)
        local = parts.hostname == "localhost" or (parts.hostname or "").startswith("127.") or parts.hostname == "::1"
        return parts.scheme == "http" and not local

    def authorize(self, request: Any) -> Any:
        """Sign a requests.Request with the credentials themselves."""
        sign = bearer(self.token) if self.token else basic(self.username or "", self.password or "")
        return sign(request)


def base_of(url: str) -> str:
    """The server's base, whether the user gave it with /management at its end or without."""
    url = url.rstrip("/")
    for suffix in ("/management/v2", "/management"):
        url = url.removesuffix(suffix)
    return url


def another_form(method: str, path: str, status: int, wrong: str) -> ApiError:
    """The error for an answer that is JSON in another form than awaited; `wrong` says where."""
    remedy = "is the URL right, and the version supported?"
    return ApiError(method, path, status, f"in a form that is not expected: {wrong}", remedy=remedy)


def is_token(value: Any) -> TypeGuard[str]:
    """Whether a header can carry it."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable() and " " not in value


class Session:
    """Authenticated requests to one plane.

    login exchanges the credentials for the Authorization of all further requests, at the first one.
    remedies maps a technical code or a status to what the user can do about it.
    """

    def __init__(
        self,
        credentials: Credentials,
        options: Options,
        login: Callable[[Session], Token],
        remedies: Mapping[Any, str] | None = None,
    ):
        self.credentials, self.options = credentials, options
        self._login, self._remedies = login, remedies or {}
        self._http = http_session(options)
        self._token: str | None = None
        self._lock = threading.Lock()
        self._cache = TokenCache() if options.token_cache else None
        self._cached_as = (credentials.url, options.organization, credentials.token, credentials.username, credentials.password)

    def get(self, path: str, form: Form, /, **params: Any) -> dict[str, Any]:
        """The object that the server answers to a GET with these query parameters; ApiError as for ask."""
        return self.ask("GET", path, form, params=params)

    def listed(self, path: str, form: Form, /, **params: Any) -> list[dict[str, Any]]:
        """The objects of this form that the server answers in one list to a GET; ApiError as for ask."""
        answer: list[dict[str, Any]] = self._read("GET", path, [form], self.send("GET", path, params=params))
        return answer

    def ask(self, method: str, path: str, form: Form, body: Any = None, params: Any = None) -> dict[str, Any]:
        """The object that the server answers; ApiError also for an answer that is none, or has another form."""
        return self.read(method, path, form, self.send(method, path, body, params))

    def pages(
        self, path: str, form: Form, first: int, is_last: Callable[[Any, int, int], bool], /, **params: Any
    ) -> Iterator[Any]:
        """The items of every page from the number `first` on; is_last is told an answer, its number and how many items came.

        ApiError for a list without end: the same page again, or too many of them.
        """
        before, count = None, 0
        for page in range(first, first + MOST_PAGES):
            answer = self.get(path, form, **params, page=page)
            items = answer["data"]
            if items and items == before:
                break
            yield from items
            before, count = items, count + len(items)
            if not items or is_last(answer, page, count):
                return
        raise ApiError("GET", path, 200, f"page {page} of a list that does not end", remedy="is the URL right?")

    def read(self, method: str, path: str, form: Form, response: Answer) -> dict[str, Any]:
        """The object in an answer to a request that was sent; ApiError as for ask."""
        answer: dict[str, Any] = self._read(method, path, form, response)
        return answer

    def _read(self, method: str, path: str, form: Form, response: Answer) -> Any:
        """The answer from JSON, in the form that is expected. The secrets in it are noted, so that no output has them."""
        try:
            answer = response.json()
        except ValueError as error:
            remedy = "is the URL that of the management API?"
            raise ApiError(method, path, response.status_code, "something that is no JSON", remedy=remedy) from error
        self.options.found_secrets.update(secrets_in(answer))
        if wrong := misfit(answer, form):
            raise another_form(method, path, response.status_code, wrong)
        return answer

    def send(self, method: str, path: str, body: Any = None, params: Any = None, headers: Any = None) -> Answer:
        """The response to an authenticated request; ApiError for any status that is no success.

        A refused token is exchanged anew, once: it may have come from the cache, or have expired in the meantime.
        """
        token, fresh = self._current()
        try:
            return self.exchange(method, path, bearer(token), body, params, headers)
        except ApiError as error:
            if error.status != 401 or fresh:
                raise
        return self.exchange(method, path, bearer(self._renewed(token)), body, params, headers)

    def _current(self) -> tuple[str, bool]:
        """The token, and whether it was exchanged just now."""
        with self._lock:
            if self._token is None and self._cache:
                self._token = self._cache.get(*self._cached_as)
            if self._token is not None:
                return self._token, False
            return self._exchange(), True

    def _renewed(self, refused: str) -> str:
        """A token other than the refused one; another thread may have got it already."""
        with self._lock:
            if self._token == refused:
                if self._cache:
                    self._cache.forget(*self._cached_as)
                self._exchange()
            return self._token or ""

    def _exchange(self) -> str:
        new = self._login(self)
        self._token = new.value
        if self._cache and new.value != self.credentials.token:
            self._cache.put(new.value, *self._cached_as, expires=new.expires)
        return new.value

    def exchange(
        self, method: str, path: str, sign: Callable[[Any], Any], body: Any = None, params: Any = None, headers: Any = None
    ) -> Answer:
        """One request signed by `sign`."""
        try:
            response = request(
                self._http,
                self.options,
                method,
                self.credentials.url + path,
                sign,
                json=body,
                params=params,
                headers={"Accept": "application/json", **(headers or {})},
                stream=True,
            )
            answer = whole(response, self.options)
        except (requests.RequestException, OSError) as error:
            raise ApiError(method, self.credentials.url + path, None, self._scrub(unreachable(error))) from error
        if response.is_redirect:
            self._fail(answer, method, path, f"a redirect to {response.headers.get('Location')}: is the URL right?")
        if not answer.ok:
            self._fail(answer, method, path, message_of(answer))
        return answer

    def _fail(self, response: Answer, method: str, path: str, message: str) -> None:
        code = code_of(response)
        remedy = self._remedies.get(code) or self._remedies.get(response.status_code, "")
        raise ApiError(method, path, response.status_code, self._scrub(message), code, remedy)

    def _scrub(self, text: str) -> str:
        own = (self._token, self.credentials.token, self.credentials.password)
        return without({*self.options.found_secrets, *(secret for secret in own if secret)}, mask_text(text))
