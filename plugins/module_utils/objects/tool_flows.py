# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows of a plan that decide at the gateway who may call which tool. Pure: no HTTP.

Each flow answers with the policy `mock` where its condition holds. A condition that cannot be evaluated does not hold, and the
call goes on; so the first flow refuses every body that is no JSON object: batches, a byte order mark, UTF-16. Seen on 4.10.7.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.challenges import refuse_bad_scopes, step_up
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import CLAIMS, quoted

MODES = ["true", "unlisted", "false"]
OURS = "gravitee.mcp: "  # how the names of these flows begin
_METHOD, _NAME = (f"#jsonPath(#request.content, '$.{path}')" for path in ("method", "params.name"))
_CALL = f"{_METHOD} == 'tools/call'"
_NO_OBJECT = r"{#request.content matches '(?s)\s*[^\s\x7B].*|.*\x00.*'}"
_LACKS = f"!(' ' + {CLAIMS}['scope'] + ' ').contains(%s)"
_PRINTABLE = re.compile(r"[ -~]+")
Flows = Iterable[Mapping[str, Any]]


def tool_flows(given: Mapping[str, Any] | None, mode: str, metadata: str) -> list[dict[str, Any]]:
    """The flows in their order, none where nothing is enforced. metadata: URL of the protected resource's metadata. Refusal.

    given: name of each tool → the scopes that a call needs, all of them.
    """
    tools = _checked(given or {})
    sets: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(tools):
        if tools[name]:
            sets.setdefault(tools[name], []).append(name)
    if mode == "unlisted" and not tools:
        raise Refusal("enforce_tools: unlisted refuses every tool that is not in tools, and tools is empty. Name the tools.")
    if mode == "false" or (mode == "true" and not sets):
        return []
    flows = [_flow("only JSON objects", _NO_OBJECT, 400, "Send one JSON object: batches are not allowed.")]
    for scopes, names in sorted(sets.items()):
        scope = " ".join(scopes)
        flows.append(_flow(f"scope {scope}", _lacking(names, scopes), 403, "Insufficient scope", step_up(scope, metadata)))
    if mode == "unlisted":
        flows.append(_flow("only listed tools", f"{{{_CALL} && !({_is_one_of(sorted(tools))})}}", 403, "Unknown tool"))
    return flows


def _checked(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    tools = {}
    for name, scopes in given.items():
        if not isinstance(scopes or [], list):
            raise Refusal(f"tools: {name!r} has {scopes!r}, which is no list. Give a list of scopes.")
        tools[str(name)] = tuple(sorted({str(scope) for scope in scopes or []}))
        refuse_bad_scopes(tools[str(name)], "tools")
    return tools


def with_flows(observed: Flows, wanted: Flows, ours: Flows) -> list[Any]:
    """The wanted flows of a plan, `ours` first with what the server filled in; flows that others made stay, in their order."""
    twins = {flow.get("name"): flow for flow in reversed(list(observed))}
    return [*(merge(twins.get(one["name"]), one) for one in ours), *(flow for flow in wanted if not is_ours(flow))]


def is_ours(flow: Mapping[str, Any]) -> bool:
    """Whether a plan's flow is one that this collection wrote, by its name."""
    return str(flow.get("name") or "").startswith(OURS)


def _lacking(names: list[str], scopes: tuple[str, ...]) -> str:
    """The condition of a call of one of the tools with a token that lacks one of the scopes."""
    lacks = [_LACKS % quoted(f" {scope} ", "tools") for scope in scopes]
    return f"{{{_CALL} && {_is_one_of(names)} && {lacks[0] if len(lacks) == 1 else '(' + ' || '.join(lacks) + ')'}}}"


def _is_one_of(names: Iterable[str]) -> str:
    return f"{_NAME} matches '{'|'.join(_pattern(name) for name in names)}'"


def _pattern(name: str) -> str:
    """A regular expression for this name alone, in Java's form, without a quote and a brace; Refusal for what it cannot hold."""
    if not _PRINTABLE.fullmatch(name):
        raise Refusal(f"tools: {name!r} cannot stand in an expression of the gateway. Use printable ASCII for a tool's name.")
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: f"\\x{ord(match.group()):02X}", name)


def _flow(name: str, condition: str, status: int, message: str, challenge: str | None = None) -> dict[str, Any]:
    named = {"name": OURS + name, "enabled": True}
    headers = [{"name": "WWW-Authenticate", "value": challenge}] if challenge else []
    body = json.dumps({"message": message, "http_status_code": status}, separators=(",", ":"))
    answer = {
        "headers": [*headers, {"name": "Content-Type", "value": "application/json"}],
        "content": body,
        "status": str(status),
    }
    step = {**named, "policy": "mock", "configuration": answer, "condition": condition}
    selector = {"type": "HTTP", "path": "/", "pathOperator": "STARTS_WITH", "methods": ["POST"]}
    return {**named, "selectors": [selector], "request": [step]}
