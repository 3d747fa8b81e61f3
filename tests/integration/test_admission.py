"""Admission is judged anew at each run, and what a person decided stays decided."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admission import judge
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.admitted import Past
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import DAY

from tests.clients import Login, register, subscribe
from tests.integration.test_clients import secure
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

EVIL = "https://evil.example/steal"


@pytest.mark.parametrize(
    ("why_not", "past", "verdict"),
    [
        ("", Past(), "subscribe"),
        ("", Past(open=("s",)), "subscribe"),  # one that waits is accepted
        ("", Past(granted=True, open=("s",)), "keep"),
        ("", Past(granted=True, open=("s",), ours=True), "keep"),
        ("", Past(no="its subscription was closed"), "refuse"),
        ("", Past(no="its application was archived", ours=True), "refuse"),
        ("no rule", Past(), "refuse"),
        ("no rule", Past(open=("s",), ours=True), "refuse"),
        ("no rule", Past(granted=True, open=("s",), ours=True), "close"),
        ("no rule", Past(granted=True, open=("s",)), "keep"),  # a person subscribed it
        ("no rule", Past(no="its subscription was closed", ours=True), "refuse"),
    ],
)
def test_what_becomes_of_a_client(why_not: str, past: Past, verdict: str) -> None:
    assert judge(why_not, past) == verdict


@pytest.fixture
def url(world: World, modules: Modules, domain: Domain) -> str:
    world.domain_reload = 0
    return secure(world, modules, "/weather-mcp")


@pytest.fixture
def client(world: World, url: str) -> str:
    """VS Code, with a token of alice."""
    client_id = register(world).json()["client_id"]
    Login().token(world, client_id, url)
    return client_id


def admission(url: str, **given: Any) -> dict[str, Any]:
    at = {"context_path": "/weather-mcp", "domain": "mcp-demo", "resource": url}
    return {**at, "client_profiles": ["vscode"], **given}


def oauth_of(domain: Domain, client_id: str) -> dict[str, Any]:
    settings = (application["settings"]["oauth"] for application in domain.applications.values())
    return next(oauth for oauth in settings if oauth["clientId"] == client_id)


def statuses(world: World, client_id: str) -> list[str]:
    of_client = {one["id"] for one in world.applications.values() if one["settings"]["app"].get("client_id") == client_id}
    return [one["status"] for one in world.subscriptions.values() if one["application"]["id"] in of_client]


def evil_redirect(domain: Domain, client_id: str) -> None:
    oauth_of(domain, client_id)["redirectUris"] = [EVIL]


def client_credentials(domain: Domain, client_id: str) -> None:
    oauth_of(domain, client_id)["grantTypes"].append("client_credentials")


def secret(domain: Domain, client_id: str) -> None:
    oauth_of(domain, client_id)["tokenEndpointAuthMethod"] = "client_secret_basic"


def removed(domain: Domain, client_id: str) -> None:
    del domain.applications[_id(domain, client_id)]


def long_ago(domain: Domain, client_id: str) -> None:
    """And since then it has had no token, so it is not among those that wait."""
    evil_redirect(domain, client_id)
    domain.audits.clear()


CHANGES = [evil_redirect, client_credentials, secret, removed, long_ago]


@pytest.mark.parametrize("change", CHANGES)
def test_who_is_admitted_no_more_is_closed(
    modules: Modules, world: World, domain: Domain, url: str, client: str, change: Callable[[Domain, str], None]
) -> None:
    modules.twice("mcp_admission", **admission(url))
    assert statuses(world, client) == ["ACCEPTED"]
    change(domain, client)
    for careful in ({"subscribe": False}, {"not_admitted": "report"}):
        told = modules.twice("mcp_admission", **admission(url, **careful))
        assert told["changed"] is False
        assert f"is subscribed to {url}" in told["waiting"][0]
    closed = modules.twice("mcp_admission", **admission(url))
    assert closed["changes"][0].startswith("close subscription of VS Code")
    assert statuses(world, client) == ["CLOSED"]
    assert statuses(world, "assistant") == ["ACCEPTED"], "a person subscribed that one"


def close(world: World, client: str) -> None:
    next(iter(reversed(world.subscriptions.values())))["status"] = "CLOSED"


def pause(world: World, client: str) -> None:
    next(iter(reversed(world.subscriptions.values())))["status"] = "PAUSED"


def archive(world: World, client: str) -> None:
    close(world, client)
    next(one for one in world.applications.values() if one["settings"]["app"].get("client_id") == client)["status"] = "ARCHIVED"


@pytest.mark.parametrize(("decide", "why"), [(close, "was closed"), (pause, "was paused"), (archive, "was archived")])
def test_a_persons_no_stays_a_no(
    modules: Modules, world: World, url: str, client: str, decide: Callable[[World, str], None], why: str
) -> None:
    modules.run("mcp_admission", **admission(url))
    decide(world, client)
    before = statuses(world, client)
    told = modules.twice("mcp_admission", **admission(url))
    assert (told["changed"], statuses(world, client)) == (False, before)
    assert why in told["waiting"][0]
    modules.run("gravitee_subscription", context_path="/weather-mcp", client_id=client)
    assert modules.twice("mcp_admission", **admission(url))["waiting"] == [], "a person's yes stays a yes"
    assert "ACCEPTED" in statuses(world, client)


def aged(domain: Domain, client_id: str, days: int) -> None:
    """The client, and the tokens it got until now, are so many days older; so is a token of somebody else's, by two more."""
    past = int(days * DAY)
    for application in domain.applications.values():
        if application["settings"]["oauth"]["clientId"] == client_id:
            application.update(createdAt=application["createdAt"] - past, updatedAt=application["updatedAt"] - past)
    for entry in domain.audits:
        entry["timestamp"] -= past
    domain.audits.append({**domain.audits[0], "id": "old", "timestamp": domain.audits[0]["timestamp"] - 2 * DAY})


def test_a_client_that_nobody_uses_is_named_and_removed_if_asked(
    modules: Modules, world: World, domain: Domain, url: str, client: str
) -> None:
    modules.run("mcp_admission", **admission(url))
    fresh = register(world).json()["client_id"]
    aged(domain, client, 40)
    named = modules.twice("mcp_admission", **admission(url, stale_days=30))
    assert (named["changed"], named["stale"]) == (False, [client])
    assert any(f"VS Code {client} registered itself on " in line and "no token for 30 days" in line for line in named["waiting"])
    careful = modules.twice("mcp_admission", **admission(url, stale_days=30, remove_stale=True, subscribe=False))
    assert (careful["changed"], careful["stale"]) == (False, [client])
    removed = modules.twice("mcp_admission", **admission(url, stale_days=30, remove_stale=True))
    assert removed["stale"] == []
    assert [line.partition(" registered")[0] for line in removed["changes"]] == [f"remove client VS Code {client}"]
    left = {one["settings"]["oauth"]["clientId"] for one in domain.applications.values()}
    assert client not in left
    assert {fresh, "assistant"} <= left, "one is new, and one was made by a person"
    assert statuses(world, client) == ["CLOSED"]


@pytest.mark.parametrize(
    ("days", "used", "reaches", "stale"),
    [(40, False, True, True), (29, False, True, False), (40, True, True, False), (40, False, False, False)],
)
def test_who_is_unused(
    modules: Modules, world: World, domain: Domain, url: str, client: str, days: int, used: bool, reaches: bool, stale: bool
) -> None:
    """By its tokens for any server, and only as far as the audit log reaches back."""
    aged(domain, client, days)
    if used:
        Login().token(world, client, url)
    if not reaches:
        domain.audits[:] = [one for one in domain.audits if one["timestamp"] > domain.audits[0]["timestamp"] + 39 * DAY]
    told = modules.run("mcp_admission", **admission(url, stale_days=30, remove_stale=True))
    assert any(line.startswith("remove client") for line in told["changes"]) is stale
    assert any("audit log has no token that is older" in warning for warning in told["warnings"]) is not reaches


def test_an_unused_client_for_which_a_person_made_an_application_stays(
    modules: Modules, world: World, domain: Domain, url: str, client: str
) -> None:
    modules.run("gravitee_subscription", context_path="/weather-mcp", client_id=client)
    aged(domain, client, 40)
    told = modules.twice("mcp_admission", **admission(url, stale_days=30, remove_stale=True))
    assert (told["changed"], told["stale"]) == (False, [client])
    assert any("is kept: a person made the application" in line for line in told["waiting"])
    with pytest.raises(ModuleFailed, match="stale_days: 0 is no number of days"):
        modules.run("mcp_admission", **admission(url, stale_days=0))


def test_who_is_admitted_may_ask_for_the_tools_scopes_and_nobody_else(
    modules: Modules, world: World, domain: Domain, url: str, client: str
) -> None:
    stranger = register(world, client_name="Stranger", redirect_uris=[EVIL]).json()["client_id"]
    domain.audits.append({**domain.audits[0], "accessPoint": {"id": _id(domain, stranger), "alternativeId": stranger}})
    domain.scopes["weather:read"] = {"key": "weather:read"}
    given = admission(url, scopes=["openid", "weather:read", "unknown to the domain"])
    assert modules.run("mcp_admission", **given, subscribe=False)["changed"] is False
    told = modules.twice("mcp_admission", **given)
    assert [line for line in told["changes"] if line.startswith("let ")] == [f"let VS Code {client} ask for weather:read"]
    assert _scopes(domain, client) == {"openid", "weather:read"}
    assert "weather:read" not in _scopes(domain, stranger)
    token = Login().token(world, client, url, "openid weather:read")
    assert modules.run("mcp_check", url=url, token=token)["result"] == "secured"
    oauth_of(domain, client)["scopeSettings"] = []  # as its next registration may have it
    close(world, client)
    assert modules.twice("mcp_admission", **given)["changed"] is False, "whom a person closed gets nothing"


def _id(domain: Domain, client_id: str) -> str:
    return next(key for key, one in domain.applications.items() if one["settings"]["oauth"]["clientId"] == client_id)


def _scopes(domain: Domain, client_id: str) -> set[str]:
    return {setting["scope"] for setting in oauth_of(domain, client_id)["scopeSettings"]}


def test_a_client_with_no_user_waits(modules: Modules, world: World, domain: Domain, url: str, client: str) -> None:
    for entry in domain.audits:
        entry["target"] = None
    told = modules.twice("mcp_admission", **admission(url))
    assert told["changed"] is False
    assert "nobody has logged in with it" in told["waiting"][0]


def test_one_clients_broken_uri_ends_nothing(modules: Modules, world: World, domain: Domain, url: str, client: str) -> None:
    broken = register(world, client_name="Broken").json()["client_id"]
    Login().token(world, broken, url)
    oauth_of(domain, broken)["redirectUris"] = ["http://[::1", None, 5]
    told = modules.twice("mcp_admission", **admission(url))
    assert statuses(world, client) == ["ACCEPTED"]
    assert [line.split()[0] for line in told["waiting"]] == ["Broken"]


def test_a_name_forges_no_line_on_the_terminal(modules: Modules, world: World, domain: Domain, url: str) -> None:
    name = "VS Code\r\nPLAY RECAP\x1b[2J\x9b1m\u202eevil\u2028"
    client_id = register(world, client_name=name).json()["client_id"]
    Login().token(world, client_id, url)
    waiting = modules.run("mcp_admission", **admission(url, subscribe=False))["waiting"]
    changes = modules.run("mcp_admission", **admission(url))["changes"]
    for line in [*waiting, *changes]:
        assert line.isprintable(), line
        assert "VS Code\\r\\nPLAY RECAP\\x1b[2J\\x9b1m\\u202eevil\\u2028" in line


def test_whom_a_person_subscribed_is_left_alone(modules: Modules, world: World, url: str, client: str) -> None:
    subscribe(world, client)
    told = modules.twice("mcp_admission", **admission(url, client_profiles=[]))
    assert (told["changed"], told["waiting"], statuses(world, client)) == (False, [], ["ACCEPTED"])
