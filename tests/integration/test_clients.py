"""Clients get in, or mcp_check says why not and which setting fixes it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients import Login, register, subscribe
from tests.integration.test_check import failed
from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import ModuleFailed, Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

AT = {"context_path": "/weather-mcp"}
USER = {"username": "alice", "password": "Alice-Passw0rd!"}
KNOWN = {"client_id": "assistant", **USER}


@pytest.fixture(params=["4.10", "4.12"])
def secured(world: World, modules: Modules, domain: Domain, request: pytest.FixtureRequest) -> str:
    """The server as the role leaves it, with one known client, `assistant`. Its URL."""
    world.apim_version = world.am_version = request.param
    world.introspection_window = 0  # as AM's operator sets it
    world.domain_reload = 0
    return secure(world, modules, "/weather-mcp")


def secure(world: World, modules: Modules, path: str) -> str:
    at, url = {"context_path": path}, f"{world.urls['gateway']}{path}"
    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    server = modules.run("am_mcp_server", domain="mcp-demo", name="Weather", resource_identifier=url)
    modules.run("gravitee_api", **at, name="Weather", target=world.urls["mcp"], mcp_resource=False, metadata_path=True)
    modules.run(
        "am_resource",
        **at,
        server_url=world.urls["am_gateway"],
        security_domain="mcp-demo",
        client_id=server["client_id"],
        client_secret=server["client_secret"],
    )
    modules.run("gravitee_plan", **at, security="oauth2", oauth_resource="Gravitee AM")
    modules.run("gravitee_deployment", **at)
    modules.run(
        "am_application",
        domain="mcp-demo",
        name="Assistant",
        type="native",
        client_id="assistant",
        redirect_uris=["http://127.0.0.1:33418/"],
        grant_types=["authorization_code"],
        scopes=["openid"],
    )
    modules.run("gravitee_subscription", **at, client_id="assistant")
    return url


def test_all_the_way_with_a_known_client(modules: Modules, secured: str) -> None:
    seen = modules.run("mcp_check", url=secured, **KNOWN)
    assert (seen["result"], failed(seen)) == ("secured", [])
    assert [tool["name"] for tool in seen["tools"]] == ["get_weather", "slow_forecast"]
    assert [step["step"] for step in seen["steps"]][-6:] == ["authorize", "login", "consent", "token", "call", "tools"]
    assert "Passw0rd" not in str(seen)


@pytest.mark.parametrize("bound", [True, False])
def test_a_token_for_no_server_has_to_be_refused(modules: Modules, secured: str, bound: bool) -> None:
    at = {"context_path": urlsplit(secured).path}
    if bound:
        modules.run("gravitee_plan", **at, name="OAuth2", audience=[secured])
        modules.run("gravitee_deployment", **at)
    seen = modules.run("mcp_check", url=secured, **KNOWN, audience=True)
    step = seen["steps"][-1]
    assert step["step"] == "audience"
    assert (seen["result"], step["verdict"]) == (("secured", "ok") if bound else ("misconfigured", "failed"))
    told = "HTTP 401" if bound else "HTTP 200: tokens that are not for this server are let in (gravitee_plan audience)"
    assert step["got"] == told
    assert "audience" not in [step["step"] for step in modules.run("mcp_check", url=secured, **KNOWN)["steps"]]


def test_a_registered_one_is_not_subscribed_and_cleaned_up(modules: Modules, domain: Domain, secured: str) -> None:
    seen = modules.run("mcp_check", url=secured, **USER)
    assert failed(seen) == ["call"]
    assert "token accepted by AM, refused by the gateway: client" in seen["summary"]
    assert "has no subscription to the OAuth2 plan: use gravitee_subscription" in seen["summary"]
    assert [application["name"] for application in domain.applications.values()] == ["Assistant"]


def _registration(**settings: Any) -> Callable[[Modules, World], Any]:
    return lambda modules, world: modules.run("am_domain_settings", domain="mcp-demo", client_registration=settings)


def _wrong_secret(modules: Modules, world: World) -> None:
    modules.run("am_resource", **AT, client_secret="wrong")
    modules.run("gravitee_deployment", **AT)


def _keyless(modules: Modules, world: World) -> None:
    modules.run("gravitee_plan", **AT, security="key_less")
    modules.run("gravitee_deployment", **AT, allow_open=True)


def _no_scope(modules: Modules, world: World) -> None:
    _registration(allowed_scopes_enabled=False, default_scopes=[])(modules, world)


# What is broken, who comes, the step that fails, and what the diagnosis names.
BROKEN: dict[str, tuple[Callable[[Modules, World], Any], dict[str, str], str, str]] = {
    "DCR off": (
        _registration(dynamic_client_registration_enabled=False),
        USER,
        "register",
        "dynamic registration is off in the domain: am_domain_settings with mcp_clients=true",
    ),
    "closed registration": (
        _registration(open_dynamic_client_registration_enabled=False),
        USER,
        "register",
        "registration is not open, AM asks for an initial token",
    ),
    "localhost forbidden": (
        _registration(allow_localhost_redirect_uri=False),
        USER,
        "register",
        "am_domain_settings allow_localhost_redirect_uri",
    ),
    "http forbidden": (
        _registration(allow_http_scheme_redirect_uri=False),
        USER,
        "register",
        "am_domain_settings allow_http_scheme_redirect_uri",
    ),
    "no scope": (_no_scope, USER, "authorize", "am_domain_settings allowed_scopes and default_scopes"),
    "wrong secret": (_wrong_secret, KNOWN, "call", "are client id and secret of the AM resource right (am_resource)?"),
    "subscription closed": (
        lambda modules, world: modules.run("gravitee_subscription", **AT, client_id="assistant", state="closed"),
        KNOWN,
        "call",
        "client assistant has no subscription to the OAuth2 plan: use gravitee_subscription",
    ),
    "scope not allowed": (lambda modules, world: None, {**KNOWN, "scope": "email"}, "authorize", "the client lacks a scope"),
    "wrong password": (lambda modules, world: None, {**KNOWN, "password": "wrong"}, "login", "is the password right?"),
    "unknown client": (lambda modules, world: None, {**KNOWN, "client_id": "nobody"}, "authorize", "no login form"),
    "wrong identifier": (
        lambda modules, world: modules.run(
            "am_mcp_server",
            domain="mcp-demo",
            client_id=next(iter(next(iter(world.domains.values())).mcp_servers.values()))["clientId"],
            resource_identifiers=["http://gw/other"],
        ),
        KNOWN,
        "authorize",
        "AM has no MCP server with exactly this URL as its identifier",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_refused_way_names_its_cause(modules: Modules, world: World, domain: Domain, secured: str, name: str) -> None:
    change, who, step, diagnosis = BROKEN[name]
    change(modules, world)
    seen = modules.run("mcp_check", url=secured, **who)
    assert (seen["result"], failed(seen)) == ("misconfigured", [step]), seen["steps"]
    assert diagnosis in seen["summary"]
    assert len(domain.applications) == 1, "what it registered is left"


def test_a_keyless_plan_left_is_an_open_door(modules: Modules, world: World, secured: str) -> None:
    _keyless(modules, world)
    assert modules.run("mcp_check", url=secured, **KNOWN)["result"] == "open"


def test_capitals_in_the_path_are_diagnosed(modules: Modules, world: World, domain: Domain) -> None:
    """As someone made it in the console; the modules refuse it."""
    url = secure(world, modules, "/Weather-mcp")
    seen = modules.run("mcp_check", url=url, **KNOWN)
    assert failed(seen) == ["authorize"]
    assert "it lower-cases identifiers: am_mcp_server resource_identifiers, and a context path without" in seen["summary"]


def test_client_profiles_allow_what_they_need(modules: Modules, world: World, domain: Domain) -> None:
    modules.twice("am_domain_settings", domain="mcp-demo", client_profiles=["claude_ai"])
    remote = ["https://claude.ai/api/mcp/auth_callback"]
    assert register(world, redirect_uris=remote).status_code == 201
    assert register(world).json()["error_description"] == "localhost is forbidden"
    modules.twice("am_domain_settings", domain="mcp-demo", client_profiles=["vscode", "claude_ai"])
    assert register(world).status_code == 201


def template(modules: Modules) -> str:
    made = {"name": "Client documents", "type": "native", "redirect_uris": ["http://localhost/"], "template": True}
    return modules.twice("am_application", domain="mcp-demo", **made)["id"]


def test_client_metadata_documents(modules: Modules, world: World, domain: Domain) -> None:
    world.am_version = "4.12"
    template_id = template(modules)
    documents = {"enabled": True, "template": "Client documents"}
    given = {"client_profiles": ["vscode", "claude_code"], "client_metadata_documents": documents}
    modules.twice("am_domain_settings", domain="mcp-demo", **given)
    settings = {"enabled": True, "allowedDomains": ["claude.ai", "vscode.dev"], "templateId": template_id}
    assert {name: domain.wire["oidc"]["cimdSettings"][name] for name in settings} == settings
    modules.twice("am_domain_settings", domain="mcp-demo", client_metadata_documents={"cache_ttl_seconds": 60})
    assert domain.wire["oidc"]["cimdSettings"]["enabled"] is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"client_profiles": ["vscode"], "client_metadata_documents": {"enabled": True}}, "template is missing"),
        ({"client_metadata_documents": {"enabled": True, "template_id": "TEMPLATE"}}, "allowed_domains is missing"),
        ({"client_profiles": ["vscode"], "client_metadata_documents": {"template": "Nobody"}}, "has no templates named 'Nobody'"),
        (
            {"client_profiles": ["vscode"], "client_metadata_documents": {"enabled": True, "template_id": "nobody"}},
            "templateId must be a valid application id configured as template",
        ),
    ],
)
def test_incomplete_settings_of_documents_are_refused(
    modules: Modules, world: World, domain: Domain, given: dict[str, Any], sentence: str
) -> None:
    world.am_version = "4.12"
    documents = given["client_metadata_documents"]
    if documents.get("template_id") == "TEMPLATE":
        documents["template_id"] = template(modules)
    with pytest.raises(ModuleFailed, match=sentence):
        modules.run("am_domain_settings", domain="mcp-demo", **given)
    assert "cimdSettings" not in domain.wire["oidc"]


def test_a_client_with_a_document_is_subscribed_and_made_nowhere(modules: Modules, world: World, domain: Domain) -> None:
    """One application of APIM for each document: closing its subscription shuts out this client alone."""
    world.am_version, url = "4.12", "https://vscode.dev/oauth/client-metadata.json"
    known = {"name": "Known", "redirect_uris": ["http://localhost/"]}
    v = variables(world, clients=[{"name": "VS Code", "client_id": url}, known])
    Role(modules.run, v).play()
    assert [one["name"] for one in domain.applications.values()] == ["Known"]
    subscribed = {one["settings"]["app"]["client_id"] for one in world.applications.values() if one["settings"].get("app")}
    assert url in subscribed
    assert Role(modules.run, v).play() == []
    fleet = modules.run("mcp_fleet", check=True, servers=[{name: value for name, value in vars(v).items() if value is not None}])
    assert fleet["servers"][0]["changes"] == []
    Role(modules.run, v).play("teardown.yml")
    assert all(one["status"] == "CLOSED" for one in world.subscriptions.values())


@pytest.mark.parametrize("am_version", ["4.10", "4.11"])
def test_the_role_reports_admits_and_leaves_out(
    playbooks: Playbooks, world: World, domain: Domain, am_version: str
) -> None:
    world.am_version = am_version
    assert playbooks.run().code == 0
    for name, uris in (("VS Code", None), ("Stranger", ["https://stranger.example/cb"])):
        given = {"redirect_uris": uris} if uris else {}
        client_id = register(world, client_name=name, **given).json()["client_id"]
        if not uris:
            Login().token(world, client_id, playbooks.url)
    stranger = next(app for app in domain.applications.values() if app["name"] == "Stranger")
    theirs = dict(domain.audits[0])
    theirs["accessPoint"] = {"id": stranger["id"], "alternativeId": stranger["settings"]["oauth"]["clientId"]}
    domain.audits.append(theirs)
    report = playbooks.run(client_profiles=["vscode"])
    assert report.code == 0, report.output
    assert report.changes == []
    assert "VS Code " in report.output
    assert "the rules admit it, once subscribe=true (secure_mcp_registered_clients: subscribe)" in report.output
    assert "(https://stranger.example/cb) of alice waits for" in report.output
    assert "(https://stranger.example/cb) of alice waits for" in report.output
    assert world.subscriptions == {}
    ignored = playbooks.run(registered_clients="ignore")
    assert "waits for" not in ignored.output
    done = playbooks.run(client_profiles=["vscode"], registered_clients="subscribe")
    assert [change.split()[0] for change in done.changes] == ["create", "subscribe"]
    assert len(world.subscriptions) == 1
    assert playbooks.run(client_profiles=["vscode"], registered_clients="subscribe").changes == []


def test_who_may_not_read_the_audit_log_is_told(playbooks: Playbooks, world: World, domain: Domain) -> None:
    world.audits_forbidden = True
    done = playbooks.run()
    assert done.code == 0, done.output
    assert "Who waits for" in done.output
    assert playbooks.run("admit_clients.yml").code == 2


def test_tools_are_discovered_and_their_change_is_drift(playbooks: Playbooks, world: World, domain: Domain) -> None:
    given = {"tools": "discover", "tool_scopes": {"get_weather": ["weather:read"], "*": ["openid"]}}
    predicted = playbooks.run("secure_mcp.yml", "--check", **given)
    done = playbooks.run(**given)
    assert done.code == 0, done.output
    assert done.changes == predicted.changes
    [server] = domain.mcp_servers.values()
    assert [(tool["key"], tool["description"], tool["scopes"]) for tool in server["features"]] == [
        ("get_weather", "The weather in a city", ["weather:read"]),
        ("slow_forecast", "A forecast that takes its time", ["openid"]),
    ]
    assert playbooks.run(**given).changes == []
    server["features"].pop()
    assert playbooks.run("drift.yml", **given).changes == ["update features of MCP server Weather MCP"]


def test_tools_stay_as_they_are_where_the_server_cannot_be_asked(playbooks: Playbooks, domain: Domain) -> None:
    assert playbooks.run(tools="discover").code == 0
    done = playbooks.run(tools="discover", target="http://127.0.0.1:9/mcp")
    assert done.code == 0, done.output
    [server] = domain.mcp_servers.values()
    assert len(server["features"]) == 2


def test_the_look_from_outside_goes_all_the_way(playbooks: Playbooks, world: World, domain: Domain) -> None:
    clients = [{"name": "Test", "client_id": "assistant", "redirect_uris": ["http://127.0.0.1:33418/"]}]
    user = {"test_username": "alice", "test_password": "Alice-Passw0rd!", "test_client_id": "assistant"}
    done = playbooks.run("secure_mcp.yml", "-vvv", clients=clients, **user)
    assert done.code == 0, done.output
    assert len(done.result("Check the secured API as a client would")["tools"]) == 2
    assert "Alice-Passw0rd!" not in done.output
    next(iter(world.subscriptions.values()))["status"] = "CLOSED"
    assert playbooks.run("verify.yml", verify_timeout=1, **user).code == 2


def test_subscribing_is_needed_on_a_proxy_api_only(modules: Modules, world: World, domain: Domain, secured: str) -> None:
    client_id = register(world).json()["client_id"]
    token = Login().token(world, client_id, secured)
    assert modules.run("mcp_check", url=secured, token=token)["result"] == "misconfigured"
    subscribe(world, client_id)
    assert modules.run("mcp_check", url=secured, token=token)["result"] == "secured"
