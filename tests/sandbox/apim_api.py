"""An API of APIM's management plane: its definition, its plans, and what the gateway was told to serve."""
from __future__ import annotations

import copy
from typing import Any

from .apim_definition import RUNTIME
from .apim_errors import ApimError
from .world import Synced, World, iso, new_id


class ApiRecord:
    """An API, its plans, and what the gateway was told to serve."""

    def __init__(self, world: World, definition: dict[str, Any]):
        self.world, self.definition = world, definition
        self.id = new_id()
        self.created = self.updated = world.now_ms()
        self.deployed_at: int | None = None
        self.state = "STOPPED"
        self.plans: dict[str, dict[str, Any]] = {}
        self.deployed: dict[str, Any] | None = None
        self.served: Synced = world.synced()

    @property
    def paths(self) -> list[str]:
        return [entry["path"] for listener in self.definition["listeners"] for entry in listener["paths"]]

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

    def deploy(self, verb: str) -> None:
        if not self.published:
            # The server writes "The api" when it deploys and "The API" when it starts.
            what = "The API" if verb == "started" else "The api"
            message = f"{what} {{{self.id}}} can not be {verb} without at least one published plan"
            raise ApimError(400, message, "api.NotDeployable")
        self.deployed = self.snapshot()
        self.touch()
        self.deployed_at = self.updated

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
            "originContext": {"origin": "MANAGEMENT"},
            "definitionContext": {"origin": "MANAGEMENT", "mode": "FULLY_MANAGED", "syncFrom": "MANAGEMENT"},
            "_links": {"pictureUrl": "<link>", "backgroundUrl": "<link>"},
        }
        if self.deployed_at:
            wire["deployedAt"] = iso(self.deployed_at)
        if deployment:
            wire["deploymentState"] = "DEPLOYED" if self.snapshot() == self.deployed else "NEED_REDEPLOY"
        if owner:
            wire["primaryOwner"] = {"id": self.world.admin_ids["apim"], "displayName": "admin", "type": "USER"}
        if empties:
            wire.setdefault("resources", [])
            wire.setdefault("responseTemplates", {})
        return wire

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{self.updated}"'}
