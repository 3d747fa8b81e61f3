# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows of a plan that decide at the gateway who may call which tool. Pure: no HTTP.

Each flow answers with the policy `mock` where its condition holds. A condition that cannot be evaluated does not hold, and the
call goes on; so the first flows refuse every body on which the others could not be evaluated: what is no JSON object (batches, a
byte order mark, UTF-16; seen on 4.10.7), and what is nested deeper than #jsonPath reads, 400 levels. They refuse, too, what the
server behind could read otherwise than the gateway: another charset (UTF-7 is taken by Node's raw-body), a compressed body; a
member that an object has twice (the gateway takes the last, some servers the first, and Go's encoding/json merges two objects); a
member with one of MCP's names but for its case, which Go and C# take for it; a tool's name that is no text.
An expression fails where it is too long, or where the operator `matches` gets a long pattern or text; the method of that name has
no such limit. (Tried with gravitee-expression-language 4.3.0, Spring 6.2 and json-smart 2.5.)
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.challenges import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    json_rpc_error,
    refuse_bad_scopes,
    step_up,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import CLAIMS, LONGEST, quoted

MODES = ["true", "unlisted", "false"]
WITH_A_BODY = ("POST", "PUT", "PATCH")  # MCP posts; a server may not look at the method
OURS = "gravitee.mcp: "  # how the names of these flows begin
_MEMBERS, _METHOD, _PARAMS, _NAME, _EVERYTHING = (
    f"#jsonPath(#request.content, '{path}')" for path in ("$", "$.method", "$.params", "$.params.name", "$..*")
)
_CALL = f"{_METHOD} == 'tools/call'"
_TYPE = "#request.headers.getFirst('Content-Type')"
_JSON = r"(?i)\s*application/json\s*(;\s*charset\s*=\s*\x22?utf-8\x22?\s*)?"
_NO_JSON = f"{{#request.headers.getFirst('Content-Encoding') != null || {_TYPE} != null && !{_TYPE}.matches('{_JSON}')}}"
_NO_OBJECT = r"{#request.content.matches('(?s)\s*[^\s\x7B].*|.*\x00.*')}"
# The lists and objects that hold others, three levels of those that do not left out: more than that, and it may be too deep.
MOST_NESTED = 380
_TEXTS = r"""#request.content.replaceAll('"[^"\\]*+(?:\\.[^"\\]*+)*+"', '0')"""
_INNERMOST = r".replaceAll('\[[^\[\]\x7B\x7D]*+\]|\x7B[^\[\]\x7B\x7D]*+\x7D', '')"
_NESTED = f"{_TEXTS}{3 * _INNERMOST}" + r".replaceAll('[^\[\x7B]', '').length()"
_TOO_DEEP = f"{{{_NESTED} > {MOST_NESTED}}}"
# A value for each comma, and for each list and object that holds any; of a member that is there twice #jsonPath finds one.
_VALUES = _TEXTS + r".replaceAll('[\[\x7B]\s*[\]\x7D]', '').replaceAll('[^,\[\x7B]', '').length()"
_TWICE = f"{{{_VALUES} != {_EVERYTHING}.size()}}"
_OTHER_CASE = r".keySet().toString().matches('(?s).*[\[ ](?!(?:%s)[,\]])(?iu:%s)[,\]].*')"  # of the set [one, other]
_MISSPELLED = (
    f"{{{_MEMBERS}{_OTHER_CASE % (('method|params',) * 2)}"
    f" || {_PARAMS} != null && {_PARAMS}{_OTHER_CASE % (('name',) * 2)}}}"
)
_NO_NAME = f"{{{_CALL} && ({_NAME} == null || !{_NAME}.toString().equals({_NAME}))}}"
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
    flows = [
        _flow("only plain JSON", _NO_JSON, 415, "Send application/json in UTF-8, without a content encoding."),
        _flow("only JSON objects", _NO_OBJECT, 400, "Send one JSON object: batches are not allowed."),
        _flow("no deep nesting", _TOO_DEEP, 400, f"Send no more than {MOST_NESTED} lists and objects within others."),
        _flow("each member once", _TWICE, 400, "Send each member of an object once."),
        _flow("members as MCP names them", _MISSPELLED, 400, "Write method, params and name in lower case."),
        _flow("a name for each call", _NO_NAME, 400, "Send the name of the tool as a text."),
    ]
    for scopes, names in sorted(sets.items()):
        scope, challenge = " ".join(scopes), step_up(" ".join(scopes), metadata)
        for number, condition in enumerate(_lacking(names, scopes)):
            more = f" ({number + 1})" if number else ""
            flows.append(_flow(f"scope {scope}{more}", condition, 403, f"Insufficient scope: {scope}", challenge))
    if mode == "unlisted":
        flows.append(_flow("only listed tools", _unlisted(sorted(tools)), 403, "Unknown tool", code=INVALID_PARAMS))
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


def _lacking(names: list[str], scopes: tuple[str, ...]) -> list[str]:
    """The conditions of a call of one of the tools with a token that lacks one of the scopes: one, or more, none too long."""
    lacks = [_LACKS % quoted(f" {scope} ", "tools") for scope in scopes]
    text = f"{{{_CALL} && {_is_one_of(names)} && {lacks[0] if len(lacks) == 1 else '(' + ' || '.join(lacks) + ')'}}}"
    if len(text) <= LONGEST:
        return [text]
    if len(names) == 1:
        raise Refusal(f"tools: {names[0]!r} and its scopes are too long for an expression of the gateway, {LONGEST} characters.")
    half = len(names) // 2
    return [*_lacking(names[:half], scopes), *_lacking(names[half:], scopes)]


def _unlisted(names: list[str]) -> str:
    text = f"{{{_CALL} && !{_is_one_of(names)}}}"
    if len(text) > LONGEST:
        raise Refusal(
            f"enforce_tools: the names of {len(names)} tools make an expression of {len(text)} characters, and the gateway takes "
            f"{LONGEST}. Use enforce_tools=true, which enforces the scopes of all of them, or name fewer tools."
        )
    return text


def _is_one_of(names: Iterable[str]) -> str:
    return f"{_NAME}.matches('{'|'.join(_pattern(name) for name in names)}')"


def _pattern(name: str) -> str:
    """A regular expression for this name alone, in Java's form, without a quote and a brace; Refusal for what it cannot hold."""
    if not _PRINTABLE.fullmatch(name):
        raise Refusal(f"tools: {name!r} cannot stand in an expression of the gateway. Use printable ASCII for a tool's name.")
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: f"\\x{ord(match.group()):02X}", name)


def _flow(
    name: str, condition: str, status: int, message: str, challenge: str | None = None, code: int = INVALID_REQUEST
) -> dict[str, Any]:
    named = {"name": OURS + name, "enabled": True}
    headers = [{"name": "WWW-Authenticate", "value": challenge}] if challenge else []
    answer = {
        "headers": [*headers, {"name": "Content-Type", "value": "application/json"}],
        "content": json_rpc_error(message, code),
        "status": str(status),
    }
    step = {**named, "policy": "mock", "configuration": answer, "condition": condition}
    selector = {"type": "HTTP", "path": "/", "pathOperator": "STARTS_WITH", "methods": list(WITH_A_BODY)}
    return {**named, "selectors": [selector], "request": [step]}
