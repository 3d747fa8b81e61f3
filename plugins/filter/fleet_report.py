# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcomes of a fleet as one report."""
from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
short_description: The outcomes of a fleet as one report
version_added: 0.1.0
description:
  - Counts, and one entry a server, of what M(gravitee.mcp.mcp_fleet) returns. The fields are described in C(docs/fleets.md).
positional: kind
options:
  _input:
    description: The servers as M(gravitee.mcp.mcp_fleet) returns them.
    type: list
    elements: dict
    required: true
  kind:
    description: What made it, such as V(audit).
    type: str
    default: audit
  made_from:
    description: URLs of the management APIs that were asked.
    type: list
    elements: str
    default: []
  domain_changes:
    description: What has drifted in the domains.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.copy:
    content: "{{ fleet.servers | gravitee.mcp.fleet_report | to_nice_json }}"
    dest: /srv/www/report.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
"""

import socket
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

VERSION = 1
POSTURES = ("secured", "open", "misconfigured", "upstream_secured", "unreachable", "refused", "unknown")


def fleet_report(
    outcomes: Iterable[Mapping[str, Any]],
    kind: str = "audit",
    made_from: Iterable[str] = (),
    domain_changes: Iterable[str] = (),
) -> dict[str, Any]:
    servers = [_entry(outcome) for outcome in outcomes]
    counts = {posture: len([one for one in servers if one["posture"] == posture]) for posture in POSTURES}
    drifted = len([one for one in servers if one["drifted"]])
    looked = len(servers) - counts["unknown"]
    return {
        "version": VERSION,
        "kind": kind,
        "made_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "made_on": socket.gethostname(),
        "made_from": [url for url in made_from if url],
        "total": len(servers),
        "counts": {**counts, "drifted": drifted},
        "share_secured": round(counts["secured"] / looked, 4) if looked else None,
        "as_described": drifted == 0 and not list(domain_changes) and counts["secured"] + counts["unknown"] == len(servers),
        "domain_changes": list(domain_changes),
        "servers": servers,
    }


def _entry(outcome: Mapping[str, Any]) -> dict[str, Any]:
    seen = outcome.get("seen") or {}
    return {
        "name": outcome["name"],
        "url": outcome["url"],
        "context_path": outcome["context_path"],
        "posture": "refused" if outcome.get("failed") else seen.get("result") or "unknown",
        "summary": outcome.get("msg") or seen.get("summary") or "",
        "drifted": bool(outcome.get("changes")),
        "changes": list(outcome.get("changes") or []),
        "diff": list(outcome.get("diff") or []),
        "steps": list(seen.get("steps") or []),
    }


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"fleet_report": fleet_report}
