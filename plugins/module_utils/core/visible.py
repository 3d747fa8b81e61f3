# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that others wrote, in sentences that a terminal shows."""
from __future__ import annotations

import re
import unicodedata
from typing import Any

_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # controls, marks of direction, private use, surrogates, line separators
LONGEST = 4000  # characters of a sentence
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with every character that a terminal would obey, or hide, as an escape such as \x1b."""
    if text.isprintable():
        return text
    return "".join(_escaped(one) if unicodedata.category(one) in _UNSEEN else one for one in text)


def sentence(text: str) -> str:
    """Visible, and of a length that somebody reads: names and parameters in it may be longer."""
    said = visible(text)
    return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 4 :]}"


def is_text(value: Any) -> bool:
    """Whether a value, with all that is in it, can be written: a lone surrogate, which JSON can bring, is half a character."""
    if isinstance(value, (list, tuple)):
        return all(map(is_text, value))
    if isinstance(value, dict):
        return all(is_text(part) for pair in value.items() for part in pair)
    return not isinstance(value, str) or not _SURROGATE.search(value)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
