"""What the contract's pages say of AM's management plane, where no recorded exchange shows it."""
from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.am_resources import OAUTH
from tests.sandbox.world import World

OPENAPI = Path(__file__).parent.parent.parent.parent / "shared/contract/openapi/am-4.12-management.yaml"


def ask(world: World, domain: Domain, method: str, path: str, body: Any = None) -> requests.Response:
    url = f"{world.urls['am']}/management/organizations/DEFAULT/environments/DEFAULT/domains/{domain.id}{path}"
    headers = {"Authorization": f"Bearer {world.new_token('am')}"}
    return requests.request(method, url, json=body, headers=headers, timeout=10)


@pytest.mark.parametrize(("version", "status"), [("4.10", 200), ("4.11", 404), ("4.12", 404)])
def test_a_changed_domain_is_away_for_a_moment(
    modules: Modules, world: World, domain: Domain, version: str, status: int
) -> None:
    """From 4.11 on, whatever was changed; introspection, too. A new MCP server is no change of the domain."""
    world.am_version = version
    made = modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifier="http://gw/w")
    gateway, credentials = f"{world.urls['am_gateway']}/mcp-demo", (made["client_id"], made["client_secret"])

    def statuses() -> set[int]:
        introspected = requests.post(f"{gateway}/oauth/introspect", data={"token": "t"}, auth=credentials, timeout=10)
        discovered = requests.get(f"{gateway}/oidc/.well-known/openid-configuration", timeout=10)
        return {introspected.status_code, discovered.status_code}

    assert statuses() == {200}
    assert ask(world, domain, "PATCH", "", {"description": "d"}).status_code == 200
    assert statuses() == {status}
    time.sleep(world.domain_reload)
    assert statuses() == {200}


def test_secrets_that_expire(modules: Modules, world: World, domain: Domain) -> None:
    """Those that are made while the domain says so, an MCP server's first one among them."""
    world.am_version = "4.11"
    ask(world, domain, "PATCH", "", {"secretSettings": {"enabled": True, "expiryTimeSeconds": 60}})
    server = modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifier="http://gw/w")["id"]
    path = f"/protected-resources/{server}/secrets"
    ask(world, domain, "PATCH", "", {"secretSettings": {"enabled": False}})
    ask(world, domain, "POST", path, {"name": "second"})
    first, second = ask(world, domain, "GET", path).json()
    assert first["expiresAt"] - first["createdAt"] == 60_000
    assert "expiresAt" not in second


def test_the_settings_of_oauth_are_the_vendors() -> None:
    if not OPENAPI.exists():
        pytest.skip("the vendor's file is not beside this checkout")
    document = yaml.load(OPENAPI.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    schemas = document["components"]["schemas"]
    assert set(schemas["ApplicationOAuthSettings"]["properties"]) == OAUTH
