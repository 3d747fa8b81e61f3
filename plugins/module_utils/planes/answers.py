# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server sent, as JSON and as words."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import is_text

DEEPEST = 100  # levels of JSON


@dataclass(frozen=True)
class Answer:
    """A whole answer of a server, within the limits."""

    status_code: int
    headers: Any
    content: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status says so; a redirect is none that was followed."""
        return self.status_code < 300

    @property
    def text(self) -> str:
        """The body as text, with replacement characters for what is no UTF-8."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """ValueError for what is no JSON, see from_json, or nested too deep."""
        value = from_json(self.content)
        layer, depth = [value], 0
        while layer := [part for one in layer for part in _parts(one)]:
            depth += 1
            if depth > DEEPEST:
                raise ValueError(f"JSON of more than {DEEPEST} levels")
        return value


def from_json(content: bytes) -> Any:
    """ValueError for what is no JSON, or has half a character in it, which can be sent to nobody."""
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError("JSON of too many levels") from error
    if b"\\ud" in content.lower() and not is_text(value):
        raise ValueError("JSON with a lone surrogate")
    return value


def _parts(value: Any) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def json_of(response: Any) -> dict[str, Any]:
    """The JSON object of a response; {} for anything else."""
    return object_of(response.content)


def object_of(content: bytes) -> dict[str, Any]:
    """A JSON object; {} for anything else."""
    try:
        body = from_json(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def message_of(response: Any) -> str:
    """What the server says of its refusal: APIM's and AM's message with APIM's details, OAuth's, or plain text.

    Not what is an object, or the beginning of one, with who knows what secrets in it.
    """
    body = json_of(response)
    if not body:
        text = " ".join(response.text.split())
        return "" if "html" in response.headers.get("Content-Type", "") or text[:1] in ("{", "[", '"') else text[:300]
    message = next((text for key in ("message", "error_description", "error") if (text := text_of(body, key))), "")
    listed = body.get("details")
    details = [
        " ".join(text for key in ("location", "message") if (text := text_of(detail, key)))
        for detail in (listed if isinstance(listed, list) else [])
        if isinstance(detail, dict)
    ]
    return "; ".join([message, *details]) if details else message


def code_of(response: Any) -> str:
    """APIM's technicalCode of a refusal; '' without one."""
    return text_of(json_of(response), "technicalCode")


def text_of(body: dict[str, Any], key: str) -> str:
    """The text under a key; '' for anything else."""
    value = body.get(key)
    return value if isinstance(value, str) else ""
