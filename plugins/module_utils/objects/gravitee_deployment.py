# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway serves of an API."""
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, Planes
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart, OneApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.pending import open_plans, pending
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.proof import wait_for
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.way_back import WayBack
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, Deployment
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

LABEL = 32  # characters that APIM takes, by its OpenAPI file


@dataclass(frozen=True)
class DeploymentOptions(OneApi):
    """Options of gravitee_deployment. Times in seconds."""

    state: str = option("started", choices=["started", "deployed", "stopped"])
    label: str | None = option()
    definition_changed: bool = option(False)
    allow_open: bool | None = option()
    wait: bool = option(False)
    gateway_url: str | None = option()
    wait_for: str | None = option(choices=["open", "secured", "absent"])
    wait_timeout: int = option(60)
    wait_answers: int = option(5)
    wait_interval: float = option(0.25)
    wait_check: bool = option(False)
    on_failure: str = option("keep", choices=["keep", "stop", "rollback"])
    RULES = {**OneApi.RULES, "required_if": [["wait", True, ["gateway_url"]]]}


class ManagedDeployment(ApiPart):
    """{"state", "deploymentState", "waiting"} of the API; waiting are the lines of what a deployment would change."""

    takes = DeploymentOptions
    params: DeploymentOptions
    kind = "deployment"

    def __init__(self, apim: Apim, params: DeploymentOptions, options: Options):
        super().__init__(apim, params)
        self.options = options
        self.looked = False  # whether the two that follow are read
        self.plans: list[dict[str, Any]] = []  # all of the API's, in every status
        self.served: Deployment | None = None  # the newest deployment, whether the API is started or not
        self.way_back: WayBack | None = None  # from the moment on when this task has written something

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedDeployment:
        return cls(planes.apim, params, planes.options)

    def observe(self) -> dict[str, Any]:
        if self.find() is None:
            return {"state": "STOPPED", "deploymentState": "NEED_REDEPLOY", "waiting": []}
        state, waiting = self.api.get("deploymentState"), []
        if state != "DEPLOYED" and self.params.state != "stopped":
            self._look()
            waiting = pending(self.served, self.api, self.plans)
        if self.params.definition_changed:  # what earlier tasks changed, or in a dry run would have
            state = "NEED_REDEPLOY"
        return {"state": self.api["state"], "deploymentState": state, "waiting": waiting}

    def _look(self) -> None:
        self.looked, self.plans = True, self.apim.plans(self.api["id"])
        self.served = self.apim.last_deployment(self.api["id"]) if "deployedAt" in self.api else None

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        wanted = self.params.state
        if wanted == "stopped":
            return {**observed, "state": "STOPPED"}
        return {
            "state": "STARTED" if wanted == "started" else observed["state"],
            "deploymentState": "DEPLOYED",
            "waiting": [],
        }

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        label = self.params.label or ""
        if len(label) > LABEL:
            raise Refusal(f"label: {label!r} has {len(label)} characters, and APIM takes {LABEL}. Give a shorter one.")
        self.need_api()
        if self.params.state == "stopped":
            yield Change(f"stop API {self.title}", lambda _: self._stop(desired))
            return
        if self.api:
            if not self.looked:
                self._look()
            self._need_published_plan()
            if not self.params.definition_changed:  # else the plans may change before the first write, which asks again
                self.unmet += self._opening()
        if observed["deploymentState"] != "DEPLOYED":
            yield Change(f"deploy API {self.title}", lambda now: self._write(self._deploy, {**desired, "state": now["state"]}))
        if observed["state"] != desired["state"]:
            yield Change(f"start API {self.title}", lambda _: self._write(self._start, desired))

    def _deploy(self) -> None:
        self.apim.deploy(self.api["id"], self.params.label)

    def _start(self) -> None:
        self.apim.start(self.api["id"])

    def _stop(self, then: dict[str, Any]) -> dict[str, Any]:
        self.apim.stop(self.api["id"])
        return then

    def _write(self, request: Callable[[], None], then: dict[str, Any]) -> dict[str, Any]:
        """The first write looks again: between the plan and now somebody may have published a plan."""
        if self.way_back is None:
            self.api, self.etag = self.apim.api(self.api["id"])
            self._look()
            if opening := self._opening():
                raise Refusal(opening[0])
            api, on_failure = self.api, self.params.on_failure
            self.way_back = WayBack(self.apim, api["id"], self.title, on_failure, self.served, api["state"] == "STARTED")
        with self._answered():
            request()
        return then

    @contextlib.contextmanager
    def _answered(self) -> Iterator[None]:
        """What fails after the first write is followed by what on_failure says, and the sentence by what stands then."""
        try:
            yield
        except (ApiError, Refusal) as error:
            if self.way_back:
                said = str(error)
                error.args = (f"{said}{'' if said.endswith(('.', '?')) else '.'} {self.way_back.take()}",)
            raise

    def _need_published_plan(self) -> None:
        if not any(plan["status"] == "PUBLISHED" for plan in self.plans):
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

    def _opening(self) -> list[str]:
        """Why this task must not be done: it would let in anyone through a plan that lets in nobody so far."""
        due, allowed = open_plans(self.plans), self.params.allow_open
        served = open_plans(self.served.plans) if self.served else {}
        if allowed or (allowed is None and self.served is None and self._never_closed()):
            served = due
        elif allowed is False and self.params.state == "started" and self.api["state"] != "STARTED":
            served = {}
        names = ", ".join(name for plan, name in due.items() if plan not in served)
        if not names:
            return []
        return [
            f"allow_open: this would let in anyone, without credentials, at the API {self.title}: its plan {names} lets in "
            "nobody so far. Close that plan (gravitee_plan with security=key_less and state=closed), or give allow_open=true if "
            "the API is to be open."
        ]

    def _never_closed(self) -> bool:
        """Whether the API has had no plans but open ones, as far as APIM tells."""
        return all(open_plans([plan]) for plan in self.plans if plan["status"] != "STAGING")

    def settle(self) -> None:
        """Call the gateway without a token until it answers as it should; it follows some seconds after."""
        if self.params.wait:
            with self._answered():
                wait_for(self._expected(), self.params, self.options, self._contradiction)

    def _expected(self) -> str:
        if self.params.wait_for:
            return self.params.wait_for
        if self.params.state == "stopped" or (self.params.state == "deployed" and self.api["state"] == "STOPPED"):
            return "absent"
        if not self.looked:
            self._look()
        return "open" if open_plans(self.plans) else "secured"

    def _contradiction(self) -> str:
        """What APIM says against: somebody else may be at work on the same API."""
        if not self.api:  # there is none to stop
            return ""
        api, wanted = self.apim.api(self.api["id"])[0], self.params.state
        if wanted != "deployed" and api["state"] != wanted.upper():
            return f"APIM says that the API {self.title} is {api['state'].lower()}, not {wanted}"
        if wanted != "stopped" and api.get("deploymentState") != "DEPLOYED":
            return f"APIM says that the API {self.title} has changes again that are not deployed"
        return self._misconfigured() if self.params.wait_check and self.params.wait_for == "secured" else ""

    def _misconfigured(self) -> str:
        """What keeps an MCP client from finding its way, "" if nothing does."""
        seen = Check(CheckOptions(url=str(self.params.gateway_url)), self.options).run()
        return "" if seen["result"] == "secured" else f"{seen['url']} is {seen['result']}: {seen['summary']}"

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        deployment = {"api_id": self.api.get("id"), "state": value["state"], "deploymentState": value["deploymentState"]}
        due = value["deploymentState"] != "DEPLOYED"
        return {"deployment": deployment, "deployment_due": due, "waiting": plan.before["waiting"]}
