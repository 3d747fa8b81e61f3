"""gravitee_api_import: one request where APIM takes it, and the same API in the end where it does not, or keeps less."""
from __future__ import annotations

from typing import Any

import pytest

from tests.integration.test_fleet import fleet
from tests.integration.test_flows import initialize
from tests.runners import ModuleFailed, Modules
from tests.sandbox import apim_import
from tests.sandbox.apim_errors import ApimError
from tests.sandbox.world import World

URL = "https://gateway.example.com/weather-mcp"
SECRET = "s3cret-of-the-mcp-server"
API = {"context_paths": ["/weather-mcp"], "name": "Weather", "target": "http://w/mcp", "metadata_path": True}
GIVEN: dict[str, Any] = {
    "api": {**API, "challenge": {"url": URL, "scopes": ["openid"]}, "labels": ["a", "b"], "visibility": "public"},
    "resource": {"server_url": "http://am", "security_domain": "mcp", "client_id": "c", "client_secret": SECRET},
    "plan": {
        "security": "oauth2",
        "oauth_resource": "Gravitee AM",
        "required_scopes": ["openid"],
        "audience": [URL],
        "tools": {"forecast": ["weather:read"]},
        "url": URL,
    },
}
IMPORT = "/management/v2/environments/DEFAULT/apis/_import/definition"
SUMMARY = "import API Weather at /weather-mcp/ with resource Gravitee AM and plan OAuth2 (OAUTH2)"
CHANGING = {"id", "apiId", "createdAt", "updatedAt", "publishedAt", "order"}


def lasting(value: Any) -> Any:
    """Without what differs from one object to another of the same options."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in CHANGING}
    return [lasting(one) for one in value] if isinstance(value, list) else value


def made(world: World) -> Any:
    """The one API as APIM has it, with its one plan."""
    [record] = world.apis.values()
    [plan] = record.plans.values()
    return lasting({**record.definition, "plan": plan, "state": record.state})


def is_as_one_by_one(modules: Modules, world: World) -> None:
    """What is there is what three modules make on a fresh installation."""
    imported, at = made(world), {"context_path": "/weather-mcp"}
    world.reset()
    modules.run("gravitee_api", **GIVEN["api"])
    modules.run("am_resource", **at, **GIVEN["resource"])
    modules.run("gravitee_plan", **at, **GIVEN["plan"])
    assert imported == made(world)


def refuse(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    def create(*_given: Any, **_more: Any) -> None:
        raise ApimError(status, "no", None, {})

    monkeypatch.setattr(apim_import, "normalize", create)


@pytest.mark.parametrize("version", ["4.10", "4.11", "4.12"])
def test_one_request_makes_what_three_modules_make(modules: Modules, world: World, version: str) -> None:
    world.apim_version = version
    done = modules.twice("gravitee_api_import", **GIVEN)
    assert done["changes"] == [SUMMARY]
    assert [request.path for request in world.writes()] == [IMPORT]
    assert (done["plan"]["status"], done["api"]["state"], done["deployment_due"]) == ("PUBLISHED", "STOPPED", True)
    assert SECRET not in str(done)
    is_as_one_by_one(modules, world)


@pytest.mark.parametrize("kept", [(), ("labels",), ("resources",), ("responseTemplates",), ("properties",)])
def test_what_an_import_drops_is_added(
    modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch, kept: tuple[str, ...]
) -> None:
    monkeypatch.setattr(apim_import, "KEPT", kept)
    done = modules.twice("gravitee_api_import", **GIVEN)
    assert done["changes"] == [SUMMARY]
    is_as_one_by_one(modules, world)


@pytest.mark.parametrize("dropped", ["plan", "publication", "selectionRule", "flows"])
def test_what_it_drops_of_the_plan_is_added(
    modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch, dropped: str
) -> None:
    body_of = apim_import.body_of

    async def less(request: Any) -> Any:
        body = await body_of(request)
        [plan] = body["plans"]
        if dropped == "publication":
            plan["status"] = "STAGING"
        plan.pop(dropped, None)
        return {**body, "plans": [] if dropped == "plan" else [plan]}

    monkeypatch.setattr(apim_import, "body_of", less)
    assert modules.twice("gravitee_api_import", **GIVEN)["plan"]["status"] == "PUBLISHED"
    is_as_one_by_one(modules, world)


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_refused_it_is_done_one_by_one(
    modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    refuse(monkeypatch, status)
    assert modules.twice("gravitee_api_import", **GIVEN)["plan"]["status"] == "PUBLISHED"
    monkeypatch.undo()
    is_as_one_by_one(modules, world)


def test_an_error_of_the_server_is_told_and_nothing_else_tried(
    modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, 500)
    with pytest.raises(ModuleFailed, match=f"POST {IMPORT} answered 500: no"):
        modules.run("gravitee_api_import", **GIVEN, retries=0)
    assert [request.path for request in world.writes()] == [IMPORT]


def test_an_api_that_exists_is_brought_there(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **API)
    done = modules.twice("gravitee_api_import", **GIVEN)
    assert done["changes"][0].startswith("update ")
    assert done["diff"]["after"].keys() == {"api", "resource", "plan"}
    is_as_one_by_one(modules, world)


@pytest.mark.parametrize(
    ("part", "given", "said"),
    [
        ("api", {"target": "nowhere"}, r"^api\.target: "),
        ("api", {"context_paths": ["/Weather"]}, r"^api\.context_paths: '/Weather' has capitals"),
        ("api", {"context_paths": []}, r"^api: an import makes an API\. Give context_paths"),
        ("api", {"state": "absent"}, r"^api: an import makes an API\."),
        ("api", {"nme": "x"}, r"^api: nme\. Supported parameters include"),
        ("resource", {"security_domain": None}, r"^resource\.security_domain: "),
        ("resource", {"client_secret": None}, r"client_secret: the API /weather-mcp/ holds none"),
        ("plan", {"oauth_resource": "Other"}, r"oauth_resource: the API /weather-mcp/ has no resource 'Other'"),
        ("plan", {"security": "jwks"}, r"^plan: value of security must be one of"),
    ],
)
def test_refused_before_anything_is_written(
    modules: Modules, world: World, part: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModuleFailed, match=said):
        modules.run("gravitee_api_import", **{**GIVEN, part: {**GIVEN[part], **given}})
    assert world.writes() == []


def test_an_api_of_others_is_left_alone(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", **{**API, "name": "Theirs"})
    before = len(world.writes())
    with pytest.raises(ModuleFailed, match=r"^api\.context_paths: /weather-mcp/ belongs to the API 'Theirs'"):
        modules.run("gravitee_api_import", **GIVEN)
    assert world.writes()[before:] == []


@pytest.mark.usefixtures("domain")
@pytest.mark.parametrize("refused", [True, False])
def test_a_fleet_too_gets_through_where_apim_refuses_it_or_keeps_nothing(
    modules: Modules, world: World, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """It looks for APIs in a list that was read before there was one."""
    if refused:
        refuse(monkeypatch, 404)
    monkeypatch.setattr(apim_import, "KEPT", ())
    done = modules.run("mcp_fleet", **fleet(world, 2))
    assert [one["failed"] for one in done["servers"]] == [False, False]
    assert {initialize(f"{world.urls['gateway']}/s{i}-mcp") for i in range(2)} == {401}
    assert modules.run("mcp_fleet", check=True, **fleet(world, 2))["changed"] is False
