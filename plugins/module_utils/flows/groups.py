# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of the inventory. There are all of them, also without hosts, and no host has the name of one."""
from __future__ import annotations

GROUPS = ("mcp_servers", "open", "unknown", "secured", "misconfigured", "stopped", "drifted")
RESERVED = {*GROUPS, "all", "ungrouped", "localhost"}
