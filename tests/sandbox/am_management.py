"""AM's management API: domains, their settings, protected resources, scopes, applications, users, audits."""
from __future__ import annotations

import copy
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import am_documents
from .am_applications import AmApplications
from .am_domain import LOGIN, REGISTRATION, AmError, Domain, known, merge_registration
from .am_resources import AmResources
from .web import answer, basic, bearer, body_of, empty, page, under
from .world import World, new_id, recorded

REALM = 'Basic realm="Gravitee.io AM Management API"'
# The properties of a domain's patch in AM's OpenAPI file, as far as the sandbox knows what they do.
DOMAIN_PROPERTIES = {"name", "description", "enabled", "path", "tags", "oidc", "loginSettings", "secretSettings"}


class AmManagement:
    def __init__(self, world: World):
        self.world = world

    def app(self) -> Starlette:
        resources = AmResources(self)
        domain = [
            Route("/", self.get_domain, methods=["GET"]),
            Route("/", self.patch_domain, methods=["PATCH"]),
            Route("/", self.delete_domain, methods=["DELETE"]),
            *under("/protected-resources", resources.routes()),
            Route("/scopes", self.list_scopes, methods=["GET"]),
            Route("/scopes", self.create_scope, methods=["POST"]),
            *AmApplications(self).routes(),
            Route("/users", self.create_user, methods=["POST"]),
            Route("/audits", self.list_audits, methods=["GET"]),
        ]
        domains = "/organizations/{organization}/environments/{environment}/domains"
        routes = [
            Route("/management/auth/token", self.token, methods=["POST"]),
            Route("/management/user", self.user),
            Route("/management/organizations/{organization}/users/{user}/tokens", self.create_token, methods=["POST"]),
            Route(f"/management{domains}", self.list_domains, methods=["GET"]),
            Route(f"/management{domains}", self.create_domain, methods=["POST"]),
            Route(f"/management{domains}/_hrid/{{hrid}}", self.domain_by_hrid),
            *under(f"/management{domains}/{{domain}}", domain),
            Route("/{rest:path}", _not_found),
        ]
        handlers = {AmError: _refuse, json.JSONDecodeError: _malformed, 404: _not_found, 405: _not_found}
        app = Starlette(routes=routes, exception_handlers=handlers)
        app.router.redirect_slashes = False
        app.add_middleware(_Guard, world=self.world)
        return app

    # Who is asking

    async def token(self, request: Request) -> Response:
        if basic(request) != self.world.admins["am"]:
            return empty(401, WWW_Authenticate=REALM)
        expires = self.world.now_ms() + 7 * 24 * 3600 * 1000
        return answer({"access_token": self.world.new_token("am"), "expires_at": expires, "token_type": "bearer"})

    async def user(self, request: Request) -> Response:
        return answer({**recorded("am-management", "/user"), "sub": self.world.admin_ids["am"]})

    async def create_token(self, request: Request) -> Response:
        token = {
            "tokenId": new_id(),
            "referenceType": "organization",
            "referenceId": "DEFAULT",
            "userId": self.world.admin_ids["am"],
            "issuerUsername": "admin",
            "issuerId": self.world.admin_ids["am"],
            "name": (await body_of(request))["name"],
            "token": self.world.new_token("am"),
            "createdAt": self.world.now_ms(),
        }
        return answer(token, 201, self.location(request, token["tokenId"]))

    # Domains

    def domain_of(self, request: Request) -> Domain:
        domain_id = request.path_params["domain"]
        domain = self.world.domains.get(domain_id)
        if domain is None:
            raise AmError(403, "Permission denied")
        if domain.deleted:
            raise AmError(404, f"Domain [{domain_id}] can not be found.")
        return domain

    def _domains(self) -> list[Domain]:
        return [domain for domain in self.world.domains.values() if not domain.deleted]

    def page_of(self, items: list[Any], request: Request) -> Response:
        data, number = page(items, request, 0, "size", 50)[:2]
        return answer({"data": data, "currentPage": number, "totalCount": len(items)})

    async def list_domains(self, request: Request) -> Response:
        kept = ("id", "hrid", "name", "description", "enabled", "master", "vhostMode", "createdAt", "updatedAt")
        items = [{key: d.wire[key] for key in kept if key in d.wire} for d in reversed(self._domains())]
        return self.page_of(items, request)

    async def create_domain(self, request: Request) -> Response:
        body = await body_of(request)
        if any(domain.wire["name"] == body["name"] for domain in self._domains()):
            raise AmError(400, f"A domain [{body['name']}] already exists.")
        domain = Domain(self.world, body)
        self.world.domains[domain.id] = domain
        return answer({**domain.wire, "identities": []}, 201, self.location(request, domain.id))

    def location(self, request: Request, new: str) -> dict[str, str]:
        path = request.url.path.removeprefix("/management").rstrip("/")
        return {"Location": f"{self.world.urls.get('am', '')}{path}/{new}"}

    async def domain_by_hrid(self, request: Request) -> Response:
        hrid = request.path_params["hrid"]
        for domain in self._domains():
            if domain.wire["hrid"] == hrid:
                return answer(self._visible(domain))
        raise AmError(404, f"Domain [{hrid}] can not be found.")

    async def get_domain(self, request: Request) -> Response:
        return answer(self._visible(self.domain_of(request)))

    def _visible(self, domain: Domain) -> dict[str, Any]:
        """Filtered by what the user may read (OpenAPI)."""
        hidden = ("oidc", "loginSettings") if self.world.settings_hidden else ()
        return {key: value for key, value in domain.wire.items() if key not in hidden}

    async def patch_domain(self, request: Request) -> Response:
        """oidc.clientRegistrationSettings is merged; loginSettings is replaced, what it lacks is off.

        From 4.11 on AM's gateway answers 404 for a moment then, whatever was changed.
        """
        domain, body = self.domain_of(request), await body_of(request)
        known(body, DOMAIN_PROPERTIES)
        wire = copy.deepcopy(domain.wire)
        wire.update({key: value for key, value in body.items() if key not in ("oidc", "loginSettings", "secretSettings")})
        if "secretSettings" in body:
            wire["secretExpirationSettings"] = body["secretSettings"]
        if "oidc" in body:
            known(body["oidc"], {*wire["oidc"], *(["cimdSettings"] if self.world.am_version == "4.12" else [])})
            if "cimdSettings" in body["oidc"]:
                now = wire["oidc"].get("cimdSettings", am_documents.SETTINGS)
                wire["oidc"]["cimdSettings"] = am_documents.patched(domain, now, body["oidc"]["cimdSettings"])
            registration = body["oidc"].get("clientRegistrationSettings", {})
            known(registration, {*REGISTRATION, "allowedScopes", "defaultScopes"})
            wire["oidc"]["clientRegistrationSettings"] = merge_registration(
                wire["oidc"]["clientRegistrationSettings"], registration
            )
        if "loginSettings" in body:
            switches = [key for key in LOGIN if key != "magicLinkAuthEnabled" or self.world.am_version != "4.10"]
            known(body["loginSettings"], set(switches))
            wire["loginSettings"] = {**dict.fromkeys(switches, False), "inherited": True, **body["loginSettings"]}
        domain.update(wire, gap=self.world.domain_reload if self.world.am_version != "4.10" else 0.0)
        return answer(domain.wire)

    async def delete_domain(self, request: Request) -> Response:
        domain = self.domain_of(request)
        domain.deleted = True
        domain.sync()
        return empty(204)

    # What a domain has

    async def list_scopes(self, request: Request) -> Response:
        domain = self.domain_of(request)
        return self.page_of(sorted(domain.scopes.values(), key=lambda scope: scope["key"]), request)

    async def create_scope(self, request: Request) -> Response:
        domain, body = self.domain_of(request), await body_of(request)
        if body["key"] in domain.scopes:
            raise AmError(400, f"A scope [{body['key']}] already exists for domain [{domain.id}]")
        now = self.world.now_ms()
        scope = {
            "id": new_id(),
            **{key: body.get(key) for key in ("key", "name", "description")},
            "domain": domain.id,
            "createdAt": now,
            "updatedAt": now,
            "system": False,
            "claims": [],
            "discovery": False,
            "parameterized": False,
        }
        domain.scopes[body["key"]] = scope
        return answer(scope, 201, self.location(request, scope["id"]))

    async def create_user(self, request: Request) -> Response:
        domain, body = self.domain_of(request), await body_of(request)
        if body["username"] in domain.users:
            raise AmError(400, f"A user [{body['username']}] already exists.")
        user = domain.new_user(body)
        return answer(user, 201, self.location(request, user["id"]))

    async def list_audits(self, request: Request) -> Response:
        domain, query = self.domain_of(request), request.query_params
        if self.world.audits_forbidden:
            raise AmError(403, "Permission denied")
        since, until = int(query.get("from", 0)), int(query.get("to", 1 << 62))
        found = [
            audit
            for audit in reversed(domain.audits)
            if query.get("type") in (None, audit["type"]) and since <= audit["timestamp"] <= until
        ]
        return self.page_of(found, request)


class _Guard:
    """Bearer for everything but the login."""

    def __init__(self, app: Any, world: World):
        self.app, self.world = app, world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        response = self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if request.url.path == "/management/auth/token":
            return None
        if self.world.tokens.get(bearer(request) or "") != "am":
            return answer({"message": "Full authentication is required to access this resource", "http_status": 401}, 401)
        return None


async def _refuse(request: Request, error: AmError) -> Response:
    return answer({"message": str(error), "http_status": error.status}, error.status)


async def _malformed(request: Request, error: Exception) -> Response:
    return answer({"message": "Malformed json", "http_status": 400}, 400)


async def _not_found(request: Request, error: Exception | None = None) -> Response:
    return answer({"message": "HTTP 404 Not Found", "http_status": 404}, 404)
