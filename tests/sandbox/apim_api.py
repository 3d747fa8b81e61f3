"""An API of APIM's management plane: its definition, its plans, its deployments, and what the gateway was told to serve."""
from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from .apim_definition import RUNTIME
from .apim_errors import ApimError
from .world import Synced, World, iso, new_id

OF_A_PLAN = ("name", "security", "mode", "selectionRule", "tags", "status", "flows")  # what a deployment keeps of it


@dataclass
class Deployment:
    """What an API was when it was deployed: what its event tells, and what a rollback puts back."""

    id: str
    created: int
    number: int
    label: str | None
    api: dict[str, Any]  # the API as its event tells it, without the definition
    definition: dict[str, Any]
    plans: list[dict[str, Any]]

    @property
    def payload(self) -> str:
        """JSON, with the definition as JSON within it."""
        told = {key: self.definition.get(key) or [] for key in ("tags", "properties", "resources", "flows")}
        told |= {"responseTemplates": {}, **{key: self.definition[key] for key in RUNTIME if self.definition.get(key)}}
        for key in ("id", "name"):
            told[key] = self.api[key]
        told |= {"apiVersion": self.api["version"], "definitionVersion": "4.0.0", "plans": self.plans}
        return json.dumps({**self.api, "definition": json.dumps(_as_the_gateway_has_it(told))})


class ApiRecord:
    def __init__(self, world: World, definition: dict[str, Any]):
        self.world, self.definition = world, definition
        self.id = new_id()
        self.created = self.updated = world.now_ms()
        self.deployed_at: int | None = None
        self.state, self.origin = "STOPPED", "MANAGEMENT"
        self.plans: dict[str, dict[str, Any]] = {}
        self.deployments: list[Deployment] = []
        self.deployed: dict[str, Any] | None = None
        self.served: Synced = world.synced()

    @property
    def paths(self) -> list[str]:
        return [path for _host, path in self.places]

    @property
    def places(self) -> list[tuple[str | None, str]]:
        """The host, if it is a virtual one, and the context path of each place where the API is served."""
        return [(entry.get("host"), entry["path"]) for listener in self.definition["listeners"] for entry in listener["paths"]]

    @property
    def published(self) -> list[dict[str, Any]]:
        return [plan for plan in self.plans.values() if plan["status"] in ("PUBLISHED", "DEPRECATED")]

    def snapshot(self) -> dict[str, Any]:
        """What a deployment hands to the gateway."""
        runtime = {key: self.definition.get(key) or None for key in RUNTIME}
        plans = {plan["id"]: {key: plan.get(key) for key in ("security", "flows", "selectionRule")} for plan in self.published}
        return copy.deepcopy({**runtime, "plans": plans})

    def touch(self) -> None:
        self.updated = self.world.now_ms()

    def must_be_deployable(self, verb: str) -> None:
        if not self.published:
            # The server writes "The api" when it deploys and "The API" when it starts.
            what = "The API" if verb == "started" else "The api"
            message = f"{what} {{{self.id}}} can not be {verb} without at least one published plan"
            raise ApimError(400, message, "api.NotDeployable")

    def deploy(self, label: str | None = None) -> None:
        self.deployed = self.snapshot()
        self.touch()
        self.deployed_at = self.updated
        plans = [{"id": plan["id"], **{key: plan[key] for key in OF_A_PLAN if key in plan}} for plan in self.published]
        kept = copy.deepcopy((self._told(), self.definition, plans))
        self.deployments.append(Deployment(new_id(), self.world.now_ms(), len(self.deployments) + 1, label, *kept))

    def _told(self) -> dict[str, Any]:
        """What an event tells of the API beside its definition."""
        given = self.definition
        return {
            "id": self.id,
            "environmentId": "DEFAULT",
            "name": given["name"],
            "version": given["apiVersion"],
            "origin": "management",
            "syncFrom": "MANAGEMENT",
            "definitionVersion": "4.0.0",
            "type": given["type"].lower(),
            "deployedAt": self.deployed_at,
            "createdAt": self.created,
            "updatedAt": self.updated,
            "lifecycleState": self.state,
            "apiLifecycleState": given["lifecycleState"],
            "disableMembershipNotifications": False,
            **{key: given[key] for key in ("visibility", "groups", "categories", "labels")},
        }

    def serve(self) -> None:
        self.served.push(self.deployed if self.state == "STARTED" else None)

    def wire(self, *, owner: bool = False, deployment: bool = True, empties: bool = False) -> dict[str, Any]:
        wire = {
            **copy.deepcopy(self.definition),
            "id": self.id,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "disableMembershipNotifications": False,
            "state": self.state,
            "originContext": {"origin": self.origin},
            "definitionContext": {"origin": self.origin, "mode": "FULLY_MANAGED", "syncFrom": "MANAGEMENT"},
            "_links": {"pictureUrl": "<link>", "backgroundUrl": "<link>"},
        }
        if self.deployed_at:
            wire["deployedAt"] = iso(self.deployed_at)
        if deployment:
            wire["deploymentState"] = "DEPLOYED" if self.snapshot() == self.deployed else "NEED_REDEPLOY"
        if owner:
            wire["primaryOwner"] = {"id": self.world.admin_ids["apim"], "displayName": "admin", "type": "USER"}
        if empties:
            wire |= {"resources": [], "responseTemplates": {}}
        return wire

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{self.updated}"'}


def _as_the_gateway_has_it(value: Any) -> Any:
    """The names of kinds in lower case, a path without its override, CORS without its policies, a template's status."""
    if isinstance(value, list):
        return [_as_the_gateway_has_it(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {}
    for key, item in value.items():
        if key in ("configuration", "sharedConfiguration", "headers"):
            told[key] = item
        elif key in ("type", "qos", "mode", "status") and isinstance(item, str):
            told[key] = item.lower().replace("_", "-")
        elif key == "statusCode":
            told["status"] = item
        elif not (key in ("overrideAccess", "runPolicies") and item is False):
            told[key] = _as_the_gateway_has_it(item)
    return told
