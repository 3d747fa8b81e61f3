# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs, as users give them."""
from __future__ import annotations

from urllib.parse import urlsplit

WELL_KNOWN = "/.well-known/oauth-protected-resource"  # where a protected resource's metadata is (RFC 9728)


def below(base: str, *paths: str) -> str:
    """The URL of a path, given in one or more parts, below a base URL, whatever slashes they have at their ends."""
    return "/".join([base.rstrip("/"), *filter(None, (path.strip("/") for path in paths))])


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
