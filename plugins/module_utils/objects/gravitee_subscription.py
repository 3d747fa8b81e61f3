# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client's right to call an API: an APIM application with its client id, subscribed to a plan."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart, OneApi
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, security_of

GRANTED = "ACCEPTED"
AGAINST = ("PAUSED", "REJECTED", "CLOSED")  # what a person decides against a subscription
HIDDEN = {"plan": {"id": "unknown"}, "status": "UNKNOWN"}  # what may be there where the account may not read


@dataclass(frozen=True)
class SubscriptionOptions(OneApi):
    """Options of gravitee_subscription."""

    client_id: str = option(required=True)
    plan: str | None = option()
    application_name: str | None = option()
    application_description: str = option("A client of MCP servers, made with gravitee.mcp")
    application_type: str = option("native")
    state: str = option("present", choices=["present", "closed", "absent"])
    force: bool = option(False)
    reopen: bool = option(True)


class ManagedSubscription(ApiPart):
    """{"application", "subscription"}: the two that the client has, each None when there is none."""

    takes = SubscriptionOptions
    params: SubscriptionOptions
    kind = "subscription"

    def __init__(self, apim: Apim, params: SubscriptionOptions):
        super().__init__(apim, params)
        self.plan_of_api: dict[str, Any] = {}
        self.called = params.application_name or params.client_id
        self.living: list[dict[str, Any]] = []  # the client's subscriptions to the plan
        self.others: list[dict[str, Any]] | None = None  # those to other plans and APIs, once they were asked for

    def observe(self) -> dict[str, Any]:
        self.find_plan()
        self.title = f"of {self.called} to API {self.title}"
        application = self._find_application()
        self.living = self._find_subscriptions(application) if application and self.plan_of_api else []
        if self.params.state == "absent":
            self.others = self._find_others(application) if application else []
        return {"application": _view(application), "subscription": _view(_best(self.living))}

    def find_plan(self) -> None:
        """The API and the plan that is meant; {} where there is none yet."""
        self.find()
        self.plan_of_api = self._find_plan() if self.api else {}

    def _find_plan(self) -> dict[str, Any]:
        name = self.params.plan
        published = self.apim.plans(self.api["id"], ("PUBLISHED",))
        meant = [plan for plan in published if plan["name"] == name or (not name and security_of(plan) == "OAUTH2")]
        if len(meant) > 1:
            names = ", ".join(f"{plan['name']} ({plan['id']})" for plan in meant)
            raise Refusal(f"plan: this could mean any of the API's published plans {names}. Give a name that only one has.")
        return meant[0] if meant else {}

    def _find_application(self) -> dict[str, Any] | None:
        """Client ids are unique among the active applications; an archived one is gone for good."""
        wanted = self.params.client_id
        apps = self.apim.applications()
        return next((app for app in apps if ((app.get("settings") or {}).get("app") or {}).get("client_id") == wanted), None)

    def _find_subscriptions(self, application: Mapping[str, Any]) -> list[dict[str, Any]]:
        return self.apim.subscriptions(self.api["id"], application["id"], self.plan_of_api["id"])

    def _find_others(self, application: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The application's living subscriptions to anything but this plan.

        APIM lists the subscriptions of an API, not those of an application, so every API is asked. What this account may not
        read counts as one.
        """
        found = []
        for api in self.apim.apis():
            try:
                theirs = self.apim.subscriptions(api["id"], application["id"])
            except ApiError as error:
                if error.status not in (403, 404):
                    raise
                theirs = [HIDDEN] if error.status == 403 else []  # 404: deleted since it was listed
            found += [_other(api, one) for one in theirs if one["plan"]["id"] != self.plan_of_api.get("id")]
        return found

    def desired(self, observed: dict[str, Any]) -> dict[str, Any]:
        if self.params.state == "absent":
            kept = self.others and not self.params.force
            return {"application": observed["application"] if kept else None, "subscription": None}
        if self.params.state == "closed":
            return {**observed, "subscription": None}
        if not self.params.reopen and self._was_closed(observed):
            return observed
        application = observed["application"] or {
            "name": self.called,
            "settings": {"app": {"type": self.params.application_type, "client_id": self.params.client_id}},
        }
        return {"application": application, "subscription": {**(observed["subscription"] or {}), "status": GRANTED}}

    def _was_closed(self, observed: Mapping[str, Any]) -> bool:
        """Whether somebody closed, paused or rejected the client's subscription; a warning says so."""
        application, subscription = observed["application"], observed["subscription"]
        if not application or not self.plan_of_api or (subscription and subscription["status"] == GRANTED):
            return False
        ids = {"application": application["id"], "plan": self.plan_of_api["id"]}
        ever = self.apim.subscriptions_ever(self.api["id"])
        theirs = {one["status"] for one in ever if all(one[key]["id"] == value for key, value in ids.items())}
        against = next((status for status in AGAINST if status in theirs), "")
        if against:
            self.warnings.append(
                f"The subscription {self.title} was {against.lower()}, and stays so: gravitee_subscription gives it one again."
            )
        return bool(against)

    def changes(self, observed: dict[str, Any], desired: dict[str, Any]) -> Iterable[Change]:
        application, subscription = observed["application"], observed["subscription"]
        if self.params.state != "present":
            if subscription:
                yield Change(f"close subscription {self.title}", self._close)
            if application and desired["application"] is None:
                yield Change(f"archive application {application['name']}", self._archive)
            return
        self.need_api()
        self._need_plan()
        if application is None:
            yield Change(f"create application {desired['application']['name']}", lambda now: self._create(now, desired))
        if subscription is None:
            yield Change(f"subscribe {self.called} to {self._plan_name}", self._subscribe)
        elif subscription["status"] != GRANTED:
            yield Change(f"{_verb(subscription)} subscription {self.title}", self._grant)

    @property
    def _plan_name(self) -> str:
        return f"plan {self.plan_of_api.get('name') or self.params.plan or 'OAuth2'}"

    def _need_plan(self) -> None:
        if self.api and not self.plan_of_api:
            what = f"named {self.params.plan!r}" if self.params.plan else "with OAuth2"
            self.unmet.append(f"plan: the API has no published plan {what}: publish it first with gravitee_plan.")

    def _create(self, now: dict[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
        body = {"description": self.params.application_description, **desired["application"]}
        made = _unless_there(
            "application.clientId.exists", lambda: self.apim.create_application(body), self._find_application
        )
        return {**now, "application": _view(made)}

    def _subscribe(self, now: dict[str, Any]) -> dict[str, Any]:
        """Subscribe, and accept where whoever asks does not own the API."""
        application = now["application"]
        ids = self.api["id"], self.plan_of_api["id"], application["id"]
        made = _unless_there(
            "plan.subscribed", lambda: self.apim.subscribe(*ids), lambda: _best(self._find_subscriptions(application))
        )
        return self._grant({**now, "subscription": _view(made)})

    def _grant(self, now: dict[str, Any]) -> dict[str, Any]:
        subscription = now["subscription"]
        if subscription["status"] == GRANTED:
            return now
        try:
            left = self.apim.process_subscription(self.api["id"], subscription["id"], _verb(subscription))
        except ApiError:
            found = _best(self._find_subscriptions(now["application"]))
            if not found or found["status"] != GRANTED:  # another run was not faster either
                raise
            left = found
        return {**now, "subscription": _view(left)}

    def _close(self, now: dict[str, Any]) -> dict[str, Any]:
        for subscription in self.living:
            self.apim.process_subscription(self.api["id"], subscription["id"], "close")
        closed = {**now, "subscription": None}
        return self._archive(closed) if self.others else closed  # the others may have been closed at the same time

    def _archive(self, now: dict[str, Any]) -> dict[str, Any]:
        """Archive the application if it has no other subscription now."""
        if now["application"] is None:
            return now
        self.others = self._find_others(now["application"])
        if self.others and not self.params.force:
            return now
        try:
            self.apim.archive_application(now["application"]["id"])
        except ApiError:
            if self._find_application():  # it is still there: no other run was faster
                raise
        return {**now, "application": None}

    def facts(self, value: dict[str, Any], plan: Plan) -> dict[str, Any]:
        subscription, application = value["subscription"] or {}, value["application"] or {}
        facts = {
            "subscription": mask(subscription),
            "application": mask(application),
            "id": subscription.get("id"),
            "application_id": application.get("id"),
            "client_id": self.params.client_id,
            "plan_id": self.plan_of_api.get("id"),
        }
        return facts if self.others is None else {**facts, "other_subscriptions": self.others}


def _unless_there(code: str, make: Callable[[], Any], find: Callable[[], Any]) -> Any:
    """What `make` makes, or if another run was faster (APIM's technical code `code`), what there is now."""
    try:
        return make()
    except ApiError as error:
        found = find() if error.code == code else None
        if not found:  # there is one that this account does not see
            raise
        return found


def _best(subscriptions: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one that lets the client in, else any of them."""
    return next((one for one in subscriptions if one["status"] == GRANTED), subscriptions[0] if subscriptions else None)


def _verb(subscription: Mapping[str, Any]) -> str:
    return "resume" if subscription["status"] == "PAUSED" else "accept"


def _other(api: Mapping[str, Any], subscription: Mapping[str, Any]) -> dict[str, Any]:
    return {"api": api["name"], "api_id": api["id"], "plan_id": subscription["plan"]["id"], "status": subscription["status"]}


def _view(thing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The part of an application or a subscription that says what it is."""
    if thing is None:
        return None
    return {key: thing[key] for key in ("id", "name", "status", "settings", "createdAt", "endingAt") if key in thing}
