# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pydantic does for every object: parameters in, wire names out, one sentence when they don't fit."""
from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import (
    BaseModel,
    ConfigDict,
    ValidationError,
    to_camel,
)

WELL_KNOWN = "/.well-known/oauth-protected-resource"  # where a protected resource's metadata is (RFC 9728)


class Wire(BaseModel):
    """A part of an object under the names that the server uses (camelCase)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    @classmethod
    def given(cls, **values: Any) -> dict[str, Any]:
        """The wire form of the values that were given; Refusal names the first parameter that does not fit."""
        try:
            model = cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Refusal(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
        return model.model_dump(by_alias=True, exclude_none=True)


def web_url(value: str) -> str:
    """An http(s) URL with a host and no blanks; ValueError says what is wrong with any other."""
    if not _is_web_url(value):
        raise ValueError(f"{value!r} is no http(s) URL. Give the whole URL, such as http://host:9000/mcp.")
    return value


def _is_web_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return named and value.isprintable() and " " not in value
