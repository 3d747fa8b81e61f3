"""What a terminal shows of what others wrote."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import LONGEST, is_text, sentence, visible
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_what_is_visible_stays_so(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert len(sentence(text * 1000)) <= LONGEST


def test_a_long_sentence_keeps_its_beginning_and_its_end() -> None:
    told = sentence(f"name: {'x' * 100_000} is no name. Give a shorter one.")
    assert told.startswith("name: xxx")
    assert " … " in told
    assert told.endswith("is no name. Give a shorter one.")


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", ["x", "\ud800"], {"a": {"\ud800": 1}}, {"a": [{"b": "\udc00"}]}])
def test_half_a_character_is_no_text(value: Any) -> None:
    assert not is_text(value)


@pytest.mark.parametrize("value", ["", "\U0001f511", "\x00", None, 5, [{"a": ["b"]}]])
def test_all_else_is(value: Any) -> None:
    assert is_text(value)
