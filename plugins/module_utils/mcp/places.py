# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which URLs are the same for a client, and which server an URL belongs to. What is no URL is like no other."""
from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port as they count; None for what is no http(s) URL."""
    parts = _split(url)
    if parts is None:
        return None
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or PORTS[parts.scheme]


def same_url(one: str, other: str) -> bool:
    """Whether both name the same resource: host in capitals, a port that goes without saying, a slash at the end do not count."""
    return origin(one) is not None and (origin(one), *_rest(one)) == (origin(other), *_rest(other))


def same_place(url: str, where: str) -> bool:
    """Whether a redirect leads to the same URL spelled otherwise: with or without a slash at its end, or from http to https."""
    here, there = origin(url), origin(where)
    if here is None or there is None or _rest(url) != _rest(where) or url == where:
        return False
    secure = here[0] == "http" and there[0] == "https" and here[1] == there[1]
    return here == there or secure


def belongs_to(url: str, expected: str) -> bool:
    """Whether `url` is of the server at `expected`, an issuer or a base URL: the same origin, and the path or one below it."""
    path, below = _rest(expected)[0], _rest(url)[0]
    return same_origin(url, expected) and (below == path or below.startswith(f"{path}/"))


def same_origin(url: str, expected: str) -> bool:
    """Whether `url` has the scheme, the host and the port of `expected`."""
    return origin(url) is not None and origin(url) == origin(expected)


def same_host(url: str, other: str) -> bool:
    """Whether both are on one host, whatever the port, and the second gives up no TLS that the first has."""
    here, there = origin(url), origin(other)
    return bool(here and there and here[1] == there[1] and (here[0] == "http" or there[0] == "https"))


def joined(url: str, where: str) -> str:
    """Where a redirect or a form of the page at `url` leads; what is no URL stays as it is, and leads nowhere."""
    try:
        return urljoin(url, where)
    except ValueError:
        return where


def texts(value: Any) -> list[str]:
    """The strings of a list that somebody else wrote; [] for anything else."""
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return None
    return parts if known else None


def _rest(url: str) -> tuple[str, str]:
    parts = _split(url)
    return (parts.path.rstrip("/"), parts.query) if parts else ("", "")
