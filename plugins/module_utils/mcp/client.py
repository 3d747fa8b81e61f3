# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of an MCP client as it takes to see how a server answers (streamable HTTP transport)."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import requests
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import (
    Options,
    http_session,
    json_of,
    request,
    unreachable,
)

PROTOCOL_VERSION = "2025-06-18"
_CHALLENGE_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass
class Answer:
    """What came back. status is None when nothing did; trouble says why. message is the JSON-RPC message, if any."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    message: dict[str, Any] | None = None
    text: str = ""
    trouble: str = ""

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
        self._http = http_session(options, retries)
        self._session_id: str | None = None

    def initialize(self) -> Answer:
        """The first request of every MCP client."""
        client = {"name": "gravitee.mcp", "version": "1"}
        params = {"protocolVersion": PROTOCOL_VERSION, "capabilities": {}, "clientInfo": client}
        answer = self._post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
        self._session_id = answer.headers.get("mcp-session-id")
        return answer

    def tools(self) -> tuple[list[dict[str, Any]] | None, str]:
        """All tools, page by page, after initialize; or None and what came instead."""
        self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        tools: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        for number in range(2, 102):
            answer = self._post({"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": cursor})
            result = (answer.message or {}).get("result")
            if not isinstance(result, dict):
                return None, f"HTTP {answer.status}, no list" if answer.status else answer.trouble
            tools += [tool for tool in result.get("tools") or [] if isinstance(tool, dict) and "name" in tool]
            if not result.get("nextCursor"):
                return tools, ""
            cursor = {"cursor": result["nextCursor"]}
        return None, "more than 100 pages"

    def get(self, url: str) -> Answer:
        """A document, asked for as a client does: with no token."""
        return self._send("GET", url, {"Accept": "application/json"}, None)

    def close(self) -> None:
        """End the session on the server, if it opened one."""
        if self._session_id:
            self._send("DELETE", self.url, self._headers(), None)
            self._session_id = None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json, text/event-stream"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._session_id:
            headers |= {"Mcp-Session-Id": self._session_id, "MCP-Protocol-Version": PROTOCOL_VERSION}
        return headers

    def _post(self, message: dict[str, Any]) -> Answer:
        return self._send("POST", self.url, self._headers(), message)

    def _send(self, method: str, url: str, headers: dict[str, str], message: dict[str, Any] | None) -> Answer:
        try:
            with request(self._http, self.options, method, url, json=message, headers=headers, stream=True) as response:
                return _read(response, (message or {}).get("id"))
        except (requests.RequestException, OSError) as error:
            return Answer(trouble=unreachable(error))


def _read(response: Any, awaited: int | None) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer = Answer(response.status_code, headers)
    if headers.get("content-type", "").startswith("text/event-stream"):
        if awaited is not None:
            answer.message = next((event for event in _events(response) if event.get("id") == awaited), None)
        return answer
    answer.body = json_of(response)
    answer.text = response.text[:300]
    if answer.body.get("jsonrpc") == "2.0":
        answer.message = answer.body
    return answer


def _events(response: Any) -> Iterator[dict[str, Any]]:
    """The JSON messages of an event stream (one data field each, as MCP servers send them)."""
    # As it comes where its parts have a length; else byte by byte, as more than one could be waited for in vain.
    known = response.raw.chunked or "content-length" in response.headers
    for line in response.iter_lines(chunk_size=None if known else 1):
        if line.startswith(b"data:"):
            try:
                event = json.loads(line[5:])
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict):
                yield event
