# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as every plane needs it: sessions without cookies, patience and answers with limits, and what went wrong in words."""
from __future__ import annotations

import base64
import http.cookiejar
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import (
    HTTPAdapter,
    HTTPError,
    MaxRetryError,
    Retry,
    requests,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import Answer
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.limits import Overrun

WORTH_RETRYING = (429, 502, 503, 504)
# What a management server may send as one answer; the largest seen is a page of 100 APIs, some megabytes in 20 levels.
LARGEST = 64 * 2**20  # bytes
SLOWEST = 10  # times the timeout, which is for each part of it
LONGEST = 86_400  # s, of what options say: a day
MOST_RETRIES = 1000
_NO_SEGMENT = re.compile(r"[\x00-\x20\x7f/\\%?#;]")


@dataclass(frozen=True)
class Options:
    """How to reach the servers. Timeout in seconds; ca_path is a file or directory of CA certificates."""

    organization: str = "DEFAULT"
    environment: str = "DEFAULT"
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout: float = 30.0
    retries: int = 3
    retry_deadline: float = 60.0
    token_cache: bool = False
    retried: list[str] = field(default_factory=list, compare=False)  # what was repeated, a sentence each
    found_secrets: set[str] = field(default_factory=set, compare=False, repr=False)  # those found in what servers answered

    def __post_init__(self) -> None:
        for name in ("timeout", "retry_deadline"):
            value = getattr(self, name)
            if not 0 <= value <= LONGEST or (name == "timeout" and not value):
                raise Refusal(f"{name}: {value:g} is no time to wait. Give seconds, {LONGEST} at most.")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise Refusal(f"retries: {self.retries} is no number of repetitions. Give 0 to {MOST_RETRIES}.")

    @property
    def organization_path(self) -> str:
        """The part of a management URL that names the organization."""
        return f"/organizations/{segment(self.organization, 'organization')}"

    @property
    def environment_path(self) -> str:
        """The part of a management URL that names the environment."""
        return f"/environments/{segment(self.environment, 'environment')}"

    @property
    def verify(self) -> bool | str:
        """As requests takes it: whether certificates are validated, or by which authorities."""
        return (self.ca_path or True) if self.validate_certs else False

    @property
    def cert(self) -> Any:
        """As requests takes it: the client's certificate, with its key where that is another file."""
        return (self.client_cert, self.client_key) if self.client_key else self.client_cert


class Patience(Retry):
    """What may be repeated, and for how long: reads; whatever was not sent at all; whatever got 429, which was not carried out.

    limit: seconds that the repetitions of one request may take together. told: gets a sentence for each.
    """

    limit: float = 0.0
    until: float | None = None
    told: list[str] | None = None

    def new(self, **changes: Any) -> Patience:
        """The copy that urllib3 counts on with, which keeps what this class adds."""
        copy = super().new(**changes)
        copy.limit, copy.until, copy.told = self.limit, self.until, self.told
        return copy

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether this answer is repeated, by urllib3's word; 429 always."""
        return bool(self.total) and (status_code == 429 or super().is_retry(method, status_code, has_retry_after))

    def increment(
        self, method: Any = None, url: Any = None, response: Any = None, error: Any = None, *args: Any, **more: Any
    ) -> Any:
        """One repetition more, told; MaxRetryError beyond the limit."""
        now = time.monotonic()
        self.until = self.until or now + self.limit
        after = self.get_retry_after(response) or 0 if response is not None else 0
        if now + after > self.until:
            raise MaxRetryError(None, url, error or "the server asks to wait too long")  # type: ignore[arg-type]
        following = super().increment(method, url, response, error, *args, **more)
        if self.told is not None:
            got = response.status if response is not None else _last_reason(str(error))
            self.told.append(f"{method} {str(url).partition('?')[0]} got {got}, repeated")
        return following


def http_session(
    options: Options, retries: int | None = None, cookies: bool = False, adapter: Any = HTTPAdapter
) -> Any:
    """A requests.Session that keeps no cookies, unless told so, and repeats only what may be repeated.

    Connections that never came about are tried again for any method; lost answers and busy servers only for GET.
    The environment's proxies apply, its ~/.netrc does not: every request carries credentials of its own.
    """
    session = requests.Session()
    # APIM's login sets cookies; whoever sends them back meets the CSRF check: 403 with an empty body on every write.
    if not cookies:
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    retry = Patience(
        total=options.retries if retries is None else retries,
        allowed_methods={"GET"},
        status_forcelist=WORTH_RETRYING,
        backoff_factor=0.3,
        backoff_jitter=0.2,
        raise_on_status=False,
        respect_retry_after_header=True,
    )
    retry.limit, retry.told = options.retry_deadline, options.retried
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter(max_retries=retry, pool_maxsize=64))
    return session


def segment(value: Any, option: str = "id") -> str:
    """An id or a name as one segment of a URL's path; Refusal names the option of what is none."""
    text = str(value)
    if not text or text in (".", "..") or _NO_SEGMENT.search(text):
        raise Refusal(f"{option}: {text!r} is no id of Gravitee's. Ids and hrids have letters, digits, '-' and '_'.")
    return quote(text, safe="")


def bearer(token: str) -> Callable[[Any], Any]:
    """What signs a request with a Bearer token (RFC 6750)."""
    return _sign(f"Bearer {token}")


def basic(username: str, password: str) -> Callable[[Any], Any]:
    """HTTP Basic in UTF-8 (RFC 7617): requests would take Latin-1, and fail where that has no such character."""
    return _sign(f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}")


def _sign(authorization: str) -> Callable[[Any], Any]:
    def sign(unsigned: Any) -> Any:
        unsigned.headers["Authorization"] = authorization
        return unsigned

    return sign


def request(http: Any, options: Options, method: str, url: str, sign: Any = None, **more: Any) -> Any:
    """One request as the options say, signed by `sign` or not at all, and never from ~/.netrc; redirects are for the caller.

    verify goes with each request: the environment's CA bundle would win over the session's. requests.RequestException also where
    the URL, or the one that a redirect names, is none.
    """
    try:
        return http.request(
            method,
            url,
            auth=sign or (lambda unsigned: unsigned),
            timeout=options.timeout,
            verify=options.verify,
            cert=options.cert,
            allow_redirects=False,
            **more,
        )
    except ValueError as error:
        if isinstance(error, requests.RequestException):
            raise
        raise requests.exceptions.InvalidURL(f"there is no such URL: {error}") from error


def whole(response: Any, options: Options) -> Answer:
    """Read a streamed response to its end; requests.RequestException where it is too large or takes too long."""
    until, content = time.monotonic() + SLOWEST * options.timeout, bytearray()
    with response:
        for part in _stream(response):
            content += part
            if len(content) > LARGEST:
                raise requests.exceptions.ContentDecodingError(f"got an answer of more than {LARGEST >> 20} MiB")
            if time.monotonic() > until:
                raise requests.exceptions.Timeout(f"the answer took longer than {SLOWEST * options.timeout:g} s")
    return Answer(response.status_code, response.headers, bytes(content))


def _stream(response: Any) -> Iterator[bytes]:
    """What has come, as it comes: a server that sends a byte now and then must not be waited for till a block is full."""
    if not hasattr(response.raw, "read1"):  # urllib3 1
        yield from response.iter_content(1024)
        return
    try:
        while part := response.raw.read1(2**16, decode_content=True):
            yield part
    except HTTPError as error:
        raise requests.exceptions.ConnectionError(error) from error


def unreachable(error: Exception) -> str:
    """One sentence for what kept a request from being answered."""
    text = str(error)
    if isinstance(error, Overrun):
        return text
    if isinstance(error, requests.exceptions.SSLError):
        return f"failed in TLS: {_last_reason(text)}. Give ca_path for a private CA; validate_certs=false trusts anyone"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"failed at the proxy that the environment names: {_last_reason(text)}"
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return f"{text}: is the URL right?"
    if isinstance(error, requests.exceptions.Timeout):
        return "got no answer in time: raise timeout, or see whether the server is well"
    return f"could not be sent: {_last_reason(text)}. Is the server up, and the URL right?"


def _last_reason(text: str) -> str:
    """The reason at the bottom of urllib3's nested messages."""
    reason = text.rsplit("Caused by ", 1)[-1].rsplit(": ", 1)[-1]
    return reason.strip(" )'\"") or text
