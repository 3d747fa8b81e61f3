"""What is made of a definition before it meets the API."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.definition import normal_definition, not_compared

STORED = {"key": "k", "value": "h6m88lc=", "encrypted": True, "dynamic": False}
HAS = {"properties": [STORED, {"key": "plain", "value": "v", "encrypted": False, "dynamic": False}]}


@pytest.mark.parametrize(
    ("given", "there", "new"),
    [
        ({"value": "v", "encryptable": True}, STORED, {"value": "v", "encryptable": True}),
        ({"value": "v", "encrypted": True}, STORED, {"value": "v", "encryptable": True}),
        ({"value": "v", "encrypted": False, "encryptable": True}, STORED, {"value": "v", "encryptable": True}),
        ({"value": "v", "encryptable": False}, STORED, {"value": "v"}),
        ({"value": "v", "encrypted": False}, {**STORED, "value": "v", "encrypted": False}, {"value": "v", "encrypted": False}),
    ],
)
def test_a_property_is_sent_to_be_encrypted_or_kept(given: dict[str, Any], there: Any, new: dict[str, Any]) -> None:
    """Where the API has it encrypted, and where there is none yet."""
    definition = {"properties": [{"key": "k", **given}]}
    assert normal_definition(definition, HAS)["properties"] == [there]
    assert normal_definition(definition)["properties"] == [{"key": "k", **new}]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"key": "k", "value": "v", "encryptable": True}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": STORED["value"], "encrypted": True}, False),
        ({"key": "k", "value": "v", "encrypted": False}, False),
        ({"key": "plain", "value": "w"}, False),
        ({"key": "new", "value": "v", "encryptable": True}, False),
    ],
)
def test_a_value_that_is_not_compared_is_told(given: dict[str, Any], told: bool) -> None:
    warnings = not_compared({"properties": [given]}, HAS)
    assert bool(warnings) is told
    assert not warnings or "value of k encrypted" in warnings[0]
