# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of steps.py by the objects behind the modules: for a fleet, and for the look before anything is written."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admission import ManagedAdmission
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.situation import Situation
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import SECURE, Step, admission, client, subscription
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import check
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import ManagedApplication
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import ManagedDomain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import ManagedMcpServer
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server_secret import ManagedMcpServerSecret
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import ManagedAmResource
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ManagedApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import ManagedDeployment
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import ManagedPlan
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import ManagedSubscription
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


class Given(dict[str, Any]):
    """Parameters of a managed object; what is not given is None."""

    def __missing__(self, key: str) -> None:
        return None


@dataclass(frozen=True)
class Planes:
    """APIM and AM, or snapshots of them, and how to reach what is outside."""

    apim: Any
    am: Any
    options: Options


OBJECTS: dict[str, Callable[[Planes, Given], Managed]] = {
    "gravitee_api": lambda planes, given: ManagedApi(planes.apim, given),
    "gravitee_plan": lambda planes, given: ManagedPlan(planes.apim, given),
    "gravitee_deployment": lambda planes, given: ManagedDeployment(planes.apim, given, planes.options),
    "gravitee_subscription": lambda planes, given: ManagedSubscription(planes.apim, given),
    "am_application": lambda planes, given: ManagedApplication(planes.am, given),
    "am_domain_settings": lambda planes, given: ManagedDomain(planes.am, given),
    "am_mcp_server": lambda planes, given: ManagedMcpServer(planes.am, given),
    "am_mcp_server_secret": lambda planes, given: ManagedMcpServerSecret(planes.am, given, planes.options),
    "am_resource": lambda planes, given: ManagedAmResource(planes.apim, given),
    "mcp_admission": lambda planes, given: ManagedAdmission(planes.apim, planes.am, given),
}
# Defaults of modules that an object does not have of itself.
DEFAULTS: dict[str, Mapping[str, Any]] = {
    "gravitee_api": {"state": "present", "mcp_resource": True},
    "gravitee_plan": {"state": "published", "discovery": True},
    "gravitee_deployment": {"state": "started"},
    "gravitee_subscription": {"state": "present", "application_type": "native"},
    "am_application": {"state": "present"},
    "am_mcp_server": {"state": "present"},
    "am_resource": {"state": "present"},
}


def object_of(module: str, options: Mapping[str, Any], planes: Planes) -> Managed:
    """The object behind a module with these options."""
    return OBJECTS[module](planes, Given({**DEFAULTS.get(module, {}), **options}))


class Walk:
    """One server's way through the steps. `told` has every step's result, in order, `done` the last of each name."""

    def __init__(self, v: Variables, seen: Situation, tools: list[dict[str, Any]] | None, planes: Planes, apply: bool):
        self.v, self.planes, self.apply = v, planes, apply
        self.done: dict[str, dict[str, Any]] = {"situation": {**seen.facts(), "tools": tools}}
        self.told: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self._unsettled: Managed | None = None

    def secure(self, *, domain: bool = True) -> list[dict[str, Any]]:
        """All that the role does, but for the look from outside in the end; without the domain where that is done for many."""
        for step in SECURE:
            if step.is_due(self.done) and (domain or step.name != "domain"):
                self._take(step)
        self._clients()
        return self.told

    def _take(self, step: Step) -> None:
        if step.module == "mcp_check":
            if self.apply and self.v.verify:
                check(Given(step.options(self.v, self.done)), self.planes.options)
            return
        self.done[step.name] = self.carry_out(step.module, step.options(self.v, self.done))

    def _clients(self) -> None:
        names = [one["name"] for one in self.v.clients]
        made = [{**self.carry_out("am_application", client(self.v, self.done, name)), "item": name} for name in names]
        self.done["clients"] = {"results": made}
        if self.v.api_type == "mcp_proxy":
            return
        for name in names:
            self.carry_out("gravitee_subscription", subscription(self.v, self.done, name))
        if self.v.registered_clients != "ignore":
            self.done["admission"] = self.carry_out("mcp_admission", admission(self.v, self.done))

    def carry_out(self, module: str, options: Mapping[str, Any]) -> dict[str, Any]:
        managed = object_of(module, options, self.planes)
        last = module == "gravitee_deployment" and options.get("wait_for") == "secured"
        result = managed.carry_out(self.apply, settle=not last)
        if last:
            self._unsettled = managed
        self.told.append(result)
        self.warnings += managed.warnings
        return result

    def settle(self) -> None:
        """The proof from outside, after the last deployment."""
        if self._unsettled:
            self._unsettled.settle()
