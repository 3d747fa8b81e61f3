# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The selection rule of a plan that takes tokens for this MCP server only. Pure: no HTTP.

The gateway reads the token's claims; `aud` is a list there. Without a rule it takes any token that AM calls active, also one that
was asked for without `resource`. A user's token has the claim `gis`; one by client credentials has none, and its `sub` is the
client's id. Seen on running gateways; a rule begins with `{#`, any other text never holds.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import given

CLAIMS = "#context.attributes['jwt'].claims"
_AUDIENCE, _USER, _MACHINE = f"{CLAIMS}['aud'].contains(%s)", f"{CLAIMS}['gis'] != null", f"{CLAIMS}['sub'] == %s"
# A first term in parentheses needs one before it, as an expression has to begin with {#.
_HAS_AUDIENCE = f"{CLAIMS}['aud'] != null"
LONGEST = 10_000  # characters: Spring, which the gateway evaluates with, fails for a longer expression
_QUOTABLE = re.compile(r"[ -~]+")
_TEXT = re.compile(r"'([^'{}\\]+)'")


@dataclass(frozen=True)
class Rule:
    """Which tokens a plan takes.

    audience: a token needs one of these URLs; empty for any. With `require_user` somebody has logged in, or the token is one that
    a client of `machine_clients` got for itself.
    """

    audience: tuple[str, ...] = ()
    require_user: bool = False
    machine_clients: tuple[str, ...] = ()

    def text(self) -> str:
        """The rule as APIM takes it, "" if it lets in any token. Refusal for what an expression cannot hold."""
        terms = [_any([_AUDIENCE % quoted(url, "audience") for url in self.audience])] if self.audience else []
        if self.require_user:
            machines = [_MACHINE % quoted(client, "machine_clients") for client in self.machine_clients]
            terms.append(_any([_USER, *machines]))
        if terms and terms[0].startswith("("):
            terms.insert(0, _HAS_AUDIENCE)
        text = f"{{{' && '.join(terms)}}}" if terms else ""
        if len(text) > LONGEST:
            raise Refusal(
                f"machine_clients: with {len(self.machine_clients)} of them, and {len(self.audience)} URLs in audience, the rule "
                f"has {len(text)} characters, and the gateway takes {LONGEST}. Give some of them a plan of their own."
            )
        return text

    def covers(self, other: Rule) -> bool:
        """Whether this rule lets in no token that the other one would refuse."""
        if other.audience and not (self.audience and set(self.audience) <= set(other.audience)):
            return False
        if not other.require_user:
            return True
        return self.require_user and set(self.machine_clients) <= set(other.machine_clients)


def rule_of(text: str | None) -> Rule | None:
    """The rule that `text` is; None for one that somebody else wrote."""
    parts = text or ""
    urls = _texts(parts, _AUDIENCE)
    rule = Rule(tuple(urls), _USER in parts, tuple(_texts(parts, _MACHINE)))
    try:
        return rule if rule.text() == parts else None
    except Refusal:
        return None


def given_parts(options: Any) -> dict[str, Any]:
    """Of options with the names of a rule's fields, those that are given; lists are sets."""
    parts = {field.name: getattr(options, field.name) for field in fields(Rule)}
    return {name: tuple(sorted(set(value))) if isinstance(value, list) else value for name, value in given(parts).items()}


def quoted(text: str, option: str) -> str:
    """`text` as a string of an expression; Refusal for characters that end a string or an expression."""
    if not _QUOTABLE.fullmatch(text) or not _TEXT.fullmatch(f"'{text}'"):
        raise Refusal(
            f"{option}: {text!r} cannot stand in an expression of the gateway. Use printable ASCII without quotes, braces and "
            "backslashes."
        )
    return f"'{text}'"


def _texts(parts: str, form: str) -> list[str]:
    before, after = (re.escape(piece) for piece in form.split("%s"))
    return re.findall(before + _TEXT.pattern + after, parts)


def _any(terms: list[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' || '.join(terms)})"
