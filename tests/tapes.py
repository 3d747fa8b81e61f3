"""Answers of the sandbox on tape, played back without a network, one or the other of them turned into something strange."""
from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

MOST = 400  # requests of one task; whoever sends more would never end
HOP_BY_HOP = ("content-length", "transfer-encoding", "content-encoding", "connection", "set-cookie")


@dataclass(frozen=True)
class Answer:
    """What a server answers. error: what goes wrong instead, as requests tells it."""

    status: int
    headers: dict[str, str]
    body: bytes
    error: Exception | None = None


Key = tuple[str, str, str]  # method, URL without its query, number of the page


def key_of(request: requests.PreparedRequest) -> Key:
    url = urlsplit(request.url or "")
    page = parse_qs(url.query).get("page", [""])[0]
    return request.method or "", f"{url.scheme}://{url.netloc}{url.path}", page


@dataclass
class Tape:
    """What each request was answered, in order; and in which order the requests came."""

    answers: dict[Key, list[Answer]] = field(default_factory=dict)

    @property
    def keys(self) -> list[Key]:
        return list(self.answers)


class Recorder(BaseAdapter):
    """Asks the servers, and keeps what they answer as `told` has it."""

    def __init__(self, tape: Tape, told: Callable[[bytes], bytes]):
        super().__init__()
        self.tape, self.told, self.real = tape, told, HTTPAdapter()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        real = self.real.send(request, **options)
        headers = {name: value for name, value in real.headers.items() if name.lower() not in HOP_BY_HOP}
        content = real.content
        self.tape.answers.setdefault(key_of(request), []).append(Answer(real.status_code, headers, self.told(content)))
        answered = response(request, Answer(real.status_code, headers, content))
        answered.raw._original_response = real.raw._original_response  # the cookies
        return answered

    def close(self) -> None:
        self.real.close()


class Player(BaseAdapter):
    """Plays a tape. `turn` makes something else of an answer, by the key of its request; None leaves it as it is.

    What nobody asked when the tape was recorded goes to `other`, which is a 404 unless told otherwise.
    """

    def __init__(
        self, tape: Tape, turn: Callable[[Key, Answer], Answer] | None = None, other: BaseAdapter | None = None
    ):
        super().__init__()
        self.tape, self.turn, self.other = tape, turn, other
        self.played: dict[Key, int] = {}
        self.asked: list[Key] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        key = key_of(request)
        self.asked.append(key)
        if len(self.asked) > MOST:
            raise EndlessRequests(f"more than {MOST} requests, the last {key}")
        known = self.tape.answers.get(key)
        if known is None and self.other is not None:
            return self.other.send(request, **options)
        number = self.played.get(key, 0)
        self.played[key] = number + 1
        answer = known[min(number, len(known) - 1)] if known else NOT_FOUND
        if self.turn:
            answer = self.turn(key, answer)
        if answer.error:
            raise answer.error
        return response(request, answer)

    def close(self) -> None:
        pass


class EndlessRequests(BaseException):
    """No room of the collection may take it for an error of its own."""


NOT_FOUND = Answer(404, {"Content-Type": "application/json"}, b'{"message": "HTTP 404 Not Found", "http_status": 404}')


def response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    made = requests.Response()
    made.request, made.url, made.status_code = request, request.url or "", answer.status
    made.headers = CaseInsensitiveDict(answer.headers)
    made.raw = HTTPResponse(
        io.BytesIO(answer.body), headers=answer.headers, status=answer.status, preload_content=False, version=11
    )
    return made


@contextlib.contextmanager
def instead_of_the_network(adapter: BaseAdapter) -> Iterator[None]:
    """Every request goes to the adapter, past all proxies, and no pause takes time."""
    slept, clock = [0.0], time.monotonic

    def sleep(seconds: float) -> None:
        slept[0] += max(0.0, seconds)

    with (
        patch.object(requests.Session, "get_adapter", lambda _session, url: adapter),
        patch.object(requests.sessions, "get_environ_proxies", lambda *_given, **_more: {}),
        patch.object(time, "sleep", sleep),
        patch.object(time, "monotonic", lambda: clock() + slept[0]),
    ):
        yield


# What becomes of an answer.

STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    "",
    " ",
    "x",
    "../..",
    "\x1b[2J\x00\r\nX-Y: z",
    "\u202e\U0001f511\ud800",
    "{{ x }}",
    "x" * 70_000,
    "http://[",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"x": {"x": []}},
]
SHAPES: list[Callable[[Any], Any]] = [
    lambda value: [value],
    lambda value: {"x": value},
    lambda value: [value, value],
    lambda value: [value, True],
    lambda value: list(value) if isinstance(value, (dict, list)) else str(value),
    lambda value: value * 30 if isinstance(value, list) else [value],
    lambda value: {"0": value},
]
BODIES = [
    b"",
    b" ",
    b"<html><body>It works</body></html>",
    b"null",
    b"[]",
    b"{}",
    b"42",
    b"1e999",
    b"NaN",
    b'"text"',
    b'{"data": null}',
    b'{"data": [null]}',
    b'{"data": [{}]}',
    b'{"message": {"a": [1]}, "details": 3}',
    b"[" * 2000 + b"]" * 2000,
    b'{"data": [' + b'{"id": "y"},' * 2000 + b'{"id": "z"}]}',
    b"\xff\xfe\x00broken",
    b"9" * 5000,
]
STATUSES = [199, 201, 204, 206, 301, 302, 304, 400, 401, 403, 404, 409, 412, 418, 429, 500, 502, 503, 504, 599, 700]
HEADERS: list[dict[str, str]] = [
    {"Content-Type": "text/html"},
    {"Content-Type": "text/event-stream"},
    {"Content-Type": "\xff;;="},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "br"},
    {"Location": "http://["},
    {"Location": "//elsewhere.example/\x1b[2J"},
    {"WWW-Authenticate": 'Bearer x="y'},
    {"WWW-Authenticate": 'Bearer resource_metadata="http://[", scope="\x1b[2J", realm="x"'},
    {"ETag": ""},
    {"Mcp-Session-Id": "\xff"},
    {"Mcp-Session-Id": "a\r\nb: c"},
    {"Retry-After": "never"},
]
ERRORS = [
    requests.ConnectionError("reset by peer"),
    requests.exceptions.ChunkedEncodingError("broken"),
    requests.exceptions.SSLError("certificate"),
    requests.ReadTimeout("late"),
    requests.exceptions.InvalidURL("no host"),
]
NAMING = ("name", "key", "encrypted", "encryptable")
KINDS = ["drop"] * 4 + ["put"] * 10 + ["shape"] * 3 + ["status"] * 3 + ["header", "body", "error", "cut", "text"]


def turned(answer: Answer, kind: str, place: int, what: int) -> Answer:
    """The answer with another value, form, status, header or body; place and what choose among all that there are."""

    def one(choices: list[Any]) -> Any:
        return choices[what % len(choices)]

    if kind == "error":
        return Answer(0, {}, b"", one(ERRORS))
    if kind == "status":
        return Answer(one(STATUSES), answer.headers, answer.body)
    if kind == "header":
        return Answer(answer.status, {**answer.headers, **one(HEADERS)}, answer.body)
    if kind == "body":
        return Answer(answer.status, answer.headers, one(BODIES))
    if kind == "cut":
        status = one([answer.status, answer.status, 400, 500])
        return Answer(status, answer.headers, answer.body[: place % (len(answer.body) + 1)])
    try:
        value = json.loads(answer.body)
    except ValueError:
        return Answer(answer.status, answer.headers, one(BODIES))
    places = places_of(value)
    owner, name = places[place % len(places)]
    holder = [value] if owner is None else owner
    if kind == "drop" and owner is not None:
        del holder[name]
    elif kind == "shape":
        holder[name] = one(SHAPES)(holder[name])
    elif kind == "text" and not isinstance(holder[name], (dict, list)):  # whose secrets would be in no secret place
        holder[name] = f"{one(['', ' ', '..', chr(0x202E), chr(0x85), '{#', '/'])}{holder[name]}"
    else:
        holder[name] = one(STRANGE)
    return Answer(answer.status, answer.headers, json.dumps(value if owner is not None else holder[0]).encode())


def places_of(value: Any) -> list[tuple[Any, Any]]:
    """(owner, key) of every value, but for what makes a secret of another; of the items of a list that are alike the first."""
    found: dict[tuple[Any, ...], tuple[Any, Any]] = {(): (None, 0)}

    def go(owner: Any, path: tuple[Any, ...]) -> None:
        pairs = owner.items() if isinstance(owner, dict) else enumerate(owner) if isinstance(owner, list) else ()
        for name, inner in pairs:
            if name in NAMING and "value" in owner:
                continue
            there = (*path, name if isinstance(owner, dict) else 0)
            found.setdefault(there, (owner, name))
            go(inner, there)

    go(value, ())
    return list(found.values())
