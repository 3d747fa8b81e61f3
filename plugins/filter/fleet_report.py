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
  expected:
    description: How many servers there should be. Fewer make the report incomplete.
    type: int
  allow_none:
    description: Whether a report about no server at all may be complete.
    type: bool
    default: false
  previous:
    description: The text of the previous report in JSON, to tell what is new, fixed and gone. Empty for none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Write the report
  ansible.builtin.copy:
    content: "{{ fleet.servers | gravitee.mcp.fleet_report | to_nice_json }}"
    dest: /srv/www/report.json
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The report.
  type: dict
"""

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS

VERSION = 2
LONGEST = 120  # characters of a value that are shown
# What to do about each verdict, in one line.
REMEDIES = {
    "open": "Close it now: run fleet.yml or secure_mcp.yml, or stop the API.",
    "unknown": "Remove what kept it from being tested, and run the audit again.",
    "misconfigured": "Change the setting that the finding names, or run fleet.yml.",
    "upstream_secured": "Close any keyless plan, and switch off the MCP server's own authentication.",
    "unreachable": "Start and deploy the API, or correct its context path.",
    "drifted": "Run fleet.yml or secure_mcp.yml, or change the variables to what is there.",
    "refused": "Correct what the finding names, in the inventory or on the server.",
    "secured": "",
}


def fleet_report(
    outcomes: Iterable[Mapping[str, Any]],
    kind: str = "audit",
    made_from: Iterable[str] = (),
    domain_changes: Iterable[str] = (),
    expected: int | None = None,
    allow_none: bool = False,
    previous: str = "",
) -> dict[str, Any]:
    servers = sorted((_entry(outcome) for outcome in outcomes), key=_worst_first)
    counts = {posture: len([one for one in servers if one["posture"] == posture]) for posture in MEANINGS}
    looked = len([one for one in servers if one["tested"]])
    gaps = [f"{one['name']}: {one['refusal'] or one['summary']}" for one in servers if one["refusal"] or _in_vain(one)]
    missing = max(0, expected - len(servers)) if expected is not None else 0
    if missing:
        gaps.append(f"{missing} of {expected} hosts said nothing at all")
    if not servers and not allow_none:
        gaps.append("there are no servers: is the group of hosts, and the inventory, the right one?")
    return {
        "version": VERSION,
        "kind": kind,
        "made_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "made_on": socket.gethostname(),
        "made_from": [url for url in made_from if url],
        "complete": not gaps,
        "gaps": gaps,
        "total": len(servers),
        "counts": {**counts, "drifted": len([one for one in servers if one["drifted"]])},
        "share_secured": _share(counts["secured"], looked) if looked else None,
        "as_described": not gaps and not list(domain_changes) and all(_as_described(one) for one in servers),
        "domain_changes": list(domain_changes),
        "legend": dict(MEANINGS),
        "compared": _compared(servers, kind, previous),
        "servers": servers,
    }


def _findings(servers: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Name and URL of each server → what is to be done about it: its verdict, if that is not right, and its drift."""
    return {_titled(one): {*one["changes"], *([] if _right(one) else [one["posture"]])} for one in servers}


def _share(part: int, whole: int) -> float:
    """To four digits; 1 only if it is all of them."""
    return 1.0 if part == whole else min(round(part / whole, 4), 0.9999)


def _titled(one: Mapping[str, Any]) -> str:
    return f"{one['name']} ({one['url']})" if one["url"] else str(one["name"])


def _compared(servers: list[dict[str, Any]], kind: str, previous: str) -> dict[str, Any]:
    """What changed since the previous report of the same kind: server → findings; or why nothing is compared."""
    empty: dict[str, Any] = {"with": None, "why_not": "", "new": {}, "fixed": {}, "gone": []}
    if not previous.strip():
        return {**empty, "why_not": "there is no previous report"}
    try:
        report = json.loads(previous)
        if (report["version"], report["kind"]) != (VERSION, kind):
            return {**empty, "why_not": "the previous report is of another version or kind"}
        before, now = _findings(report["servers"]), _findings(servers)
        made_at = str(report["made_at"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {**empty, "why_not": "the previous report cannot be read"}
    new = {name: sorted(found - before.get(name, set())) for name, found in now.items()}
    fixed = {name: sorted(before[name] - found) for name, found in now.items() if name in before}
    listed = {"new": new, "fixed": fixed}
    told = {key: {name: found for name, found in value.items() if found} for key, value in listed.items()}
    return {**empty, **told, "with": made_at, "gone": sorted(set(before) - set(now))}


def _entry(outcome: Mapping[str, Any]) -> dict[str, Any]:
    seen = outcome.get("seen") or {}
    posture = seen.get("result") if seen.get("result") in MEANINGS else "unknown"
    refusal = str(outcome.get("msg") or "it was refused, without a reason") if outcome.get("failed") else ""
    # Behind a refusal may be an API that is another than the inventory's: whatever it looks like, it is not what was described.
    posture = "unknown" if refusal and posture == "secured" else posture
    diff = list(outcome.get("diff") or [])
    drifted = bool(outcome.get("changes"))
    remedy = "refused" if refusal and posture == "unknown" else "drifted" if drifted and posture == "secured" else posture
    untested = "not tested from outside" if not seen and not refusal else ""
    return {
        "name": outcome["name"],
        "url": outcome["url"],
        "context_path": outcome["context_path"],
        "posture": posture,
        "tested": bool(seen),
        "summary": seen.get("summary") or refusal or untested,
        "refusal": refusal,
        "todo": "" if untested and not drifted else REMEDIES["drifted" if untested else remedy],
        "outside": bool(outcome.get("outside")),
        "drifted": drifted,
        "changes": list(outcome.get("changes") or []),
        "changed_keys": [line for part in diff for line in _changed_keys(part)],
        "diff": diff,
        "steps": list(seen.get("steps") or []),
        "doctor": list(seen.get("doctor") or []),
    }


def _as_described(one: Mapping[str, Any]) -> bool:
    return not one["drifted"] and _right(one)


def _right(one: Mapping[str, Any]) -> bool:
    """Whether it is secured, as far as it was tested; outside Gravitee it may see to that itself."""
    right = ("secured", "upstream_secured") if one.get("outside") else ("secured",)
    return not one["refusal"] and (one["posture"] in right or not one["tested"])


def _in_vain(one: Mapping[str, Any]) -> bool:
    return one["tested"] and one["posture"] == "unknown"


def _worst_first(one: Mapping[str, Any]) -> tuple[int, bool, str]:
    return list(MEANINGS).index(one["posture"]), not one["drifted"], one["name"]


def _changed_keys(part: Mapping[str, Any]) -> list[str]:
    """The leaves that differ, "key: before → after" each."""
    return [f"{key or 'all'}: {_short(old)} → {_short(new)}" for key, old, new in _leaves(part.get("before"), part.get("after"))]


def _leaves(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}, key=str):
            yield from _leaves(old.get(name), new.get(name), f"{key}.{name}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _leaves(one, other, f"{key}[{number}]")
    elif old != new:
        yield key, old, new


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"fleet_report": fleet_report}
