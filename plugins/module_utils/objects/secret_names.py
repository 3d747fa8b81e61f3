# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names and times tell of an MCP server's secrets: which this collection made, which are left over, which expire soon.

AM lists a secret as {id, name, createdAt, expiresAt}, times in milliseconds since 1970, and never shows its value again. So the
name alone can tell which one an API uses: the deployment that brings a secret to the gateway is labelled with the secret's name.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

SHOWN = ("name", "createdAt", "expiresAt")
_GENERATED = re.compile(r"gravitee\.mcp \d{8}T\d{9}Z")


def generated_name(moment: datetime | None = None) -> str:
    """A name that says that this collection made the secret, and when (UTC). Its 32 characters fit the label of a deployment."""
    utc = (moment or datetime.now(timezone.utc)).astimezone(timezone.utc)
    return f"gravitee.mcp {utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03d}Z"


def is_generated(name: str) -> bool:
    """Whether this collection gave the name, so that a secret which nothing uses is its own to delete."""
    return bool(_GENERATED.fullmatch(name))


def shown(secret: Mapping[str, Any]) -> dict[str, Any]:
    """What results say of a secret: its name, createdAt, and expiresAt where it expires."""
    return {key: secret[key] for key in SHOWN if secret.get(key) is not None}


def by_age(secrets: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The oldest first."""
    return sorted(secrets, key=lambda one: one["createdAt"])


def left_over(secrets: Iterable[Mapping[str, Any]], in_use: Iterable[str]) -> list[str]:
    """The names of those that this collection made and nothing uses, the oldest first."""
    used = set(in_use)
    return [one["name"] for one in by_age(secrets) if is_generated(one["name"]) and one["name"] not in used]


def expiring(secrets: Iterable[Mapping[str, Any]], days: float, now: datetime | None = None) -> list[dict[str, Any]]:
    """Those that expire within so many days or have expired, the first to expire first."""
    until = ((now or datetime.now(timezone.utc)) + timedelta(days=days)).timestamp() * 1000
    found = [dict(one) for one in secrets if one.get("expiresAt") is not None and one["expiresAt"] <= until]
    return sorted(found, key=lambda one: one["expiresAt"])


def name_in_use(deployments: Iterable[tuple[str | None, str | None]], names: Iterable[str]) -> str | None:
    """The name of the secret that the gateway uses, where a deployment that has it is labelled with that name; else None.

    deployments: label and client secret of each, the newest first. Only those of the newest one's secret count.
    """
    served, known = None, set(names)
    for label, secret in deployments:
        served = served or secret
        if not secret or secret != served:
            return None
        if label in known:
            return label
    return None
