# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that are served beside the one that these variables describe, and let in what its rule or its flows would refuse.

Rule and flows of a plan count for that plan alone, and a deprecated plan is served like a published one (seen).
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import Rule, rule_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.tool_flows import is_ours
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import security_of

WITH_TOKEN = ("OAUTH2", "JWT")


@dataclass(frozen=True)
class PlanBeside:
    """lets_in: what it takes, in words."""

    name: str
    security: str
    status: str
    lets_in: str


def plans_beside(v: Variables, plans: Sequence[Mapping[str, Any]]) -> list[PlanBeside]:
    """The OAuth2 and JWT plans of an API that are served beside the described one and let in more than it does."""
    served = [plan for status in SERVED for plan in plans if plan["status"] == status]
    named = [plan for plan in served if plan["name"] == v.plan_name and security_of(plan) == "OAUTH2"]
    others = [plan for plan in served if plan not in named[:1] and security_of(plan) in WITH_TOKEN]
    told = [(plan, "; ".join(_lets_in(v, plan))) for plan in others]
    return [_beside(plan, lets_in) for plan, lets_in in told if lets_in]


def _beside(plan: Mapping[str, Any], lets_in: str) -> PlanBeside:
    return PlanBeside(plan["name"], str(security_of(plan)).lower(), plan["status"].lower(), lets_in)


def in_words(v: Variables, beside: PlanBeside) -> str:
    """The warning of such a plan, with what to do."""
    served = f"The plan {beside.name!r} ({beside.security}, {beside.status}) is served beside {v.plan_name!r}"
    return f"{served} and lets in {beside.lets_in}. Give it the same audience, user and tools with gravitee_plan, or close it."


def _lets_in(v: Variables, plan: Mapping[str, Any]) -> Iterable[str]:
    text = plan.get("selectionRule")
    rule = rule_of(text)
    if rule is None:
        yield f"tokens by a selection rule of its own, {text}"
    elif not rule.covers(Rule(audience=tuple(v.audience))):
        yield "tokens that are not for this server"
    if rule is not None and v.require_user and not rule.require_user:
        yield "tokens of clients without a user"
    if v.enforces_tools and not any(is_ours(flow) for flow in plan.get("flows") or []):
        yield "calls of every tool, whatever scopes it has"
