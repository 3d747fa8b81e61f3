# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an object is a secret: one rule, by which secrets are masked and found.

A secret is, by its place: all that is in a key that is named like one (clientSecret, keyPassword, keyContent …); the content of a
key store or trust store; the value of a header or property that is named like one, or is encrypted or to be encrypted. By its
form, anywhere: user and password in a URL, a key in a URL's query, a private key in PEM.
"""
from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "********"
SHORTEST = 8  # characters: removing shorter ones wherever they occur would garble what is no secret
_KEY = re.compile(r"(secret|password|passwd|passphrase|token|(private|api|access)[-_.]?key|key_?content)$", re.I)
_STORE = re.compile(r"(key|trust)_?store$", re.IGNORECASE)
_NAME = re.compile(
    r"authorization|\bx-auth|[-_]auth$|^auth$|cookie|secret|passw|passphrase|token|credential|signature"
    r"|(api|access|private|subscription|functions)[-_.]?key|^x-.*key$",
    re.IGNORECASE,
)
_IN_A_QUERY = "secret|passw(?:or)?d|token|key|sig(?:nature)?|auth|credential"
_PARTS = (  # of a text: what has to be in it, and the pattern with the secret in the group
    ("://", re.compile(r"\b[a-z][a-z0-9+.-]*://([^\s/?#@\"'<>]+)@", re.IGNORECASE)),
    ("=", re.compile(rf"[?&;](?:[\w.-]*(?:{_IN_A_QUERY})s?)=([^&#\s\"'<>]+)", re.IGNORECASE)),
    ("-----BEGIN", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.+?)(?:-----END|\Z)", re.DOTALL)),
)


def mask(value: Any, other: Any = None) -> Any:
    """`value` with every secret replaced by asterisks; a secret that differs from the one in `other` says so."""
    return _masked(value, other, "")


def mask_text(text: str) -> str:
    """A text with the secrets masked that are known by their form."""
    for sign, pattern in _PARTS:
        if sign in text:
            text = pattern.sub(lambda match: _around(match, MASK), text)
    return text


def _around(match: re.Match[str], instead: str) -> str:
    begin, end = match.start(1) - match.start(), match.end(1) - match.start()
    return f"{match[0][:begin]}{instead}{match[0][end:]}"


def secrets_in(value: Any, within: str = "") -> Iterator[str]:
    """Every text of `value` that `mask` replaces."""
    if isinstance(value, str):
        for sign, pattern in _PARTS:
            if sign in value:
                yield from (match[1] for match in pattern.finditer(value) if match[1] != MASK)
    elif isinstance(value, dict):
        for key, item in value.items():
            if _secret(value, key, within):
                yield from _texts(item)
            else:
                yield from secrets_in(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, within)


def without(secrets: Iterable[str], text: str) -> str:
    """A text with these secrets masked, the longest first."""
    for secret in sorted({secret for secret in secrets if len(secret) > 3}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _masked(value: Any, other: Any, within: str) -> Any:
    if isinstance(value, list):
        twins = other if isinstance(other, list) else []
        return [_masked(item, twins[i] if i < len(twins) else None, within) for i, item in enumerate(value)]
    if isinstance(value, dict):
        others = other if isinstance(other, dict) else {}
        return {
            key: _hidden(item, others.get(key)) if _secret(value, key, within) else _masked(item, others.get(key), str(key))
            for key, item in value.items()
        }
    if not isinstance(value, str):
        return value
    masked = mask_text(value)
    differs = isinstance(other, str) and other != value and masked != value and mask_text(other) == masked
    return f"{masked} (changed)" if differs else masked


def _hidden(item: Any, other: Any) -> str:
    return f"{MASK} (changed)" if other not in (None, item) else MASK


def _secret(owner: Mapping[Any, Any], key: Any, within: str) -> bool:
    """Whether what `owner` has under `key` is a secret; `within` is the key under which owner stands."""
    if key == "value":
        flagged = owner.get("encrypted") or owner.get("encryptable")
        named = flagged or _NAME.search(str(owner.get("name") or owner.get("key") or ""))
    else:
        named = _is_named_so(str(key), within)
    return bool(named) and next(_texts(owner[key]), None) is not None


@functools.lru_cache(4096)
def _is_named_so(key: str, within: str) -> bool:
    if _KEY.search(key) or (key == "content" and _STORE.search(within)):
        return True
    return within.lower() == "headers" and bool(_NAME.search(key))


def _texts(value: Any) -> Iterator[str]:
    """What could be told of a value in the place of a secret, however deep it is in it: no switch, and nothing that is masked."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None and value not in (True, False, "", MASK):
        yield str(value)
