# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of an MCP client as it takes to see how a server answers (streamable HTTP transport), in both eras of the protocol.

Up to revision 2025-11-25 a client begins with `initialize` and may get a session. From 2026-07-28 on there is neither: each
request says its version, method and name in headers and `_meta`, and `server/discover` tells what the server is. As the
specification asks of a client of both eras, the later one is tried first.
"""
from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import HTTPError, NewConnectionError, requests
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.places import texts
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import is_of_gateway
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
UNSUPPORTED_VERSION = -32022  # JSON-RPC's error of a server of the later era
_REFUSED = (401, 403, 407, 421, 429)  # statuses with which `initialize` fares no better
_PLAIN = re.compile(r"[!-~]([ -~]*[!-~])?")
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
        self._version: str | None = None  # the one that both speak
        self._theirs: list[str] = []  # those of a server that speaks none of this client's
        self.opening = ""  # the method of the request that greet returns the answer to
        self.answers: list[Answer] = []  # all that came while greeting

    def greet(self) -> Answer:
        """The answer to `server/discover`, or where the server does not take that, to `initialize`."""
        self._session_id, self._version, self._theirs = None, STATELESS_VERSION, []
        self.opening, discovered = "server/discover", self._ask(1, "server/discover")
        self.answers = [discovered]
        versions = _versions(discovered)
        if STATELESS_VERSION in versions or not _may_take_initialize(discovered):
            return discovered
        answer = self._initialize()
        self.answers.append(answer)
        if _result(answer) is None and (versions or _result(discovered) is not None):
            self._session_id, self._version, self._theirs = None, STATELESS_VERSION, versions
            return discovered
        self.opening = "initialize"
        return answer

    @property
    def _stateless(self) -> bool:
        return self._version == STATELESS_VERSION

    def call(self, tool: str, arguments: Any) -> Answer:
        """What comes of a call of a tool, after greet."""
        return self._ask(2, "tools/call", name=tool, arguments=arguments)

    def _ask(self, number: int, method: str, **params: Any) -> Answer:
        """A request in the era of the server."""
        if self._stateless:
            version, client = {f"{_META}/protocolVersion": STATELESS_VERSION}, {f"{_META}/clientInfo": CLIENT}
            params["_meta"] = {**version, **client, f"{_META}/clientCapabilities": {}}
        return self._post({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def _initialize(self) -> Answer:
        params = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": CLIENT}
        self._version = None
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
        chosen = (_result(answer) or {}).get("protocolVersion")
        self._version = chosen if isinstance(chosen, str) and _VERSION.fullmatch(chosen) else None
        self._session_id = None if self._stateless else answer.headers.get("mcp-session-id")
        return answer

    def tools(self) -> tuple[list[dict[str, Any]] | None, str]:
        """All tools, page by page, after greet; or None and what came instead."""
        if self._theirs:
            return None, f"the server speaks MCP {', '.join(self._theirs)} and no revision that is known here"
        if not self._stateless:
            self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        tools: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        for number in range(2, 102):
            answer = self._ask(number, "tools/list", **cursor)
            result = _result(answer)
            if result is None:
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
        told = {"Mcp-Method": message["method"], "Mcp-Name": message.get("params", {}).get("name")} if self._stateless else {}
        headers = {name: _header_value(value) for name, value in told.items() if value}
        return self._send("POST", self.url, {**self._headers(), **headers}, message)

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


def _header_value(text: str) -> str:
    """As the specification wants it: what is no plain ASCII, or could be taken for encoded, in Base64 of its UTF-8."""
    if _PLAIN.fullmatch(text) and not (text.startswith("=?base64?") and text.endswith("?=")):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _result(answer: Answer) -> dict[str, Any] | None:
    result = (answer.message or {}).get("result")
    return result if isinstance(result, dict) else None


def _versions(answer: Answer) -> list[str]:
    """Those that the answer to `server/discover` names, also as an error; none of a server of the earlier era."""
    error = (answer.message or {}).get("error")
    if isinstance(error, dict) and error.get("code") == UNSUPPORTED_VERSION and isinstance(error.get("data"), dict):
        return texts(error["data"].get("supported"))
    return texts((_result(answer) or {}).get("supportedVersions"))


def _may_take_initialize(answer: Answer) -> bool:
    """Whether the same server may answer `initialize` otherwise: it was reached, and it is no refusal or redirect."""
    if answer.status is None or answer.status in _REFUSED or 300 <= answer.status < 400:
        return False
    return not is_of_gateway(answer)


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
