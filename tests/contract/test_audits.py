"""AM's audit log names a token as recorded: the token is got anew, its entry compared with the recorded one."""
from __future__ import annotations

import json

import pytest
import requests

from tests.clients import Login, register
from tests.contract.replay import Replay
from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World, recordings

# AM's version: the file, and the exchange whose answer begins with such an entry. The second is upper case throughout.
AGAIN = "am-4.11-2-management"
RECORDED = {"4.10": ("am-management", 81), "4.11": (AGAIN, 80), "4.11, without resource": (AGAIN, 81)}


@pytest.mark.parametrize("name", RECORDED)
def test_a_token_that_was_given_out(modules: Modules, world: World, domain: Domain, name: str) -> None:
    file, number = RECORDED[name]
    recorded = recordings(file)[number]["response"]["data"][0]
    steps = json.loads(recorded["outcome"]["message"])
    told = {step["path"].lower(): step["value"] for step in steps}
    scope, resource = told["/scope"], told.get("/resource")

    world.am_version, world.domain_reload = name.split(",")[0], 0
    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    if resource:
        modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifier=resource)
    first, last = recorded["target"]["displayName"].split()
    domain.users["alice"].update(firstName=first, lastName=last)
    client = register(world, client_name=recorded["accessPoint"]["displayName"], scope=scope).json()["client_id"]
    Login().token(world, client, resource, scope)

    url = f"{world.urls['am']}/management/organizations/DEFAULT/environments/DEFAULT/domains/{domain.id}/audits"
    headers = {"Authorization": f"Bearer {world.new_token('am')}"}
    entry = requests.get(url, params={"type": "TOKEN_CREATED"}, headers=headers, timeout=10).json()["data"][0]
    assert Replay({}, "", {}).compare(recorded, entry) == []
