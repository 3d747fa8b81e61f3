# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until the gateways serve what was deployed: seen from outside, more than once, and confirmed by APIM."""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer, McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

if TYPE_CHECKING:
    from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import DeploymentOptions

SHORTEST = 0.05  # s between two calls, at first
# What a call without a token gets: the word for wait_for, and the statuses that say so.
ANSWERS = {"open": range(200, 300), "secured": (401, 403), "absent": (404,)}


def wait_for(expected: str, params: DeploymentOptions, options: Options, confirm: Callable[[], str]) -> None:
    """Return when enough answers in a row were as expected and APIM confirms it; Refusal when they are not in time.

    Every call has a connection of its own: behind one address may be several gateways, and they follow one after the other.
    After an answer as expected the next call follows at once; after any other a pause, short at first.
    confirm asks APIM, and says what contradicts, "" if nothing does.
    """
    url, needed = str(params.gateway_url), max(1, params.wait_answers)
    deadline = time.monotonic() + params.wait_timeout
    last: list[Answer] = []
    pause = SHORTEST
    while True:
        last = [*last, _ask(url, options)][-needed:]
        agreed = len(last) == needed and all(answer.status in ANSWERS[expected] for answer in last)
        contradiction = confirm() if agreed else ""
        if agreed and not contradiction:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            break
        if contradiction or last[-1].status not in ANSWERS[expected]:
            time.sleep(max(0.0, min(pause, params.wait_interval, left)))
            pause *= 2
    raise Refusal(
        f"wait_timeout: after {params.wait_timeout} s "
        + (contradiction or f"a call of {url} with no token still gets {_in_words(last)}, not {expected}")
        + ". Is gateway_url right, and does every gateway behind it reach its management repository?"
    )


def _ask(url: str, options: Options) -> Answer:
    client = McpClient(url, options, retries=0)
    answer = client.greet()
    client.close()
    return answer


def _in_words(answers: list[Answer]) -> str:
    got = list(dict.fromkeys(str(answer.status or answer.trouble) for answer in answers))
    return got[0] if len(got) == 1 else f"{', '.join(got[:-1])} and {got[-1]} in turn"
