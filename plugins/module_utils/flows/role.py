# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's tasks ask for by name: the options of a step, and what a run says of itself in the end."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.flows import entering, leaving, rotating, steps
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.naming import named_by_role
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import CHANGING, Done, Options
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables

DECISIONS = ("url", "makes_test_client")


def ask(v: Variables, done: Done, name: str, *more: Any) -> Any:
    """What the task asks for as `name`: a decision of the variables, a function of this file, or a step of one of the others."""
    if name in DECISIONS:
        return getattr(v, name)
    functions = {**vars(steps), **vars(entering), **vars(leaving), **vars(rotating), **globals()}
    return functions[name](v, done, *more)


def told(done: Done, what: str, names: tuple[str, ...] = CHANGING) -> list[Any]:
    """The changes, or the diffs, of those of the results that changed something."""
    results: list[Mapping[str, Any]] = []
    for name in names:
        result = done.get(name) or {}
        results += result.get("results") or [_without_stop(result, done) if name == "left_api" else result]
    changed = [result for result in results if result.get("changes")]
    if what == "diff":
        return [result["diff"] for result in changed if result.get("diff")]
    return [change for result in changed for change in result["changes"]]


def _without_stop(result: Mapping[str, Any], done: Done) -> Mapping[str, Any]:
    """In a dry run the API still runs when it is to be deleted, and would be stopped once more."""
    stopped = bool((done.get("stop") or {}).get("changed"))
    left = [change for change in result.get("changes") or [] if not (stopped and change.startswith("stop API "))]
    return {**result, "changes": left}


def left_open(v: Variables, done: Done) -> bool:
    """Whether the documented flow opened the API in this run and has not closed it yet."""
    opened, closed = done.get("open_deployment") or {}, done.get("deployment") or {}
    api_id = (done.get("api") or {}).get("id")
    of_this_run = (closed.get("deployment") or {}).get("api_id") == api_id  # not of the loop's item before
    due = bool((done.get("situation") or {}).get("opening")) and bool(opened.get("changed")) and v.flow == "documented"
    return due and not (of_this_run and closed.get("changed"))


def failure(v: Variables, done: Done, task: Mapping[str, Any], failed: Mapping[str, Any]) -> str:
    """What failed, by the name of its task, in the role's variables; and that the API is open, where it stays so."""
    results = failed.get("results") or [failed]
    told = [str(one.get("msg") or "see above") for one in results if one.get("failed", True)]
    said = " ".join(named_by_role(str(task["action"]), one) for one in told)
    stands = f" WARNING: the API {v.name} is open to anyone at {v.url} (secure_mcp_on_failure: keep)."
    end = "" if said.endswith((".", "?", "!")) else "."
    return f"{task['name']}: {said}{end}{stands if left_open(v, done) and v.on_failure == 'keep' else ''}"


def result(v: Variables, done: Done) -> Options:
    """What a run of the role says in the end: its changes and diffs, who waits, and how the server looks from outside."""
    seen = done.get("verified") or {}
    return {
        "name": v.name,
        "url": v.url,
        "context_path": v.context_path,
        "changes": told(done, "changes"),
        "diff": told(done, "diff"),
        "waiting": (done.get("admission") or {}).get("waiting") or [],
        "seen": {key: seen[key] for key in ("result", "summary", "tools") if key in seen},
    }
