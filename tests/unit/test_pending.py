"""What waits to be deployed, held against recorded deployments and the API as APIM showed it at that time."""
from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.pending import UNSEEN, open_plans, pending
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Deployment

from tests.sandbox.world import recordings

Edit = Callable[[dict[str, Any], list[dict[str, Any]]], Any]


def answer(note: str) -> Any:
    return next(exchange["response"] for exchange in recordings("apim-2-management") if exchange["note"] == note)


def deployments(note: str) -> list[Deployment]:
    """Newest first."""
    return [
        Deployment(event["id"], event["createdAt"], "7", json.loads(json.loads(event["payload"])["definition"]))
        for event in answer(note)["data"]
    ]


API, PLANS = answer("before rollback"), answer("plans after rollback")["data"]
SIXTH, FIFTH, FOURTH, THIRD, SECOND, FIRST = deployments("deployments of an API, newest first")
[OPEN] = deployments("events")
TEMPLATES = "responseTemplates WWW-Authenticate: ", "responseTemplates body: "
CORS = ["allowHeaders: none → ", "allowMethods: none → GET, POST, DELETE, OPTIONS", "exposeHeaders: none → ", "maxAge: -1 → 600"]
CHALLENGE = "responseTemplates GATEWAY_PLAN_UNRESOLVABLE: added"
MANUAL = "plan Manual: not served → deprecated"
RULE = "plan OAuth2 selectionRule: none → {#context.attributes['jwt'].claims['aud']"


@pytest.mark.parametrize(
    ("served", "lines"),
    [
        (FIFTH, [UNSEEN]),
        (SIXTH, ["target: http://127.0.0.1:9/other → http://127.0.0.1:9000/mcp"]),
        (FOURTH, [*TEMPLATES, MANUAL]),
        (THIRD, [*CORS, *TEMPLATES, MANUAL]),
        (SECOND, ["http cors: added", *TEMPLATES, MANUAL]),
        (FIRST, ["http cors: added", CHALLENGE, RULE, MANUAL]),
        (None, ["the whole API: never deployed", "plan OAuth2: not served → published", MANUAL]),
    ],
)
def test_every_recorded_deployment_beside_the_api_of_the_fifth(served: Deployment | None, lines: list[str]) -> None:
    found = pending(served, API, PLANS)
    assert len(found) == len(lines), found
    assert [line for line, start in zip(found, lines, strict=True) if not line.startswith(start)] == []


def test_plans_that_came_went_and_changed() -> None:
    [keyless, second] = answer("plans after rollback to the open deployment")["data"]
    swapped = [{**keyless, "status": "CLOSED"}, {**second, "status": "PUBLISHED"}]
    served = {**API, "responseTemplates": {}, **OPEN.definition}
    assert pending(OPEN, served, swapped) == ["plan Keyless: published → closed", "plan Second: not served → published"]
    assert pending(OPEN, served, []) == ["plan Keyless: published → removed"]
    assert pending(OPEN, served, [{**keyless, "status": "DEPRECATED"}]) == ["plan Keyless: published → deprecated"]
    assert pending(OPEN, served, [{**keyless, "security": {"type": "API_KEY"}}]) == ["plan Keyless type: key-less → API_KEY"]


def endpoint(api: dict[str, Any]) -> dict[str, Any]:
    return api["endpointGroups"][0]["endpoints"][0]


def http(api: dict[str, Any]) -> dict[str, Any]:
    return api["endpointGroups"][0]["sharedConfiguration"]["http"]


def configuration(api: dict[str, Any]) -> dict[str, Any]:
    return api["resources"][0]["configuration"]


def scopes(plans: list[dict[str, Any]]) -> None:
    plans[0]["security"]["configuration"]["requiredScopes"] = ["openid", "weather"]


FLOW = {"id": "f1", "name": "Refuse", "enabled": True, "selectors": [{"type": "HTTP", "path": "/"}]}
EDITS: dict[str, tuple[Edit, list[str]]] = {
    "target": (
        lambda api, plans: endpoint(api)["configuration"].update(target="http://b"),
        ["target: http://127.0.0.1:9000/mcp → http://b"],
    ),
    "timeout": (lambda api, plans: http(api).update(readTimeout=7000), ["readTimeout: 120000 → 7000"]),
    "switched off": (
        lambda api, plans: api["resources"][0].update(enabled=False),
        ["resources Gravitee AM enabled: true → false"],
    ),
    "analytics off": (lambda api, plans: api["analytics"].update(enabled=False), ["analytics enabled: true → false"]),
    "second path": (
        lambda api, plans: api["listeners"][0]["paths"].append({"path": "/b/", "overrideAccess": False}),
        ["paths /b/: added"],
    ),
    "a path before the others": (
        lambda api, plans: api["listeners"][0]["paths"].insert(0, {"path": "/b/"}),
        ["paths /b/: added"],
    ),
    "other path": (lambda api, plans: api["listeners"][0].update(paths=[{"path": "/b/"}]), ["/rec2-mcp/: removed", "/b/: added"]),
    "virtual host": (
        lambda api, plans: api["listeners"][0]["paths"][0].update(host="a.example"),
        ["/rec2-mcp/: removed", "a.example/rec2-mcp/: added"],
    ),
    "resource gone": (lambda api, plans: api.update(resources=[]), ["resources Gravitee AM: removed"]),
    "flow": (lambda api, plans: api.update(flows=[FLOW]), ["flows Refuse: added"]),
    "flow of a plan": (lambda api, plans: plans[0].update(flows=[FLOW]), ["plan OAuth2 flows Refuse: added"]),
    "scopes": (lambda api, plans: scopes(plans), ["plan OAuth2 requiredScopes: none → openid, weather"]),
    "failover": (lambda api, plans: api.update(failover={"maxFailures": 5}), ["failover: added"]),
    "second endpoint": (
        lambda api, plans: api["endpointGroups"][0]["endpoints"].append({**endpoint(api), "name": "b"}),
        ["endpoints b: added"],
    ),
    "not of the gateway": (lambda api, plans: api.update(name="x", description="y", labels=["z"], visibility="PUBLIC"), [UNSEEN]),
    "a staged plan": (lambda api, plans: plans.append({**plans[0], "id": "s", "status": "STAGING"}), [UNSEEN]),
    "ids of flows": (lambda api, plans: api.update(id="other"), [UNSEEN]),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_one_line(name: str) -> None:
    edit, lines = EDITS[name]
    api, plans = copy.deepcopy(API), copy.deepcopy(PLANS)
    edit(api, plans)
    found = pending(FIFTH, api, plans)
    assert len(found) == len(lines), found
    assert [line for line, end in zip(found, lines, strict=True) if not line.endswith(end)] == []


OLD, NEW = "old-s3cret", "new-s3cret"


@pytest.mark.parametrize(
    "place",
    [
        lambda definition, secret: configuration(definition).update(clientSecret=secret),
        lambda definition, secret: http(definition).update(headers=[{"name": "Authorization", "value": secret}]),
        lambda definition, secret: definition.update(properties=[{"key": "api-key", "value": secret}]),
        lambda definition, secret: definition.update(properties=[{"key": "plain", "value": secret, "encrypted": True}]),
        lambda definition, secret: endpoint(definition)["configuration"].update(target=f"http://u:{secret}@host/mcp"),
        lambda definition, secret: endpoint(definition).update(
            sharedConfigurationOverride={"ssl": {"keyStore": {"type": "PEM", "password": secret}}}
        ),
    ],
)
def test_a_secret_that_changed_is_told_without_its_value(place: Callable[[dict[str, Any], str], Any]) -> None:
    served, api = copy.deepcopy(FIFTH.definition), copy.deepcopy(API)
    place(served, OLD)
    place(api, NEW)
    for definition in (served, FIFTH.definition):  # one that changes, and one that is new
        [line] = pending(Deployment("e", "t", "7", definition), api, PLANS)
        assert OLD not in line
        assert NEW not in line


def test_an_order_that_changed_is_told() -> None:
    served, api = copy.deepcopy(FIFTH.definition), copy.deepcopy(API)
    served["listeners"][0]["paths"] = [{"path": "/a/"}, {"path": "/b/"}]
    api["listeners"][0]["paths"] = [{"path": "/b/"}, {"path": "/a/"}]
    assert pending(Deployment("e", "t", "7", served), api, PLANS) == ["paths order: /a/, /b/ → /b/, /a/"]


def test_open_plans_are_known_in_both_forms() -> None:
    [keyless, second] = answer("plans after rollback to the open deployment")["data"]
    assert open_plans(OPEN.plans) == open_plans([keyless, second]) == {(keyless["id"], ""): "Keyless"}
    assert open_plans(SIXTH.plans) == open_plans(PLANS) == {}
    for status, is_open in {"STAGING": False, "PUBLISHED": True, "DEPRECATED": True, "CLOSED": False}.items():
        assert bool(open_plans([{**keyless, "status": status}])) is is_open


@pytest.mark.parametrize("change", [{"id": "other"}, {"selectionRule": "{#request.path != null}"}, {"tags": ["internal"]}])
def test_an_open_plan_that_lets_in_others_is_another_one(change: dict[str, Any]) -> None:
    [keyless, _other] = answer("plans after rollback to the open deployment")["data"]
    assert open_plans([keyless]).keys() != open_plans([{**keyless, **change}]).keys()
