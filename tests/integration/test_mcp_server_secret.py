"""am_mcp_server_secret."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import is_generated

from tests.faults import Faults, proxy
from tests.integration.test_mcp_server import TOOLS, introspects
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

URL = "http://gw:8082/weather-mcp"
SERVER = {"domain": "mcp-demo", "resource_identifier": URL}
MADE = {**SERVER, "name": "Weather"}


@pytest.fixture
def server(modules: Modules, world: World, domain: Domain) -> dict[str, Any]:
    """What AM said when it made the MCP server, on AM 4.11."""
    world.am_version = "4.11"
    return modules.run("am_mcp_server", **MADE)


@pytest.fixture
def server_4_10(modules: Modules, world: World, domain: Domain) -> dict[str, Any]:
    assert world.am_version == "4.10"
    return modules.run("am_mcp_server", **MADE, tools=TOOLS, create_scopes=True, description="kept")


def secrets(domain: Domain) -> dict[str, str]:
    """The values of the MCP server's secrets by their names, as AM keeps them."""
    [stored] = domain.mcp_servers.values()
    return {secret["name"]: secret["secret"] for secret in stored["secrets"]}


def have(modules: Modules, *names: str) -> None:
    """Make secrets of these names beside the first, one after the other."""
    for name in names:
        modules.run("am_mcp_server_secret", **SERVER, name=name)


def test_a_named_secret_is_made_once(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    made = modules.twice("am_mcp_server_secret", **SERVER, name=" Paris ")
    assert made["changes"] == ["create secret Paris of MCP server Weather"]
    assert (made["name"], made["client_id"]) == ("Paris", server["client_id"])
    assert introspects(world, server["client_id"], server["client_secret"])
    assert introspects(world, server["client_id"], made["client_secret"])
    again = modules.run("am_mcp_server_secret", domain=domain.id, client_id=server["client_id"], name="Paris")
    assert "client_secret" not in again
    assert [secret["name"] for secret in again["secrets"]] == ["Default", "Paris"]
    assert again["secrets"] == made["secrets"]
    assert made["client_secret"] not in str(again) + str(made["secrets"]) + str(made["diff"])


def test_another_secret_beside_the_others(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    predicted = modules.run("am_mcp_server_secret", check=True, **SERVER, state="renewed")
    assert (predicted["name"], predicted["client_secret"]) == ("yet to be generated", "yet to be generated")
    made = modules.check_and_run("am_mcp_server_secret", **{**SERVER, "resource_identifier": URL.upper()}, state="renewed")
    assert made["changes"] == ["create another secret of MCP server Weather"] == predicted["changes"]
    assert is_generated(made["name"])
    assert list(secrets(domain)) == ["Default", made["name"]]
    for secret in (server["client_secret"], made["client_secret"]):
        assert introspects(world, server["client_id"], secret)
    assert modules.run("am_mcp_server_secret", **SERVER, state="renewed")["name"] > made["name"]


def test_a_new_value_for_a_named_secret(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    renewed = modules.check_and_run("am_mcp_server_secret", **SERVER, state="renewed", name="Default")
    assert renewed["changes"] == ["renew secret Default of MCP server Weather"]
    assert renewed["diff"]["after"] == {"clientSecret": "********"}
    assert introspects(world, server["client_id"], renewed["client_secret"])
    assert not introspects(world, server["client_id"], server["client_secret"])
    more = modules.run("am_mcp_server_secret", **SERVER, state="renewed", name="Paris")
    assert more["changes"] == ["create secret Paris of MCP server Weather"]


def test_a_secret_is_deleted_but_not_the_last(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, "Paris")
    gone = modules.twice("am_mcp_server_secret", **SERVER, state="absent", name="Default")
    assert gone["changes"] == ["delete secret Default of MCP server Weather"]
    assert [secret["name"] for secret in gone["secrets"]] == ["Paris"] == list(secrets(domain))
    for check in (True, False):
        with pytest.raises(ModuleFailed, match="name: 'Paris' is the last secret of the MCP server, and AM keeps one"):
            modules.run("am_mcp_server_secret", check=check, **SERVER, state="absent", name="Paris")


FIRST, SECOND, THIRD = (f"gravitee.mcp 2026112{day}T013005123Z" for day in (4, 5, 6))


@pytest.mark.parametrize(
    ("there", "given", "stay"),
    [
        ([], {"replaced_by": "Default"}, ["Default"]),
        ([FIRST], {"replaced_by": FIRST}, [FIRST]),
        ([FIRST, SECOND, THIRD], {"replaced_by": THIRD}, [THIRD]),
        # A younger one may be another run's, which is about to use it.
        ([FIRST, SECOND, THIRD], {"replaced_by": SECOND}, [SECOND, THIRD]),
        ([FIRST, SECOND], {"replaced_by": "Default"}, ["Default", FIRST, SECOND]),
        # Others made them.
        (["Paris", "gravitee.mcp 1", SECOND], {"replaced_by": SECOND}, ["Paris", "gravitee.mcp 1", SECOND]),
        ([FIRST, "Paris"], {"replaced_by": " Paris "}, ["Paris"]),
        ([FIRST, SECOND, THIRD], {"replaced_by": THIRD, "in_use": ["Default", SECOND]}, ["Default", SECOND, THIRD]),
    ],
)
def test_what_a_secret_replaces(
    modules: Modules, domain: Domain, server: dict[str, Any], there: list[str], given: dict[str, Any], stay: list[str]
) -> None:
    have(modules, *there)
    done = modules.twice("am_mcp_server_secret", **SERVER, state="absent", **given)
    assert list(secrets(domain)) == stay == [secret["name"] for secret in done["secrets"]]
    assert done["changes"] == [f"delete secret {name} of MCP server Weather" for name in ["Default", *there] if name not in stay]


def test_the_others_stay_where_the_new_one_is_not_there(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, FIRST)
    with pytest.raises(ModuleFailed, match=f"replaced_by: the MCP server has no secret named '{SECOND}', so the others stay"):
        modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=SECOND)
    assert list(secrets(domain)) == ["Default", FIRST]


TEN = [f"gravitee.mcp 20261126T01300512{number}Z" for number in range(9)]


@pytest.mark.parametrize(
    ("there", "in_use", "gone"),
    [
        (TEN, [], TEN[0]),
        (TEN, ["Default"], TEN[0]),
        (TEN, [TEN[0]], TEN[1]),
        (TEN, [TEN[1], TEN[0]], TEN[2]),
        (["Paris", *TEN[:7], "London"], [TEN[0]], TEN[1]),
    ],
)
@pytest.mark.parametrize("given", [{"state": "renewed"}, {"name": "New"}])
def test_ten_secrets_do_not_end_it(
    modules: Modules, domain: Domain, server: dict[str, Any], there: list[str], in_use: list[str], gone: str, given: dict
) -> None:
    """AM's limit: the oldest that this collection made and that nothing uses makes room."""
    have(modules, *there)
    made = modules.check_and_run("am_mcp_server_secret", **SERVER, **given, in_use=in_use)
    assert made["changes"][0] == f"delete secret {gone} of MCP server Weather"
    assert list(secrets(domain)) == [*(name for name in ["Default", *there] if name != gone), made["name"]]


@pytest.mark.parametrize(
    ("there", "given", "sentence"),
    [
        (TEN, {}, "state: the MCP server has 10 secrets, and AM takes no more: Default, gravitee.mcp 2026"),
        (TEN, {}, "Say in in_use which are used, so that one which this collection made can go."),
        (TEN, {"in_use": TEN}, "Delete one."),
        (list("abcdefghi"), {"in_use": []}, "AM takes no more: Default, a, b, c, d, e, f, g, h, i. Delete one."),
        (TEN, {"in_use": ["Defualt"]}, "in_use: the MCP server has no secret named 'Defualt'. It has Default, gravitee.mcp"),
    ],
)
def test_none_that_may_be_in_use_makes_room(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any], there: list[str], given: dict, sentence: str
) -> None:
    have(modules, *there)
    before = len(world.writes())
    for check in (True, False):
        with pytest.raises(ModuleFailed) as failure:
            modules.run("am_mcp_server_secret", check=check, **SERVER, state="renewed", **given)
        assert sentence in str(failure.value)
    assert world.writes()[before:] == []


def test_a_named_one_that_is_there_needs_no_room(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, *TEN)
    assert modules.run("am_mcp_server_secret", **SERVER, name="Default")["changed"] is False
    assert modules.run("am_mcp_server_secret", **SERVER, state="renewed", name="Default")["changed"] is True


# AM's gateway follows some seconds later.


def test_it_waits_until_ams_gateway_takes_the_new_secret(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    world.sync_delay = 1.5
    given = {**SERVER, "state": "renewed", "am_gateway_url": f"{world.urls['am_gateway']}/"}
    for more in ({}, {"name": "Default"}):
        made = modules.check_and_run("am_mcp_server_secret", **given, **more)
        assert introspects(world, server["client_id"], made["client_secret"]), "it did not wait"
    hasty = modules.run("am_mcp_server_secret", **SERVER, state="renewed")
    assert not introspects(world, server["client_id"], hasty["client_secret"]), "without am_gateway_url it waits for nothing"


def test_a_secret_that_is_not_taken_in_time_is_deleted_again(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    world.sync_delay = 60
    given = {**SERVER, "am_gateway_url": world.urls["am_gateway"], "wait_timeout": 0.5, "state": "renewed"}
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_mcp_server_secret", **given)
    assert str(failure.value) == (
        f"wait_timeout: after 0.5 s AM's gateway {world.urls['am_gateway']} still refuses the new secret of MCP server Weather, "
        "so it was deleted again."
    )
    assert list(secrets(domain)) == ["Default"]
    with pytest.raises(ModuleFailed, match="the new secret of MCP server Weather, and the old one has ended: run this again"):
        modules.run("am_mcp_server_secret", **given, name="Default")
    faults = Faults()
    faults.broken = "DELETE"
    with proxy(world.urls["am"], faults) as am:
        with pytest.raises(ModuleFailed, match="and could not be deleted again: DELETE .* answered 500"):
            modules.run("am_mcp_server_secret", **given, am_url=am)
    assert len(secrets(domain)) == 2, "it is left over, and its name tells"


@pytest.mark.parametrize("where", ["elsewhere", "disabled"])
def test_no_gateway_no_secret(modules: Modules, world: World, domain: Domain, server: dict[str, Any], where: str) -> None:
    """Where AM's gateway could not be asked afterwards, nothing is written."""
    url = "http://127.0.0.1:9" if where == "elsewhere" else world.urls["am_gateway"]
    if where == "disabled":
        domain.update({**domain.wire, "enabled": False})
    before = len(world.writes())
    for check in (True, False):
        with pytest.raises(ModuleFailed, match=f"am_gateway_url: at {url} no AM gateway serves the domain /mcp-demo"):
            modules.run("am_mcp_server_secret", check=check, **SERVER, state="renewed", am_gateway_url=url)
    assert world.writes()[before:] == []
    assert modules.run("am_mcp_server_secret", **SERVER, name="Default", am_gateway_url=url)["changed"] is False


# AM before 4.11


def test_before_4_11_the_mcp_server_is_made_again(
    modules: Modules, world: World, domain: Domain, server_4_10: dict[str, Any]
) -> None:
    [before] = modules.run("am_mcp_server_info", domain="mcp-demo")["mcp_servers"]
    made = modules.check_and_run(
        "am_mcp_server_secret", **SERVER, state="renewed", recreate=True, am_gateway_url=world.urls["am_gateway"]
    )
    assert made["changes"] == [
        "delete MCP server Weather",
        f"create MCP server Weather with client id {server_4_10['client_id']}",
    ]
    assert made["diff"]["after"] == {"clientSecret": "********"}
    assert introspects(world, server_4_10["client_id"], made["client_secret"])
    assert not introspects(world, server_4_10["client_id"], server_4_10["client_secret"])
    assert not {"name", "secrets"} & set(made)
    [after] = modules.run("am_mcp_server_info", domain="mcp-demo")["mcp_servers"]
    assert [same(server) for server in (before, after)] == [same(before)] * 2
    assert same(after)["description"] == "kept"


def same(server: dict[str, Any]) -> dict[str, Any]:
    """What stays the same when an MCP server is made again."""
    features = [{key: feature[key] for key in feature if not key.endswith("At")} for feature in server["features"]]
    return {**{key: server[key] for key in server if key not in ("id", "updatedAt")}, "features": features}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"state": "renewed"}, "recreate: this AM (before 4.11) cannot renew a secret, nor hold two. Set recreate=true"),
        ({"state": "renewed", "name": "Default", "recreate": True}, "state: this AM (before 4.11) has one secret"),
        ({"name": "Paris"}, "state: this AM (before 4.11) has one secret for an MCP server, without a name"),
        ({"state": "absent", "name": "Default"}, "state: this AM (before 4.11) has one secret"),
        ({"state": "absent", "replaced_by": FIRST}, "state: this AM (before 4.11) has one secret"),
    ],
)
def test_before_4_11_nothing_else_goes(
    modules: Modules, world: World, server_4_10: dict[str, Any], given: dict[str, Any], sentence: str
) -> None:
    before = len(world.writes())
    for check in (True, False):
        with pytest.raises(ModuleFailed) as failure:
            modules.run("am_mcp_server_secret", check=check, **SERVER, **given)
        assert sentence in str(failure.value)
    assert world.writes()[before:] == []


def test_a_failure_between_deleting_and_creating_says_how_to_go_on(
    modules: Modules, world: World, domain: Domain, server_4_10: dict[str, Any]
) -> None:
    faults = Faults()
    faults.broken = "POST .*/protected-resources"
    with proxy(world.urls["am"], faults) as am:
        with pytest.raises(ModuleFailed) as failure:
            modules.run("am_mcp_server_secret", **SERVER, state="renewed", recreate=True, am_url=am)
    client_id = server_4_10["client_id"]
    assert f"the MCP server is deleted now: create it again, with client_id={client_id} of am_mcp_server" in str(failure.value)
    assert modules.run("am_mcp_server", **MADE, client_id=client_id)["client_id"] == client_id


def test_an_mcp_server_that_is_gone_is_no_am_before_4_11(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any]
) -> None:
    """Its secrets are a 404, too; recreate=true must not bring it back."""
    [stored] = domain.mcp_servers.values()

    def gone(request: Any) -> None:
        if request.path.endswith("/protected-resources"):
            domain.gone.add(domain.mcp_servers.pop(stored["id"])["id"])

    world.on_answer = gone
    with pytest.raises(ModuleFailed, match="answered 404: ProtectedResource .* can not be found"):
        modules.run("am_mcp_server_secret", **SERVER, state="renewed", recreate=True)
    world.on_answer = None
    assert domain.mcp_servers == {}


# Others at work, and requests that fail


def test_one_that_another_run_deleted_meanwhile(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    have(modules, "Paris", "London")
    [stored] = domain.mcp_servers.values()

    def deleted(request: Any) -> None:
        if request.method == "GET" and request.path.endswith("/secrets"):
            stored["secrets"][:] = [one for one in stored["secrets"] if one["name"] != "Paris"]

    world.on_answer = deleted
    done = modules.run("am_mcp_server_secret", **SERVER, state="absent", name="Paris")
    world.on_answer = None
    assert done["changes"] == ["delete secret Paris of MCP server Weather"]
    assert list(secrets(domain)) == ["Default", "London"]


def test_two_rotations_at_once_delete_none_that_is_new(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    """The later one's is never deleted by the earlier one, whoever comes to its end first."""
    earlier, later = (modules.run("am_mcp_server_secret", **SERVER, state="renewed")["name"] for _ in range(2))
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=earlier)
    assert list(secrets(domain)) == [earlier, later]
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=later)
    assert list(secrets(domain)) == [later]


def rotation(modules: Modules, **given: Any) -> None:
    made = modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=[], **given)
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=made["name"], **given)


@pytest.mark.parametrize("kind", ["500", "reset before", "reset after", "cut"])
def test_after_any_request_that_fails_the_secret_in_use_is_there_and_the_next_rotation_finishes(
    modules: Modules, world: World, domain: Domain, server: dict[str, Any], kind: str
) -> None:
    faults = Faults()
    with proxy(world.urls["am"], faults) as am:
        given = {"am_url": am, "retries": 0, "token_cache": False}
        rotation(modules, **given)
        requests = len(faults.asked)
        assert requests > 6
        for number in range(1, requests + 1):
            before = secrets(domain)
            faults.arm(number, kind)
            failed = False
            try:
                rotation(modules, **given)
            except ModuleFailed:
                failed = True
            assert failed or kind != "500"
            assert before.items() <= secrets(domain).items() or len(secrets(domain)) == 1, faults.asked
            faults.arm(0, "")
            rotation(modules, **given)
            assert len(secrets(domain)) == 1


def test_the_limit_holds_for_many_that_died(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    """Rotations that die after making their secret, each of them; the secret in use is AM's first."""
    for _ in range(25):
        modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=["Default"])
    assert len(secrets(domain)) == 10
    assert secrets(domain)["Default"] == server["client_secret"]
    last = modules.run("am_mcp_server_secret", **SERVER, state="renewed", in_use=["Default"])
    modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=last["name"])
    assert list(secrets(domain)) == [last["name"]]


# What is refused, and what is not there yet


def test_an_earlier_task_may_create_the_mcp_server(modules: Modules, world: World, domain: Domain) -> None:
    world.am_version = "4.11"
    predicted = modules.run("am_mcp_server_secret", check=True, **SERVER, name="Paris")
    assert (predicted["changed"], predicted["client_secret"]) == (True, "yet to be generated")
    assert predicted["warnings"] == [
        f"Taken as done by an earlier task: resource_identifier: the domain has no MCP server {URL}. "
        "Create it with am_mcp_server first."
    ]
    with pytest.raises(ModuleFailed, match="^client_id: the domain has no MCP server none. Create it with am_mcp_server first"):
        modules.run("am_mcp_server_secret", domain="mcp-demo", client_id="none", state="renewed")
    for given in ({"name": "Paris"}, {"replaced_by": "Paris"}):
        assert modules.twice("am_mcp_server_secret", **SERVER, state="absent", **given)["changed"] is False


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": None}, "state is present but all of the following are missing: name"),
        ({"name": None, "state": "absent"}, "state is absent but any of the following are missing: name, replaced_by"),
        ({"state": "absent", "replaced_by": "x"}, "parameters are mutually exclusive: name|replaced_by"),
        ({"name": None, "state": "renewed", "replaced_by": "x"}, "replaced_by: it says which secrets to delete. Give it with"),
        ({"resource_identifier": None}, "one of the following is required: resource_identifier, client_id"),
        ({"resource_identifier": "weather"}, "resource_identifier: 'weather' is no identifier for AM"),
        ({"client_id": "other"}, "client_id: the MCP server http://gw:8082/weather-mcp has the client id"),
        ({"domain": "nope"}, "domain: AM knows no domain 'nope'"),
        ({"name": "  "}, "name: '' is no name for a secret. Use 1 to 255 characters."),
        ({"name": "x" * 256}, "name: 'xxx"),
        ({"in_use": ["x" * 256]}, "in_use: 'xxx"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, server: dict[str, Any], given: dict[str, Any], sentence: str) -> None:
    wanted = {name: value for name, value in {**SERVER, "name": "New", **given}.items() if value is not None}
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_mcp_server_secret", **wanted)
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


# What am_mcp_server_info tells


def test_info_lists_secrets_where_am_does(modules: Modules, world: World, domain: Domain, server: dict[str, Any]) -> None:
    modules.run("am_mcp_server", domain="mcp-demo", name="Other", resource_identifier="http://gw/other")
    made = modules.run("am_mcp_server_secret", **SERVER, state="renewed")
    assert "secrets" not in modules.run("am_mcp_server_info", domain="mcp-demo")["mcp_servers"][0]
    listed = {one["name"]: one for one in modules.run("am_mcp_server_info", domain="mcp-demo", secrets=True)["mcp_servers"]}
    assert listed["Weather"]["secrets"] == made["secrets"]
    assert [secret["name"] for secret in listed["Other"]["secrets"]] == ["Default"]
    [weather] = modules.run("am_mcp_server_info", domain="mcp-demo", name="Weather", secrets=True)["mcp_servers"]
    assert weather == listed["Weather"]
    world.am_version = "4.10"
    before = len(world.log)
    old = modules.run("am_mcp_server_info", domain="mcp-demo", secrets=True)["mcp_servers"]
    assert [server for server in old if "secrets" in server] == []
    assert sum(request.path.endswith("/secrets") for request in world.log[before:]) == 1, "one answer is enough"
