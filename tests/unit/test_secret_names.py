"""What names and times tell of an MCP server's secrets."""
from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import (
    expiring,
    generated_name,
    is_generated,
    left_over,
    name_in_use,
)

MOMENT = datetime(2026, 11, 26, 1, 30, 5, 123999, timezone.utc)
OURS = [generated_name(MOMENT + timedelta(days=days)) for days in range(3)]
THEIRS = ["Default", "gravitee.mcp", "gravitee.mcp of Paris", "gravitee.mcp 1", f"{OURS[0]} (copy)", "production"]


def test_a_name_says_who_made_the_secret_and_when() -> None:
    assert generated_name(MOMENT) == "gravitee.mcp 20261126T013005123Z"
    assert generated_name(MOMENT.astimezone(timezone(timedelta(hours=9)))) == generated_name(MOMENT)
    assert len(generated_name()) == 32, "APIM's limit for the label of a deployment"
    assert all(map(is_generated, [*OURS, generated_name()]))
    assert not any(map(is_generated, THEIRS))


@pytest.mark.parametrize("in_use", [used for count in range(4) for used in itertools.combinations([*OURS, "Default"], count)])
def test_left_over_is_only_what_this_collection_made_and_nothing_uses(in_use: tuple[str, ...]) -> None:
    """Listed in any order; the oldest comes first."""
    names = [*OURS, *THEIRS]
    listed = [{"name": name, "createdAt": 1000 + at} for at, name in enumerate(names)]
    expected = [name for name in OURS if name not in in_use]
    assert left_over(listed, in_use) == left_over(reversed(listed), in_use) == expected


def test_which_expire_soon() -> None:
    def at(days: float | None) -> dict[str, Any]:
        when = None if days is None else int((MOMENT + timedelta(days=days)).timestamp() * 1000)
        return {"name": str(days), "createdAt": 1, "expiresAt": when} if days is not None else {"name": "never", "createdAt": 1}

    secrets = [at(None), at(30), at(2), at(-1), {**at(None), "expiresAt": None}]
    assert [one["name"] for one in expiring(secrets, 7, MOMENT)] == ["-1", "2"]
    assert [one["name"] for one in expiring(secrets, 0, MOMENT)] == ["-1"]
    assert [one["name"] for one in expiring(secrets, 365, MOMENT)] == ["-1", "2", "30"]
    now = datetime.now(timezone.utc).timestamp() * 1000
    today = [{"name": name, "createdAt": 1, "expiresAt": now + more} for name, more in (("ended", -1), ("soon", 3_600_000))]
    assert [one["name"] for one in expiring(today, 0)] == ["ended"]
    assert [one["name"] for one in expiring(today, 1)] == ["ended", "soon"]


@pytest.mark.parametrize(
    ("deployments", "name"),
    [
        ([], None),
        ([("a", "s1")], "a"),
        ([("a", None)], None),
        ([("other label", "s1")], None),
        ([(None, "s1"), ("a", "s1")], "a"),  # deployed again since, with the same secret
        ([("b", "s2"), ("a", "s1")], "b"),
        ([(None, "s2"), ("a", "s1")], None),  # a secret that nobody labelled
        ([(None, "s1"), ("a", None), ("a", "s1")], None),
        ([("gone", "s1"), ("a", "s0")], None),  # labelled with a secret that is not there any more
        ([("b", "s1"), ("a", "s1")], "b"),
    ],
)
def test_which_secret_a_gateway_uses(deployments: list[tuple[str | None, str | None]], name: str | None) -> None:
    assert name_in_use(deployments, ["a", "b", "Default"]) == name
