"""The words that are left out are found, and no others."""
from __future__ import annotations

import pytest

from tests.phrases import found


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("A stranger gets 401", ["stranger"]),
        ("It foretells\nwhat the setting Mends", ["foretells", "Mends"]),
        ("see e.g. the plan", ["e.g."]),
        ("amended, outdoors, recommend, secure_mcp_doors", []),
        ("anyone gets 401, per request", []),
    ],
)
def test_phrases(text: str, phrases: list[str]) -> None:
    assert [phrase for _line, phrase, _instead in found(text)] == phrases
