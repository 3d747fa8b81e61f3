# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that several hosts, forks and controllers write at the same time, on a server without conditional writes.

AM has no ETag: the last write wins, and whoever was overwritten is not told. So a writer reads immediately before it writes,
and reads back when every other writer's read and write must be over. What was overwritten is written again, on top of what
the others wrote. This holds as long as no other writer takes longer from its read to its write than this one waits.
"""
from __future__ import annotations

import random
import time
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed

WRITES = 8  # at most, for one object in one task
FACTOR = 4  # how many times as long as its own read and write a writer waits
SHORTEST = 0.05  # s


def wait_for_others(began: float, write: int = 1) -> None:
    """Wait longer than another writer's read and write take, judged by this one's since `began` (of the monotonic clock).

    write: which write of this task it was. Those who overwrote each other wait for different times from the second on.
    """
    pause(max(SHORTEST, FACTOR * (time.monotonic() - began)) * random.uniform(1, 2 ** min(write - 1, 4)))


def pause(seconds: float) -> None:
    """Wait so many seconds before what was written is read again."""
    time.sleep(seconds)


class Shared(Managed):
    """An object of that kind; subclasses also say how to read it again, what a request has to carry, and how to send it."""

    option = ""  # the option that names it, for sentences

    def read(self) -> dict[str, Any]:
        """The object, which exists, as the server has it now."""
        raise NotImplementedError

    def difference(self, observed: dict[str, Any], desired: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The body of the request from observed to desired, empty if there is none to send; the names of what it changes."""
        raise NotImplementedError

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send it; the object as the server answers it."""
        raise NotImplementedError

    def write(self) -> dict[str, Any]:
        """Write until what is read back holds what this task asks for; the object as it was read then."""
        names: list[str] = []
        for number in range(1, WRITES + 2):
            began = time.monotonic()
            now = self.read()
            body, names = self.difference(now, self.desired(now))
            if not body:
                return now
            if number <= WRITES:
                self._send(body)
                wait_for_others(began, number)
        raise Refusal(
            f"{self.option}: {self.title} was written {WRITES} times, and each time somebody else changed {', '.join(names)}. "
            "Make sure that no other task asks for other values, and run again."
        )

    def _send(self, body: dict[str, Any]) -> None:
        answered = self.send(body)
        ignored = self.difference(answered, self.desired(answered))[1]
        if ignored:
            raise Refusal(
                f"{self.option}: the server accepted the change of {self.title}, and has other values for {', '.join(ignored)}, "
                "or does not show them to this account."
            )
