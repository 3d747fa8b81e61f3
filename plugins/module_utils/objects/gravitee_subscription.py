# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's right to call an API: an APIM application with its client id, subscribed to a plan."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, mask
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim

GRANTED = "ACCEPTED"


class ManagedSubscription(ApiPart):
    """{"application", "subscription"}: the two that the client has, each None when there is none."""

    kind = "subscription"

    def __init__(self, apim: Apim, params: Mapping[str, Any]):
        super().__init__(apim, params)
        self.plan_of_api: dict[str, Any] = {}
        self.called = params["application_name"] or params["client_id"]

    def observe(self) -> dict[str, Any]:
        self.find()
        self.title = f"of {self.called} to API {self.title}"
        self.plan_of_api = self._find_plan() if self.api else {}
        application = self._find_application()
        found = self._find_subscription(application) if application and self.plan_of_api else None
        return {"application": _view(application), "subscription": _view(found)}

    def _find_plan(self) -> dict[str, Any]:
        name = self.params["plan"]
        published = self.apim.plans(self.api["id"], ("PUBLISHED",))
        meant = [plan for plan in published if plan["name"] == name or (not name and plan["security"]["type"] == "OAUTH2")]
        if len(meant) > 1:
            names = ", ".join(f"{plan['name']} ({plan['id']})" for plan in meant)
            raise Refusal(f"plan: this could mean any of the API's published plans {names}. Give a name that only one has.")
        return meant[0] if meant else {}

    def _find_application(self) -> dict[str, Any] | None:
        """Client ids are unique among the active applications; an archived one is gone for good."""
        wanted = self.params["client_id"]
        apps = self.apim.applications()
        return next((app for app in apps if ((app.get("settings") or {}).get("app") or {}).get("client_id") == wanted), None)

    def _find_subscription(self, application: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self.apim.subscriptions(self.api["id"], self.plan_of_api["id"], application["id"])
        return found[0] if found else None

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        if self.params["state"] == "absent":
            return {"application": None, "subscription": None}
        if self.params["state"] == "closed":
            return {**observed, "subscription": None}
        application = observed["application"] or {
            "name": self.called,
            "settings": {"app": {"type": self.params["application_type"], "client_id": self.params["client_id"]}},
        }
        return {"application": application, "subscription": {**(observed["subscription"] or {}), "status": GRANTED}}

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        application, subscription = observed["application"], observed["subscription"]
        if self.params["state"] != "present":
            if subscription:
                yield Change(f"close subscription {self.title}", self._process("close"))
            if application and desired["application"] is None:
                yield Change(f"archive application {application['name']}", self._archive)
            return
        self.need_api()
        self._need_plan()
        if application is None:
            yield Change(f"create application {desired['application']['name']}", lambda now: self._create(now, desired))
        status = subscription["status"] if subscription else None
        if status is None:
            yield Change(f"subscribe {self.called} to {self._plan_name}", self._subscribe)
            status = "PENDING" if self.plan_of_api.get("validation") == "MANUAL" else GRANTED
        if status != GRANTED:
            verb = "resume" if status == "PAUSED" else "accept"
            yield Change(f"{verb} subscription {self.title}", self._process(verb))

    @property
    def _plan_name(self) -> str:
        return f"plan {self.plan_of_api.get('name') or self.params['plan'] or 'OAuth2'}"

    def _need_plan(self) -> None:
        if self.api and not self.plan_of_api:
            what = f"named {self.params['plan']!r}" if self.params["plan"] else "with OAuth2"
            self.unmet.append(f"plan: the API has no published plan {what}: publish it first with gravitee_plan.")

    def _create(self, now: dict[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
        body = {"description": self.params["application_description"], **desired["application"]}
        made = self._unless_there(
            "application.clientId.exists", lambda: self.apim.create_application(body), self._find_application
        )
        return {**now, "application": _view(made)}

    def _subscribe(self, now: dict[str, Any]) -> dict[str, Any]:
        application = now["application"]
        ids = self.api["id"], self.plan_of_api["id"], application["id"]
        made = self._unless_there(
            "plan.subscribed", lambda: self.apim.subscribe(*ids), lambda: self._find_subscription(application)
        )
        return {**now, "subscription": _view(made)}

    @staticmethod
    def _unless_there(code: str, make: Callable[[], Any], find: Callable[[], Any]) -> Any:
        """What `make` makes, or if somebody was faster, what is there now."""
        try:
            return make()
        except ApiError as error:
            if error.code != code:
                raise
            return find()

    def _process(self, verb: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def apply(now: dict[str, Any]) -> dict[str, Any]:
            if verb == "accept" and now["subscription"]["status"] == GRANTED:
                return now
            left = self.apim.process_subscription(self.api["id"], now["subscription"]["id"], verb)
            return {**now, "subscription": None if verb == "close" else _view(left)}

        return apply

    def _archive(self, now: dict[str, Any]) -> dict[str, Any]:
        self.apim.archive_application(now["application"]["id"])
        return {**now, "application": None}

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        subscription, application = value["subscription"] or {}, value["application"] or {}
        return {
            "subscription": mask(subscription),
            "application": mask(application),
            "id": subscription.get("id"),
            "application_id": application.get("id"),
            "client_id": self.params["client_id"],
            "plan_id": self.plan_of_api.get("id"),
        }


def _view(thing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The part of an application or a subscription that says what it is."""
    if thing is None:
        return None
    return {key: thing[key] for key in ("id", "name", "status", "settings", "createdAt", "endingAt") if key in thing}
