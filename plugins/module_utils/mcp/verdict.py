# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answer to a call without a token says about who gets in. No verdict is better than the evidence for it."""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

# The words of every verdict, the worst first.
MEANINGS = {
    "open": "Anyone gets in: a call without a token is not refused by the gateway, whatever the MCP server makes of it.",
    "unknown": "It could not be asked, or the answer does not say who gets in; the summary says why.",
    "misconfigured": "Callers without a token are refused, or get no MCP message, and MCP clients cannot connect; the first "
    "step that failed says which setting to change.",
    "upstream_secured": "What refuses a call without a token is the MCP server, not the gateway.",
    "unreachable": "Nothing answers at the URL: no connection, no API at this path of the gateway, or no MCP server.",
    "secured": "The gateway itself refuses every call without a token, asked several times on new connections, and MCP clients "
    "find the authorization server.",
}
OK, WARNING, FAILED = "ok", "warning", "failed"  # the verdicts of a step
NO_API = "No context-path matches the request URI."
# Statuses that an MCP server answers a request with that it does not take; the gateway does not, before it has chosen a plan.
OF_A_SERVER = (400, 405, 406, 415, 421, 422)
_BAD = r"(invalid|unknown|blocked|disallowed|misdirected|not allowed)"
_HOST = re.compile(rf"\b{_BAD}\b.{{0,40}}\b(host|origin|request)\b|\b(host|origin)\b.{{0,40}}\b{_BAD}\b", re.I | re.S)
UPSTREAM = (
    "The MCP server itself asks for authentication. Gravitee's guide works only where it does not: switch that off, or keep "
    "the server as it is"
)
THROUGH = "the gateway let the call through without a token"
IN_FRONT = "not in the gateway's words: does something in front of the gateway answer, or what is behind it?"


@dataclass(frozen=True)
class Verdict:
    """What one answer says.

    result is one of MEANINGS; secured means refused by the gateway, this once. got: what came and what to do. fault: whether a
    step failed.
    """

    result: str
    got: str
    fault: bool = True


def judge(answer: Any, gateway: bool, old_transport: bool = False) -> Verdict:
    """Of a client's first call without a token, by gateway or direct. old_transport: the URL is an event stream (HTTP+SSE)."""
    if answer.status is None:
        return Verdict("unreachable" if answer.absent else "unknown", answer.trouble)
    got = f"HTTP {answer.status}"
    if gateway and is_of_gateway(answer):
        return _of_gateway(answer, got)
    if answer.status in (401, 403, 421):
        return _refused(answer, got, gateway)
    if answer.message:
        return Verdict("open", _greeting(answer.message), fault=False)
    if old_transport:
        return Verdict("open", f"{got}, an MCP server of the old transport (HTTP+SSE) answers anyone", fault=False)
    return _behind(answer, got) if gateway else _direct(answer, got)


def is_of_gateway(answer: Any) -> bool:
    """Whether these are the gateway's words. It says nothing else by itself, unless a response template of the API does."""
    if answer.status == 404 and answer.text.strip() == NO_API:
        return True
    return set(answer.body) == {"message", "http_status_code"} and answer.body["http_status_code"] == answer.status


def _of_gateway(answer: Any, got: str) -> Verdict:
    if answer.status in (401, 403):
        return Verdict("secured", got, fault=False)
    if answer.status in (502, 504):
        return Verdict("open", f"{got}: {THROUGH}, and got no answer: is the MCP server up?")
    if answer.status == 404:
        return Verdict("unreachable", f"{got} {answer.text.strip()[:100]}: is the API deployed and started, and the path right?")
    return Verdict("unknown", f"{got} {str(answer.body.get('message', ''))[:100]}: the gateway itself fails; see its log")


def _refused(answer: Any, got: str, gateway: bool) -> Verdict:
    if answer.status != 401 and not answer.challenge and (answer.status == 421 or _HOST.search(answer.text)):
        refused = f"{got}: the MCP server refuses the Host or Origin of the call: allow them in its settings"
        return Verdict("open", f"{refused}; {THROUGH}") if gateway else Verdict("misconfigured", refused)
    if gateway and answer.trouble:
        return Verdict("unknown", f"{got}, and who says so is not to be seen: {answer.trouble}")
    if gateway and answer.status == 403 and "www-authenticate" not in answer.headers:
        return Verdict("unknown", f"{got}, {IN_FRONT}")
    template = " (or a response template of the API, in words of its own)" if gateway else ""
    return Verdict("upstream_secured", f"{got} from the MCP server{template}. {UPSTREAM}")


def _greeting(message: dict[str, Any]) -> str:
    result, error = message.get("result"), message.get("error")
    told = result if isinstance(result, dict) else {}
    meta = told.get("_meta")
    info = told.get("serverInfo") or (meta.get("io.modelcontextprotocol/serverInfo") if isinstance(meta, dict) else None)
    name = info.get("name") if isinstance(info, dict) else None
    said = f", with the error {str(error.get('message'))[:100]!r}" if isinstance(error, dict) else ""
    return f"MCP server {name if isinstance(name, str) else ''} answers anyone{said}".replace("  ", " ")


def _behind(answer: Any, got: str) -> Verdict:
    """No refusal, no MCP message, not in the gateway's words: so it comes from behind it, unless something else is in front."""
    if 200 <= answer.status < 300:
        why = answer.trouble or "no MCP message: is the URL right?"
        return Verdict("open", f"{got}: {THROUGH}, but {why}")
    page = "html" in answer.kind
    if answer.status in OF_A_SERVER and not page:
        return Verdict("open", f"{got}: {THROUGH}, and the MCP server does not take it: is the target's URL right?")
    if answer.status in (502, 504) and not (answer.text or answer.trouble):
        return Verdict("open", f"{got}: {THROUGH}, and got no answer: is the MCP server up?")
    return Verdict("unknown", f"{got} {answer.text.strip()[:100]!r}, {IN_FRONT}")


def _direct(answer: Any, got: str) -> Verdict:
    if 200 <= answer.status < 300:
        if answer.trouble:
            return Verdict("unknown", f"{got}, but {answer.trouble}")
        if answer.kind == "text/event-stream":
            return Verdict("unknown", f"{got}, an event stream that ends without an answer")
        return Verdict("unreachable", f"{got}, but no MCP message: is the URL right?")
    if answer.status in (404, 405):
        return Verdict("unreachable", f"{got}: no MCP server is at this URL: is its path right?")
    return Verdict("unreachable", f"{got} {answer.text.strip()[:100]}: is the MCP server up?")
