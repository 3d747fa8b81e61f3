# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of an MCP client as it takes to see how a server answers (streamable HTTP transport), in both eras of the protocol.

Up to revision 2025-11-25 a client begins with `initialize` and may get a session. From 2026-07-28 on there is neither: each
request says its version and method in headers and `_meta`, and `server/discover` tells what the server is.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import HTTPError, NewConnectionError, requests
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import object_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.limits import (
    ENCODINGS,
    LimitedAdapter,
    pieces,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, http_session, request, unreachable

PROTOCOL_VERSION = "2025-06-18"
STATELESS_VERSION = "2026-07-28"
CLIENT = {"name": "gravitee.mcp", "version": "1"}
_META = "io.modelcontextprotocol"
# With which a server of the later era answers `initialize`, as a request without what it needs, or of an unknown method.
_NOT_TAKEN = (400, 404, 405, 406, 415, 422)
_VERSION = re.compile(r"[\w.-]{1,40}")
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a CR that is last may have its LF still to come
_CHALLENGE_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass
class Answer:
    """What came back. status is None when nothing did; trouble says why, also why a body could not be read.

    message is the JSON-RPC message, if any. absent: nobody takes connections there.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    message: dict[str, Any] | None = None
    text: str = ""
    trouble: str = ""
    absent: bool = False

    @property
    def kind(self) -> str:
        """The media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def challenge(self) -> dict[str, str]:
        """The parameters of a Bearer challenge (RFC 6750, RFC 9728); {} without one."""
        header = self.headers.get("www-authenticate", "")
        if not header.lower().startswith("bearer"):
            return {}
        return {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE_PARAMETER.findall(header[6:])}


class McpClient:
    """Calls to one URL, with a token or without. Closes the session that it opened."""

    def __init__(self, url: str, options: Options, token: str | None = None, retries: int | None = None):
        self.url, self.options, self._token = url, options, token
        self._http = http_session(options, retries, adapter=LimitedAdapter)
        self._session_id: str | None = None
        self._version: str | None = None  # the one that the server chose

    def greet(self) -> Answer:
        """The first request of an MCP client: `initialize`, and `server/discover` where the server does not take that."""
        answer = self._initialize()
        error = (answer.message or {}).get("error")
        if error is None and (answer.status not in _NOT_TAKEN or answer.status == 404):
            return answer
        if answer.status is None or answer.status in (401, 403):
            return answer
        self._session_id, self._version = None, STATELESS_VERSION
        discovered = self._ask(1, "server/discover")
        if isinstance((discovered.message or {}).get("result"), dict):
            return discovered
        self._version = None
        return answer

    @property
    def _stateless(self) -> bool:
        return self._version == STATELESS_VERSION

    def _ask(self, number: int, method: str, **params: Any) -> Answer:
        """A request after the first one, in the era of the server."""
        if self._stateless:
            version, client = {f"{_META}/protocolVersion": STATELESS_VERSION}, {f"{_META}/clientInfo": CLIENT}
            params["_meta"] = {**version, **client, f"{_META}/clientCapabilities": {}}
        return self._post({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def _initialize(self) -> Answer:
        params = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": CLIENT}
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
        self._session_id = answer.headers.get("mcp-session-id")
        result = (answer.message or {}).get("result")
        chosen = result.get("protocolVersion") if isinstance(result, dict) else None
        self._version = chosen if isinstance(chosen, str) and _VERSION.fullmatch(chosen) else None
        return answer

    def tools(self) -> tuple[list[dict[str, Any]] | None, str]:
        """All tools, page by page, after greet; or None and what came instead."""
        if not self._stateless:
            self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        tools: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        for number in range(2, 102):
            answer = self._ask(number, "tools/list", **cursor)
            result = (answer.message or {}).get("result")
            if not isinstance(result, dict):
                return None, f"HTTP {answer.status}, no list" if answer.status else answer.trouble
            listed = result.get("tools")
            listed = listed if isinstance(listed, list) else []
            tools += [tool for tool in listed if isinstance(tool, dict) and isinstance(tool.get("name"), str)]
            if not result.get("nextCursor"):
                return tools, ""
            cursor = {"cursor": result["nextCursor"]}
        return None, "more than 100 pages"

    def get(self, url: str) -> Answer:
        """A document, asked for as a client does: with no token."""
        return self._send("GET", url, {"Accept": "application/json", "Accept-Encoding": ENCODINGS}, None)

    def listens(self) -> bool:
        """Whether the URL is the event stream of a server of the old transport, HTTP+SSE (MCP 2024-11-05): GET, then POST."""
        headers = {"Accept": "text/event-stream", "Accept-Encoding": ENCODINGS}
        answer = self._send("GET", self.url, headers, None, body=False)
        return answer.status == 200 and answer.kind == "text/event-stream"

    def close(self) -> None:
        """End the session on the server, if it opened one."""
        if self._session_id:
            self._send("DELETE", self.url, self._headers(), None)
            self._session_id = None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json, text/event-stream", "Accept-Encoding": ENCODINGS}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._session_id:
            headers["Mcp-Session-Id"] = self._session_id
        if self._version:
            headers["MCP-Protocol-Version"] = self._version
        return headers

    def _post(self, message: dict[str, Any]) -> Answer:
        method = {"Mcp-Method": message["method"]} if self._stateless else {}
        return self._send("POST", self.url, {**self._headers(), **method}, message)

    def _send(
        self, method: str, url: str, headers: dict[str, str], message: dict[str, Any] | None, body: bool = True
    ) -> Answer:
        try:
            with request(self._http, self.options, method, url, json=message, headers=headers, stream=True) as response:
                answer = Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()})
                if body:
                    _read(answer, response, (message or {}).get("id"), self.options.timeout)
                return answer
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:  # ValueError: no URL at all
            return Answer(trouble=unreachable(error), absent=_absent(error))


def _absent(error: Exception) -> bool:
    """Whether there was no connection at all; a failure later, or of TLS, says nothing of what others get there."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _read(answer: Answer, response: Any, awaited: int | None, seconds: float) -> None:
    """The body, as far as it is of use. What is wrong with it is told in `trouble`."""
    streamed = answer.kind == "text/event-stream"
    try:
        parts = pieces(response, seconds, at_once=streamed)
        if streamed:
            if awaited is not None:
                answer.message = next((event for event in _events(parts) if event.get("id") == awaited), None)
            return
        content = b"".join(parts)
    except (requests.RequestException, OSError) as error:
        answer.trouble = unreachable(error)
        return
    answer.text = content[:300].decode("utf-8", "replace")
    answer.body = object_of(content)
    if answer.body.get("jsonrpc") == "2.0":
        answer.message = answer.body


def _events(parts: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of an event stream. An event is its data lines, joined, up to an empty line or the end."""
    data: list[bytes] = []
    for line in _lines(parts):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            event = object_of(b"\n".join(data))
            data = []
            if event:
                yield event


def _lines(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends (CR, LF or both); an empty one at the end, as a stream may end without it."""
    rest = bytearray()
    for part in parts:
        rest += part
        if b"\n" in part or b"\r" in part:
            *whole, last = _LINE_END.split(bytes(rest))
            rest = bytearray(last)
            yield from whole
    yield from (bytes(rest), b"")
