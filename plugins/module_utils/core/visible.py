# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that others wrote, in sentences that a terminal shows."""
from __future__ import annotations

import unicodedata

_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # controls, marks of direction, private use, surrogates, line separators


def visible(text: str) -> str:
    """The text with every character that a terminal would obey, or hide, as an escape such as \\x1b."""
    return "".join(_escaped(one) if unicodedata.category(one) in _UNSEEN else one for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
