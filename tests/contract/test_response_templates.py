"""Response templates of APIM's gateway, where the contract has a sentence and no recording."""
from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.estate import PRM, Api, Client, new_domain, new_mcp_server
from tests.sandbox.world import OAUTH2_POLICIES, World


@pytest.fixture
def api(world: World) -> Api:
    domain = new_domain(world, "mcp-demo")
    server = new_mcp_server(world, domain, "Weather", f"{world.urls['gateway']}/w")
    return Api(world, "mcp-demo", server, "/w", addWwwAuthenticateHeader=True)


def templated(api: Api, key: str = "GATEWAY_PLAN_UNRESOLVABLE", kind: str = "*/*", **given: Any) -> dict[str, Any]:
    api.set(responseTemplates={key: {kind: {"statusCode": 401, **given}}})
    return given


def test_headers_go_out_as_they_are_and_expressions_count_in_the_body(api: Api) -> None:
    expression = "{#request.path}"
    templated(api, headers={"X-Path": expression}, body=f"at {expression} with {{#request.nothing.at.all}}")
    answered = requests.post(api.url, timeout=10)
    assert answered.headers["X-Path"] == expression
    assert answered.text == "at /w with {#request.nothing.at.all}"


def test_the_type_without_a_header_is_what_the_caller_accepts(api: Api) -> None:
    templated(api, body="refused")
    assert requests.post(api.url, timeout=10).headers["Content-Type"] == "*/*"
    templated(api, body="refused", headers={"Content-Type": "text/plain"})
    assert requests.post(api.url, timeout=10).headers["Content-Type"] == "text/plain"


def test_without_a_status_the_gateway_answers_zero(api: Api) -> None:
    api.set(responseTemplates={"GATEWAY_PLAN_UNRESOLVABLE": {"*/*": {"body": "refused"}}})
    place = urlsplit(api.url)
    with socket.create_connection((place.hostname, place.port), 10) as connection:
        connection.sendall(b"POST /w HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 0 ")


@pytest.mark.parametrize(
    ("key", "kind", "accepted", "used"),
    [
        ("GATEWAY_PLAN_UNRESOLVABLE", "*/*", "application/json", True),
        ("GATEWAY_PLAN_UNRESOLVABLE", "application/json", "application/json, text/event-stream", True),
        ("GATEWAY_PLAN_UNRESOLVABLE", "text/html", "application/json", False),
        ("DEFAULT", "*/*", "application/json", True),
        ("OAUTH2_INSUFFICIENT_SCOPE", "*/*", "application/json", False),
    ],
)
def test_which_template_counts(api: Api, key: str, kind: str, accepted: str, used: bool) -> None:
    templated(api, key, kind, body="ours", headers={"Content-Type": "text/plain"})
    answered = requests.post(api.url, headers={"Accept": accepted}, timeout=10)
    assert answered.status_code == 401
    assert (answered.text == "ours") is used


def test_a_template_covers_every_call_that_no_plan_takes(world: World, api: Api) -> None:
    templated(api, headers={"WWW-Authenticate": 'Bearer scope="openid"'})
    token = Client(world, next(iter(world.domains.values()))).token(api.url)
    for credentials in (None, "bad", token):
        headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
        answered = requests.post(api.url, headers=headers, timeout=10)
        assert answered.raw.headers.getlist("www-authenticate") == ['Bearer scope="openid"']


@pytest.mark.parametrize(("apim", "policy"), OAUTH2_POLICIES.items())
def test_the_policy_follows_the_version_of_apim_unless_it_is_set(world: World, api: Api, apim: str, policy: str) -> None:
    world.apim_version = apim
    assert world.oauth2_policy == policy
    challenged = requests.post(api.url, timeout=10).headers["WWW-Authenticate"]
    assert challenged == (f'Bearer resource_metadata="{api.url}{PRM}"' if policy == "5.1.4" else "Bearer")
    world.oauth2_policy = "5.2.1"
    assert requests.post(api.url, timeout=10).headers["WWW-Authenticate"] == "Bearer"
    assert requests.get(f"{api.url}{PRM}", timeout=10).status_code == 401
    with pytest.raises(ValueError, match="5.0.0"):
        world.oauth2_policy = "5.0.0"
    world.reset()
    assert world.oauth2_policy == policy
