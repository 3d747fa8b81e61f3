"""The role: both flows, from a fresh installation to a closed door, and what people do to it afterwards."""
from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.clients import Login, register
from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

pytestmark = pytest.mark.usefixtures("domain")
FLOWS = pytest.mark.parametrize("flow", ["sealed", "documented"])
AT = {"context_path": "/weather-mcp"}
TOOLS = [{"key": "get_weather", "description": "The weather", "scopes": ["weather:read"]}]


def initialize(url: str, token: str | None = None) -> int:
    """The status that a client's first call gets, with no token unless one is given."""
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "0"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    headers = {"Accept": "application/json, text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return requests.post(url, json=message, headers=headers, timeout=10).status_code


@FLOWS
def test_predicted_run_and_run_again(playbooks: Playbooks, world: World, flow: str) -> None:
    given = {"flow": flow, "tools": TOOLS, "required_scopes": ["weather:read"]}
    predicted = playbooks.run("secure_mcp.yml", "--check", "--diff", **given)
    assert predicted.code == 0, predicted.output
    assert world.writes() == []
    first = playbooks.run(**given)
    assert first.code == 0, first.output
    assert first.changes == predicted.changes
    assert first.changed == predicted.changed
    assert initialize(playbooks.url) == 401
    before = len(world.writes())
    for arguments in ((), ("--check", "--diff")):
        again = playbooks.run("secure_mcp.yml", *arguments, **given)
        assert again.code == 0, again.output
        assert (again.changed, again.changes) == ([], [])
        assert again.result("Check the secured API as a client would")["result"] == "secured"
    assert world.writes()[before:] == []


@pytest.mark.parametrize(("apim", "am"), [("4.12", "4.11"), ("4.12", "4.10"), ("4.10", "4.11")])
@FLOWS
def test_other_versions(playbooks: Playbooks, world: World, apim: str, am: str, flow: str) -> None:
    world.apim_version, world.am_version = apim, am
    first = playbooks.run(flow=flow, required_scopes=["weather:read"])
    assert first.code == 0, first.output
    assert playbooks.run(flow=flow, required_scopes=["weather:read"]).changes == []


def test_the_documented_flow_is_the_guide_in_its_order(playbooks: Playbooks) -> None:
    first = playbooks.run(flow="documented")
    assert first.code == 0, first.output
    assert first.result("Test it through the gateway, without authentication")["result"] == "open"
    assert [change.split(" of ")[0].split(" for ")[0] for change in first.changes if not change.startswith("set ")] == [
        "create API Weather MCP at /weather-mcp/",
        "create plan Keyless (KEY_LESS)",
        "publish plan Keyless (KEY_LESS)",
        "deploy API /weather-mcp",
        "start API /weather-mcp",
        "create MCP server Weather MCP",
        "add resource Gravitee AM to API /weather-mcp",
        "create plan OAuth2 (OAUTH2)",
        "publish plan OAuth2 (OAUTH2)",
        "close plan Keyless (KEY_LESS)",
        "deploy API /weather-mcp",
    ]


@pytest.mark.parametrize("then", ["sealed", "documented"])
def test_no_flow_reopens_a_door(playbooks: Playbooks, world: World, then: str) -> None:
    """Closed by one flow, run by the other: nothing changes, though the documented flow opens new APIs."""
    assert playbooks.run(flow="documented" if then == "sealed" else "sealed").code == 0
    other = playbooks.run(flow=then)
    assert other.code == 0, other.output
    assert other.changes == []


@FLOWS
def test_an_open_api_is_closed(playbooks: Playbooks, modules: Modules, world: World, flow: str) -> None:
    """Resource, OAuth2 plan published, keyless closed, deployed; in this order nobody with a token is ever shut out."""
    modules.run("gravitee_api", **AT, name="Weather MCP", target=world.urls["mcp"])
    modules.run("gravitee_plan", **AT, name="Come in", security="key_less")
    modules.run("gravitee_deployment", **AT)
    assert initialize(playbooks.url) == 200
    done = playbooks.run(flow=flow)
    assert done.code == 0, done.output
    order = ["add resource", "create plan OAuth2", "publish plan OAuth2", "close plan Come in", "deploy API"]
    assert [change for change in done.changes if change.startswith(tuple(order))] == sorted(
        [change for change in done.changes if change.startswith(tuple(order))],
        key=lambda change: next(i for i, start in enumerate(order) if change.startswith(start)),
    )
    assert initialize(playbooks.url) == 401


def test_a_watcher_outside_never_gets_in(playbooks: Playbooks, world: World) -> None:
    """Asks the gateway all the time that the sealed flow takes on a new API: 404, then 401, never 200."""
    world.sync_delay = 0.3
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            status = initialize(playbooks.url)
            if status not in seen[-1:]:
                seen.append(status)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert playbooks.run().code == 0
    finally:
        done.set()
        watcher.join()
    assert seen == [404, 401]


def _close(world: World, **kinds: str) -> None:
    for plan in next(iter(world.apis.values())).plans.values():
        if plan["security"]["type"] == kinds["kind"]:
            plan["status"] = "CLOSED"


def _api(world: World) -> dict[str, Any]:
    return next(iter(world.apis.values())).definition


def _domain(world: World) -> dict[str, Any]:
    return next(iter(world.domains.values())).wire


def _server(world: World) -> dict[str, Any]:
    return next(iter(next(iter(world.domains.values())).mcp_servers.values()))


def _oauth2(world: World) -> dict[str, Any]:
    plans = next(iter(world.apis.values())).plans.values()
    return next(plan for plan in plans if plan["security"]["type"] == "OAUTH2")["security"]["configuration"]


def _stop(world: World) -> None:
    record = next(iter(world.apis.values()))
    record.state = "STOPPED"
    record.serve()


def _reopen(world: World) -> None:
    """Someone publishes a keyless plan in the console and deploys."""
    record = next(iter(world.apis.values()))
    plan = {"id": "k", "name": "Oops", "status": "PUBLISHED", "security": {"type": "KEY_LESS"}, "flows": [], "order": 2}
    record.plans["k"] = {**plan, "validation": "AUTO"}
    record.deploy("deployed")
    record.serve()


API = "of API Weather MCP"
EDITS: dict[str, tuple[Callable[[World], Any], list[str]]] = {
    "target": (
        lambda world: _api(world)["endpointGroups"][0]["endpoints"][0].update(configuration={"target": "http://evil/mcp"}),
        [f"update endpointGroups {API}", "deploy API /weather-mcp"],
    ),
    "version": (lambda world: _api(world).update(apiVersion="9"), [f"update apiVersion {API}", "deploy API /weather-mcp"]),
    "resource": (
        lambda world: _api(world)["resources"][0]["configuration"].update(securityDomain="other"),
        ["update securityDomain of resource Gravitee AM of API /weather-mcp", "deploy API /weather-mcp"],
    ),
    "discovery": (
        lambda world: _oauth2(world).pop("addWwwAuthenticateHeader"),
        ["update security of plan OAuth2 (OAUTH2) of API /weather-mcp", "deploy API /weather-mcp"],
    ),
    "plan closed": (
        lambda world: _close(world, kind="OAUTH2"),
        [
            "create plan OAuth2 (OAUTH2) of API /weather-mcp",
            "publish plan OAuth2 (OAUTH2) of API /weather-mcp",
            "deploy API /weather-mcp",
        ],
    ),
    "reopened": (_reopen, ["close plan Oops (KEY_LESS) of API /weather-mcp", "deploy API /weather-mcp"]),
    "stopped": (_stop, ["start API /weather-mcp"]),
    "registration": (
        lambda world: _domain(world)["oidc"]["clientRegistrationSettings"].update(allowLocalhostRedirectUri=False),
        ["set allowLocalhostRedirectUri of domain mcp-demo"],
    ),
    "login": (
        lambda world: _domain(world)["loginSettings"].update(registerEnabled=False),
        ["set registerEnabled of domain mcp-demo"],
    ),
    "mcp server": (lambda world: _server(world).update(name="Other"), ["update name of MCP server Other"]),
    "tools": (lambda world: _server(world).update(features=[]), ["update features of MCP server Weather MCP"]),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_hand_edit_is_found_and_fixed(modules: Modules, world: World, edit: str) -> None:
    v = variables(world, tools=TOOLS)
    role = Role(modules.run, v)
    role.play()
    change, expected = EDITS[edit]
    change(world)
    before = len(world.writes())
    assert Role(functools.partial(modules.run, check=True), v, check=True).play() == expected
    assert world.writes()[before:] == []
    assert role.play() == expected
    assert role.play() == []


def test_hand_edits_are_drift(playbooks: Playbooks, world: World) -> None:
    """Several at once, by the playbooks."""
    assert playbooks.run(tools=TOOLS).code == 0
    edits = [EDITS[name] for name in ("target", "discovery", "reopened", "registration", "mcp server")]
    for change, _expected in edits:
        change(world)
    expected = [finding for _change, findings in edits for finding in findings if not finding.startswith("deploy")]
    before = len(world.writes())
    drifted = playbooks.run("drift.yml", "--diff", tools=TOOLS)
    assert drifted.code == 2, drifted.output
    assert sorted(drifted.changes) == sorted([*expected, "deploy API /weather-mcp"])
    assert f"weather has drifted: {len(drifted.changes)} finding(s)." in drifted.failure
    for finding in drifted.changes:
        assert f"weather: {finding}" in drifted.output
    assert world.writes()[before:] == []
    fixed = playbooks.run(tools=TOOLS)
    assert fixed.code == 0, fixed.output
    assert fixed.changes == drifted.changes


def test_a_deleted_mcp_server_comes_back(playbooks: Playbooks, world: World, domain: Domain) -> None:
    assert playbooks.run().code == 0
    domain.mcp_servers.clear()
    domain.sync()
    fixed = playbooks.run()
    assert fixed.code == 0, fixed.output
    assert _api(world)["resources"][0]["configuration"]["clientId"] == _server(world)["clientId"]
    assert _api(world)["resources"][0]["configuration"]["clientSecret"] == _server(world)["secrets"][0]["secret"]
    assert playbooks.run().changes == []


@pytest.mark.parametrize("am", ["4.10", "4.11"])
def test_a_lost_secret_is_renewed(playbooks: Playbooks, world: World, domain: Domain, am: str) -> None:
    """AM has the MCP server, the API has no resource: what a run leaves that died between the two."""
    world.am_version = am
    assert playbooks.run().code == 0
    client_id = _server(world)["clientId"]
    _api(world)["resources"] = []
    fixed = playbooks.run()
    assert fixed.code == 0, fixed.output
    assert _server(world)["clientId"] == client_id
    assert _api(world)["resources"][0]["configuration"]["clientSecret"] == _server(world)["secrets"][-1]["secret"]
    assert playbooks.run().changes == []


def test_a_lost_secret_before_4_11_is_the_users_to_decide(playbooks: Playbooks, world: World) -> None:
    assert playbooks.run().code == 0
    _api(world)["resources"] = []
    refused = playbooks.run(recreate_lost_server=False)
    assert refused.code == 2
    assert "secure_mcp_recreate_lost_server: this AM (before 4.11) cannot renew a secret" in refused.failure


def test_own_credentials_are_used(playbooks: Playbooks, world: World) -> None:
    own = {"client_id": "weather", "client_secret": "weather-secret-of-ours"}
    done = playbooks.run("secure_mcp.yml", "-vvv", "--diff", **own)
    assert done.code == 0, done.output
    assert _api(world)["resources"][0]["configuration"]["clientId"] == "weather"
    assert _server(world)["secrets"][0]["secret"] == "weather-secret-of-ours"
    assert "weather-secret-of-ours" not in done.output
    assert playbooks.run(**own).changes == []


def test_generated_secrets_are_not_shown(playbooks: Playbooks, world: World) -> None:
    done = playbooks.run("secure_mcp.yml", "-vvvv", "--diff")
    assert done.code == 0
    assert _server(world)["secrets"][0]["secret"] not in done.output


def test_what_is_not_wanted_is_left_alone(playbooks: Playbooks, domain: Domain) -> None:
    before = {key: dict(domain.wire[key]) for key in ("oidc",)}
    done = playbooks.run(dcr=False, user_registration=False)
    assert done.code == 0, done.output
    assert domain.wire["oidc"]["clientRegistrationSettings"] == before["oidc"]["clientRegistrationSettings"]
    assert "loginSettings" not in domain.wire


def test_preflight(playbooks: Playbooks, world: World) -> None:
    world.upstream_secured = True
    refused = playbooks.run()
    assert refused.code == 2
    assert "The MCP server itself asks for authentication. Gravitee's guide works only where it does not" in refused.failure
    assert world.writes() == []
    warned = playbooks.run("secure_mcp.yml", "--check", preflight="warn")
    assert warned.code == 0, warned.output
    assert "as seen from here, is upstream_secured" in warned.output
    skipped = playbooks.run("secure_mcp.yml", "--check", preflight="skip")
    assert (skipped.code, "as seen from here" in skipped.output) == (0, False)


def test_a_target_that_the_controller_cannot_reach_is_a_warning(playbooks: Playbooks) -> None:
    done = playbooks.run(target="http://127.0.0.1:9/mcp")
    assert done.code == 0, done.output
    assert "is unreachable" in done.output
    assert initialize(playbooks.url) == 401


def test_a_failed_verification_fails_the_run(playbooks: Playbooks, domain: Domain) -> None:
    assert playbooks.run().code == 0
    domain.update({**domain.wire, "enabled": False})
    done = playbooks.run(verify_timeout=1)
    assert done.code == 2
    assert "am_gateway_url: " in done.failure
    assert "see that the domain mcp-demo is enabled" in done.failure
    assert playbooks.run("verify.yml", verify_timeout=1).code == 2
    domain.update({**domain.wire, "enabled": True})
    assert playbooks.run("verify.yml").code == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"context_path": "/Weather-mcp"}, "has capitals. AM lower-cases the identifiers"),
        ({"target": "weather"}, "'weather' is no http(s) URL"),
        ({"domain": "nope"}, "domain: AM knows no domain 'nope'"),
        ({"flow": "quick"}, "value of secure_mcp_flow must be one of: sealed, documented"),
        ({"apim_password": "wrong-password"}, "APIM refused the credentials"),
        ({"am_password": "wrong-password"}, "AM refused the credentials"),
        ({"name": "x" * 65}, "Use 1 to 64 characters"),
        ({"tools": [{"key": "a b"}]}, "tools: 'a b' is no tool key"),
    ],
)
def test_bad_input_ends_before_anything_is_open(playbooks: Playbooks, world: World, given: dict, sentence: str) -> None:
    done = playbooks.run(**given)
    assert done.code == 2
    assert sentence in done.failure
    assert "wrong-password" not in done.output
    assert not [api for api in world.apis.values() if api.state == "STARTED"]


def test_another_teams_api_is_not_taken_over(playbooks: Playbooks, modules: Modules) -> None:
    modules.run("gravitee_api", **AT, name="Theirs", target="http://theirs/mcp")
    refused = playbooks.run()
    assert "belongs to the API 'Theirs'" in refused.failure
    adopted = playbooks.run(adopt=True)
    assert adopted.code == 0, adopted.output


def test_a_slow_tool_passes_and_a_token_reaches_it(playbooks: Playbooks, world: World) -> None:
    """The read-timeout that the role sets, not the server's own 10 s; here both in small."""
    assert playbooks.run(read_timeout=1500).code == 0
    assert _api(world)["endpointGroups"][0]["sharedConfiguration"]["http"]["readTimeout"] == 1500
    client_id = register(world).json()["client_id"]
    token = Login().token(world, client_id, playbooks.url)
    assert token.count(".") == 2


def test_many_servers_in_one_play(playbooks: Playbooks, world: World) -> None:
    more = {f"s{i}": {"secure_mcp_context_path": f"/s{i}-mcp", "secure_mcp_name": f"Server {i}"} for i in range(3)}
    done = playbooks.run(hosts=more)
    assert done.code == 0, done.output
    assert sorted(api.paths[0] for api in world.apis.values()) == ["/s0-mcp/", "/s1-mcp/", "/s2-mcp/"]
    assert {initialize(f"{world.urls['gateway']}/s{i}-mcp") for i in range(3)} == {401}
