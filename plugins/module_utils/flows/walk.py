# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of steps.py by the objects behind the modules: for a fleet, and for the look before anything is written."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.core.validation import checked
from ansible_collections.gravitee.mcp.plugins.module_utils.flows import entering, steps
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admission import ManagedAdmission
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.naming import named
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import Situation
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.snapshot import StepByStep
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import SECURE, Step
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import ManagedApplication
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import ManagedDomain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import ManagedMcpServer
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server_secret import ManagedMcpServerSecret
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import ManagedAmResource
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ManagedApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api_import import ManagedApiImport
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import ManagedDeployment
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import ManagedPlan
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import ManagedSubscription
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


@dataclass(frozen=True)
class Planes:
    """APIM and AM, or snapshots of them, and how to reach what is outside."""

    apim: Any
    am: Any
    options: Options


# Of each module: the object that it manages.
OBJECTS: dict[str, type[Managed]] = {
    "gravitee_api": ManagedApi,
    "gravitee_api_import": ManagedApiImport,
    "gravitee_plan": ManagedPlan,
    "gravitee_deployment": ManagedDeployment,
    "gravitee_subscription": ManagedSubscription,
    "am_application": ManagedApplication,
    "am_domain_settings": ManagedDomain,
    "am_mcp_server": ManagedMcpServer,
    "am_mcp_server_secret": ManagedMcpServerSecret,
    "am_resource": ManagedAmResource,
    "mcp_admission": ManagedAdmission,
}


def object_of(module: str, options: Mapping[str, Any], planes: Planes) -> Managed:
    """The object behind a module with these options, which are checked as the module checks them."""
    managed = OBJECTS[module]
    return managed.on(planes, checked(managed.takes, module, options))


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
                check(CheckOptions(**step.options(self.v, self.done)), self.planes.options)
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
