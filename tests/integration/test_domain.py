"""am_domain_settings."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.objects import shared
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am

from tests.clients import register
from tests.runners import ModuleFailed, Modules
from tests.sandbox import am_management
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import Request, World

AT = {"domain": "mcp-demo"}


def settings(domain: Domain) -> dict[str, Any]:
    return domain.wire["oidc"]["clientRegistrationSettings"]


def test_mcp_clients_can_register(modules: Modules, domain: Domain, world: World) -> None:
    assert register(world).json()["error"] == "registration_forbidden"
    done = modules.twice("am_domain_settings", **AT, mcp_clients=True)
    assert done["id"] == domain.id
    assert register(world).status_code == 201


def test_the_toggle_alone_lets_no_mcp_client_in(modules: Modules, domain: Domain, world: World) -> None:
    modules.twice("am_domain_settings", **AT, client_registration={"dynamic_client_registration_enabled": True})
    assert register(world).status_code == 401
    modules.twice("am_domain_settings", **AT, client_registration={"open_dynamic_client_registration_enabled": True})
    assert register(world).json()["error_description"] == "localhost is forbidden"
    modules.twice("am_domain_settings", **AT, client_registration={"allow_localhost_redirect_uri": True})
    assert register(world).json()["error_description"] == "Unsecured http scheme is forbidden"
    modules.twice("am_domain_settings", **AT, client_registration={"allow_http_scheme_redirect_uri": True})
    assert register(world, scope="").json()["error_description"] == "scope  is not valid."
    modules.twice("am_domain_settings", **AT, mcp_clients=True)
    assert register(world, scope="").json()["scope"] == "openid"


def test_a_setting_given_beside_wins(modules: Modules, domain: Domain) -> None:
    given = {"allow_localhost_redirect_uri": False, "default_scopes": ["openid", "email"]}
    modules.twice("am_domain_settings", **AT, mcp_clients=True, client_registration=given)
    assert settings(domain)["allowLocalhostRedirectUri"] is False
    assert settings(domain)["defaultScopes"] == ["openid", "email"]
    assert settings(domain)["isOpenDynamicClientRegistrationEnabled"] is True


def test_scopes_that_others_allowed_stay(modules: Modules, domain: Domain) -> None:
    given = {"allowed_scopes_enabled": True, "allowed_scopes": ["address"], "default_scopes": ["address"]}
    modules.run("am_domain_settings", **AT, client_registration=given)
    modules.twice("am_domain_settings", **AT, mcp_clients=True, mcp_client_scopes=["weather:read"], scopes=["weather:read"])
    assert settings(domain)["allowedScopes"] == ["address", "openid", "profile", "email", "offline_access", "weather:read"]
    assert settings(domain)["defaultScopes"] == ["address", "weather:read"]
    assert "weather:read" in domain.scopes


def test_login_settings_are_merged(modules: Modules, domain: Domain) -> None:
    """AM replaces them as a whole: what is left out of a PATCH is switched off."""
    modules.twice("am_domain_settings", **AT, login={"remember_me_enabled": True, "forgot_password_enabled": True})
    done = modules.twice("am_domain_settings", **AT, login={"register_enabled": True})
    assert done["changes"] == ["set registerEnabled of domain mcp-demo"]
    switched_on = {key for key, value in domain.wire["loginSettings"].items() if value}
    assert switched_on == {"rememberMeEnabled", "forgotPasswordEnabled", "registerEnabled"}


def test_registration_is_merged_and_login_left_alone(modules: Modules, domain: Domain) -> None:
    modules.run("am_domain_settings", **AT, login={"register_enabled": True})
    before = dict(domain.wire["loginSettings"])
    modules.twice("am_domain_settings", **AT, client_registration={"allow_wild_card_redirect_uri": True})
    assert domain.wire["loginSettings"] == before


def test_every_setting_goes_both_ways(modules: Modules, domain: Domain) -> None:
    names = [
        "dynamic_client_registration_enabled",
        "open_dynamic_client_registration_enabled",
        "allow_localhost_redirect_uri",
        "allow_http_scheme_redirect_uri",
        "allow_wild_card_redirect_uri",
        "allow_redirect_uri_params_expression_language",
        "allowed_scopes_enabled",
        "client_template_enabled",
    ]
    for value in (True, False):
        modules.twice("am_domain_settings", **AT, client_registration=dict.fromkeys(names, value))
        assert {settings(domain)[key] for key in settings(domain)} == {value}


def test_nothing_given_changes_nothing(modules: Modules, domain: Domain) -> None:
    assert modules.run("am_domain_settings", **AT)["changed"] is False


def test_found_by_id(modules: Modules, domain: Domain) -> None:
    assert modules.twice("am_domain_settings", domain=domain.id, login={"register_enabled": True})["id"] == domain.id


def test_a_disabled_domain_is_warned_of(modules: Modules, domain: Domain) -> None:
    domain.update({**domain.wire, "enabled": False})
    assert "is disabled" in modules.run("am_domain_settings", **AT)["warnings"][0]


def test_refused_with_a_sentence(modules: Modules, domain: Domain) -> None:
    with pytest.raises(ModuleFailed, match="domain: AM knows no domain 'nope'"):
        modules.run("am_domain_settings", domain="nope")
    with pytest.raises(ModuleFailed, match="Unsupported parameters .* client_registration.bogus"):
        modules.run("am_domain_settings", **AT, client_registration={"bogus": True})
    with pytest.raises(ModuleFailed, match="magicLinkAuthEnabled.* is not recognized"):
        modules.run("am_domain_settings", **AT, login={"magic_link_auth_enabled": True})


def test_settings_that_may_not_be_read_are_not_written(modules: Modules, world: World, domain: Domain) -> None:
    """AM leaves them out without a word; written back without them, the others would be off."""
    modules.run("am_domain_settings", **AT, login={"remember_me_enabled": True})
    world.settings_hidden = True
    with pytest.raises(ModuleFailed, match="AM does not show the settings of mcp-demo to this account. Give it READ on"):
        modules.run("am_domain_settings", **AT, login={"register_enabled": True})
    assert domain.wire["loginSettings"]["rememberMeEnabled"] is True
    assert modules.run("am_domain_settings", **AT, scopes=["weather"])["changes"] == ["create scope weather"]


def patches(world: World) -> int:
    """How often the domain was written; each time AM's gateway answers 404 for a moment."""
    return sum(request.method == "PATCH" for request in world.writes())


def test_everything_that_differs_goes_in_one_request(modules: Modules, domain: Domain, world: World) -> None:
    world.am_version = "4.12"
    given = {
        "mcp_clients": True,
        "client_metadata_documents": {"cache_ttl_seconds": 60},
        "login": {"register_enabled": True},
        "scopes": ["weather", "openid", "weather"],
    }
    done = modules.twice("am_domain_settings", **AT, **given)
    assert done["changes"][0] == "create scope weather"
    assert (len(done["changes"]), patches(world)) == (2, 1)
    listed = [request for request in world.log if request.path.endswith("/scopes") and request.method == "GET"]
    assert len(listed) == 3, "once by each of the check, the run and the run again"


def test_a_scope_that_another_run_was_faster_to_create_is_taken(modules: Modules, domain: Domain, world: World) -> None:
    def race(request: Request) -> None:
        if request.method == "GET" and request.path.endswith("/scopes"):
            domain.scopes["weather"] = {**domain.scopes["openid"], "key": "weather"}

    world.on_answer = race
    assert modules.run("am_domain_settings", **AT, scopes=["weather"])["changes"] == ["create scope weather"]
    assert world.writes()[-1].status == 400


def test_another_refusal_of_a_scope_is_told(modules: Modules, domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: Any) -> None:
        raise ApiError("POST", "/scopes", 400, "no")

    monkeypatch.setattr(Am, "create_scope", refuse)
    with pytest.raises(ModuleFailed, match="POST /scopes answered 400: no"):
        modules.run("am_domain_settings", **AT, scopes=["weather"])


@pytest.mark.parametrize("enforced", [True, False])
def test_mcp_client_scopes_are_added_unless_they_are_exact(modules: Modules, domain: Domain, enforced: bool) -> None:
    given = {"allowed_scopes_enabled": enforced, "allowed_scopes": ["address"], "default_scopes": ["address"]}
    modules.run("am_domain_settings", **AT, client_registration=given)
    modules.twice("am_domain_settings", **AT, mcp_clients=True, mcp_client_scopes=["a"])
    modules.twice("am_domain_settings", **AT, mcp_clients=True, mcp_client_scopes=["b"], mcp_client_optional_scopes=["c"])
    assert set(settings(domain)["allowedScopes"]) == {"address", "openid", "profile", "email", "offline_access", "a", "b", "c"}
    assert set(settings(domain)["defaultScopes"]) == {"address", "a", "b"}
    exact = {"mcp_client_scopes": ["b"], "mcp_client_optional_scopes": ["tool"], "mcp_client_scopes_mode": "exact"}
    modules.twice("am_domain_settings", **AT, mcp_clients=True, **exact)
    assert set(settings(domain)["allowedScopes"]) == {"openid", "profile", "email", "offline_access", "b", "tool"}
    assert set(settings(domain)["defaultScopes"]) == {"openid", "b"}


def test_hosts_of_metadata_documents_are_added_unless_they_are_named(modules: Modules, domain: Domain, world: World) -> None:
    world.am_version = "4.12"
    template = {"name": "T", "type": "native", "redirect_uris": ["http://localhost/"], "template": True}
    documents = {"enabled": True, "template_id": modules.run("am_application", **AT, **template)["id"]}
    for profile in ("vscode", "claude_code"):
        modules.twice("am_domain_settings", **AT, client_profiles=[profile], client_metadata_documents=documents)
    assert set(domain.wire["oidc"]["cimdSettings"]["allowedDomains"]) == {"vscode.dev", "claude.ai"}
    named = {**documents, "allowed_domains": ["claude.ai"]}
    modules.twice("am_domain_settings", **AT, client_profiles=["claude_code"], client_metadata_documents=named)
    assert domain.wire["oidc"]["cimdSettings"]["allowedDomains"] == ["claude.ai"]


def test_it_waits_longer_than_another_writer_takes(
    modules: Modules, domain: Domain, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times as long as its own read and write, each 0.1 s on the way here."""
    waited: list[float] = []
    monkeypatch.setattr(shared, "pause", waited.append)
    world.latency = {"am": 0.1}
    modules.run("am_domain_settings", **AT, mcp_clients=True)
    assert len(waited) == 1
    assert 0.8 <= waited[0] < 4


def test_a_writer_that_never_stops_is_named(
    modules: Modules, domain: Domain, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def undo(request: Request) -> None:
        if request.method == "PATCH":
            domain.update({**domain.wire, "loginSettings": {**domain.wire["loginSettings"], "registerEnabled": False}})

    monkeypatch.setattr(shared, "pause", lambda _seconds: None)
    world.on_answer = undo
    with pytest.raises(ModuleFailed, match="domain: mcp-demo was written 8 times, .* somebody else changed registerEnabled"):
        modules.run("am_domain_settings", **AT, login={"register_enabled": True})
    assert patches(world) == 8


def test_a_setting_that_am_accepts_and_drops_is_named(
    modules: Modules, domain: Domain, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(am_management, "merge_registration", lambda known, _patch: known)
    with pytest.raises(ModuleFailed, match="domain: the server accepted .*other values for allowLocalhostRedirectUri"):
        modules.run("am_domain_settings", **AT, client_registration={"allow_localhost_redirect_uri": True})
    assert patches(world) == 1


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({}, True),
        ({"mcp_client_optional_scopes": ["other"]}, False),
        ({"mcp_client_scopes_mode": "exact"}, False),
        ({"client_registration": {"default_scopes": ["openid"]}}, False),
    ],
)
def test_tools_scopes_that_are_defaults_already_are_told(
    modules: Modules, domain: Domain, given: dict[str, Any], warned: bool
) -> None:
    modules.run("am_domain_settings", **AT, mcp_clients=True, mcp_client_scopes=["tool"])
    told = modules.run("am_domain_settings", **AT, **{"mcp_clients": True, "mcp_client_optional_scopes": ["tool"], **given})
    assert any("may ask for tool: these are default" in warning for warning in told["warnings"]) is warned
    assert ("tool" in settings(domain)["defaultScopes"]) is (warned or "other" in str(given))
