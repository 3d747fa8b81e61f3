"""The reconcile core, without a server."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Managed, Plan, merge, missing


@pytest.mark.parametrize(
    ("observed", "given", "merged"),
    [
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": 1}, {"a": None}, {"a": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 5}}, {"a": {"x": 5, "y": 2}}),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, {"a": ["x", "y"]}),
        ({"a": ["x", "y"]}, {"a": ["y"]}, {"a": ["y"]}),
        ({"a": ["b", "a"]}, {"a": ["b", "b"]}, {"a": ["b", "b"]}),
        ({"a": ["b"]}, {"a": ["b", "b"]}, {"a": ["b"]}),
        ({"a": ["b", "b", "a"]}, {"a": ["a", "b"]}, {"a": ["b", "b", "a"]}),
        ({"a": [{"id": 2}, {"id": 1}]}, {"a": [{"id": 2}, {"id": 2}]}, {"a": [{"id": 2}, {"id": 2}]}),
        ({"a": ["x"]}, {"a": []}, {"a": []}),
        ({"b": 1}, {"a": []}, {"b": 1}),
        ({"b": 1}, {"a": {}}, {"b": 1}),
        (None, {"a": {"b": {}}}, {"a": {"b": {}}}),
        ({"l": [{"id": 1, "filled": 2}]}, {"l": [{"id": 1, "new": 3}]}, {"l": [{"id": 1, "filled": 2, "new": 3}]}),
        ({"l": [{"id": 1}, {"id": 2}]}, {"l": [{"id": 2}]}, {"l": [{"id": 2}]}),
        ({"l": [{"name": "a", "v": 1}]}, {"l": [{"name": "b"}]}, {"l": [{"name": "b"}]}),
        ({"l": [{"x": 1, "y": 2}]}, {"l": [{"x": 1}]}, {"l": [{"x": 1, "y": 2}]}),
        ({"a": False}, {"a": True}, {"a": True}),
    ],
)
def test_merge(observed: Any, given: Any, merged: Any) -> None:
    assert merge(observed, given) == merged
    assert merge(merged, given) == merged


CIPHER = {"key": "k", "value": "h6m88lc=", "encrypted": True, "dynamic": False}


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        ({"key": "k", "value": "v", "encryptable": True}, CIPHER),
        ({"key": "k", "value": "v", "encrypted": True}, CIPHER),
        ({"key": "k", "value": "v"}, CIPHER),
        ({"key": "k", "dynamic": True}, {**CIPHER, "dynamic": True}),
        ({"key": "k", "value": "v", "encrypted": False}, {**CIPHER, "value": "v", "encrypted": False}),
        ({"key": "other", "value": "v", "encryptable": True}, {"key": "other", "value": "v", "encryptable": True}),
    ],
)
def test_no_plain_value_takes_the_place_of_cipher_text(given: Any, merged: Any) -> None:
    assert merge([CIPHER], [given]) == [merged]


def test_merge_copies() -> None:
    observed = {"a": {"b": [1]}}
    merge(observed, {})["a"]["b"].append(2)
    assert observed == {"a": {"b": [1]}}


def test_missing_names_what_a_server_dropped() -> None:
    assert missing({"a": 1, "c": {"x": 1}}, {"a": 1, "b": 2, "c": {"x": 1, "y": 2}}) == ["b", "c.y"]
    assert missing({"a": [1, 2]}, {"a": [2, 1]}) == []


class Thing(Managed):
    kind, title = "thing", "t"

    def __init__(self, stored: Any, wanted: Any):
        super().__init__()
        self.stored, self.wanted, self.sent = stored, wanted, []

    def observe(self) -> Any:
        return self.stored

    def desired(self, observed: Any) -> Any:
        return merge(observed, self.wanted)

    def changes(self, observed: Any, desired: Any) -> list[Change]:
        return [Change("one", lambda now: self._send("one", now)), Change("two", lambda now: self._send("two", desired))]

    def _send(self, what: str, now: Any) -> Any:
        self.sent.append(what)
        return now


def test_no_difference_is_no_change() -> None:
    plan = Thing({"a": 1}, {"a": 1}).plan()
    assert (plan.changed, plan.changes) == (False, [])
    assert plan.diff("h") == {"before": {}, "after": {}, "before_header": "h", "after_header": "h"}


def test_a_plan_sends_nothing_until_it_is_applied() -> None:
    thing = Thing({"a": 1, "same": 0}, {"a": 2})
    plan = thing.plan()
    assert thing.sent == []
    assert (plan.diff("h")["before"], plan.diff("h")["after"]) == ({"a": 1}, {"a": 2})
    assert plan.apply() == {"a": 2, "same": 0}
    assert thing.sent == ["one", "two"]


def test_what_is_unmet_stops_the_whole_plan() -> None:
    thing = Thing({"a": 1}, {"a": 2})
    thing.unmet.append("No such API.")
    with pytest.raises(Refusal, match="No such API"):
        thing.plan().apply()
    assert thing.sent == []


def test_a_renewed_secret_shows_in_the_diff_as_words() -> None:
    plan = Plan(before={"a": 1}, after={"a": 1}, changes=[Change("renew secret Default", lambda now: now)])
    assert (plan.diff("h")["before"], plan.diff("h")["after"]) == ("", "renew secret Default\n")
