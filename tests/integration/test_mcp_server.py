"""am_mcp_server."""
from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

URL = "http://gw:8082/weather-mcp"
GIVEN = {"domain": "mcp-demo", "name": "Weather", "resource_identifier": URL}
TOOLS = [{"key": "get_weather", "description": "d", "scopes": ["weather:read"]}, {"key": "slow_forecast"}]


def stored(domain: Domain) -> dict[str, Any]:
    return next(iter(domain.mcp_servers.values()))


def introspects(world: World, client_id: str, secret: str) -> bool:
    url = f"{world.urls['am_gateway']}/mcp-demo/oauth/introspect"
    return requests.post(url, data={"token": "x"}, auth=(client_id, secret), timeout=10).status_code == 200


@pytest.fixture(autouse=True, params=["4.10", "4.11"])
def _version(world: World, domain: Domain, request: pytest.FixtureRequest) -> None:
    world.am_version = request.param


def test_created_with_generated_credentials(modules: Modules, domain: Domain, world: World) -> None:
    made = modules.twice("am_mcp_server", **GIVEN)
    assert made["changes"] == ["create MCP server Weather"]
    assert introspects(world, made["client_id"], made["client_secret"])
    again = modules.run("am_mcp_server", **GIVEN)
    assert again["client_id"] == made["client_id"]
    assert "client_secret" not in again


def test_created_with_own_credentials(modules: Modules, domain: Domain, world: World) -> None:
    own = {"client_id": "own", "client_secret": "own-secret"}
    made = modules.twice("am_mcp_server", **GIVEN, **own)
    assert made["client_id"] == "own"
    assert introspects(world, "own", "own-secret")
    assert made["mcp_server"]["clientId"] == "own"


def test_what_am_normalizes_is_no_drift(modules: Modules, domain: Domain) -> None:
    modules.twice("am_mcp_server", **{**GIVEN, "resource_identifier": " HTTP://GW:8082/Weather-MCP "}, description=" x ")
    assert stored(domain)["resourceIdentifiers"] == [URL]
    assert modules.run("am_mcp_server", **GIVEN, description="x")["changed"] is False


def test_tools_with_scopes(modules: Modules, domain: Domain) -> None:
    made = modules.twice("am_mcp_server", **GIVEN, tools=TOOLS, create_scopes=True)
    assert made["changes"] == ["create scope weather:read", "create MCP server Weather"]
    assert [feature["key"] for feature in stored(domain)["features"]] == ["get_weather", "slow_forecast"]
    done = modules.twice("am_mcp_server", **GIVEN, tools=[{"key": "get_weather", "scopes": ["openid"]}])
    assert done["changes"] == ["update features of MCP server Weather"]
    [feature] = stored(domain)["features"]
    assert (feature["key"], feature["description"], feature["scopes"]) == ("get_weather", "d", ["openid"])


def test_scopes_are_made_before_the_update_that_checks_them(modules: Modules, domain: Domain) -> None:
    modules.run("am_mcp_server", **GIVEN)
    with pytest.raises(ModuleFailed, match="tools: the domain does not have all of their scopes: create scope weather:read"):
        modules.run("am_mcp_server", **GIVEN, tools=TOOLS)
    done = modules.twice("am_mcp_server", **GIVEN, tools=TOOLS, create_scopes=True)
    assert done["changes"] == ["create scope weather:read", "update features of MCP server Weather"]


def test_what_is_not_given_stays(modules: Modules, domain: Domain) -> None:
    modules.run("am_mcp_server", **GIVEN, description="kept", tools=TOOLS, create_scopes=True)
    done = modules.twice("am_mcp_server", **{**GIVEN, "name": "Renamed"})
    assert done["changes"] == ["update name of MCP server Weather"]
    assert (stored(domain)["description"], len(stored(domain)["features"])) == ("kept", 2)


def test_found_by_client_id_and_moved(modules: Modules, domain: Domain) -> None:
    made = modules.run("am_mcp_server", **GIVEN)
    moved = {"domain": "mcp-demo", "client_id": made["client_id"], "resource_identifiers": ["http://gw:8082/other"]}
    done = modules.twice("am_mcp_server", **moved)
    assert done["changes"] == ["update resourceIdentifiers of MCP server Weather"]


def test_found_beyond_the_first_page(modules: Modules, domain: Domain) -> None:
    for number in range(55):
        modules.run("am_mcp_server", **{**GIVEN, "resource_identifier": f"http://gw/{number}"})
    assert modules.run("am_mcp_server", **{**GIVEN, "resource_identifier": "http://gw/0"})["changed"] is False


def test_removed(modules: Modules, domain: Domain) -> None:
    modules.run("am_mcp_server", **GIVEN)
    gone = modules.twice("am_mcp_server", domain="mcp-demo", resource_identifier=URL, state="absent")
    assert gone["changes"] == ["delete MCP server Weather"]
    assert domain.mcp_servers == {}


def test_an_own_secret_is_taken_at_creation_alone(modules: Modules, domain: Domain, world: World) -> None:
    """On an existing MCP server it is neither compared nor changed: whether AM takes it is asked of AM's gateway."""
    made = modules.run("am_mcp_server", **GIVEN)
    again = modules.twice("am_mcp_server", **GIVEN, client_secret="own-secret")
    assert (again["changed"], "client_secret" in again) == (False, False)
    assert introspects(world, made["client_id"], made["client_secret"])
    assert not introspects(world, made["client_id"], "own-secret")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "x" * 65}, "name: 'xxx"),
        ({"name": " x"}, "Use 1 to 64 characters, the first no blank"),
        ({"resource_identifier": "not a url"}, "resource_identifiers: 'not a url' is no identifier for AM"),
        ({"resource_identifier": "urn:mcp:a"}, "is no identifier for AM"),
        ({"resource_identifier": "https://a.b/c#f"}, "without a fragment"),
        ({"tools": [{"key": "a b"}]}, "tools: 'a b' is no tool key"),
        ({"tools": [{"key": "a"}, {"key": "a"}]}, "tools: the tool 'a' is named twice"),
        ({"client_id": "other"}, "client_id: the MCP server http://gw:8082/weather-mcp has the client id"),
        ({"resource_identifier": "http://gw/new", "client_id": "taken"}, "answered 400: A client [taken] already exists"),
        ({"resource_identifier": "http://gw/new", "name": None}, "name: the domain has no such MCP server yet"),
        ({"resource_identifier": None, "client_id": "new"}, "resource_identifiers: the domain has no such MCP server yet"),
        ({"resource_identifier": None}, "one of the following is required: resource_identifiers, client_id"),
        ({"domain": "nope"}, "domain: AM knows no domain 'nope'"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, domain: Domain, given: dict, sentence: str) -> None:
    modules.run("am_mcp_server", **GIVEN)
    domain.new_application("Taken", "native", [])["settings"]["oauth"]["clientId"] = "taken"
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_mcp_server", **{name: value for name, value in {**GIVEN, **given}.items() if value is not None})
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


def test_two_servers_are_ambiguous(modules: Modules, domain: Domain) -> None:
    modules.run("am_mcp_server", **GIVEN)
    modules.run("am_mcp_server", **{**GIVEN, "resource_identifier": "http://gw/b"})
    with pytest.raises(ModuleFailed, match="belongs to more than one MCP server"):
        modules.run("am_mcp_server", domain="mcp-demo", name="x", resource_identifiers=[URL, "http://gw/b"])


def test_info(modules: Modules, domain: Domain) -> None:
    made = modules.run("am_mcp_server", **GIVEN)
    modules.run("am_mcp_server", **{**GIVEN, "name": "B", "resource_identifier": "http://gw/b"})
    assert len(modules.run("am_mcp_server_info", domain="mcp-demo")["mcp_servers"]) == 2
    for given in ({"client_id": made["client_id"]}, {"name": "Weather"}, {"resource_identifier": URL.upper()}):
        found = modules.run("am_mcp_server_info", domain="mcp-demo", **given)["mcp_servers"]
        assert [server["name"] for server in found] == ["Weather"]


def own_token(world: World, client_id: str, secret: str) -> int:
    """The status of the MCP server's own request for a token."""
    url, form = f"{world.urls['am_gateway']}/mcp-demo/oauth/token", {"grant_type": "client_credentials", "resource": URL}
    return requests.post(url, data=form, auth=(client_id, secret), timeout=10).status_code


def test_its_credentials_get_no_token(modules: Modules, domain: Domain, world: World) -> None:
    """From the beginning, and where AM or somebody else lets them; nothing else of the settings is reset."""
    narrow = {**GIVEN, "grant_types": ["authorization_code"]}
    made = modules.twice("am_mcp_server", **narrow)
    credentials = made["client_id"], made["client_secret"]
    assert made["changes"] == ["create MCP server Weather"]
    assert own_token(world, *credentials) == 400
    assert introspects(world, *credentials)
    if world.am_version == "4.10":  # it has no such setting
        return
    server = stored(domain)
    server["settings"]["oauth"] |= {"accessTokenValiditySeconds": 600, "grantTypes": ["client_credentials"]}
    domain.sync()
    assert own_token(world, *credentials) == 200
    assert modules.run("am_mcp_server", **GIVEN)["changes"] == []
    assert modules.twice("am_mcp_server", **narrow)["changes"] == ["update settings of MCP server Weather"]
    assert own_token(world, *credentials) == 400
    assert introspects(world, *credentials)
    assert server["settings"]["oauth"]["accessTokenValiditySeconds"] == 600
    assert server["settings"]["oauth"]["tokenEndpointAuthMethod"] == "client_secret_basic"
    modules.twice("am_mcp_server", **GIVEN, grant_types=[])
    assert own_token(world, *credentials) == 200
