"""A client with a token: how long a new one is refused, why any is, and the check's own client."""
from __future__ import annotations

import base64
import functools
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp import with_token
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.refusals import why_refused

from tests.clients import Login
from tests.integration.test_clients import KNOWN, secure
from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

USER = {"test_username": "alice", "test_password": "Alice-Passw0rd!"}
URL = "https://gw/weather-mcp"
ASK = f"the client has to ask for it with resource={URL}"


@pytest.fixture(autouse=True)
def _impatient(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """AM 4.11, whose first ten seconds of a token are three here, and the twelve of the check's patience six."""
    world.apim_version, world.am_version, world.introspection_window, world.domain_reload = "4.12", "4.11", 3.0, 0
    monkeypatch.setattr(with_token, "YOUNG", 6.0)


def step(seen: dict[str, Any], name: str) -> dict[str, str]:
    return next(one for one in seen["steps"] if one["step"] == name)


@pytest.mark.parametrize("given", [True, False])
def test_a_new_token_is_asked_with_until_it_is_taken(modules: Modules, world: World, domain: Domain, given: bool) -> None:
    url = secure(world, modules, "/weather-mcp")
    who: dict[str, Any] = {"token": Login().token(world, "assistant", url)} if given else KNOWN
    before = len([one for one in world.log if one.path.endswith("/oauth/token")])
    seen = modules.run("mcp_check", url=url, **who)
    call = step(seen, "call")
    assert (seen["result"], call["verdict"]) == ("secured", "warning"), seen
    assert "offlineVerificationTimerSeconds: 0 in the gravitee.yml of AM's gateway" in call["got"]
    assert len(seen["tools"]) == 2
    tokens = len([one for one in world.log if one.path.endswith("/oauth/token")]) - before
    assert tokens == (0 if given else 1), "a new token would be refused as long again"


def test_nobody_waits_for_a_token_that_is_old_or_of_a_client_without_a_subscription(
    modules: Modules, world: World, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = secure(world, modules, "/weather-mcp")
    modules.run("gravitee_subscription", context_path="/weather-mcp", client_id="assistant", state="closed")
    monkeypatch.setattr(with_token, "YOUNG", 60.0)
    monkeypatch.setattr(with_token.time, "sleep", lambda _seconds: pytest.fail("it waits"))
    assert modules.run("mcp_check", url=url, username="alice", password="Alice-Passw0rd!")["result"] == "misconfigured"
    assert modules.run("mcp_check", url=url, token=token(iat=time.time() - 100))["result"] == "misconfigured"
    assert modules.run("mcp_check", url=url, token="no-jwt")["result"] == "misconfigured"


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"aud": URL, **claims}).encode()).rstrip(b"=").decode()
    return f"e30.{body}.x"


BY_POLICY = Answer(401, {"www-authenticate": 'Bearer realm="gravitee.io"'})
BY_TEMPLATE = Answer(403, {"www-authenticate": 'Bearer error="insufficient_scope", scope="weather:read"'})
BY_PLAN = Answer(401, {"www-authenticate": f'Bearer resource_metadata="{URL}", scope="openid"'})
REFUSALS: dict[str, tuple[Answer, str, str]] = {
    "scope, by the policy": (BY_POLICY, token(), "HTTP 401: the token lacks a scope that the plan requires"),
    "scope, by a template": (BY_TEMPLATE, token(), "HTTP 403: the token lacks the scope weather:read that the plan requires"),
    "no subscription": (BY_PLAN, token(exp=time.time() + 86400), "client of this token has no subscription to the OAuth2 plan"),
    "whose": (BY_PLAN, token(client_id="c1"), "client c1 has no subscription"),
    "of a neighbour": (BY_PLAN, token(aud=["https://gw/news-mcp"]), "the token is for https://gw/news-mcp, not for this server"),
    "of no server": (BY_PLAN, token(aud="c1"), f"the token is for c1, not for this server: {ASK}"),
    "expired": (BY_PLAN, token(exp=time.time() - 90), "HTTP 401: the token expired "),
    "AM is down": (Answer(503), token(), "HTTP 503: the gateway cannot ask AM; does that answer"),
    "slow": (Answer(504), token(), "read timeout"),
    "odd": (Answer(418), token(), "HTTP 418"),
    "nothing": (Answer(trouble="Connection refused"), token(), "Connection refused"),
    "capitals and a slash": (BY_PLAN, token(aud=f"{URL.upper()}/"), "has no subscription"),
    "no claims": (BY_PLAN, "e30.W10.x", "has no subscription"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_each_refusal_has_its_words(case: str) -> None:
    answer, given, said = REFUSALS[case]
    told = why_refused(answer, given, URL, None)
    assert said in told
    assert ("subscription" in told) == ("subscription" in said), "one reason"


def test_the_check_has_a_client_of_its_own(modules: Modules, world: World, domain: Domain) -> None:
    """Made and subscribed once, for whatever servers; predicted; and taken away with the last of them."""
    weather = variables(world, required_scopes=["openid", "weather:read"], **USER)
    news = variables(world, name="News", context_path="/news-mcp", **USER)
    for v in (weather, news):
        predicted = Role(functools.partial(modules.run, check=True), v, check=True).play()
        role = Role(modules.run, v)
        assert role.play() == predicted
        assert role.done["verified"]["result"] == "secured"
        assert len(role.done["verified"]["tools"]) == 2
        assert Role(modules.run, v).play() == []
        seen = modules.run("mcp_fleet", check=True, look=True, servers=[fleets(v)])["servers"][0]
        assert (seen["changes"], seen["seen"]["result"], len(seen["seen"]["tools"])) == ([], "secured", 2)
    assert [one["name"] for one in domain.applications.values()] == ["MCP check"]
    for v, left in ((weather, 1), (news, 0)):
        Role(modules.run, v).play("teardown.yml")
        assert len(domain.applications) == left


def fleets(v: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(v).items() if value is not None}


def test_verify_finds_it(playbooks: Playbooks, world: World, domain: Domain) -> None:
    done = playbooks.run(**USER)
    assert done.code == 0, done.output
    checked = playbooks.run("verify.yml", **USER)
    assert checked.code == 0, checked.output
    assert len(checked.result("Check the secured API as a client would")["tools"]) == 2
    next(iter(world.subscriptions.values()))["status"] = "CLOSED"
    assert "client MCP check" not in playbooks.run("verify.yml", verify_timeout=1, **USER).output


@pytest.mark.parametrize("apim", ["4.10", "4.11", "4.12"])
def test_what_a_secured_server_meets(modules: Modules, world: World, domain: Domain, apim: str) -> None:
    """All but TLS, which the sandbox has not, and what AM does not say of itself."""
    world.apim_version, world.introspection_window = apim, 0
    v = variables(world, **USER)
    role = Role(modules.run, v)
    role.play()
    found = {"url": v.url, "username": v.test_username, "password": v.test_password, "audience": True, "doctor": True}
    seen = modules.run("mcp_check", **found, client_id=role.done["clients"]["results"][0]["client_id"])
    unmet = {one["requirement"] for one in seen["doctor"] if one["verdict"] == "not met"}
    assert unmet == {
        "All its endpoints are served over TLS",
        "The server itself is served over TLS",
        "It takes client ID metadata documents",
    }
    assert [one["verdict"] for one in seen["doctor"]].count("cannot be met by this version") == 1
    assert len([one for one in seen["doctor"] if one["verdict"] == "not asked"]) == 3
    fleet = modules.run("mcp_fleet", check=True, look=True, doctor=True, servers=[fleets(v)])
    assert len(fleet["servers"][0]["seen"]["doctor"]) == len(seen["doctor"])


TOOLS = [{"key": "get_weather"}, {"key": "slow_forecast", "scopes": ["weather:read"]}]


def told_steps(seen: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(one["verdict"], one["got"]) for one in seen["steps"] if one["step"] == name]


@pytest.mark.parametrize("validated", [True, False])
def test_the_role_shows_that_tools_are_enforced_and_whether_subscriptions_are(
    modules: Modules, world: World, domain: Domain, validated: bool
) -> None:
    world.introspection_window, world.validate_subscription = 0, validated
    role = Role(modules.run, variables(world, tools=TOOLS, **USER))
    role.play()
    seen = role.done["verified"]
    assert seen["result"] == "secured", seen
    proven = [("ok", "HTTP 403, with the scopes to ask for"), ("ok", "let through to the server")]
    assert told_steps(seen, "tool scopes") == proven
    [(verdict, got)] = told_steps(seen, "subscription")
    assert (verdict, got) == (("ok", "HTTP 401: it has no subscription") if validated else ("warning", with_token.UNVALIDATED))
    assert [one["name"] for one in domain.applications.values()] == ["MCP check"], "the other client is removed again"


def test_tools_that_are_not_enforced_are_named(modules: Modules, world: World, domain: Domain) -> None:
    world.introspection_window = 0
    url = secure(world, modules, "/weather-mcp")
    seen = modules.run("mcp_check", url=url, **KNOWN, tool_scopes={"slow_forecast": ["weather:read"], "get_weather": ["openid"]})
    assert (seen["result"], len(seen["tools"])) == ("misconfigured", 2)
    [(verdict, got)] = told_steps(seen, "tool scopes")
    assert (verdict, got.partition(": ")[0]) == ("failed", "not refused with 403")
    assert "slow_forecast (HTTP " in got
    assert "get_weather" not in got


def test_a_machine_client_is_let_in_by_name_alone(modules: Modules, world: World, domain: Domain) -> None:
    """With its id and secret, which go to the expected authorization server alone."""
    world.introspection_window = 0
    named = {"name": "Reporting", "type": "service", "client_id": "reporting", "client_secret": "Rep0rting-secret"}
    other = {**named, "name": "Other", "client_id": "other", "type": "web", "redirect_uris": ["https://other.example/cb"]}
    grants = {"grant_types": ["client_credentials"]}
    v = variables(world, clients=[{**named, **grants}, {**other, **grants}], tools=TOOLS)
    Role(modules.run, v).play()
    scopes = {"slow_forecast": ["weather:read"]}
    ask = {"url": v.url, "client_secret": "Rep0rting-secret", "audience": True, "tool_scopes": scopes}
    seen = modules.run("mcp_check", client_id="reporting", **ask)
    assert (seen["result"], len(seen["tools"])) == ("secured", 2), seen
    assert told_steps(seen, "audience") == [("ok", "HTTP 401")]
    assert told_steps(seen, "tool scopes")[0] == ("ok", "HTTP 403, with the scopes to ask for")
    seen = modules.run("mcp_check", client_id="other", **ask)
    assert seen["result"] == "misconfigured"
    assert "name other in gravitee_plan machine_clients" in seen["summary"]
    elsewhere = modules.run("mcp_check", client_id="reporting", **ask, authorization_server=world.urls["gateway"])
    assert elsewhere["result"] == "misconfigured"
    role = Role(modules.run, replace(v, test_client_id="reporting", test_client_secret="Rep0rting-secret"))
    role.play()
    assert len(role.done["verified"]["tools"]) == 2
