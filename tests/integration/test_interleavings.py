"""Hosts, forks and controllers that write the same object end as one after the other would, in every order of their requests."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.objects import shared
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_application import ManagedApplication
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import ManagedDomain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_subscription import ManagedSubscription
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

from tests.in_process import InProcess
from tests.interleavings import Thread, Turns, explore
from tests.runners import Modules
from tests.sandbox.am_domain import Domain, enabled_domain
from tests.sandbox.am_management import AmManagement
from tests.sandbox.apim_management import ApimManagement
from tests.sandbox.world import World

OBJECTS = {
    "am_domain_settings": (ManagedDomain, Am, "am"),
    "am_application": (ManagedApplication, Am, "am"),
    "gravitee_subscription": (ManagedSubscription, Apim, "apim"),
}
LOST = "the connection was lost"


@dataclass
class Task:
    """One task of one host. drops: the request whose connection is lost, and whether before or after it was carried out."""

    module: str
    given: dict[str, Any]
    drops: tuple[int, str] | None = None


@dataclass
class Case:
    """Tasks at the same time, and what has to be so afterwards. prepare: tasks that are done before.

    switches: how often one of them is interrupted at most. clock: whether AM's clock goes on, or everything is made in the same
    millisecond. Whatever the case, later runs of the same tasks change nothing.
    """

    tasks: list[Task]
    check: Callable[[World, list[dict[str, Any]]], None]
    prepare: list[Task] = field(default_factory=list)
    switches: int = 2
    clock: bool = True


class Hosts:
    """Hosts whose tasks meet on one sandbox, without a network between."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch):
        self.world, self.monkeypatch = world, monkeypatch
        self.planes = {"am": InProcess(AmManagement(world).app()), "apim": InProcess(ApimManagement(world).app())}

    def managed(self, task: Task, turns: Turns | None = None) -> Managed:
        kind, plane, name = OBJECTS[task.module]
        client = plane(Credentials(self.world.urls[name], "given"), Options())
        client.session._token = self.world.new_token(name)
        client.session._http.mount(self.world.urls[name], self.planes[name])
        if turns:
            client.session.exchange = _in_turn(turns, task.drops, client.session.exchange)
        return kind(client, kind.takes.of(task.given))

    def run(self, task: Task, turns: Turns | None = None) -> dict[str, Any]:
        managed = self.managed(task, turns)
        plan = managed.plan()
        return managed.facts(plan.apply(), plan)

    def changes(self, task: Task) -> list[str]:
        """What a later run of the task would change."""
        return [change.summary for change in self.managed(task).plan().changes]

    def at_once(
        self, tasks: list[Task], order: tuple[int, ...], prepare: Iterable[Task] = (), clock: bool = True
    ) -> tuple[Turns, list[Thread]]:
        """A new domain, no application in APIM, and these tasks, their requests in this order."""
        self.world.domains.clear()
        self.world.applications.clear()
        self.world.subscriptions.clear()
        enabled_domain(self.world)
        with self.monkeypatch.context() as patched:
            patched.setattr(shared, "pause", lambda _seconds: None)
            for task in prepare:
                self.run(task)
            turns = Turns(order)
            patched.setattr(shared, "pause", turns.rest)
            if not clock:
                patched.setattr(self.world, "now_ms", lambda: 1795524438569)
            return turns, turns.run([lambda turns, task=task: self.run(task, turns) for task in tasks])

    def every_order(self, case: Case) -> int:
        def run(order: tuple[int, ...]) -> Turns:
            turns, threads = self.at_once(case.tasks, order, case.prepare, case.clock)
            told = f"in the order {[turn for turn, _could in turns.taken]}"
            assert [thread.error for thread in threads if thread.error] == [], told
            case.check(self.world, [thread.result for thread in threads])
            assert [change for task in case.tasks for change in self.changes(task)] == [], told
            return turns

        return explore(run, case.switches)


def _in_turn(turns: Turns, drops: tuple[int, str] | None, exchange: Callable[..., Any]) -> Callable[..., Any]:
    def exchanged(method: str, path: str, *arguments: Any, **more: Any) -> Any:
        with turns.request() as number:
            if drops == (number, "before"):
                raise ApiError(method, path, None, LOST)
            answer = exchange(method, path, *arguments, **more)
            if drops == (number, "after"):
                raise ApiError(method, path, None, LOST)
            return answer

    return exchanged


def settings(**given: Any) -> Task:
    return Task("am_domain_settings", {"domain": "mcp-demo", **given})


def server(scope: str) -> Task:
    """What a host needs of the domain whose tools ask for a scope of their own."""
    return settings(mcp_clients=True, mcp_client_scopes=[scope], scopes=[scope], login={"register_enabled": True})


def client(**given: Any) -> Task:
    return Task("am_application", {"domain": "mcp-demo", "name": "VS Code", "type": "native", **given})


def subscription(path: str, **given: Any) -> Task:
    return Task("gravitee_subscription", {"context_path": path, "client_id": "x", "application_name": "X", **given})


def domain_of(world: World) -> Domain:
    [domain] = world.domains.values()
    return domain


def registration(world: World) -> dict[str, Any]:
    return domain_of(world).wire["oidc"]["clientRegistrationSettings"]


def every_scope(*scopes: str) -> Callable[..., None]:
    def check(world: World, _results: Any) -> None:
        assert set(scopes) <= set(domain_of(world).scopes)
        assert set(registration(world)["allowedScopes"]) == {"openid", "profile", "email", "offline_access", *scopes}
        assert set(registration(world)["defaultScopes"]) == {"openid", *scopes}
        assert domain_of(world).wire["loginSettings"]["registerEnabled"] is True

    return check


def logins_of_both(world: World, _results: Any) -> None:
    switched_on = {key for key, value in domain_of(world).wire["loginSettings"].items() if value}
    assert switched_on == {"rememberMeEnabled", "forgotPasswordEnabled", "registerEnabled"}


def one_application(world: World, results: list[dict[str, Any]]) -> None:
    """One is left, every run tells its client id, and the run that tells a secret tells the one that it has."""
    [left] = domain_of(world).applications.values()
    oauth = left["settings"]["oauth"]
    assert {(result["id"], result["client_id"]) for result in results} == {(left["id"], oauth["clientId"])}
    secrets = [result["client_secret"] for result in results if "client_secret" in result]
    assert secrets == ([] if oauth["tokenEndpointAuthMethod"] == "none" else [oauth["clientSecret"]])


def one_application_with(*scopes: str) -> Callable[..., None]:
    def check(world: World, results: list[dict[str, Any]]) -> None:
        one_application(world, results)
        [left] = domain_of(world).applications.values()
        assert {setting["scope"] for setting in left["settings"]["oauth"]["scopeSettings"]} == set(scopes)

    return check


def none_left(world: World, _results: Any) -> None:
    assert domain_of(world).applications == {}


def one_application_with_subscriptions(count: int) -> Callable[..., None]:
    def check(world: World, results: list[dict[str, Any]]) -> None:
        [application] = world.applications.values()
        assert {result["application_id"] for result in results} == {application["id"]}
        subscriptions = world.subscriptions.values()
        assert {(one["status"], one["application"]["id"]) for one in subscriptions} == {("ACCEPTED", application["id"])}
        assert {result["id"] for result in results} == set(world.subscriptions)
        assert len(subscriptions) == count

    return check


def client_is_gone(world: World, _results: Any) -> None:
    assert [one["status"] for one in world.applications.values()] == ["ARCHIVED"]
    assert {one["status"] for one in world.subscriptions.values()} == {"CLOSED"}


FORGOT_PASSWORD = {"forgot_password_enabled": True}
OWN_SCOPES = [client(scopes=[scope], scopes_mode="add") for scope in ("address", "phone")]
TWO_SERVERS, TWO_HOSTS = "two servers of one domain, each with its own scope", "a known client, each with its own scope"
CASES = {
    TWO_SERVERS: Case([server("a"), server("b")], every_scope("a", "b"), switches=3),
    "three servers of one domain, each with its own scope": Case(
        [server(scope) for scope in "abc"], every_scope("a", "b", "c"), switches=1
    ),
    "the same scope by both": Case([server("a"), server("a")], every_scope("a")),
    "login settings, which a request replaces as a whole": Case(
        [settings(login={"remember_me_enabled": True, "register_enabled": True}), settings(login=FORGOT_PASSWORD)],
        logins_of_both,
        switches=6,
    ),
    "a known client": Case([client(redirect_uris=["http://127.0.0.1:1/"])] * 2, one_application),
    "a known client by three": Case([client()] * 3, one_application, switches=1),
    "a known client, made by both in the same millisecond": Case([client()] * 2, one_application, clock=False),
    "a confidential client": Case([client(type="web")] * 2, one_application),
    TWO_HOSTS: Case(OWN_SCOPES, one_application_with("address", "phone")),
    "a known client that is there, each with its own scope": Case(
        OWN_SCOPES, one_application_with("address", "phone"), prepare=[client()]
    ),
    "a known client with its own client id": Case([client(client_id="x")] * 2, one_application),
    "a known client removed by both": Case([client(state="absent")] * 2, none_left, prepare=[client()], switches=6),
    "one client subscribed to one API": Case([subscription("/a")] * 2, one_application_with_subscriptions(1)),
    "one client subscribed to two APIs": Case(
        [subscription("/a"), subscription("/b")], one_application_with_subscriptions(2)
    ),
    "one client of two APIs that are both torn down": Case(
        [subscription("/a", state="absent"), subscription("/b", state="absent")],
        client_is_gone,
        prepare=[subscription("/a"), subscription("/b")],
        switches=1,
    ),
}


@pytest.fixture
def hosts(world: World, modules: Modules, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s3cr3t"}
    for path in ("/a", "/b"):
        modules.run("gravitee_api", context_path=path, name=path, target="http://w/mcp")
        modules.run("am_resource", context_path=path, **resource)
        modules.run("gravitee_plan", context_path=path, security="oauth2", oauth_resource="Gravitee AM")
    return Hosts(world, monkeypatch)


@pytest.mark.parametrize("name", CASES)
def test_every_order(hosts: Hosts, name: str) -> None:
    assert hosts.every_order(CASES[name]) > 10


def test_opposite_values_end_with_one_of_them(hosts: Hosts) -> None:
    """And with a sentence for the task that cannot have its way; not with writing for ever."""
    wishes = [settings(client_registration={"allow_localhost_redirect_uri": value}) for value in (True, False)]
    before = [settings(client_registration={"allow_wild_card_redirect_uri": True})]

    def run(order: tuple[int, ...]) -> Turns:
        turns, threads = hosts.at_once(wishes, order, before)
        refused = [str(thread.error) for thread in threads if thread.error]
        assert len(refused) < 2
        assert all("each time somebody else changed allowLocalhostRedirectUri" in sentence for sentence in refused)
        assert registration(hosts.world)["allowWildCardRedirectUri"] is True
        assert len(turns.taken) < 50
        return turns

    assert explore(run, switches=2) > 10


@pytest.mark.parametrize("name", [TWO_SERVERS, TWO_HOSTS])
def test_without_reading_back_an_order_is_found_that_loses_a_change(hosts: Hosts, name: str) -> None:
    """That the orders are such that they would tell."""

    def write(self: Any) -> Any:
        now = self.read()
        return self.send(self.difference(now, self.desired(now))[0])

    with hosts.monkeypatch.context() as patched, pytest.raises(AssertionError):
        patched.setattr(shared.Shared, "write", write)
        hosts.every_order(CASES[name])


def eldest_application(world: World, results: list[dict[str, Any]]) -> None:
    """The lost connection may have been that by which the younger one would have been removed: it stays, and nobody takes it."""
    eldest = min(domain_of(world).applications.values(), key=lambda one: one["createdAt"])
    assert {result["id"] for result in results} == {eldest["id"]}
    assert {setting["scope"] for setting in eldest["settings"]["oauth"]["scopeSettings"]} == {"address", "phone"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("tasks", "check", "requests"),
    [
        (CASES[TWO_SERVERS].tasks, CASES[TWO_SERVERS].check, 6),
        (OWN_SCOPES, eldest_application, 6),
        ([subscription("/a"), subscription("/b")], one_application_with_subscriptions(2), 4),
    ],
    ids=["settings", "application", "subscription"],
)
def test_a_lost_connection_undoes_nothing_of_the_others(
    hosts: Hosts, tasks: list[Task], check: Callable[..., None], requests: int, when: str
) -> None:
    """Whichever request of the first host it is, the other's task ends well, and the first one's next run completes it."""
    first, other = tasks
    for order in ((), (0, 1) * 10, (1, 0) * 10, (1,) * 20):
        for number in itertools.count(1):
            dropping = Task(first.module, first.given, (number, when))
            _turns, (failed, succeeded) = hosts.at_once([dropping, other], order)
            if failed.error is None:
                assert number > requests, "it sends fewer requests than that"
                break
            assert LOST in str(failed.error)
            assert succeeded.error is None
            assert hosts.changes(other) == []
            hosts.run(first)
            check(hosts.world, [hosts.run(first), hosts.run(other)])
