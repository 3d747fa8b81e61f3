# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new API with its resource "Gravitee.io AM Authorization Server" and its plan, by APIM's import: in one request."""
from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Managed, Plan, Planes, missing
from ansible_collections.gravitee.mcp.plugins.module_utils.core.validation import checked
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import ManagedAmResource, ResourceOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ApiOptions, ManagedApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import ManagedPlan, PlanOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim

REFUSED = (400, 404, 405, 501)  # of an import: a path that is taken since, a field that it does not know, no such endpoint
_OPTION = re.compile(r"[a-z_]+(?:, [a-z_]+)*: ")


@dataclass(frozen=True)
class ApiImportOptions(ModuleOptions):
    """Options of gravitee_api_import: those of the modules that each part has."""

    api: dict[str, Any] = option(required=True)
    resource: dict[str, Any] = option(required=True)
    plan: dict[str, Any] = option(required=True)


class ManagedApiImport(Managed):
    """{"api", "plans"}; None before. An API that exists already is brought there by one object after the other."""

    takes = ApiImportOptions
    kind = "api"

    def __init__(self, apim: Apim, params: ApiImportOptions):
        super().__init__()
        self.apim, self.params = apim, params
        given = checked(ApiOptions, "api", params.api)
        with _of("api"):
            self.api = ManagedApi(apim, given)
        if self.api.params.state != "present" or not self.api.paths:
            raise Refusal("api: an import makes an API. Give context_paths, and leave state out.")
        self.title = self.api.title
        self._name_parts({"context_path": self.api.paths[0].rstrip("/") or "/"})

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedApiImport:
        return cls(planes.apim, params)

    def _name_parts(self, api: dict[str, str]) -> None:
        """The objects of the API's parts, which find it by `api`."""
        resource = checked(ResourceOptions, "resource", {**self.params.resource, **api})
        plan = checked(PlanOptions, "plan", {**self.params.plan, **api})
        self.resource, self.plan_of_api = ManagedAmResource(self.apim, resource), ManagedPlan(self.apim, plan)

    def carry_out(self, apply: bool, settle: bool = True) -> dict[str, Any]:
        with _of("api"):
            there = self.api.observe()
        return self._one_by_one(apply) if there else super().carry_out(apply, settle)

    def _one_by_one(self, apply: bool) -> dict[str, Any]:
        """The parts find the API by its id: the list of a whole fleet's APIs, where it is looked for by its path, is older."""
        told = {"api": self._carry_out("api", self.api, apply)}
        self._name_parts({"api_id": told["api"]["id"]})
        told["resource"] = self._carry_out("resource", self.resource, apply)
        told["plan"] = self._carry_out("plan", self.plan_of_api, apply)
        changed = {name: one for name, one in told.items() if one["changed"]}
        diff = {when: {name: one["diff"][when] for name, one in changed.items()} for when in ("before", "after")}
        header = f"{self.kind} {self.title}"
        return {
            "api": told["api"]["api"],
            "id": told["api"]["id"],
            "plan": told["plan"]["plan"],
            "changed": bool(changed),
            "changes": [change for one in told.values() for change in one["changes"]],
            "diff": {**diff, "before_header": header, "after_header": header},
            "deployment_due": any(one["deployment_due"] for one in told.values()),
        }

    def _carry_out(self, name: str, managed: Managed, apply: bool) -> dict[str, Any]:
        with _of(name):
            told = managed.carry_out(apply)
        self.warnings += managed.warnings
        return told

    def observe(self) -> None:
        return None

    def desired(self, observed: None) -> dict[str, Any]:
        with _of("api"):
            api = self.api.desired(observed) or {}
            list(self.api.changes(observed, api))  # what it refuses is refused
        with _of("resource"):
            self.resource.api, self.resource.title = api, self.title
            resource = self.resource.desired(None)
            list(self.resource.changes(None, resource))
        api["resources"] = [*(api.get("resources") or []), resource]
        with _of("plan"):
            self.plan_of_api.api, self.plan_of_api.title = api, self.title
            plans = self.plan_of_api.desired({"plans": []})["plans"]
        for part in (self.api, self.resource, self.plan_of_api):
            self.unmet += part.unmet
            self.warnings += part.warnings
        return {"api": api, "plans": plans}

    def changes(self, observed: None, desired: dict[str, Any]) -> Iterable[Change]:
        [plan] = desired["plans"]
        parts = f"resource {self.resource.params.name} and plan {plan['name']} ({plan['security']['type']})"
        yield Change(f"import API {desired['api']['name']} at {self.title} with {parts}", lambda _: self._import(desired))

    def _import(self, desired: dict[str, Any]) -> dict[str, Any]:
        try:
            made = self.apim.import_api(desired)
        except ApiError as error:
            if error.status not in REFUSED:
                raise
            return self._read(self._one_by_one(apply=True)["id"])
        return self._completed(made["id"], desired)

    def _completed(self, api_id: str, desired: dict[str, Any]) -> dict[str, Any]:
        """What the import dropped is added: its answer does not tell, so it is read. Nothing is to do where it kept all."""
        now = self._read(api_id)
        [plan] = desired["plans"]
        kept = [one for one in now["plans"] if one["name"] == plan["name"] and not missing(one, plan)]
        if kept and not missing(now["api"], {**self.api.given, "resources": desired["api"]["resources"]}):
            return now
        self.api.params = replace(self.api.params, id=api_id)
        self._one_by_one(apply=True)
        return self._read(api_id)

    def _read(self, api_id: str) -> dict[str, Any]:
        return {"api": self.apim.api(api_id)[0], "plans": self.apim.plans(api_id)}

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        name = plan.after["plans"][0]["name"]
        made = next(one for one in value["plans"] if one["name"] == name)
        return {"api": mask(value["api"]), "id": value["api"].get("id"), "plan": mask(made), "deployment_due": True}


@contextlib.contextmanager
def _of(name: str) -> Iterator[None]:
    """A refusal of an object names its option below the option of the import."""
    try:
        yield
    except Refusal as error:
        raise Refusal(f"{name}.{error}" if _OPTION.match(str(error)) else str(error)) from error
