# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check of an MCP server is told."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option

ATTEMPTS = 3  # calls without a token before "secured" is said, unless told otherwise


@dataclass(frozen=True)
class CheckOptions(ModuleOptions):
    """Options of mcp_check. wait_timeout in seconds."""

    url: str = option(required=True)
    gateway: bool = option(True)
    attempts: int = option(ATTEMPTS)
    authorization_server: str | None = option()
    list_tools: bool = option(False)
    token: str | None = option(no_log=True)
    username: str | None = option()
    password: str | None = option(no_log=True)
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)
    redirect_uri: str | None = option()
    scope: str | None = option()
    audience: bool = option(False)
    tool_scopes: dict[str, Any] | None = option()
    subscription: bool = option(False)
    doctor: bool = option(False)
    am_version: str | None = option()
    expect: list[str] | None = option(
        choices=["open", "secured", "upstream_secured", "unreachable", "misconfigured", "unknown"]
    )
    wait_timeout: int = option(0)
    RULES = {
        "required_together": [["username", "password"]],
        "mutually_exclusive": [["token", "username"], ["token", "client_secret"]],
        "required_by": {"client_secret": ["client_id"]},
    }
