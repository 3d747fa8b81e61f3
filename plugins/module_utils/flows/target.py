# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the MCP server itself says when it is asked first, and which tools it lists."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import TOOL_KEY
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

TIMEOUT = 5.0  # s: it is asked from here only to be told of early


def ask_target(v: Variables, options: Options) -> tuple[list[dict[str, Any]] | None, list[str]]:
    """The tools, None where they stay as AM has them; and warnings. Refusal if it asks for authentication."""
    given = None if v.discover else v.tools
    if v.preflight == "skip" and not v.discover:
        return given, []
    params = CheckOptions(url=v.target, gateway=False, list_tools=v.discover)
    seen = Check(params, replace(options, timeout=TIMEOUT, retries=0)).run()
    if v.preflight == "fail" and seen["result"] == "upstream_secured":
        raise Refusal(f"target: {v.target}: {seen['summary']}. To go on all the same: preflight=warn.")
    warnings = []
    if v.preflight != "skip" and seen["result"] != "open":
        looks = f"target {v.target}, as seen from here, is {seen['result']} ({seen['summary']})"
        warnings = [f"{looks}. The gateway may reach it otherwise."]
    if not v.discover or seen["result"] != "open":
        return given, warnings
    names = [tool["name"] for tool in seen["tools"]]
    odd = [name for name in names if not TOOL_KEY.fullmatch(name)]
    takes = "which takes 1 to 64 letters, digits, '_' and '-' as a name"
    warnings += [f"The tool {name!r} is left out in AM, {takes}." for name in odd]
    return [_feature(tool, v.tool_scopes) for tool in seen["tools"]], warnings


def _feature(tool: Mapping[str, Any], scopes: Mapping[str, Any]) -> dict[str, Any]:
    """A listed tool with the scopes that tool_scopes has for its name, or for all others."""
    known = scopes.get(tool["name"], scopes.get("*", []))
    return {"key": tool["name"], "description": tool["description"], "scopes": known}
