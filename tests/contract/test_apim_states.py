"""What the contract's pages say of APIM's management plane, where no recorded exchange shows it."""
from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.world import World

V2 = "/management/v2/environments/DEFAULT"
V1 = "/management/organizations/DEFAULT/environments/DEFAULT"
GROUP = {"name": "g", "type": "http-proxy", "endpoints": [{"name": "e", "type": "http-proxy", "configuration": {"target": "http://w"}}]}
KEYLESS = {"name": "Keyless", "security": {"type": "KEY_LESS"}, "status": "PUBLISHED"}
CLIENT = {"name": "c", "description": "d", "settings": {"app": {"type": "native", "client_id": "c"}}}


class Apim:
    """An administrator of the sandbox's APIM."""

    def __init__(self, world: World):
        self.world = world

    def ask(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answered = requests.request(
            method, f"{self.world.urls['apim']}{path}", json=body, auth=self.world.admins["apim"], timeout=10
        )
        assert status in (None, answered.status_code), answered.text
        return answered.json() if answered.content else answered.status_code

    def imports(self, *paths: dict[str, str], status: int = 201, **given: Any) -> Any:
        listener = {"type": "HTTP", "paths": list(paths), "entrypoints": [{"type": "http-proxy"}]}
        api = {"type": "PROXY", "name": "W", "apiVersion": "1", "listeners": [listener], "endpointGroups": [GROUP], **given}
        return self.ask("POST", f"{V2}/apis/_import/definition", {"api": api, "plans": [KEYLESS]}, status)


@pytest.fixture
def apim(world: World) -> Apim:
    return Apim(world)


def test_two_paths_may_differ_by_host_alone(apim: Apim) -> None:
    apim.imports({"path": "/w", "host": "a.example"}, {"path": "/w", "host": "b.example"})
    apim.imports({"path": "/w"})
    apim.imports({"path": "/w", "host": "c.example"})
    refused = apim.imports({"path": "/w/below", "host": "b.example"}, status=400)
    assert refused["message"] == "Cannot import API with invalid paths (Path [/w/] already exists)"


def test_an_import_is_not_relied_upon_for_what_nobody_recorded(apim: Apim) -> None:
    """As a create drops properties, they are to be put afterwards."""
    templates = {"DEFAULT": {"*/*": {"statusCode": 400}}}
    made = apim.imports({"path": "/w"}, labels=["l"], responseTemplates=templates, properties=[{"key": "k", "value": "v"}])
    stored = apim.ask("GET", f"{V2}/apis/{made['id']}")
    assert (stored["labels"], stored["properties"]) == (["l"], [])
    assert stored["responseTemplates"]["DEFAULT"]["*/*"]["statusCode"] == 400


def test_what_is_put_back_needs_a_deployment(apim: Apim, world: World) -> None:
    """Also a plan that was deleted since comes back; the gateway serves on what was deployed last."""
    api = f"{V2}/apis/{apim.imports({'path': '/w'})['id']}"
    apim.ask("POST", f"{api}/_start", status=204)
    [keyless] = apim.ask("GET", f"{api}/plans")["data"]
    security = {"type": "JWT", "configuration": {}}
    other = apim.ask("POST", f"{api}/plans", {"name": "J", "security": security})
    apim.ask("POST", f"{api}/plans/{other['id']}/_publish", status=200)
    apim.ask("POST", f"{api}/plans/{keyless['id']}/_close", status=200)
    apim.ask("DELETE", f"{api}/plans/{keyless['id']}", status=204)
    apim.ask("POST", f"{api}/deployments", {"deploymentLabel": "closed"}, 202)
    newest, eldest = apim.ask("GET", f"{api}/events?types=PUBLISH_API&page=1&perPage=10")["data"]
    assert newest["properties"]["DEPLOYMENT_LABEL"] == "closed"
    apim.ask("POST", f"{api}/_rollback", {"eventId": eldest["id"]}, 204)
    plans = apim.ask("GET", f"{api}/plans?statuses=PUBLISHED,CLOSED")["data"]
    assert {plan["id"]: plan["status"] for plan in plans} == {keyless["id"]: "PUBLISHED", other["id"]: "CLOSED"}
    assert apim.ask("GET", api)["deploymentState"] == "NEED_REDEPLOY"
    served = next(iter(world.apis.values())).served.current
    assert [plan["security"]["type"] for plan in served["plans"].values()] == ["JWT"]


def test_a_restored_application_has_no_subscription(apim: Apim, world: World) -> None:
    api = f"{V2}/apis/{apim.imports({'path': '/w'})['id']}"
    plan = apim.ask("POST", f"{api}/plans", {"name": "J", "security": {"type": "JWT"}})["id"]
    application = apim.ask("POST", f"{V1}/applications", CLIENT, 201)["id"]
    wanted = {"applicationId": application, "planId": plan}
    assert apim.ask("POST", f"{api}/subscriptions", wanted, 400)["technicalCode"] == "plan.notSubscribable"
    apim.ask("POST", f"{api}/plans/{plan}/_publish", status=200)
    apim.ask("POST", f"{api}/subscriptions", wanted, 201)
    apim.ask("DELETE", f"{V1}/applications/{application}", status=204)
    apim.ask("POST", f"{V1}/applications/{application}/_restore", {}, 200)
    assert [one["status"] for one in world.subscriptions.values()] == ["CLOSED"]
    apim.ask("DELETE", f"{V1}/applications/{application}", status=204)
    apim.ask("POST", f"{V1}/applications", CLIENT, 201)
    refused = apim.ask("POST", f"{V1}/applications/{application}/_restore", {}, 400)
    assert refused["technicalCode"] == "application.clientId.exists"
