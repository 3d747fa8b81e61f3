# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of steps.py by the objects behind the modules: for a fleet, and for the look before anything is written."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import Given, checked
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import admission, entering, steps
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.naming import named
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import Situation
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.snapshot import StepByStep
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import SECURE, Step
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import check
from ansible_collections.gravitee.mcp.plugins.module_utils.objects import (
    am_application,
    am_domain_settings,
    am_mcp_server,
    am_mcp_server_secret,
    am_resource,
    gravitee_api,
    gravitee_api_import,
    gravitee_deployment,
    gravitee_plan,
    gravitee_subscription,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


@dataclass(frozen=True)
class Planes:
    """APIM and AM, or snapshots of them, and how to reach what is outside."""

    apim: Any
    am: Any
    options: Options


Spec = Mapping[str, Any]
# Of each module: the argument spec, and the object that it manages.
OBJECTS: dict[str, tuple[Spec, Callable[[Planes, Mapping[str, Any]], Managed]]] = {
    "gravitee_api": (gravitee_api.SPEC, lambda planes, params: gravitee_api.ManagedApi(planes.apim, params)),
    "gravitee_api_import": (
        gravitee_api_import.SPEC,
        lambda planes, params: gravitee_api_import.ManagedApiImport(planes.apim, params),
    ),
    "gravitee_plan": (gravitee_plan.SPEC, lambda planes, params: gravitee_plan.ManagedPlan(planes.apim, params)),
    "gravitee_deployment": (
        gravitee_deployment.SPEC,
        lambda planes, params: gravitee_deployment.ManagedDeployment(planes.apim, params, planes.options),
    ),
    "gravitee_subscription": (
        gravitee_subscription.SPEC,
        lambda planes, params: gravitee_subscription.ManagedSubscription(planes.apim, params),
    ),
    "am_application": (am_application.SPEC, lambda planes, params: am_application.ManagedApplication(planes.am, params)),
    "am_domain_settings": (am_domain_settings.SPEC, lambda planes, params: am_domain_settings.ManagedDomain(planes.am, params)),
    "am_mcp_server": (am_mcp_server.SPEC, lambda planes, params: am_mcp_server.ManagedMcpServer(planes.am, params)),
    "am_mcp_server_secret": (
        am_mcp_server_secret.SPEC,
        lambda planes, params: am_mcp_server_secret.ManagedMcpServerSecret(planes.am, params, planes.options),
    ),
    "am_resource": (am_resource.SPEC, lambda planes, params: am_resource.ManagedAmResource(planes.apim, params)),
    "mcp_admission": (admission.SPEC, lambda planes, params: admission.ManagedAdmission(planes.apim, planes.am, params)),
}


def object_of(module: str, options: Mapping[str, Any], planes: Planes) -> Managed:
    """The object behind a module with these options, which are checked as the module checks them."""
    spec, make = OBJECTS[module]
    return make(planes, checked(module, spec, options))


class Walk:
    """One server's way through the steps. `told` has every step's result, in order, `done` the last of each name."""

    def __init__(self, v: Variables, seen: Situation, tools: list[dict[str, Any]] | None, planes: Planes, apply: bool):
        self._apim = StepByStep(planes.apim)
        self.v, self.planes, self.apply = v, replace(planes, apim=self._apim), apply
        self.done: dict[str, dict[str, Any]] = {"situation": {**seen.facts(), "tools": tools}}
        self.told: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self._unsettled: Managed | None = None

    def secure(self, *, domain: bool = True) -> list[dict[str, Any]]:
        """All that the role does, but for the look from outside in the end; without the domain where that is done for many."""
        for step in SECURE:
            if step.name == steps.NAMES_CLIENTS:
                self._create_clients()
            if step.is_due(self.done) and (domain or step.name != "domain"):
                self._take(step)
        if self.v.api_type != "mcp_proxy":
            self._subscribe_clients()
        return self.told

    def _take(self, step: Step) -> None:
        if step.module == "mcp_check":
            if self.apply and self.v.verify:
                check(Given(step.options(self.v, self.done)), self.planes.options)
            return
        self.done[step.name] = self.carry_out(step.module, step.options(self.v, self.done))

    def _create_clients(self) -> None:
        names = entering.client_names(self.v, self.done)
        made = [{**self.carry_out("am_application", entering.client(self.v, self.done, name)), "item": name} for name in names]
        self.done["clients"] = {"results": made}

    def _subscribe_clients(self) -> None:
        for name in entering.subscriber_names(self.v, self.done):
            self.carry_out("gravitee_subscription", entering.subscription(self.v, self.done, name))
        if self.v.registered_clients != "ignore":
            self.done["admission"] = self.carry_out("mcp_admission", entering.admission(self.v, self.done))

    def carry_out(self, module: str, options: Mapping[str, Any]) -> dict[str, Any]:
        last = module == "gravitee_deployment" and options.get("wait_for") == "secured"
        self._apim.next_step()
        try:
            managed = object_of(module, options, self.planes)
            result = managed.carry_out(self.apply, settle=not last)
        except Refusal as error:
            raise Refusal(named(module, str(error))) from error
        if last:
            self._unsettled = managed
        self.told.append(result)
        self.warnings += managed.warnings
        return result

    def settle(self) -> None:
        """The proof from outside, after the last deployment."""
        self._apim.forget()
        if self._unsettled:
            self._unsettled.settle()
