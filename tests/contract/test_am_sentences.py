"""AM's gateway where the contract has a sentence and no recording: redirect URIs, scopes and tokens of 4.10, machine clients."""
from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.clients import REDIRECT, Login
from tests.contract.estate import Client, new_domain, new_mcp_server
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

URL = "http://gw/w"


@pytest.fixture
def domain(world: World) -> Domain:
    return new_domain(world, "mcp-demo")


@pytest.fixture
def server(world: World, domain: Domain) -> dict[str, Any]:
    return new_mcp_server(world, domain, "Weather", URL)


def authorized(world: World, client: Client, redirect_uri: str, **query: str) -> requests.Response:
    """The answer to an authorization request of one who has not logged in yet."""
    given = {"response_type": "code", "client_id": client.id, "redirect_uri": redirect_uri, **query}
    url = f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode(given)}"
    return requests.get(url, allow_redirects=False, timeout=10)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize(
    ("registered", "asked", "matches", "strictly"),
    [
        ("https://client.example/cb", "https://client.example/cb", True, True),
        ("https://client.example/cb", "https://client.example/cb/other", True, False),
        ("https://client.example/cb", "https://client.example/other", False, False),
        ("https://client.example/cb", "https://client.example/cb/../other", False, False),
        ("https://client.example/cb", "https://evil.example/cb", False, False),
        ("https://client.example/cb", "http://client.example/cb", False, False),
        ("http://127.0.0.1:33418/", "http://127.0.0.1:33418/cb", True, False),
        ("http://127.0.0.1:33418/", "http://127.0.0.1:33419/", False, False),
        ("http://127.0.0.1/", "http://127.0.0.1:33418/", False, False),
        ("cursor://anysphere/cb", "cursor://anysphere/cb", True, True),
        ("cursor://anysphere/cb", "cursor://anysphere/cb/other", False, False),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_redirect_uris(
    world: World, domain: Domain, registered: str, asked: str, matches: bool, strictly: bool, strict: bool
) -> None:
    """By the beginning of their path, unless oidc.redirectUriStrictMatching."""
    domain.update({**domain.wire, "oidc": {**domain.wire["oidc"], "redirectUriStrictMatching": strict}})
    answer = authorized(world, Client(world, domain, redirect_uris=[registered]), asked)
    if strictly if strict else matches:
        assert answer.status_code == 302
        assert "/login?" in answer.headers["Location"]
    else:
        assert answer.status_code == 400
        assert "redirect_uri_mismatch" in answer.text


@pytest.mark.parametrize("am", ["4.10", "4.11"])
@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (" offline_access", "Invalid scope(s): "),
        ("openid nope", "Invalid scope(s): nope"),
        ("openid  offline_access", None),
        ("openid offline_access ", None),
        ("", None),
        (None, None),
    ],
)
def test_scopes(world: World, domain: Domain, server: dict[str, Any], scope: str | None, told: str | None, am: str) -> None:
    """The SDK's scope with a blank in front is refused; one that is empty, or none, gives a token without the claim."""
    world.am_version = am
    client = Client(world, domain, scope="openid offline_access")
    if told is None:
        token = client.token(URL, scope)
        assert claims(token).get("scope", "").split() == (scope or "").split()
        return
    query = {"response_type": "code", "client_id": client.id, "redirect_uri": REDIRECT, "scope": scope, "resource": URL}
    url = f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode(query)}"
    answer = Login().approve(url, REDIRECT)
    assert (answer["error"], answer["error_description"]) == ("invalid_scope", told)


def test_who_has_no_scopes_gets_in_by_none(world: World, domain: Domain, server: dict[str, Any]) -> None:
    domain.wire["oidc"]["clientRegistrationSettings"] |= {"isAllowedScopesEnabled": False, "defaultScopes": []}
    domain.sync()
    client = Client(world, domain)
    query = {"response_type": "code", "client_id": client.id, "redirect_uri": REDIRECT, "scope": "openid"}
    url = f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode(query)}"
    assert Login().approve(url, REDIRECT)["error"] == "invalid_scope"


@pytest.mark.parametrize("am", ["4.10", "4.11"])
def test_claims(world: World, domain: Domain, server: dict[str, Any], am: str) -> None:
    world.am_version = am
    client = Client(world, domain)
    ours = {"client_id"} if am == "4.11" else set()
    common = {"sub", "aud", "domain", "iss", "exp", "iat", "jti"}
    with_user = claims(client.token(URL))
    assert set(with_user) == common | {"gis", "scope"} | ours
    assert with_user["aud"] == URL
    assert claims(client.token(None))["aud"] == client.id
    basic = Client(world, domain, grant_types=["client_credentials"], token_endpoint_auth_method="client_secret_post")
    machine = claims(basic.own_token(URL))
    assert set(machine) == common | ours
    assert (machine["aud"], machine["sub"]) == (URL, basic.id)


def test_client_credentials_of_an_mcp_server_are_for_4_11_on(world: World, domain: Domain, server: dict[str, Any]) -> None:
    url = f"{world.urls['am_gateway']}/mcp-demo/oauth/token"
    credentials, form = (server["clientId"], server["clientSecret"]), {"grant_type": "client_credentials", "resource": URL}
    refused = requests.post(url, data=form, auth=credentials, timeout=10)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("am", ["4.10", "4.11"])
def test_an_unknown_resource_is_an_invalid_target(world: World, domain: Domain, server: dict[str, Any], am: str) -> None:
    """Letter by letter, of a user's token as of a machine's."""
    world.am_version = am
    metadata = {"grant_types": ["client_credentials", "authorization_code"], "token_endpoint_auth_method": "client_secret_post"}
    client = Client(world, domain, **metadata)
    for resource in ("http://gw/W", "http://gw/w/", "http://gw/other"):
        query = {"response_type": "code", "client_id": client.id, "redirect_uri": REDIRECT, "scope": "openid"}
        url = f"{world.urls['am_gateway']}/mcp-demo/oauth/authorize?{urlencode({**query, 'resource': resource})}"
        assert Login().approve(url, REDIRECT)["error"] == "invalid_target"
        with pytest.raises(requests.HTTPError):
            client.own_token(resource)


def test_an_expired_secret_is_refused(world: World, domain: Domain) -> None:
    world.am_version = "4.11"
    server = new_mcp_server(world, domain, "Weather", URL)
    url, credentials = f"{world.urls['am_gateway']}/mcp-demo/oauth/introspect", (server["clientId"], server["clientSecret"])
    assert requests.post(url, data={"token": "x"}, auth=credentials, timeout=10).json() == {"active": False}
    next(iter(domain.mcp_servers.values()))["secrets"][0]["expiresAt"] = world.now_ms() - 1
    domain.sync()
    assert requests.post(url, data={"token": "x"}, auth=credentials, timeout=10).status_code == 401


def test_registration_is_offered_in_the_metadata_whether_it_is_on_or_off(world: World, domain: Domain) -> None:
    url = f"{world.urls['am_gateway']}/mcp-demo/oidc/.well-known/openid-configuration"
    on = requests.get(url, timeout=10).json()
    domain.wire["oidc"]["clientRegistrationSettings"]["isDynamicClientRegistrationEnabled"] = False
    domain.sync()
    assert requests.get(url, timeout=10).json() == on
    assert on["registration_endpoint"].endswith("/oidc/register")
    assert "offline_access" in on["scopes_supported"]
