"""am_mcp_server_secret."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import expiring, is_generated

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
    """In check mode an earlier task may be to make it, and then it is the youngest."""
    have(modules, FIRST)
    sentence = "replaced_by: the MCP server has no secret named 'yet to be generated', so the others stay."
    made = modules.run("am_mcp_server_secret", check=True, **SERVER, state="renewed")
    predicted = modules.run("am_mcp_server_secret", check=True, **SERVER, state="absent", replaced_by=made["name"])
    assert predicted["changes"] == [f"delete secret {name} of MCP server Weather" for name in ("Default", FIRST)]
    assert predicted["warnings"] == [f"Taken as done by an earlier task: {sentence}"]
    with pytest.raises(ModuleFailed, match=sentence):
        modules.run("am_mcp_server_secret", **SERVER, state="absent", replaced_by=made["name"])
    assert list(secrets(domain)) == ["Default", FIRST]


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
            del domain.mcp_servers[stored["id"]]

    before = len(world.writes())
    world.on_answer = gone
    with pytest.raises(ModuleFailed, match="answered 404: ProtectedResource .* can not be found"):
        modules.run("am_mcp_server_secret", **SERVER, state="renewed", recreate=True)
    world.on_answer = None
    assert world.writes()[before:] == []
    assert domain.mcp_servers == {}


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


# What is told of secrets


def test_when_a_secret_expires_is_told(modules: Modules, domain: Domain, server: dict[str, Any]) -> None:
    """Where the domain lets new secrets expire; those that are there stay."""
    domain.update({**domain.wire, "secretExpirationSettings": {"enabled": True, "expiryTimeSeconds": 3 * 86400}})
    made = modules.twice("am_mcp_server_secret", **SERVER, name="Paris")
    first, second = made["secrets"]
    assert (set(first), set(second)) == ({"name", "createdAt"}, {"name", "createdAt", "expiresAt"})
    [listed] = modules.run("am_mcp_server_info", domain="mcp-demo", secrets=True)["mcp_servers"]
    assert listed["secrets"] == [first, second]
    assert [[one["name"] for one in expiring(listed["secrets"], days)] for days in (2, 4)] == [[], ["Paris"]]


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
