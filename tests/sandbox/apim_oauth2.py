"""The OAuth2 policy of APIM's gateway in the three versions that were recorded: metadata, challenge, introspection, scopes."""
from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import Response

from .apim_failures import Failure, insufficient_scope, unavailable
from .web import answer

PRM = "/.well-known/oauth-protected-resource"
TLS = httpx.create_ssl_context()  # once: it takes longer than a call
Json = dict[str, Any]
# The defaults of the generic resource's schema.
GENERIC = {
    "introspectionEndpointMethod": "GET",
    "useClientAuthorizationHeader": True,
    "tokenIsSuppliedByQueryParam": True,
    "tokenQueryParamName": "token",
    "tokenIsSuppliedByFormUrlEncoded": False,
    "tokenFormUrlEncodedName": "token",
}


def original_url(request: Request) -> str:
    """The URL as the client called it, by what proxies say."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    host = request.headers.get("x-forwarded-host", request.headers.get("host", ""))
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{scheme}://{host}{request.url.path}{query}"


class AmResource:
    """What the policy asks of a resource of Gravitee AM."""

    def __init__(self, configuration: Json):
        self.configuration = configuration
        self.base = f"{configuration['serverURL']}/{configuration['securityDomain']}"

    @property
    def authorization_server(self) -> str:
        return f"{self.base}/oidc"

    async def introspection(self, client: httpx.AsyncClient, token: str) -> httpx.Response:
        credentials = (self.configuration["clientId"], self.configuration["clientSecret"])
        return await client.post(f"{self.base}/oauth/introspect", data={"token": token}, auth=credentials)


class GenericResource(AmResource):
    """The type `oauth2`, for any authorization server. Not recorded: read in the plugin's source, version 5.0.0."""

    def __init__(self, configuration: Json):
        self.configuration = {**GENERIC, **configuration}
        self.base = configuration["authorizationServerUrl"]

    @property
    def authorization_server(self) -> str:
        return self.base + self.configuration["authorizationServerMetadataEndpoint"].rpartition("/.well-known/")[0]

    async def introspection(self, client: httpx.AsyncClient, token: str) -> httpx.Response:
        given = self.configuration
        credentials = (given["clientId"], given["clientSecret"]) if given["useClientAuthorizationHeader"] else None
        query = {given["tokenQueryParamName"]: token} if given["tokenIsSuppliedByQueryParam"] else None
        as_form = given["introspectionEndpointMethod"] == "POST" and given["tokenIsSuppliedByFormUrlEncoded"]
        form = {given["tokenFormUrlEncodedName"]: token} if as_form else None
        url = self.base + given["introspectionEndpoint"]
        return await client.request(given["introspectionEndpointMethod"], url, params=query, data=form, auth=credentials)


RESOURCES = {"oauth2-am-resource": AmResource, "oauth2": GenericResource}


class OAuth2Policy:
    """5.1.4. An instance is the policy of one plan of one API."""

    content_type: str | None = None

    def __init__(self, api: Json, plan: Json):
        self.api = api
        self.configuration: Json = plan["security"]["configuration"]
        name, resources = self.configuration["oauthResource"], api["resources"] or []
        found = [one for one in resources if one["name"] == name and one["enabled"]]
        self.resource = RESOURCES[found[0]["type"]](found[0]["configuration"]) if found else None

    @property
    def scopes_supported(self) -> list[str]:
        return []

    def challenge(self, request: Request) -> str | None:
        if self.configuration.get("addWwwAuthenticateHeader"):
            return f'Bearer resource_metadata="{original_url(request)}{PRM}"'
        return None

    def protected_resource(self, request: Request) -> str | None:
        """The resource whose metadata the request asks for, None if it asks for none."""
        url = original_url(request)
        return url.removesuffix(PRM) if url.endswith(PRM) else None

    def metadata(self, request: Request) -> Response | None:
        """The document, None if the request is for another. Failure."""
        protected = self.protected_resource(request)
        if protected is None:
            return None
        if self.resource is None:
            return self.metadata_without_resource()
        document = {
            "resource": protected,
            "authorization_servers": [self.resource.authorization_server],
            "scopes_supported": self.scopes_supported,
        }
        response = answer(document)
        if not self.content_type:
            del response.headers["content-type"]
        return response

    def metadata_without_resource(self) -> Response | None:
        raise Failure(500, "Internal Server Error")

    async def introspect(self, token: str) -> Json | None:
        """What the authorization server says of the token, None without a resource to ask. Failure if it says nothing."""
        if self.resource is None:
            return None
        try:
            async with httpx.AsyncClient(verify=TLS) as client:
                response = await self.resource.introspection(client, token)
        except httpx.HTTPError:
            raise unavailable() from None
        if response.status_code != 200:
            raise unavailable()
        return response.json()

    def check_scopes(self, introspected: Json) -> None:
        """Failure if the token lacks a scope that the plan requires; all of them, or with modeStrict false any."""
        required = set(self.configuration.get("requiredScopes") or [])
        if not self.configuration.get("checkRequiredScopes") or not required:
            return
        granted = required & set(introspected.get("scope", "").split())
        if not granted or (self.configuration.get("modeStrict", True) and granted != required):
            raise insufficient_scope()


class OAuth2Policy521(OAuth2Policy):
    """5.2.1: the metadata only under the well-known path, the required scopes told, addWwwAuthenticateHeader gone."""

    @property
    def scopes_supported(self) -> list[str]:
        return self.configuration.get("requiredScopes") or []

    def challenge(self, request: Request) -> str | None:
        """Of an MCP_PROXY API with the metadata's place; that was read in the policy's sources, not recorded."""
        place = urlsplit(original_url(request))
        metadata = f' resource_metadata="{place.scheme}://{place.netloc}{PRM}{place.path}"'
        scopes = f' scope="{" ".join(self.scopes_supported)}"' if self.scopes_supported else ""
        return f"Bearer{metadata if self.api['type'] == 'MCP_PROXY' else ''}{scopes}"

    def protected_resource(self, request: Request) -> str | None:
        place = urlsplit(original_url(request))
        return f"{place.scheme}://{place.netloc}{place.path.removeprefix(PRM)}" if place.path.startswith(PRM) else None


class OAuth2Policy531(OAuth2Policy521):
    """5.3.1: the metadata in both places, as JSON, and nowhere without a resource."""

    content_type = "application/json"

    def protected_resource(self, request: Request) -> str | None:
        place = urlsplit(original_url(request))
        if place.path.startswith(PRM):
            path = place.path.removeprefix(PRM)
        elif place.path.endswith(PRM):
            path = place.path.removesuffix(PRM)
        else:
            return None
        return f"{place.scheme}://{place.netloc}{path or '/'}"

    def metadata_without_resource(self) -> Response | None:
        return None


POLICIES: dict[str, type[OAuth2Policy]] = {"5.1.4": OAuth2Policy, "5.2.1": OAuth2Policy521, "5.3.1": OAuth2Policy531}
