# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MCP servers that are in no inventory: URLs, and the files in which clients keep theirs."""
from __future__ import annotations

DOCUMENTATION = r"""
name: mcp_urls
short_description: MCP servers named by URLs and by a client's mcp.json
version_added: 0.1.0
description:
  - Name and URL of each MCP server, each URL once. A program that a client starts itself has no URL, and is left out.
positional: mcp_json
options:
  _input:
    description: URLs of MCP servers.
    type: list
    elements: str
    required: true
  mcp_json:
    description: The text of a client's file with C(servers) (VS Code) or C(mcpServers) (Claude Code, Cursor). Empty for none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Check servers that are in no inventory
  gravitee.mcp.mcp_check:
    url: "{{ item.url }}"
  loop: "{{ urls | gravitee.mcp.mcp_urls(file) }}"
  loop_control:
    label: "{{ item.name }}"
  vars:
    urls: [https://gateway.example.com/weather-mcp]
    file: '{"mcpServers": {"news": {"url": "http://news.internal:9000/mcp"}}}'
"""

RETURN = r"""
_value:
  description: The servers, with C(name) and C(url).
  type: list
  elements: dict
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError


def mcp_urls(urls: Iterable[str], mcp_json: str = "") -> list[dict[str, str]]:
    named = {str(url): str(url) for url in urls}
    for name, server in _servers(mcp_json).items() if mcp_json.strip() else ():
        if isinstance(server, Mapping) and isinstance(server.get("url"), str):
            named[server["url"]] = str(name)
    return [{"name": name, "url": url} for url, name in named.items()]


def _servers(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise AnsibleFilterError(f"secure_mcp_mcp_json: the file is no JSON: {error}.") from error
    found = (data.get(key) for key in ("servers", "mcpServers")) if isinstance(data, dict) else ()
    servers = next((one for one in found if isinstance(one, dict)), None)
    if servers is None:
        raise AnsibleFilterError("secure_mcp_mcp_json: the file has neither servers nor mcpServers. Give a client's mcp.json.")
    return servers


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"mcp_urls": mcp_urls}
