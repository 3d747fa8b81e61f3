"""mcp_check: what each state of the servers looks like from outside, and which setting it names."""
from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.clients import Login, register, subscribe
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

AT = {"context_path": "/weather-mcp"}


@pytest.fixture
def url(world: World) -> str:
    return f"{world.urls['gateway']}/weather-mcp"


@pytest.fixture
def secured(modules: Modules, world: World, domain: Domain, url: str) -> None:
    """As the role leaves it."""
    server = modules.run("am_mcp_server", domain="mcp-demo", name="Weather", resource_identifier=url)
    modules.run("gravitee_api", **AT, name="Weather", target=world.urls["mcp"], metadata_path=True)
    modules.run(
        "am_resource",
        **AT,
        server_url=world.urls["am_gateway"],
        security_domain="mcp-demo",
        client_id=server["client_id"],
        client_secret=server["client_secret"],
    )
    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    modules.run("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM")
    modules.run("gravitee_deployment", **AT)


def failed(seen: dict[str, Any]) -> list[str]:
    return [step["step"] for step in seen["steps"] if step["verdict"] == "failed"]


@pytest.mark.parametrize("version", ["4.10", "4.12"])
def test_secured(modules: Modules, world: World, url: str, version: str, request: pytest.FixtureRequest) -> None:
    world.apim_version = version
    request.getfixturevalue("secured")
    before = len(world.writes())
    seen = modules.run("mcp_check", url=url)
    assert (seen["result"], failed(seen)) == ("secured", [])
    assert seen["changed"] is False
    assert world.writes()[before:] == []
    steps = {step["step"] for step in seen["steps"]}
    assert {"reachable", "no token", "challenge", "protected resource metadata", "PKCE", "registration"} <= steps
    places = [step["asked"] for step in seen["steps"] if step["step"] == "protected resource metadata"]
    well_known = f"GET {world.urls['gateway']}/.well-known/oauth-protected-resource"
    assert {f"{well_known}/weather-mcp (well-known, path at its end)", f"{well_known} (well-known at the root)"} <= set(places)


@pytest.mark.parametrize("mcp_json", [False, True])
def test_open(modules: Modules, world: World, mcp_json: bool) -> None:
    seen = modules.run("mcp_check", url=world.urls["mcp"], gateway=False)
    assert (seen["result"], failed(seen)) == ("open", [])
    assert "weather" in seen["steps"][1]["got"]


def test_an_open_door_on_the_gateway(modules: Modules, world: World, url: str) -> None:
    modules.run("gravitee_api", **AT, name="Weather", target=world.urls["mcp"], metadata_path=True)
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert modules.run("mcp_check", url=url)["result"] == "open"


def test_a_keyless_plan_beside_the_oauth2_plan_leaves_it_open(modules: Modules, world: World, url: str, secured: None) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT, allow_open=True)
    assert modules.run("mcp_check", url=url)["result"] == "open"


def test_upstream_secured(modules: Modules, world: World, url: str) -> None:
    world.upstream_secured = True
    direct = modules.run("mcp_check", url=world.urls["mcp"], gateway=False)
    assert direct["result"] == "upstream_secured"
    assert "works only where it does not" in direct["summary"]
    modules.run("gravitee_api", **AT, name="Weather", target=world.urls["mcp"], metadata_path=True)
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert modules.run("mcp_check", url=url)["result"] == "upstream_secured"


def test_unreachable(modules: Modules, world: World, url: str) -> None:
    gone = modules.run("mcp_check", url="http://127.0.0.1:9/mcp", retries=0)
    assert gone["result"] == "unreachable"
    assert "Connection refused" in gone["summary"]
    assert "is the API deployed and started" in modules.run("mcp_check", url=url)["summary"]


def test_the_target_is_down(modules: Modules, world: World, url: str) -> None:
    modules.run("gravitee_api", **AT, name="Weather", target="http://127.0.0.1:9/mcp")
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert "is the MCP server up?" in modules.run("mcp_check", url=url)["summary"]


def test_no_challenge_means_no_client_finds_its_way(modules: Modules, url: str, secured: None) -> None:
    modules.run("gravitee_plan", **AT, security="oauth2", oauth_resource="Gravitee AM", discovery=False)
    modules.run("gravitee_deployment", **AT)
    seen = modules.run("mcp_check", url=url)
    assert seen["result"] == "misconfigured"
    assert "use gravitee_plan with discovery=true, then deploy" in seen["summary"]


def test_the_plan_names_a_resource_that_is_not_there(modules: Modules, world: World, url: str, secured: None) -> None:
    """APIM takes it without a word; the metadata is a 500."""
    record = next(iter(world.apis.values()))
    record.definition["resources"] = []
    modules.run("gravitee_deployment", **AT)
    seen = modules.run("mcp_check", url=url)
    assert seen["result"] == "misconfigured"
    assert "the OAuth2 plan names a resource that the API does not have" in seen["summary"]


def test_the_domain_is_disabled(modules: Modules, domain: Domain, url: str, secured: None) -> None:
    domain.update({**domain.wire, "enabled": False})
    seen = modules.run("mcp_check", url=url)
    assert failed(seen) == ["authorization server metadata"]
    assert "Is the domain enabled" in seen["summary"]


def test_a_proxy_hides_the_host_that_clients_call(modules: Modules, world: World, url: str, secured: None) -> None:
    def forward(method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Type": "application/json"}
        response = requests.request(method, f"{world.urls['gateway']}{path}", data=body, headers=headers, timeout=10)
        kept = {name: response.headers[name] for name in ("WWW-Authenticate", "Content-Type") if name in response.headers}
        return response.status_code, kept, response.content

    with serving(forward) as base:
        seen = modules.run("mcp_check", url=f"{base}/weather-mcp")
    assert failed(seen) == ["resource"]
    assert f"resource is {url!r}, but clients call {base}/weather-mcp: does a proxy hide the host" in seen["summary"]


def test_a_web_page_is_no_mcp_server(modules: Modules) -> None:
    with serving(lambda *_request: (200, {"Content-Type": "text/html"}, b"<html>")) as base:
        seen = modules.run("mcp_check", url=f"{base}/mcp")
    assert "no MCP message: is the URL right?" in seen["summary"]


def test_a_slash_at_the_end_is_told(modules: Modules) -> None:
    with serving(lambda *_request: (307, {"Location": "http://target/mcp"}, b"")) as base:
        seen = modules.run("mcp_check", url=f"{base}/mcp/")
    assert seen["result"] == "unknown"
    told = next(step for step in seen["steps"] if step["step"] == "redirect")
    assert told["got"] == f"HTTP 307 to http://target/mcp: call {base}/mcp instead"


def test_a_token_gets_its_tools(modules: Modules, world: World, domain: Domain, url: str, secured: None) -> None:
    token = _token(modules, world, domain, url, subscribed=True)
    seen = modules.run("mcp_check", url=url, token=token)
    assert (seen["result"], [tool["name"] for tool in seen["tools"]]) == ("secured", ["get_weather", "slow_forecast"])
    assert token not in str(seen | {"invocation": None})


def test_a_good_token_without_a_subscription_is_refused(
    modules: Modules, world: World, domain: Domain, url: str, secured: None
) -> None:
    token = _token(modules, world, domain, url, subscribed=False)
    seen = modules.run("mcp_check", url=url, token=token)
    assert (seen["result"], failed(seen)) == ("misconfigured", ["call"])
    assert "no subscription to the OAuth2 plan" in seen["summary"]


def test_a_wrong_secret_in_the_resource_is_a_503_for_good_tokens(
    modules: Modules, world: World, domain: Domain, url: str, secured: None
) -> None:
    token = _token(modules, world, domain, url, subscribed=True)
    modules.run("am_resource", **AT, client_secret="wrong")
    modules.run("gravitee_deployment", **AT)
    assert modules.run("mcp_check", url=url)["result"] == "secured"
    seen = modules.run("mcp_check", url=url, token=token)
    assert "are client id and secret of the AM resource right (am_resource)?" in seen["summary"]


def test_expect_fails_with_the_first_step_that_did(modules: Modules, world: World) -> None:
    with pytest.raises(ModuleFailed, match="is unreachable, not secured: reachable: .*Connection refused"):
        modules.run("mcp_check", url="http://127.0.0.1:9/mcp", expect=["secured"], retries=0)
    with pytest.raises(ModuleFailed, match="url: 'weather' is no http.s. URL"):
        modules.run("mcp_check", url="weather")


def test_waits_for_what_is_expected(modules: Modules, world: World, url: str) -> None:
    world.sync_delay = 1.0
    modules.run("gravitee_api", **AT, name="Weather", target=world.urls["mcp"], metadata_path=True)
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert modules.run("mcp_check", url=url, expect=["open"], wait_timeout=20)["result"] == "open"


def _token(modules: Modules, world: World, domain: Domain, url: str, subscribed: bool) -> str:
    """What a self-registered client gets; subscribed if so wanted."""
    client_id = register(world).json()["client_id"]
    if subscribed:
        subscribe(world, client_id)
    return Login().token(world, client_id, url)
