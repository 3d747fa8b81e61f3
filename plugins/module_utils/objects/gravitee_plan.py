# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of an API: who may call it, and on what proof."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, differing, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.token_plan import TokenOptions, TokenPlan
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, security_of

NAMES = {"KEY_LESS": "Keyless", "OAUTH2": "OAuth2", "API_KEY": "API key", "JWT": "JWT", "MTLS": "mTLS"}
SERVED = ("PUBLISHED", "DEPRECATED")  # what the gateway lets in
OF_THE_GATEWAY = ("security", "selectionRule", "mode", "tags", "flows")  # what the gateway runs of a plan
ALIVE = (*SERVED, "STAGING")  # a closed plan stays closed


@dataclass(frozen=True)
class PlanOptions(TokenOptions):
    """Options of gravitee_plan."""

    name: str | None = option()
    security: str | None = option(choices=["key_less", "oauth2", "api_key", "jwt", "mtls"])
    state: str = option("published", choices=["published", "staging", "deprecated", "closed", "absent"])
    description: str | None = option()
    validation: str | None = option(choices=["auto", "manual"], convert=str.upper)
    definition: dict[str, Any] = option({})
    will_exist: bool = option(False)
    only_new_api: bool = option(False)
    RULES = {"required_one_of": [["api_id", "context_path"], ["name", "security"]]}


def lets_in_anyone(plan: Mapping[str, Any]) -> bool:
    """Whether the plan lets in anyone, or will as soon as it is published."""
    return security_of(plan) == "KEY_LESS" and bool(plan["status"] != "CLOSED")


class ManagedPlan(TokenPlan):
    """{"plans": …}: the one plan meant, or, where plans are closed or removed, every one that is meant."""

    takes = PlanOptions
    params: PlanOptions
    kind = "plan"

    def __init__(self, apim: Apim, params: PlanOptions):
        super().__init__(apim, params)
        self.security = params.security.upper() if params.security else None
        self.status = params.state.upper()

    def observe(self) -> dict[str, Any]:
        plans = self.apim.plans(self.api["id"]) if self.find() else []
        meant = [plan for plan in plans if self._is_meant(plan)]
        if self.status == "ABSENT":
            return {"plans": meant}
        if self.status == "CLOSED":
            closing = ALIVE if self.params.name else SERVED
            return {"plans": [plan for plan in meant if plan["status"] in closing]}
        return {"plans": self._the_one(meant)}

    def _is_meant(self, plan: Mapping[str, Any]) -> bool:
        if self.params.name:
            return bool(plan["name"] == self.params.name)
        return security_of(plan) == self.security

    def _the_one(self, meant: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The plan that is furthest on its way; Refusal when two are equally far."""
        for status in ALIVE:
            found = [plan for plan in meant if plan["status"] == status]
            if len(found) > 1:
                raise Refusal(
                    f"name: the API {self.title} has {len(found)} {status.lower()} plans that this could mean: "
                    f"{', '.join(plan['id'] for plan in found)}. Give a name that only one has, or close the others."
                )
            if found:
                return found
        return []

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        plans = observed["plans"]
        if self.status == "ABSENT":
            return {"plans": []}
        if self.status == "CLOSED":
            if not plans and self.params.will_exist:
                self.unmet.append(f"The API {self.title} has no published plan to close, against what will_exist says.")
                plans = [{"name": self.params.name or NAMES[str(self.security)]}]
            return {"plans": [{**plan, "status": "CLOSED"} for plan in plans]}
        return {"plans": [self._wanted(plans[0] if plans else None)]}

    def _wanted(self, plan: dict[str, Any] | None) -> dict[str, Any]:
        self._refuse_impossible(plan)
        security = str(self.security or security_of(plan or {}))
        fields = on_the_wire(self.params, ("name", "description", "validation"))
        base = plan or {
            "definitionVersion": "V4",
            "name": NAMES[security],
            "mode": "STANDARD",
            "validation": "AUTO" if security == "OAUTH2" else "MANUAL",
            "security": {"type": security},
        }
        wanted: dict[str, Any] = merge(merge(base, self.params.definition), fields)
        given = merge(self.params.security_configuration, self.oauth2_configuration() if security == "OAUTH2" else {})
        if given:
            wanted["security"] = merge(base["security"], {"type": security, "configuration": given})
        self.settle_tokens(security, base, wanted)
        wanted["status"] = self.status
        return wanted

    def _refuse_impossible(self, plan: Mapping[str, Any] | None) -> None:
        if plan is None:
            if not self.security:
                raise Refusal(f"security: the API {self.title} has no plan {self.params.name!r}, and a new one needs it.")
            return
        has = security_of(plan)
        if has is None:
            raise Refusal(f"name: the plan {plan['name']!r} of the API {self.title} has no security (PUSH). Give another name.")
        if self.security and has != self.security:
            raise Refusal(
                f"security: the plan {plan['name']!r} of the API {self.title} is {has}, and no plan changes its security. "
                "Give another name, or close that plan first."
            )
        if plan["status"] != self.status and (self.status == "STAGING" or plan["status"] == "DEPRECATED"):
            raise Refusal(
                f"state: the plan {plan['name']!r} of the API {self.title} is {plan['status'].lower()} and cannot become "
                f"{self.status.lower()} again. Close it and give the new plan another name."
            )

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        self.need_api()
        if self.status in ("ABSENT", "CLOSED"):
            for plan in observed["plans"] or desired["plans"]:
                if plan.get("status") != "CLOSED" or not observed["plans"]:
                    yield self._request("close", plan, self.apim.close_plan)
                if self.status == "ABSENT":
                    yield self._request("delete", plan, self.apim.delete_plan)
            return
        wanted, plan = desired["plans"][0], next(iter(observed["plans"]), None)
        status = plan["status"] if plan else "STAGING"
        body = {key: value for key, value in wanted.items() if key != "status"}
        if plan is None:
            yield Change(f"create {self._called(wanted)}", lambda _: self._now(self._create(body)))
        elif body != {key: value for key, value in plan.items() if key != "status"}:
            names = ", ".join(key for key in differing(plan, body) if key != "status")
            yield Change(
                f"update {names} of {self._called(wanted)}",
                lambda _: self._now(self.apim.update_plan(self._id, plan["id"], body)),
            )
        if status == "STAGING" and self.status != "STAGING":
            yield Change(f"publish {self._called(wanted)}", self._publish)
        if self.status == "DEPRECATED" and status != "DEPRECATED":
            yield Change(f"deprecate {self._called(wanted)}", lambda now: self._step(self.apim.deprecate_plan, now))

    @property
    def _id(self) -> str:
        return str(self.api["id"])

    @staticmethod
    def _now(plan: dict[str, Any]) -> dict[str, Any]:
        return {"plans": [plan]}

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        """A plan of this name; the older one, should somebody else have made one in the same moment: names are not unique."""
        self._refuse_if_closed()
        mine = self.apim.create_plan(self._id, body)
        rivals = [plan for plan in self.apim.plans(self._id, ALIVE) if self._is_meant(plan) and plan["name"] == mine["name"]]
        eldest = min(rivals, key=lambda plan: (str(plan.get("createdAt")), plan["id"]), default=mine)
        if eldest["id"] != mine["id"]:
            self.apim.delete_plan(self._id, mine["id"])
        return eldest

    def _refuse_if_closed(self) -> None:
        """Asked right before the writing: between the look and now another run may have secured the API."""
        if not (self.params.only_new_api and self.api):
            return
        api, plans = self.apim.api(self._id)[0], self.apim.plans(self._id)
        others = [plan for plan in plans if plan["status"] != "STAGING" and not lets_in_anyone(plan)]
        if "deployedAt" in api or others:
            what = "was deployed" if "deployedAt" in api else f"has the plan {others[0]['name']} ({others[0]['status'].lower()})"
            raise Refusal(f"only_new_api: the API {self.title} {what} since, so it is not opened. Run again.")

    def _publish(self, now: dict[str, Any]) -> dict[str, Any]:
        self._refuse_if_closed()
        try:
            return self._step(self.apim.publish_plan, now)
        except ApiError as error:
            if error.code != "plan.published":
                raise
            return now

    def _step(self, endpoint: Any, now: dict[str, Any]) -> dict[str, Any]:
        return self._now(endpoint(self._id, now["plans"][0]["id"]))

    def _request(self, verb: str, plan: Mapping[str, Any], endpoint: Any) -> Change:
        """A change of one of several plans; the others stay as they are in what it returns."""

        def apply(now: dict[str, Any]) -> dict[str, Any]:
            left = endpoint(self._id, plan["id"])
            plans = [left if one["id"] == plan["id"] else one for one in now["plans"]]
            return {"plans": [one for one in plans if one]}

        return Change(f"{verb} {self._called(plan)}", apply)

    def _called(self, plan: Mapping[str, Any]) -> str:
        security = (plan.get("security") or {}).get("type") or self.security
        return f"plan {plan['name']} ({security}) of API {self.title}"

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        plans = mask(value["plans"])
        first = plans[0] if plans else {}
        return {"plan": first, "plans": plans, "id": first.get("id"), "deployment_due": self._deployment_due(plan)}

    def _deployment_due(self, plan: Plan) -> bool:
        """A published plan that came, went or changed what the gateway runs of it is what the gateway does not serve yet."""

        def served(plans: list[dict[str, Any]]) -> list[Any]:
            return [(p.get("id"), *(p.get(key) for key in OF_THE_GATEWAY)) for p in plans if p.get("status") in SERVED]

        coming = self.params.will_exist and plan.changed
        return coming or served(plan.before["plans"]) != served(plan.after["plans"])
