# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a plane that need not be asked for again."""
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any


def once(ask: Callable[..., Any]) -> Callable[..., Any]:
    """`ask`, asked once for the same arguments, also by threads that come at once; other arguments wait for nothing."""
    locks: dict[tuple[Any, ...], Lock] = {}
    known = cache(ask)

    def asked(*given: Any) -> Any:
        with locks.setdefault(given, Lock()):
            return known(*given)

    return asked


class Live:
    """A plane that is asked and told everything anew, but for what `known` answers."""

    def __init__(self, plane: Any, **known: Any):
        self._plane = plane
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plane, name)
