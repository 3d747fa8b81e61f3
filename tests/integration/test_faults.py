"""What networks and servers do, to every request of both flows, of a rotation and of a teardown; and that a run dies after it.

The run gets through or fails with a sentence, and the next one converges; nothing is made twice, nothing is more open than
before, and calls that worked go on working.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults import KINDS, STALL, Faults, proxy
from tests.runners import ModuleFailed, Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

AT = {"context_path": "/w-mcp"}


class Fixture:
    """A fresh installation behind the proxy, again and again."""

    def __init__(self, sandbox: Sandbox, faults: Faults, urls: dict[str, str]):
        self.sandbox, self.world, self.faults, self.urls = sandbox, sandbox.world, faults, urls
        self.opened: list[bool] = []
        self.accepted: list[bool] = []

    def fresh(self) -> None:
        self.sandbox.reset()
        domain = Domain(self.world, {"name": "MCP demo"})
        domain.update({**domain.wire, "enabled": True})
        self.world.domains[domain.id] = domain
        self.opened, self.accepted = [], []
        self.world.on_answer = self.look

    def look(self, _request: Any) -> None:
        self.opened.append(self.is_open())
        self.accepted.append(self.is_accepted())

    def is_open(self) -> bool:
        served = [api.served.current for api in self.world.apis.values()]
        return any(plan["security"]["type"] == "KEY_LESS" for api in served if api for plan in api["plans"].values())

    def is_accepted(self) -> bool:
        """Whether AM takes the secret with which the gateway asks, if it serves anything."""
        served = [api.served.current for api in self.world.apis.values() if api.served.current]
        held = [resource["configuration"]["clientSecret"] for one in served for resource in one.get("resources") or []]
        servers = [server for domain in self.world.domains.values() for server in domain.mcp_servers.values()]
        return set(held) <= {secret["secret"] for server in servers for secret in server["secrets"]}

    def run(self, name: str, /, **params: Any) -> dict[str, Any]:
        given = {"apim_url": self.urls["apim"], "am_url": self.urls["am"], "token_cache": False}
        given["timeout"] = STALL / 2 if self.faults.kind == "stall" else 5
        dies = {"retries": 0} if self.faults.kind == "killed" and self.faults.number else {}
        return Modules(self.world).run(name, **given, **dies, **params)

    @property
    def url(self) -> str:
        return f"{self.world.urls['gateway']}/w-mcp"


@pytest.fixture
def behind(sandbox: Sandbox) -> Iterator[Fixture]:
    faults = Faults()
    with proxy(sandbox.world.urls["apim"], faults) as apim, proxy(sandbox.world.urls["am"], faults) as am:
        yield Fixture(sandbox, faults, {"apim": apim, "am": am})


def sealed(f: Fixture) -> list[str]:
    """The sealed flow: what was changed."""
    server = {"name": "W", **AT, "target": f.world.urls["mcp"]}
    where = {"gateway_url": f.world.urls["gateway"], "am_gateway_url": f.world.urls["am_gateway"]}
    done = f.run("mcp_fleet", domain="mcp-demo", servers=[server], parallel=1, **where)
    return [*done["domain"]["changes"], *done["servers"][0]["changes"]]


def documented(f: Fixture) -> list[str]:
    """The documented flow, as the role's tasks go through it."""
    apis = f.run("gravitee_api_info", **AT, plans=True)["apis"]
    servers = f.run("am_mcp_server_info", domain="mcp-demo", resource_identifier=f.url)
    api = f.run("gravitee_api", **AT, name="W", target=f.world.urls["mcp"])
    tasks, at = [api], {**AT, "api_id": api["id"]}
    known = apis[0] if apis else {}
    others = [plan for plan in known.get("plans", []) if plan["security"]["type"] != "KEY_LESS" and plan["status"] != "STAGING"]
    if "deployedAt" not in known and not others:
        tasks.append(f.run("gravitee_plan", **at, security="key_less"))
        tasks.append(f.run("gravitee_deployment", **at))
    held = (known.get("resources") or [{}])[0].get("configuration", {})
    lost = bool(servers["mcp_servers"]) and held.get("clientId") != servers["mcp_servers"][0]["clientId"]
    identity = {"domain": servers["domain_id"], "name": "W", "resource_identifier": f.url}
    server = f.run("am_mcp_server", **identity, rotate_secret=lost, recreate=True)
    tasks.append(server)
    tasks.append(f.run("am_domain_settings", domain=servers["domain_id"], mcp_clients=True, login={"register_enabled": True}))
    secret = {"client_secret": server["client_secret"]} if "client_secret" in server else {}
    resource = {"server_url": f.world.urls["am_gateway"], "security_domain": "mcp-demo", **secret}
    tasks.append(f.run("am_resource", **at, client_id=server["client_id"], **resource))
    tasks.append(f.run("gravitee_plan", **at, security="oauth2", name="OAuth2", oauth_resource="Gravitee AM"))
    tasks.append(f.run("gravitee_plan", **at, security="key_less", state="closed"))
    due = any(task.get("deployment_due") for task in (tasks[0], *tasks[-3:]))
    tasks.append(f.run("gravitee_deployment", **at, definition_changed=due))
    return [change for task in tasks for change in task["changes"]]


def rotation(f: Fixture) -> list[str]:
    """A new secret, as the role's tasks/new_secret.yml goes through it."""
    f.run("gravitee_api_info", **AT, plans=True)
    f.run("am_mcp_server_info", domain="mcp-demo", resource_identifier=f.url)
    server = {"domain": "mcp-demo", "resource_identifier": f.url}
    made = f.run("am_mcp_server", **server, rotate_secret=True)
    tasks = [made, f.run("am_resource", **AT, client_secret=made["client_secret"])]
    tasks.append(f.run("gravitee_deployment", **AT, state="deployed", definition_changed=True))
    tasks.append(f.run("am_mcp_server", **server, only_secret=made["secret_name"]))
    return [change for task in tasks for change in task["changes"]]


def teardown(f: Fixture) -> list[str]:
    """Everything taken away, as the role's tasks/leave.yml goes through it."""
    apis = f.run("gravitee_api_info", **AT, plans=True)["apis"]
    f.run("am_mcp_server_info", domain="mcp-demo", resource_identifier=f.url)
    at = {**AT, "api_id": apis[0]["id"]} if apis else AT
    tasks = [f.run("gravitee_deployment", **at, state="stopped")] if apis else []
    if apis:
        tasks.append(f.run("gravitee_plan", **at, security="oauth2", name="OAuth2", state="closed"))
        tasks.append(f.run("gravitee_plan", **at, security="key_less", state="closed"))
        tasks.append(f.run("gravitee_api", id=apis[0]["id"], state="absent"))
    tasks.append(f.run("am_mcp_server", domain="mcp-demo", resource_identifier=f.url, state="absent"))
    return [change for task in tasks for change in task["changes"]]


def as_it_should_be(f: Fixture) -> None:
    """One of each, and what the one has the other knows."""
    [api], [domain] = f.world.apis.values(), f.world.domains.values()
    [server] = domain.mcp_servers.values()
    assert [plan["security"]["type"] for plan in api.published] == ["OAUTH2"]
    assert len([plan for plan in api.plans.values() if plan["status"] != "CLOSED"]) == 1
    [resource] = api.definition["resources"]
    assert resource["configuration"]["clientId"] == server["clientId"]
    assert resource["configuration"]["clientSecret"] in [secret["secret"] for secret in server["secrets"]]
    assert (api.state, api.snapshot() == api.deployed, f.is_open()) == ("STARTED", True, False)


def with_one_secret(f: Fixture) -> None:
    as_it_should_be(f)
    assert len(next(iter(next(iter(f.world.domains.values())).mcp_servers.values()))["secrets"]) == 1


def gone(f: Fixture) -> None:
    [domain] = f.world.domains.values()
    assert (f.world.apis, domain.mcp_servers) == ({}, {})


@dataclass
class Flow:
    """What is run, what makes ready for it, how it should be afterwards, and how often a door may be opened on the way."""

    run: Callable[[Fixture], list[str]]
    am: str
    settled: Callable[[Fixture], None] = as_it_should_be
    prepare: Callable[[Fixture], Any] = lambda f: None
    openings: int = 0
    idempotent: bool = True


FLOWS = {
    "sealed": Flow(sealed, "4.11"),
    "documented": Flow(documented, "4.10", openings=1),
    "rotation": Flow(rotation, "4.11", with_one_secret, sealed, idempotent=False),
    "teardown": Flow(teardown, "4.10", gone, sealed),
}


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_request_meets_every_fault(behind: Fixture, name: str, kind: str, record_property: Any) -> None:
    flow = FLOWS[name]
    behind.world.am_version = flow.am

    def start(number: int = 0) -> None:
        behind.fresh()
        behind.faults.arm(0, "")
        flow.prepare(behind)
        behind.opened.clear()
        behind.accepted.clear()
        behind.faults.arm(number, kind)

    start()
    flow.run(behind)
    flow.settled(behind)
    requests = len(behind.faults.asked)
    assert requests > 10
    through = 0
    for number in range(1, requests + 1):
        start(number)
        try:
            flow.run(behind)
            through += 1
        except ModuleFailed as failure:
            told = str(failure)
            assert told.endswith((".", ")", "?", "again", "anyone", "well")) or "answered" in told, told
            assert "\n" not in told
            assert "Traceback" not in told
            assert "not expected here" not in told
        assert not (kind == "killed" and through), "a dead run does not end well"
        meant = f"{kind} at {number}: {behind.faults.asked[number - 1]}"
        behind.faults.arm(0, "")
        flow.run(behind)
        flow.settled(behind)
        if flow.idempotent:
            assert flow.run(behind) == [], meant
        openings = [place for place in range(1, len(behind.opened)) if behind.opened[place] > behind.opened[place - 1]]
        assert len(openings) <= flow.openings, f"{meant} opened a door"
        assert name != "rotation" or all(behind.accepted), f"{meant} left the gateway with a secret that AM does not take"
    record_property("cases", requests)
    print(f"{name}, AM {flow.am}, {kind}: {requests} cases, {through} got through at once")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "killed"])  # see test_interrupted.py
def test_the_role_meets_a_fault_in_the_middle(playbooks: Playbooks, domain: Domain, world: World, kind: str) -> None:
    """Through ansible-playbook: each kind once, at the creation of the OAuth2 plan."""
    faults = Faults()
    with proxy(world.urls["apim"], faults) as apim:
        behind_it = {"apim_url": apim, "check_mode": False}
        faults.arm(13, kind)
        playbooks.run(**behind_it)
        faults.arm(0, "")
        done = playbooks.run(**behind_it)
    assert done.code == 0, done.output
    assert "Traceback" not in done.output
    [api] = world.apis.values()
    assert [plan["security"]["type"] for plan in api.published] == ["OAUTH2"]


def test_what_was_repeated_is_told(behind: Fixture) -> None:
    behind.fresh()
    behind.faults.arm(2, "503")
    assert behind.run("gravitee_api_info")["retried"] == ["GET /management/v2/environments/DEFAULT/apis got 503, repeated"]
    behind.faults.arm(2, "429")
    told = behind.run("gravitee_api", **AT, name="W", target="http://w")["retried"]
    assert told == ["GET /management/v2/environments/DEFAULT/apis got 429, repeated"]


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(modules: Modules) -> None:
    from tests.serving import serving

    with serving(lambda *_request: (429, {"Retry-After": "3600"}, b"")) as base:
        with pytest.raises(ModuleFailed, match="answered 429"):
            modules.run("gravitee_api_info", apim_url=base, apim_username="u", apim_password="p", connect=False, retry_deadline=2)
