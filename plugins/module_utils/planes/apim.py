# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gravitee API Management: one short method an endpoint (management API v2; login and applications are of v1)."""
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import forms
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import json_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.remembering import once
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials, Session, Token, is_token
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, segment

STATUSES = ("STAGING", "PUBLISHED", "DEPRECATED", "CLOSED")
SUBSCRIPTION_STATUSES = ("PENDING", "REJECTED", "ACCEPTED", "CLOSED", "PAUSED", "RESUMED")
SUBSCRIBED = ("PENDING", "ACCEPTED", "PAUSED")  # the statuses of a subscription that lives
REMEDIES = {
    401: "APIM refused the credentials: check apim_token, or apim_username and apim_password",
    403: "the APIM user lacks the permission for this",
    412: "somebody else changed the API in the meantime: run again",
    "api.NotDeployable": "publish a plan first: gravitee_plan with state=published",
    "api.running": "stop the API first: gravitee_deployment with state=stopped",
    "plan.keyless.exists": "an API has at most one published keyless plan",
    "plan.closed": "a closed plan stays closed: give the plan another name",
    "plugin.notFound": "this APIM does not have that plugin",
    "tag.notAllowed": "the sharding tags must exist in the organization and be allowed to this user",
}


def normal_path(path: str) -> str:
    """A context path as the server keeps it: a slash at either end, the case as it was."""
    inner = path.strip().strip("/")
    return f"/{inner}/" if inner else "/"


def paths_of(api: Mapping[str, Any]) -> list[str]:
    """The context paths of an API as the list shows it, v4 or v2."""
    if api.get("contextPath"):
        return [normal_path(api["contextPath"])]
    return [
        normal_path(entry["path"])
        for listener in api.get("listeners") or []
        for entry in listener.get("paths") or []
        if entry.get("path")
    ]


def security_of(plan: Mapping[str, Any]) -> str | None:
    """The kind of plan; None for a plan of PUSH, which has no security and takes no HTTP call."""
    return (plan.get("security") or {}).get("type")


@dataclass(frozen=True)
class Deployment:
    """What the gateways were given to serve of an API, as the event of its deployment holds it.

    definition is the gateway's form of it: values of enumerations are in lower case with dashes (key-less, http-proxy), the
    statusCode of a response template is called status, and the plans that are served stand in it.
    """

    event_id: str
    created_at: str
    number: str
    definition: dict[str, Any] = field(repr=False)
    label: str | None = None

    @property
    def plans(self) -> list[dict[str, Any]]:
        """The plans that are served, in the gateway's form."""
        return self.definition.get("plans") or []

    @property
    def title(self) -> str:
        """How a sentence names it."""
        return f"deployment {self.number} of {self.created_at}"


def _deployment(event: Mapping[str, Any]) -> Deployment:
    definition, told = json.loads(json.loads(event["payload"])["definition"]), event.get("properties") or {}
    if wrong := forms.misfit(definition, forms.SERVED):
        raise ValueError(wrong)
    number, label = told.get("DEPLOYMENT_NUMBER") or "", told.get("DEPLOYMENT_LABEL")
    return Deployment(event["id"], event["createdAt"], number, definition, label)


class Apim:
    """APIM as the given user sees it."""

    def __init__(self, credentials: Credentials, options: Options):
        self.session = Session(credentials, options, self._login, REMEDIES)
        self._organization = f"/management/v2{options.organization_path}"
        self._apis = f"/management/v2{options.environment_path}/apis"
        self._applications = f"/management{options.organization_path}{options.environment_path}/applications"
        self.plugins = once(self._plugins)
        self.policy_schema = once(self._policy_schema)

    @staticmethod
    def _login(session: Session) -> Token:
        """The login's JWT: with Basic or a personal token APIM hashes for 66 ms in every request."""
        path = f"/management{session.options.organization_path}/user/login"
        response = session.exchange("POST", path, session.credentials.authorize)
        token = json_of(response).get("token")
        if not is_token(token):
            raise ApiError("POST", path, response.status_code, "no token: is apim_url the APIM management API?")
        return Token(token)

    def apis(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Every API of the environment, page by page. From the list: the search's index was seen stale."""
        return self._pages(self._apis, forms.API, filters)

    def owners(self, paths: set[str]) -> list[dict[str, Any]]:
        """The APIs that have any of these context paths, as the server keeps them."""
        return [api for api in self.apis() if paths & set(paths_of(api))]

    def api(self, api_id: str) -> tuple[dict[str, Any], str]:
        """An API and its ETag."""
        path = self._api(api_id)
        response = self.session.send("GET", path)
        return self.session.read("GET", path, forms.API, response), response.headers.get("ETag", "")

    def create_api(self, body: dict[str, Any]) -> dict[str, Any]:
        """The new API, stopped, without its resources, labels, properties and response templates: APIM drops those here."""
        return self.session.ask("POST", self._apis, forms.API, body)

    def import_api(self, definition: dict[str, Any]) -> dict[str, Any]:
        """A new API with its plans, {"api", "plans"}; what the answer says of its resources is not what APIM keeps."""
        return self.session.ask("POST", f"{self._apis}/_import/definition", forms.API, definition)

    def update_api(self, api_id: str, body: dict[str, Any], etag: str) -> tuple[dict[str, Any], str]:
        """Replace the API; 412 when it is no longer the one of `etag`. The API and its new ETag."""
        headers = {"If-Match": etag} if etag else {}
        path = self._api(api_id)
        response = self.session.send("PUT", path, body, headers=headers)
        return self.session.read("PUT", path, forms.API, response), response.headers.get("ETag", "")

    def delete_api(self, api_id: str) -> None:
        """Remove a stopped API; its plans are closed, too."""
        self.session.send("DELETE", self._api(api_id), params={"closePlans": "true"})

    def start(self, api_id: str) -> None:
        """Let the gateways serve the API, as it was deployed last."""
        self.session.send("POST", f"{self._api(api_id)}/_start")

    def stop(self, api_id: str) -> None:
        """Let the gateways serve the API no more."""
        self.session.send("POST", f"{self._api(api_id)}/_stop")

    def deploy(self, api_id: str, label: str | None = None) -> None:
        """Let the gateways serve what the API and its plans are now. label: 32 characters at most (OpenAPI)."""
        self.session.send("POST", f"{self._api(api_id)}/deployments", {"deploymentLabel": label} if label else {})

    def last_deployment(self, api_id: str) -> Deployment | None:
        """The newest deployment of an API; None if it never was deployed. ApiError for an event in another form."""
        return next(iter(self.deployments(api_id, 1)), None)

    def deployments(self, api_id: str, most: int) -> list[Deployment]:
        """The newest deployments of an API, the newest first. ApiError for an event in another form."""
        path = f"{self._api(api_id)}/events"
        found = self.session.get(path, forms.EVENTS, types="PUBLISH_API", page=1, perPage=most)["data"]
        try:
            return [_deployment(event) for event in found]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ApiError("GET", path, 200, "an event whose payload is no definition of a v4 API") from error

    def rollback(self, api_id: str, deployment: Deployment) -> None:
        """Put definition and plans back, not deployed: its plans are published again, and all others closed."""
        self.session.send("POST", f"{self._api(api_id)}/_rollback", {"eventId": deployment.event_id})

    def plans(self, api_id: str, statuses: tuple[str, ...] = STATUSES) -> list[dict[str, Any]]:
        """The plans of an API in any of `statuses` (upper case); without them APIM lists only published ones."""
        return list(self._pages(f"{self._api(api_id)}/plans", forms.PLAN, {"statuses": ",".join(statuses)}))

    def create_plan(self, api_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The new plan, in staging."""
        return self.session.ask("POST", f"{self._api(api_id)}/plans", forms.PLAN, body)

    def update_plan(self, api_id: str, plan_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Replace a plan; the plan."""
        return self.session.ask("PUT", self._plan(api_id, plan_id), forms.PLAN, body)

    def publish_plan(self, api_id: str, plan_id: str) -> dict[str, Any]:
        """The plan, published; served after the next deployment."""
        return self.session.ask("POST", f"{self._plan(api_id, plan_id)}/_publish", forms.PLAN)

    def deprecate_plan(self, api_id: str, plan_id: str) -> dict[str, Any]:
        """The plan, deprecated; it takes no new subscriptions and is still served."""
        return self.session.ask("POST", f"{self._plan(api_id, plan_id)}/_deprecate", forms.PLAN)

    def close_plan(self, api_id: str, plan_id: str) -> dict[str, Any]:
        """The plan, closed for good; served until the next deployment."""
        return self.session.ask("POST", f"{self._plan(api_id, plan_id)}/_close", forms.PLAN)

    def delete_plan(self, api_id: str, plan_id: str) -> None:
        """Remove a plan."""
        self.session.send("DELETE", self._plan(api_id, plan_id))

    def applications(self) -> list[dict[str, Any]]:
        """The active applications, with their client ids under settings.app."""
        return self.session.listed(self._applications, forms.APP, status="ACTIVE")

    def application(self, application_id: str) -> dict[str, Any]:
        """One application, also an archived one."""
        return self.session.get(f"{self._applications}/{segment(application_id)}", forms.APP)

    def create_application(self, body: dict[str, Any]) -> dict[str, Any]:
        """The new application; what has a client id is under settings.app."""
        return self.session.ask("POST", self._applications, forms.APP, body)

    def archive_application(self, application_id: str) -> None:
        """Archive an application; GET still answers, with status ARCHIVED."""
        self.session.send("DELETE", f"{self._applications}/{segment(application_id)}")

    def subscriptions(self, api_id: str, application_id: str, plan_id: str | None = None) -> list[dict[str, Any]]:
        """An application's living subscriptions to a plan, or to all plans of the API."""
        filters = {"planIds": plan_id, "applicationIds": application_id, "statuses": ",".join(SUBSCRIBED)}
        return list(self._pages(f"{self._api(api_id)}/subscriptions", forms.SUBSCRIPTION, filters))

    def subscriptions_ever(self, api_id: str) -> list[dict[str, Any]]:
        """Every subscription that an API has or had, to any of its plans, the newest first."""
        filters = {"statuses": ",".join(SUBSCRIPTION_STATUSES)}
        return list(self._pages(f"{self._api(api_id)}/subscriptions", forms.SUBSCRIPTION, filters))

    def subscribe(self, api_id: str, plan_id: str, application_id: str) -> dict[str, Any]:
        """The new subscription: ACCEPTED at once, or PENDING where the plan's validation is manual."""
        body = {"applicationId": application_id, "planId": plan_id}
        return self.session.ask("POST", f"{self._api(api_id)}/subscriptions", forms.SUBSCRIPTION, body)

    def process_subscription(self, api_id: str, subscription_id: str, verb: str) -> dict[str, Any]:
        """accept, resume or close."""
        path = f"{self._api(api_id)}/subscriptions/{segment(subscription_id)}/_{verb}"
        return self.session.ask("POST", path, forms.SUBSCRIPTION, {} if verb == "accept" else None)

    def _policy_schema(self, policy: str) -> dict[str, Any]:
        """The JSON schema of a policy's configuration, as this server's version has it."""
        return self.session.get(f"{self._organization}/plugins/policies/{segment(policy)}/schema", forms.SCHEMA)

    def _plugins(self, kind: str) -> set[str]:
        """The ids of the plugins that this server has: resources, endpoints or entrypoints."""
        return {plugin["id"] for plugin in self.session.listed(f"{self._organization}/plugins/{kind}", forms.PLUGIN)}

    def _api(self, api_id: str) -> str:
        return f"{self._apis}/{segment(api_id)}"

    def _plan(self, api_id: str, plan_id: str) -> str:
        return f"{self._api(api_id)}/plans/{segment(plan_id)}"

    def _pages(self, path: str, form: forms.Form, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return self.session.pages(path, {"data": [form], **forms.PAGE}, 1, _is_last, **filters, perPage=100)


def _is_last(answer: dict[str, Any], page: int, _count: int) -> bool:
    return page >= ((answer.get("pagination") or {}).get("pageCount") or 0)
