# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway serves of an API."""
from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import API, ApiPart
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

LABEL = 32  # characters that APIM takes, by its OpenAPI file
# What a stranger's call gets: the word for wait_for, and the statuses that say so.
ANSWERS = {"open": range(200, 300), "secured": (401, 403), "absent": (404,)}
SPEC: dict[str, dict[str, Any]] = {
    **API,
    "state": {"type": "str", "choices": ["started", "deployed", "stopped"], "default": "started"},
    "label": {"type": "str"},
    "definition_changed": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": False},
    "gateway_url": {"type": "str"},
    "wait_for": {"type": "str", "choices": ["open", "secured", "absent"]},
    "wait_timeout": {"type": "int", "default": 60},
}


class ManagedDeployment(ApiPart):
    """{"state", "deploymentState"} of the API."""

    kind = "deployment"

    def __init__(self, apim: Apim, params: Mapping[str, Any], options: Options):
        super().__init__(apim, params)
        self.options = options
        self.plans: list[dict[str, Any]] | None = None

    def observe(self) -> dict[str, Any]:
        if self.find() is None:
            return {"state": "STOPPED", "deploymentState": "NEED_REDEPLOY"}
        state = self.api["deploymentState"]
        if self.params["definition_changed"]:  # what earlier tasks changed, or in a dry run would have
            state = "NEED_REDEPLOY"
        return {"state": self.api["state"], "deploymentState": state}

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        wanted = self.params["state"]
        if wanted == "stopped":
            return {**observed, "state": "STOPPED"}
        return {
            "state": "STARTED" if wanted == "started" else observed["state"],
            "deploymentState": "DEPLOYED",
        }

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        label = self.params["label"] or ""
        if len(label) > LABEL:
            raise Refusal(f"label: {label!r} has {len(label)} characters, and APIM takes {LABEL}. Give a shorter one.")
        self.need_api()
        if self.params["state"] == "stopped":
            yield Change(f"stop API {self.title}", lambda now: self.apim.stop(self.api["id"]) or desired)
            return
        self._need_published_plan()
        if observed["deploymentState"] != "DEPLOYED":
            yield Change(f"deploy API {self.title}", self._deploy)
        if observed["state"] != desired["state"]:
            yield Change(f"start API {self.title}", lambda now: self.apim.start(self.api["id"]) or desired)

    def _deploy(self, now: dict[str, Any]) -> dict[str, Any]:
        self.apim.deploy(self.api["id"], self.params["label"])
        return {**now, "deploymentState": "DEPLOYED"}

    def _need_published_plan(self) -> None:
        if self.api and not self.apim.plans(self.api["id"], ("PUBLISHED",)):
            self.unmet.append(
                f"The API {self.title} has no published plan, so APIM refuses to deploy it and {self._still_served()}. "
                "Publish a plan first: gravitee_plan with state=published."
            )

    def _still_served(self) -> str:
        if not self.api.get("deployedAt"):
            return "the gateway serves nothing of it, as it never was deployed"
        if self.api["state"] != "STARTED":
            return "the gateway serves nothing of it, as it is stopped"
        return (
            f"the gateway goes on serving its deployment of {self.api['deployedAt']}, with the plans of that time, "
            "be they open or not; state=stopped ends that"
        )

    def settle(self) -> None:
        """Ask the gateway as a stranger until it answers as it should; it follows some seconds after."""
        if not self.params["wait"]:
            return
        expected = self._expected()
        client = McpClient(self.params["gateway_url"], self.options, retries=0)
        deadline = time.monotonic() + self.params["wait_timeout"]
        while True:
            answer = client.initialize()
            if answer.status in ANSWERS[expected]:
                client.close()
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(min(1.0, self.params["wait_timeout"] / 10))
        got = answer.status or answer.trouble
        raise Refusal(
            f"wait_timeout: after {self.params['wait_timeout']} s a call of {self.params['gateway_url']} with no token still "
            f"gets {got}, not {expected}. Is gateway_url right, and does the gateway reach its management repository?"
        )

    def _expected(self) -> str:
        if self.params["wait_for"]:
            return self.params["wait_for"]
        if self.params["state"] == "stopped" or (self.params["state"] == "deployed" and self.api["state"] == "STOPPED"):
            return "absent"
        published = self.apim.plans(self.api["id"], ("PUBLISHED",))
        keyless = any(plan["security"]["type"] == "KEY_LESS" for plan in published)
        return "open" if keyless else "secured"

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        return {"deployment": {**value, "api_id": self.api.get("id")}, "deployment_due": value["deploymentState"] != "DEPLOYED"}
