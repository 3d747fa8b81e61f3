"""What networks and servers do, to every request of both flows, of a rotation and of a teardown; and that a run dies after it.

The run gets through or fails with a sentence, and the next one converges; nothing is made twice, nothing is more open than
before, and calls that worked go on working.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables

from tests.faults import KINDS, STALL, STATUSES, Faults, proxy
from tests.role import Role
from tests.runners import ModuleFailed, Modules, Playbooks
from tests.sandbox.am_domain import Domain, enabled_domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

AT = {"context_path": "/w-mcp"}
RENEWED = {"state": "renewed", "recreate": True}


class Fixture:
    """A fresh installation behind the proxy, again and again."""

    def __init__(self, sandbox: Sandbox, faults: Faults, urls: dict[str, str]):
        self.sandbox, self.world, self.faults, self.urls = sandbox, sandbox.world, faults, urls
        self.warned: list[str] = []
        self.opened: list[bool] = []
        self.accepted: list[bool] = []

    def fresh(self) -> None:
        self.sandbox.reset()
        enabled_domain(self.world)
        self.warned, self.opened, self.accepted = [], [], []
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
        result = Modules(self.world).run(name, **given, **dies, **params)
        self.warned += [warning for warning in result["warnings"] if "plain http" not in warning]
        return result

    @property
    def url(self) -> str:
        return f"{self.world.urls['gateway']}/w-mcp"


@pytest.fixture
def behind(sandbox: Sandbox) -> Iterator[Fixture]:
    faults = Faults()
    with proxy(sandbox.world.urls["apim"], faults) as apim, proxy(sandbox.world.urls["am"], faults) as am:
        yield Fixture(sandbox, faults, {"apim": apim, "am": am})


def variables(f: Fixture, **given: Any) -> Variables:
    where = {"gateway_url": f.world.urls["gateway"], "am_gateway_url": f.world.urls["am_gateway"], "domain": "mcp-demo"}
    return Variables(**{**where, **AT, "name": "W", "target": f.world.urls["mcp"], "verify_timeout": 5, **given})


def fleet(f: Fixture) -> list[str]:
    """The sealed flow by the fleet: what was changed."""
    server = {name: value for name, value in asdict(variables(f)).items() if value is not None}
    done = f.run("mcp_fleet", servers=[server], parallel=1)
    return [*done["domain"]["changes"], *done["servers"][0]["changes"]]


def role(entry: str = "main.yml", **given: Any) -> Callable[[Fixture], list[str]]:
    """The role's tasks of an entry point."""
    return lambda f: Role(f.run, variables(f, **given)).play(entry)


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
    "fleet": Flow(fleet, "4.11"),
    "sealed": Flow(role(), "4.11"),
    "documented": Flow(role(flow="documented"), "4.10", openings=1),
    "rotation": Flow(role("rotate.yml"), "4.11", with_one_secret, fleet, idempotent=False),
    "teardown": Flow(role("teardown.yml"), "4.10", gone, fleet),
}


# What a request meets; a server's statuses by turns, as all of them go the same way.
FAULTS = {"status": list(STATUSES), **{kind: [kind] for kind in KINDS if kind not in STATUSES}}


def met(asked: list[str], fault: str) -> list[int]:
    """Numbers of the requests that meet this fault: each write, and each read one fault of all."""
    place = list(FAULTS).index(fault)
    return [n for n, what in enumerate(asked, 1) if is_write(what) or n % len(FAULTS) == place]


def is_write(what: str) -> bool:
    return not what.startswith("GET ") and not what.endswith(("/login", "/auth/token"))


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_request_meets_every_fault(behind: Fixture, name: str, fault: str, record_property: Any) -> None:
    flow = FLOWS[name]
    behind.world.am_version = flow.am

    def start(number: int = 0) -> str:
        kind = FAULTS[fault][number % len(FAULTS[fault])]
        behind.fresh()
        behind.faults.arm(0, "")
        flow.prepare(behind)
        behind.opened.clear()
        behind.accepted.clear()
        behind.faults.arm(number, kind)
        return kind

    start()
    flow.run(behind)
    flow.settled(behind)
    numbers = met(behind.faults.asked, fault)
    assert len(numbers) > 2
    through = cases = 0
    for number in numbers:
        kind = start(number)
        try:
            flow.run(behind)
            assert kind != "killed" or behind.warned, f"killed at {number}, it ends well and says nothing"
            through += 1
        except ModuleFailed as failure:
            told = str(failure)
            assert told.endswith((".", ")", "?", "again", "anyone", "well")) or "answered" in told, told
            assert "\n" not in told
            assert "Traceback" not in told
            assert "not expected here" not in told
        if number > len(behind.faults.asked):  # a run that waited for less than the first one asks less often
            continue
        cases += 1
        meant = f"{kind} at {number}: {behind.faults.asked[number - 1]}"
        behind.faults.arm(0, "")
        flow.run(behind)
        flow.settled(behind)
        if flow.idempotent and number % 3 == 0:  # of every third, as the third run is the same for most
            assert flow.run(behind) == [], meant
        openings = [place for place in range(1, len(behind.opened)) if behind.opened[place] > behind.opened[place - 1]]
        assert len(openings) <= flow.openings, f"{meant} opened a door"
        assert name != "rotation" or all(behind.accepted), f"{meant} left the gateway with a secret that AM does not take"
    assert cases > 2
    record_property("cases", cases)
    print(f"{name}, AM {flow.am}, {fault}: {cases} cases, {through} got through at once")


@pytest.mark.parametrize("kind", ["503", "stall", "reset after"])
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
