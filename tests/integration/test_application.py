"""am_application and am_application_info."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients import Login, register
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import Request, World

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
def test_a_difference_is_fixed_and_nothing_else(modules: Modules, domain: Domain, given: dict, change: str) -> None:
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


def client_id_of(application: dict[str, Any]) -> str:
    return application["settings"]["oauth"]["clientId"]


def test_of_a_name_that_two_have_the_eldest_is_meant_and_the_other_named(modules: Modules, domain: Domain) -> None:
    """An earlier run that died may have left the younger one, or somebody else made it."""
    first, second = (domain.new_application("VS Code", "native", []) for _time in range(2))
    done = modules.twice("am_application", **VS_CODE)
    assert done["id"] == first["id"]
    [warning] = done["warnings"]
    assert f"the eldest ({client_id_of(first)}) is used, the others stay ({client_id_of(second)})" in warning
    assert set(domain.applications) == {first["id"], second["id"]}
    chosen = modules.run("am_application", **VS_CODE, client_id=client_id_of(second))
    assert (chosen["id"], chosen["warnings"]) == (second["id"], [])


def test_of_a_name_that_two_have_none_is_removed(modules: Modules, domain: Domain) -> None:
    first, second = (domain.new_application("VS Code", "native", []) for _time in range(2))
    with pytest.raises(ModuleFailed, match="name: the domain has 2 applications named 'VS Code': give the client_id"):
        modules.run("am_application", **AT, name="VS Code", state="absent")
    modules.twice("am_application", **AT, client_id=client_id_of(second), state="absent")
    assert list(domain.applications) == [first["id"]]


def once(method: str, ending: str, act: Callable[[], Any]) -> Callable[[Request], None]:
    """What another run does when the first answer to such a request is ready."""
    left = [act]

    def race(request: Request) -> None:
        if left and request.method == method and request.path.endswith(ending):
            left.pop()()

    return race


def test_who_made_the_younger_one_removes_it(modules: Modules, domain: Domain, world: World) -> None:
    """Another run makes one between our look and our request; ours goes, and with it the secret that nobody could use."""
    given = {**AT, "name": "Backend", "type": "web", "scopes": ["openid"]}
    theirs: list[dict[str, Any]] = []
    world.on_answer = once("GET", "/applications", lambda: theirs.append(domain.new_application("Backend", "web", [])))
    done = modules.run("am_application", **given)
    assert list(domain.applications) == [theirs[0]["id"]] == [done["id"]]
    assert done["client_id"] == client_id_of(theirs[0])
    assert "client_secret" not in done
    assert oauth(domain)["scopeSettings"] == [{"scope": "openid"}], "what the other run had not done yet"


def test_the_elder_one_stays_though_it_is_not_done(modules: Modules, domain: Domain, world: World) -> None:
    given = {**AT, "name": "Backend", "type": "web"}
    world.on_answer = once("POST", "/applications", lambda: domain.new_application("Backend", "web", []))
    done = modules.run("am_application", **given)
    elder, _younger = domain.applications.values()
    assert (done["client_id"], done["client_secret"]) == (client_id_of(elder), elder["settings"]["oauth"]["clientSecret"])
    assert len(domain.applications) == 2, "the younger one is for its own run to remove"


def test_a_client_id_that_another_run_was_faster_to_take(modules: Modules, domain: Domain, world: World) -> None:
    def make() -> None:
        domain.new_application("VS Code", "native", [])["settings"]["oauth"]["clientId"] = "own"

    world.on_answer = once("GET", "/applications", make)
    done = modules.run("am_application", **VS_CODE, client_id="own")
    assert [request.status for request in world.writes()] == [400, 200]
    assert (done["client_id"], len(domain.applications)) == ("own", 1)


def test_one_that_is_removed_while_it_is_looked_for(modules: Modules, domain: Domain, world: World) -> None:
    for look in ({"name": "VS Code", "type": "native"}, {"name": "VS Code", "type": "native", "client_id": "own"}):
        gone = domain.new_application("VS Code", "native", [])["id"]

        def remove(gone: str = gone) -> None:
            domain.applications.pop(gone)
            domain.gone.add(gone)

        world.on_answer = once("GET", "/applications", remove)
        assert modules.run("am_application", **AT, **look)["changes"][0] == "create application VS Code"
        modules.run("am_application", **AT, name="VS Code", state="absent")


def test_scopes_of_other_servers_are_kept_with_add(modules: Modules, domain: Domain) -> None:
    domain.scopes["weather"] = {"key": "weather"}
    modules.run("am_application", **VS_CODE)
    added = modules.twice("am_application", **{**VS_CODE, "scopes": ["weather"], "scopes_mode": "add"})
    assert added["changes"] == ["set scopeSettings of application VS Code"]
    assert {setting["scope"] for setting in oauth(domain)["scopeSettings"]} == {"openid", "offline_access", "weather"}
    modules.twice("am_application", **VS_CODE)
    assert {setting["scope"] for setting in oauth(domain)["scopeSettings"]} == {"openid", "offline_access"}


def test_a_name_is_no_pattern(modules: Modules, domain: Domain) -> None:
    """AM's search takes * for any text, and finds the name in any case."""
    for name in ("Team A", "team *"):
        domain.new_application(name, "native", [])
    made = modules.twice("am_application", **AT, name="Team *", type="native")
    assert made["changes"][0] == "create application Team *"
    assert modules.twice("am_application", **AT, name="team a", type="native")["changes"][0] == "create application team a"


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
    world.am_version, world.domain_reload = request.param, 0
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
