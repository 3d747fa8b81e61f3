"""What the gateways serve, made through the management APIs as the recordings were: the collection has no part in it."""
from __future__ import annotations

from typing import Any

import requests

from tests.clients import REDIRECT, Login, register, subscribe
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

Json = dict[str, Any]
PRM = "/.well-known/oauth-protected-resource"
SCOPES = ["openid", "profile", "email", "offline_access"]
CORS = {
    "enabled": True,
    "allowOrigin": ["http://localhost:6274"],
    "allowMethods": ["GET", "POST", "DELETE", "OPTIONS"],
    "allowHeaders": ["authorization", "content-type", "accept", "mcp-protocol-version", "mcp-session-id", "last-event-id"],
    "exposeHeaders": ["mcp-session-id", "www-authenticate"],
    "maxAge": 600,
}


def template(status: int, challenge: str, message: str) -> Json:
    """A response template for any type of answer, in JSON."""
    body = f'{{"message":"{message}","http_status_code":{status}}}'
    headers = {"WWW-Authenticate": challenge, "Content-Type": "application/json"}
    return {"*/*": {"statusCode": status, "headers": headers, "body": body}}


def new_domain(world: World, name: str) -> Domain:
    """An enabled domain in which anyone may register as MCP clients do, with the user alice."""
    domain = Domain(world, {"name": name})
    rules = domain.wire["oidc"]["clientRegistrationSettings"]
    for rule in ("isDynamicClientRegistrationEnabled", "isOpenDynamicClientRegistrationEnabled"):
        rules[rule] = True
    rules |= {"allowLocalhostRedirectUri": True, "allowHttpSchemeRedirectUri": True}
    rules |= {"isAllowedScopesEnabled": True, "allowedScopes": SCOPES, "defaultScopes": ["openid"]}
    domain.update({**domain.wire, "enabled": True})
    domain.new_user({"username": "alice", "password": "Alice-Passw0rd!", "email": "alice@example.com"})
    world.domains[domain.id] = domain
    return domain


def new_mcp_server(world: World, domain: Domain, name: str, *identifiers: str) -> Json:
    """AM's answer: id, clientId, clientSecret."""
    url = f"{world.urls['am']}/management/organizations/DEFAULT/environments/DEFAULT/domains/{domain.id}/protected-resources"
    body = {"name": name, "resourceIdentifiers": list(identifiers), "type": "MCP_SERVER", "features": []}
    response = requests.post(url, json=body, headers={"Authorization": f"Bearer {world.new_token('am')}"}, timeout=10)
    response.raise_for_status()
    return response.json()


class Client:
    """A client that registered itself, and alice at her browser."""

    def __init__(self, world: World, domain: Domain, **metadata: Any):
        self.world, self.domain = world, domain
        answered = register(world, domain.wire["hrid"], **{"redirect_uris": [REDIRECT], **metadata})
        answered.raise_for_status()
        self.registered: Json = answered.json()
        self.id: str = self.registered["client_id"]

    def token(self, resource: str | None, scope: str | None = "openid") -> str:
        return Login().token(self.world, self.id, resource, scope, self.domain.wire["hrid"])

    def own_token(self, resource: str | None) -> str:
        """By client credentials, without a user."""
        url = f"{self.world.urls['am_gateway']}/{self.domain.wire['hrid']}/oauth/token"
        form = {"grant_type": "client_credentials", "resource": resource}
        answered = requests.post(url, data=form, auth=(self.id, self.registered["client_secret"]), timeout=10)
        answered.raise_for_status()
        return answered.json()["access_token"]

    def subscribe(self, api: Api) -> Client:
        subscribe(self.world, self.id, api.id, api.plan_id)
        return self


class Api:
    """An API before the sandbox's MCP server, with one plan, OAuth2 if not said otherwise, and AM as its resource.

    What changes it deploys it.
    """

    def __init__(self, world: World, domain: str, server: Json, *paths: str, security: str = "OAUTH2", **plan: Any):
        self.world = world
        self.base = f"{world.urls['apim']}/management/v2/environments/DEFAULT/apis"
        self.headers = {"Authorization": f"Bearer {world.new_token('apim')}"}
        resource = {
            "serverURL": world.urls["am_gateway"],
            "version": "V3_X",
            "securityDomain": domain,
            "clientId": server["clientId"],
            "clientSecret": server["clientSecret"],
        }
        self.resources = [{"name": "Gravitee AM", "type": "oauth2-am-resource", "configuration": resource}]
        endpoint = {"name": "e", "type": "http-proxy", "configuration": {"target": world.urls["mcp"]}}
        self.definition = {
            "definitionVersion": "V4",
            "type": "PROXY",
            "name": paths[0],
            "apiVersion": "1",
            "listeners": [self._listener(paths)],
            "endpointGroups": [{"name": "g", "type": "http-proxy", "endpoints": [endpoint]}],
        }
        self.id = self._send("POST", "", self.definition)["id"]
        self.plan_id = self.new_plan(security, **plan)
        self.set()
        self._send("POST", f"/{self.id}/_start")

    @property
    def url(self) -> str:
        path = self.definition["listeners"][0]["paths"][0]["path"]
        return f"{self.world.urls['gateway']}{path}"

    @staticmethod
    def _listener(paths: tuple[str, ...], cors: Json | None = None, host: str | None = None) -> Json:
        places = [{"path": path, **({"host": host} if host else {})} for path in paths]
        return {"type": "HTTP", "paths": places, "entrypoints": [{"type": "http-proxy"}], **({"cors": cors} if cors else {})}

    def _send(self, method: str, path: str, body: Json | None = None) -> Any:
        response = requests.request(method, self.base + path, json=body, headers=self.headers, timeout=10)
        assert response.ok, response.text
        return response.json() if response.content else None

    @staticmethod
    def _plan(security: str, rule: str | None = None, flows: Any = (), **configuration: Any) -> Json:
        given = {"oauthResource": "Gravitee AM", **configuration} if security == "OAUTH2" else {}
        return {
            "definitionVersion": "V4",
            "name": "OAuth2" if security == "OAUTH2" else security,
            "description": "d",
            "validation": "AUTO",
            "flows": list(flows),
            "selectionRule": rule,
            "security": {"type": security, "configuration": given},
        }

    def new_plan(self, security: str, **given: Any) -> str:
        """A published plan; given: its rule, flows, and configuration."""
        plan_id = self._send("POST", f"/{self.id}/plans", self._plan(security, **given))["id"]
        self._send("POST", f"/{self.id}/plans/{plan_id}/_publish")
        return plan_id

    def set(self, *paths: str, cors: Json | None = None, host: str | None = None, resources: bool = True, **parts: Any) -> None:
        """Another definition: what is not given is as it was made. Deployed."""
        definition = {**self.definition, "resources": self.resources if resources else [], **parts}
        if paths or cors or host:
            given = paths or tuple(entry["path"] for entry in self.definition["listeners"][0]["paths"])
            definition["listeners"] = [self._listener(given, cors, host)]
        self._send("PUT", f"/{self.id}", definition)
        self.deploy()

    def target(self, url: str) -> None:
        """Another MCP server behind. Deployed."""
        self.definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = url
        self.set()

    def set_plan(self, **given: Any) -> None:
        """Another OAuth2 plan, under the same id. Deployed."""
        self._send("PUT", f"/{self.id}/plans/{self.plan_id}", self._plan("OAUTH2", **given))
        self.deploy()

    def plan_status(self, plan_id: str, verb: str) -> None:
        self._send("POST", f"/{self.id}/plans/{plan_id}/_{verb}")
        self.deploy()

    def deploy(self) -> None:
        self._send("POST", f"/{self.id}/deployments", {})
