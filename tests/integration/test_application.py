"""am_application and am_application_info."""
from __future__ import annotations

from typing import Any

import pytest

from tests.clients import Login, register
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

AT = {"domain": "mcp-demo"}
VS_CODE = {
    **AT,
    "name": "VS Code",
    "type": "native",
    "redirect_uris": ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scopes": ["openid", "offline_access"],
}


def oauth(domain: Domain) -> dict[str, Any]:
    return next(iter(domain.applications.values()))["settings"]["oauth"]


def test_a_native_client_is_made_whole_and_once(modules: Modules, domain: Domain) -> None:
    made = modules.twice("am_application", **VS_CODE)
    assert made["changes"] == [
        "create application VS Code",
        "set identityProviders, grantTypes, scopeSettings of application VS Code",
    ]
    assert made["client_id"] == oauth(domain)["clientId"]
    assert "client_secret" not in made
    assert oauth(domain)["forcePKCE"] is True
    [application] = domain.applications.values()
    assert application["identityProviders"] == [
        {"identity": f"default-idp-{domain.id}", "selectionRule": "", "priority": 0}
    ]


def test_a_confidential_client_shows_its_secret_once(modules: Modules, domain: Domain) -> None:
    given = {**AT, "name": "Backend", "type": "service", "grant_types": ["client_credentials"]}
    made = modules.twice("am_application", **given)
    assert made["client_secret"] == oauth(domain)["clientSecret"]
    assert "client_secret" not in modules.run("am_application", **given)


def test_own_credentials(modules: Modules, domain: Domain) -> None:
    modules.twice("am_application", **{**VS_CODE, "type": "web", "client_id": "own", "client_secret": "own-secret"})
    assert (oauth(domain)["clientId"], oauth(domain)["clientSecret"]) == ("own", "own-secret")
    assert modules.run("am_application", **AT, client_id="own")["changed"] is False


def test_an_interrupted_creation_is_completed(modules: Modules, domain: Domain) -> None:
    domain.new_application("VS Code", "native", VS_CODE["redirect_uris"])
    done = modules.twice("am_application", **VS_CODE)
    assert done["changes"] == ["set identityProviders, grantTypes, scopeSettings of application VS Code"]


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ({"redirect_uris": ["http://127.0.0.1:1/"]}, "set redirectUris of application VS Code"),
        ({"scopes": ["openid", "email"]}, "set scopeSettings of application VS Code"),
        ({"pkce": False}, "set forcePKCE, forceS256CodeChallengeMethod of application VS Code"),
        ({"identity_providers": ["b", "a"]}, "set identityProviders of application VS Code"),
        ({"description": "d"}, "set description of application VS Code"),
    ],
)
def test_a_difference_is_mended_and_nothing_else(modules: Modules, domain: Domain, given: dict, change: str) -> None:
    modules.run("am_application", **VS_CODE)
    before = dict(oauth(domain))
    assert modules.twice("am_application", **{**VS_CODE, **given})["changes"] == [change]
    assert before["refreshTokenValiditySeconds"] == oauth(domain)["refreshTokenValiditySeconds"]
    if "identity_providers" in given:
        [application] = domain.applications.values()
        assert [(one["identity"], one["priority"]) for one in application["identityProviders"]] == [("a", 1), ("b", 0)]


def test_the_order_of_sets_is_no_drift(modules: Modules, domain: Domain) -> None:
    modules.run("am_application", **VS_CODE)
    oauth(domain)["scopeSettings"].reverse()
    given = {"scopes": ["offline_access", "openid"], "redirect_uris": VS_CODE["redirect_uris"][::-1]}
    assert modules.run("am_application", **{**VS_CODE, **given})["changed"] is False


def test_renamed_by_client_id_and_removed(modules: Modules, domain: Domain) -> None:
    client_id = modules.run("am_application", **VS_CODE)["client_id"]
    done = modules.twice("am_application", **AT, client_id=client_id, name="Code")
    assert done["changes"] == ["set name of application Code"]
    assert modules.twice("am_application", **AT, name="Code", state="absent")["changes"] == ["delete application Code"]
    assert domain.applications == {}


def test_a_name_that_two_have_is_refused(modules: Modules, domain: Domain) -> None:
    first = domain.new_application("VS Code", "native", [])
    domain.new_application("VS Code", "native", [])
    with pytest.raises(ModuleFailed, match="name: the domain has 2 applications named 'VS Code': give client_id"):
        modules.run("am_application", **VS_CODE)
    client_id = first["settings"]["oauth"]["clientId"]
    assert modules.run("am_application", **VS_CODE, client_id=client_id)["id"] == first["id"]


def test_a_self_registered_namesake_is_not_mistaken_for_it(modules: Modules, domain: Domain, world: World) -> None:
    modules.run("am_domain_settings", **AT, mcp_clients=True)
    register(world, client_name="VS Code")
    made = modules.run("am_application", **VS_CODE)
    assert made["changes"][0] == "create application VS Code"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({**AT, "name": "X"}, "type: the domain has no such application yet"),
        ({**AT, "client_id": "x"}, "name: the domain has no such application yet"),
        ({**VS_CODE, "type": "web"}, "type: the application 'VS Code' is of type native"),
        ({**VS_CODE, "domain": "nope"}, "domain: AM knows no domain 'nope'"),
        (AT, "one of the following is required: name, client_id"),
        ({**VS_CODE, "name": "New", "client_id": "taken"}, "answered 400: A client [taken] already exists"),
    ],
)
def test_refused_with_a_sentence(modules: Modules, domain: Domain, given: dict, sentence: str) -> None:
    modules.run("am_application", **VS_CODE)
    modules.run("am_mcp_server", **AT, name="M", resource_identifier="http://gw/m", client_id="taken")
    domain.client = lambda wanted, known=domain.client: known(wanted) or ({"id": "m"} if wanted == "taken" else None)
    with pytest.raises(ModuleFailed) as failure:
        modules.run("am_application", **given)
    assert sentence in str(failure.value)


@pytest.fixture(params=["4.10", "4.11"])
def registered(modules: Modules, domain: Domain, world: World, request: pytest.FixtureRequest) -> dict[str, str]:
    """Two clients that registered themselves, of which only the first got a token for the weather server; and a made one."""
    world.am_version = request.param
    modules.run("am_domain_settings", **AT, mcp_clients=True)
    for name in ("weather", "other"):
        modules.run("am_mcp_server", **AT, name=name, resource_identifier=f"http://gw/{name}")
    ids = {}
    for name, resource in (("VS Code", "http://gw/weather"), ("Stranger", "http://gw/other")):
        ids[name] = register(world, client_name=name).json()["client_id"]
        Login().token(world, ids[name], resource)
    modules.run("am_application", **{**VS_CODE, "name": "Made"})
    return ids


def test_who_has_a_token_for_which_server(modules: Modules, registered: dict[str, str]) -> None:
    found = modules.run("am_application_info", **AT, resource="http://gw/Weather")["applications"]
    assert [(one["name"], one["users"], one["client_id"]) for one in found] == [("VS Code", ["alice"], registered["VS Code"])]
    assert found[0]["redirect_uris"][0] == "http://127.0.0.1:33418/"
    assert modules.run("am_application_info", **AT, resource="http://gw/nobody")["applications"] == []


def test_who_registered(modules: Modules, registered: dict[str, str]) -> None:
    def names(**given: Any) -> list[str]:
        return sorted(one["name"] for one in modules.run("am_application_info", **AT, **given)["applications"])

    assert names() == ["Made", "Stranger", "VS Code"]
    assert names(self_registered=True) == ["Stranger", "VS Code"]
    assert names(self_registered=False) == ["Made"]
    assert names(client_id=registered["Stranger"]) == ["Stranger"]


@pytest.mark.parametrize(
    ("rules", "admitted"),
    [
        ({}, False),
        ({"client_profiles": ["vscode"]}, True),
        ({"client_profiles": ["claude_code", "cursor"]}, False),
        ({"admit": [{"client_name": "VS *", "redirect_uris": ["http://127.0.0.1:*/", "https://*/redirect"]}]}, False),
        ({"admit": [{"redirect_uris": ["http://127.0.0.1:*/"]}]}, False),
        ({"admit": [{"client_name": "Visual*", "redirect_uris": ["*"]}]}, False),
    ],
)
def test_only_who_fits_a_rule_is_admitted(modules: Modules, registered: dict, rules: dict, admitted: bool) -> None:
    [found] = modules.run("am_application_info", **AT, name="VS Code", **rules)["applications"]
    assert found["admitted"] is admitted


def test_a_client_removed_since_is_left_out(modules: Modules, domain: Domain, registered: dict[str, str]) -> None:
    gone = next(key for key, one in domain.applications.items() if one["name"] == "VS Code")
    del domain.applications[gone]
    assert modules.run("am_application_info", **AT, resource="http://gw/weather")["applications"] == []
