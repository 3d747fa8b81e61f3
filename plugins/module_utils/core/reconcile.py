# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe, desire, plan, apply.

A managed object says what the server has (observe), what the parameters ask for (desired) and which requests
lead from one to the other (changes). Check mode is a plan that nobody applies. Pure: no HTTP, nothing of Ansible.
"""
from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions

TO_COME = "yet to be generated"  # what a dry run has for an id or a secret that the server would generate
_IDENTITY = ("id", "key", "name", "path", "entrypoint", "host", "type")


def merge(observed: Any, given: Any) -> Any:
    """What the server should have: `given` laid over `observed`.

    Mappings merge key by key, None means not given, and an empty part that the server leaves out of what it has is empty
    there too (its GET leaves out empty resources). Lists of scalars are sets: the same elements in another
    order are the same. Lists of mappings hold just the given items, each laid over the observed item of the same
    identity (id, key, name, path …), so that what the server filled in is no drift. A property that the server encrypted keeps
    its cipher text, with which no given value can be compared, unless encrypted=False is given with a value.
    So nothing has drifted exactly when merge(observed, given) == observed.
    """
    if given is None:
        return copy.deepcopy(observed)
    if isinstance(given, dict):
        base = observed if isinstance(observed, dict) else {}
        merged = copy.deepcopy(base)
        if is_encrypted(base) and given.get("encrypted") is not False:
            given = {key: value for key, value in given.items() if key not in ("value", "encrypted", "encryptable")}
        for key, value in given.items():
            if value is None or (base and value in ({}, [], "") and base.get(key) is None):
                continue
            merged[key] = merge(base.get(key), value)
        return merged
    if isinstance(given, list):
        return _merge_list(observed if isinstance(observed, list) else [], given)
    return given


def is_encrypted(thing: Any) -> bool:
    """Whether a thing is a property of an API of which the server shows cipher text only."""
    return isinstance(thing, dict) and "value" in thing and thing.get("encrypted") is True


def _merge_list(observed: list[Any], given: list[Any]) -> list[Any]:
    if not any(isinstance(item, (dict, list)) for item in given):
        same = all(item in observed for item in given) and all(item in given for item in observed)
        return list(observed) if same else list(given)
    left = list(observed)
    merged = []
    for item in given:
        twin = next((other for other in left if _same_identity(other, item)), None)
        if twin is not None:
            left.remove(twin)
        merged.append(merge(twin, item))
    return merged


def _same_identity(observed: Any, given: Any) -> bool:
    if not (isinstance(observed, dict) and isinstance(given, dict)):
        return bool(observed == given)
    key = next((key for key in _IDENTITY if isinstance(given.get(key), (str, int))), None)
    if key is None:
        return bool(merge(observed, given) == observed)
    if key == "path" and given.get("host") and observed.get("host") != given["host"]:
        return False  # two paths of an API may differ by their hosts alone
    return bool(observed.get(key) == given[key])


def missing(actual: Any, given: Any, where: str = "") -> list[str]:
    """Paths of `given` that `actual` does not hold: what a server took without a word and dropped."""
    if given is None or merge(actual, given) == actual:
        return []
    if isinstance(given, dict) and isinstance(actual, dict):
        return [
            path
            for key, value in given.items()
            for path in missing(actual.get(key), value, f"{where}.{key}" if where else key)
        ]
    return [where or "."]


@dataclass(frozen=True)
class Change:
    """One request that a run would send.

    summary: what it does, in words, no secret in it. apply: sends it; takes the object as the change before left
    it, returns it as this one leaves it.
    """

    summary: str
    apply: Callable[[Any], Any]


@dataclass
class Plan:
    """The way from what is to what should be. `actual` is the object as the last change left it."""

    before: Any
    after: Any
    changes: list[Change] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    actual: Any = None

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    def apply(self) -> Any:
        """Send every change in order; refuse as a whole, before the first one, when something they need is missing."""
        if self.unmet:
            raise Refusal(self.unmet[0])
        self.actual = self.before
        for change in self.changes:
            self.actual = change.apply(self.actual)
        return self.actual

    def diff(self, header: str) -> dict[str, Any]:
        """Ansible's diff: the parts that differ, secrets masked. `header` names the object."""
        if not self.changed:
            return {"before": {}, "after": {}, "before_header": header, "after_header": header}
        if self.before == self.after:  # a renewed secret shows nowhere else
            before, after = "", "".join(f"{change.summary}\n" for change in self.changes)
        else:
            before, after = _differing(self.before or {}, self.after or {})
        return {
            "before": mask(before),
            "after": mask(after, before),
            "before_header": header,
            "after_header": header,
        }


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The keys under which the two do not hold the same."""
    return [key for key in {**before, **after} if before.get(key) != after.get(key)]


def _differing(before: Any, after: Any) -> tuple[Any, Any]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    keys = differing(before, after)
    return (
        {key: before[key] for key in keys if key in before},
        {key: after[key] for key in keys if key in after},
    )


class Planes(Protocol):
    """APIM and AM, or snapshots of them, and how to reach what is outside."""

    @property
    def apim(self) -> Any: ...

    @property
    def am(self) -> Any: ...

    @property
    def options(self) -> Any: ...


class Managed:
    """One object of the server. Subclasses say what is, what should be and how to get there."""

    takes: ClassVar[type[ModuleOptions]]  # the options of the object's module
    kind = ""  # the result's key, and the first word of the diff's header
    title = ""  # which object: a path, a name

    def __init__(self) -> None:
        self.unmet: list[str] = []  # what a change needs and the server does not have yet
        self.warnings: list[str] = []

    @classmethod
    def on(cls, planes: Planes, params: Any) -> Managed:
        """The object that these options, of the class `takes`, are about."""
        raise NotImplementedError

    def observe(self) -> Any:
        """The object as the server has it, None when there is none."""
        raise NotImplementedError

    def desired(self, observed: Any) -> Any:
        """The object as it should be, None when there should be none."""
        raise NotImplementedError

    def changes(self, observed: Any, desired: Any) -> Iterable[Change]:
        """The requests from observed to desired, in order."""
        raise NotImplementedError

    def facts(self, value: Any, plan: Plan) -> dict[str, Any]:
        """What a task returns of the object, under keys of the result."""
        return {self.kind: mask(value)}

    def settle(self) -> None:
        """After the changes: wait until they show. Reads only."""

    def carry_out(self, apply: bool, settle: bool = True) -> dict[str, Any]:
        """Plan, and apply the plan or not: what a task returns. Without `settle` that is left to the caller."""
        plan = self.plan()
        if apply:
            value = plan.apply()
            if settle:
                self.settle()
        else:
            self.warnings += [f"Taken as done by an earlier task: {sentence}" for sentence in plan.unmet[:1]]
            value = plan.after
        changes = [change.summary for change in plan.changes]
        diff = plan.diff(f"{self.kind} {self.title}")
        return {"changed": plan.changed, "changes": changes, "diff": diff, **self.facts(value, plan)}

    def plan(self) -> Plan:
        observed = self.observe()
        desired = self.desired(observed)
        changes = [] if desired == observed else list(self.changes(observed, desired))
        return Plan(before=observed, after=desired, changes=changes, unmet=self.unmet)
