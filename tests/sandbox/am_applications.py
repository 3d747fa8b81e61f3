"""AM's applications: the clients that were made, and those that registered themselves."""
from __future__ import annotations

import copy
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .am_domain import AmError, Domain, known
from .am_secrets import AmSecrets
from .web import answer, body_of, empty

# OpenAPI, as far as AM 4.10 and 4.11 know them.
TYPES = {"WEB", "NATIVE", "BROWSER", "SERVICE", "RESOURCE_SERVER"}


class AmApplications:
    def __init__(self, plane: Any):
        self.plane, self.world = plane, plane.world

    def routes(self) -> list[Route]:
        one = "/applications/{application}"
        return [
            Route("/applications", self.list, methods=["GET"]),
            Route("/applications", self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.patch, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            *AmSecrets(self._application).routes(one),
        ]

    def _application(self, request: Request) -> tuple[Domain, dict[str, Any]]:
        domain, application = self.plane.domain_of(request), request.path_params["application"]
        if application in domain.gone:
            raise AmError(404, f"Application [{application}] can not be found.")
        if application not in domain.applications:
            raise AmError(403, "Permission denied")
        return domain, domain.applications[application]

    async def list(self, request: Request) -> Response:
        domain = self.plane.domain_of(request)
        query = request.query_params.get("q", "").lower()
        matches = (lambda name: name.startswith(query[:-1])) if query.endswith("*") else (lambda name: query in ("", name))
        kept = ("id", "name", "type", "enabled", "template", "updatedAt")
        found = [a for a in reversed(domain.applications.values()) if matches(a["name"].lower())]
        return self.plane.page_of([{key: a[key] for key in kept} for a in found], request)

    async def create(self, request: Request) -> Response:
        domain, body = self.plane.domain_of(request), await body_of(request)
        known(body, {"name", "type", "description", "clientId", "clientSecret", "redirectUris", "metadata"})
        if body["type"] not in TYPES:
            raise AmError(400, "Malformed json")
        if body.get("clientId") and domain.client(body["clientId"]):
            raise AmError(400, f"A client [{body['clientId']}] already exists for domain [{domain.id}]")
        application = domain.new_application(body["name"], body["type"].lower(), body.get("redirectUris", []))
        oauth = application["settings"]["oauth"]
        oauth.update({key: body[key] for key in ("clientId", "clientSecret") if body.get(key)})
        if body.get("description"):
            application["description"] = body["description"]
        return answer(application, 201, self.plane.location(request, application["id"]))

    async def get(self, request: Request) -> Response:
        return answer(_without_secret(self._application(request)[1]))

    async def patch(self, request: Request) -> Response:
        (domain, application), body = self._application(request), await body_of(request)
        if body.get("template") is False:
            _refuse_template_in_use(domain, application)
        oauth = body.get("settings", {}).get("oauth", {})
        for setting in oauth.get("scopeSettings") or []:  # validateScopes of ApplicationServiceImpl, as recorded of MCP servers
            if setting["scope"] not in domain.scopes:
                raise AmError(400, f"scope {setting['scope']} is not valid.")
        application["settings"]["oauth"].update(oauth)
        application.update({key: body[key] for key in ("name", "description", "template", "identityProviders") if key in body})
        application["updatedAt"] = self.world.now_ms()
        return answer(_without_secret(application))

    async def delete(self, request: Request) -> Response:
        domain, application = self._application(request)
        _refuse_template_in_use(domain, application)
        del domain.applications[application["id"]]
        return empty(204)


def _refuse_template_in_use(domain: Domain, application: dict[str, Any]) -> None:
    """From AM's sources (ApplicationServiceImpl, 4.13.0-alpha.4)."""
    settings = domain.wire["oidc"].get("cimdSettings", {})
    if settings.get("enabled") and settings.get("templateId") == application["id"]:
        raise AmError(400, "Application is referenced as a CIMD template and cannot be modified")


def _without_secret(application: dict[str, Any]) -> dict[str, Any]:
    shown = copy.deepcopy(application)
    shown["settings"]["oauth"].pop("clientSecret", None)
    for secret in shown.get("secrets", []):
        secret.pop("secret", None)
    return shown
