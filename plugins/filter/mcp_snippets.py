# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How users add an MCP server to their clients: files, commands and links."""
from __future__ import annotations

DOCUMENTATION = r"""
name: mcp_snippets
short_description: What users need to add MCP servers to their clients
version_added: 0.1.0
description:
  - For each server a short name, and what each client takes; the C(mcp.json) of VS Code and its link, the commands of Claude Code
    and Gemini CLI, Cursor's link and its C(mcp.json).
  - No client needs more than the URL; the rest the server tells it.
options:
  _input:
    description: The servers, with C(name) and C(url).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show Claude Code's command
  ansible.builtin.debug:
    msg: "{{ (servers | gravitee.mcp.mcp_snippets)[0].claude_code }}"
  vars:
    servers: [{name: Weather MCP, url: https://gateway.example.com/weather-mcp}]
"""

RETURN = r"""
_value:
  description:
    - The servers, with C(name), C(url), C(key), the name in the client's file, and C(vscode), C(vscode_link), C(claude_code),
      C(cursor), C(cursor_link) and C(gemini_cli), texts.
  type: list
  elements: dict
"""

import base64
import itertools
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ansible.errors import AnsibleFilterError
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import web_url


def mcp_snippets(servers: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """The sources of each form: the clients' own pages, see docs/clients.md."""
    keys: set[str] = set()
    return [_snippets(server["name"], _url(server), _key(server["name"], keys)) for server in servers]


def _url(server: Mapping[str, str]) -> str:
    try:
        return str(web_url(server["url"]))
    except ValueError as error:
        raise AnsibleFilterError(f"mcp_snippets: {server['name']!r}: {error}") from error


def _key(name: str, taken: set[str]) -> str:
    """The name in lower case, letters, digits and dashes only, with a number where others have the same."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "mcp"
    numbered = (f"{plain}-{number}" for number in itertools.count(2))
    key = next(one for one in itertools.chain([plain], numbered) if one not in taken)
    taken.add(key)
    return key


def _snippets(name: str, url: str, key: str) -> dict[str, str]:
    for_vscode, for_cursor = {"type": "http", "url": url}, {"url": url}
    config = base64.b64encode(json.dumps(for_cursor).encode()).decode()
    return {
        "name": name,
        "url": url,
        "key": key,
        "vscode": json.dumps({"servers": {key: for_vscode}}, indent=2),
        "vscode_link": f"vscode:mcp/install?{quote(json.dumps({'name': key, **for_vscode}), safe='')}",
        "claude_code": shlex.join(["claude", "mcp", "add", "--transport", "http", key, url]),
        "cursor": json.dumps({"mcpServers": {key: for_cursor}}, indent=2),
        "cursor_link": f"cursor://anysphere.cursor-deeplink/mcp/install?name={key}&config={quote(config, safe='')}",
        "gemini_cli": shlex.join(["gemini", "mcp", "add", "--transport", "http", key, url]),
    }


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"mcp_snippets": mcp_snippets}
