# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows a deployment that failed: keep what stands, stop the API, or roll back to what was served before."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.pending import open_plans
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, Deployment


@dataclass(frozen=True)
class WayBack:
    """on_failure is keep, stop or rollback. before: the deployment that was served before the task; started: whether it was."""

    apim: Apim
    api_id: str
    title: str
    on_failure: str | None
    before: Deployment | None
    started: bool

    def take(self) -> str:
        """Do it, and say what was done and what stands now, a sentence each. Raises nothing that a server causes."""
        said = []
        if self.on_failure == "rollback":
            obstacle = self._obstacle()
            try:
                if self.before and not obstacle:
                    return f"{self._roll_back(self.before)} {self._stands()}"
                said.append(f"There is nothing to roll back to, as {obstacle}: the API is stopped instead.")
            except (ApiError, Refusal) as error:
                said.append(f"Rolling back failed, too: {error}. The API is stopped instead.")
        if self.on_failure in ("stop", "rollback"):
            try:
                self._stop()
            except ApiError as error:
                said.append(f"Stopping it failed: {error}.")
        return " ".join([*said, self._stands()])

    def _obstacle(self) -> str:
        if self.before is None:
            return f"the API {self.title} was never deployed before"
        names = ", ".join(open_plans(self.before.plans).values())
        return f"the {self.before.title} lets in anyone through its plan {names}" if names else ""

    def _roll_back(self, before: Deployment) -> str:
        if not self.started:
            self._stop()
        held = {configuration["clientId"]: configuration.get("clientSecret") for configuration in _resources(self._api()[0])}
        self.apim.rollback(self.api_id, before)
        self._keep_secrets(held)
        opened = open_plans(self.apim.plans(self.api_id, SERVED))
        if opened:
            raise Refusal(f"the plan {', '.join(opened.values())}, published in the meantime, lets in anyone")
        self.apim.deploy(self.api_id, f"back to deployment {before.number}")
        return f"Rolled back: definition and plans of the {before.title} are deployed again."

    def _keep_secrets(self, held: Mapping[str, str | None]) -> None:
        """AM may not take an older secret any more: the one that the API held until now stays, where the client is the same."""
        api, etag = self._api()
        stale = [
            configuration
            for configuration in _resources(api)
            if held.get(configuration["clientId"]) not in (None, configuration.get("clientSecret"))
        ]
        for configuration in stale:
            configuration["clientSecret"] = held[configuration["clientId"]]
        if stale:
            self.apim.update_api(self.api_id, api, etag)

    def _stop(self) -> None:
        try:
            self.apim.stop(self.api_id)
        except ApiError:
            if self._api()[0]["state"] != "STOPPED":
                raise

    def _stands(self) -> str:
        try:
            api, last = self._api()[0], self.apim.last_deployment(self.api_id)
        except ApiError as error:
            return f"What stands now could not be asked: {error}."
        if api["state"] != "STARTED":
            return f"The API {self.title} is stopped: as soon as the gateways have followed, they answer 404."
        if last is None:
            return f"The API {self.title} is started and has no deployment."
        names = ", ".join(open_plans(last.plans).values())
        who = f"anyone through its plan {names}" if names else "nobody without credentials"
        return f"The API {self.title} is started, its newest {last.title} lets in {who}."

    def _api(self) -> tuple[dict[str, Any], str]:
        return self.apim.api(self.api_id)


def _resources(api: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The configurations of the API's resources that ask AM."""
    found = [resource["configuration"] for resource in api.get("resources") or [] if resource["type"] == TYPE]
    return [configuration for configuration in found if configuration.get("clientId")]
