# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the gateway enforces the scopes of tools: it refuses calls with a token that lacks them, and with no other.

No tool is run: the calls have arguments that are no object, which MCP servers refuse as invalid (JSON-RPC -32602).
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer, McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import FAILED, OK, WARNING

Note = Callable[[str, str, str, str], None]  # step, asked, got, verdict
STEP = "tool scopes"
NO_ARGUMENTS = "no object, so that nothing runs"
REMEDY = "gravitee_plan tools and enforce_tools (secure_mcp_tools, secure_mcp_enforce_tools), then deploy"


def lacking(needed: Mapping[str, Iterable[str]], granted: str) -> dict[str, list[str]]:
    """The tools that need a scope which the token, with the scopes `granted`, has not; each with all the scopes it needs."""
    has = set(granted.split())
    return {tool: sorted(scopes) for tool, scopes in needed.items() if not set(scopes) <= has}


def refused(client: McpClient, tools: Mapping[str, list[str]], note: Note) -> bool:
    """Whether the call of each tool with the client's token, which lacks a scope of each, is 403 and names the scopes."""
    let_in: list[str] = []
    unnamed: list[str] = []
    for tool, scopes in tools.items():
        answer = client.call(tool, NO_ARGUMENTS)
        if answer.status != 403:
            let_in.append(f"{tool} ({_got(answer)})")
        elif not set(scopes) <= set(answer.challenge.get("scope", "").split()):
            unnamed.append(tool)
    asked = f"tools/call of {', '.join(tools)}, with a token that lacks their scopes"
    if let_in:
        note(STEP, asked, f"not refused with 403: {', '.join(let_in)}: {REMEDY}", FAILED)
    elif unnamed:
        note(STEP, asked, f"HTTP 403 that names no scope to ask for: {', '.join(unnamed)}", WARNING)
    else:
        note(STEP, asked, "HTTP 403, with the scopes to ask for", OK)
    return not let_in


def let_through(client: McpClient, tools: Iterable[str], note: Note) -> None:
    """Whether no call of these tools is refused by the gateway; the client's token has their scopes."""
    answers = {tool: client.call(tool, NO_ARGUMENTS) for tool in tools}
    closed = [f"{tool} ({_got(answer)})" for tool, answer in answers.items() if answer.status in (None, 401, 403)]
    asked = f"tools/call of {', '.join(answers)}, with a token that has their scopes"
    if closed:
        note(STEP, asked, f"refused: {', '.join(closed)}: {REMEDY}", FAILED)
    else:
        note(STEP, asked, "let through to the server", OK)


def _got(answer: Answer) -> str:
    return f"HTTP {answer.status}" if answer.status else answer.trouble
