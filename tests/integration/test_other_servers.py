"""What the modules do without AM, for an authorization server of another make. AM's gateway plays it, by its endpoints alone."""
from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clients import Login, register
from tests.integration.test_flows import initialize
from tests.runners import ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

SECRET = "Keycloak-Passw0rd!"
HERE = {"context_path": "/news-mcp"}


@pytest.fixture
def url(world: World) -> str:
    return f"{world.urls['gateway']}/news-mcp"


@pytest.fixture
def resource(world: World, modules: Modules, domain: Domain, url: str) -> dict[str, Any]:
    """As docs/enforcement.md has it. Its client is the MCP server in AM, as AM introspects tokens for that alone."""
    made = modules.run(
        "am_mcp_server", domain="mcp-demo", name="News", resource_identifiers=[url], client_id="gateway", client_secret=SECRET
    )
    modules.run("am_domain_settings", domain="mcp-demo", mcp_clients=True)
    return {
        "name": "Other",
        "type": "oauth2",
        "enabled": True,
        "configuration": {
            "authorizationServerUrl": f"{world.urls['am_gateway']}/mcp-demo",
            "authorizationServerMetadataEndpoint": "/oidc/.well-known/oauth-authorization-server",
            "introspectionEndpoint": "/oauth/introspect",
            "introspectionEndpointMethod": "POST",
            "tokenIsSuppliedByQueryParam": False,
            "tokenIsSuppliedByFormUrlEncoded": True,
            "clientId": made["client_id"],
            "clientSecret": SECRET,
        },
    }


@pytest.mark.parametrize("policy", ["5.1.4", "5.2.1", "5.3.1"])
def test_from_nothing_to_the_tools(modules: Modules, world: World, url: str, resource: dict[str, Any], policy: str) -> None:
    world.oauth2_policy = policy
    connected = dict.fromkeys(("am_url", "am_username", "am_password"))  # no AM for these modules
    api = {**HERE, "name": "News", "target": world.urls["mcp"], "metadata_path": True, "definition": {"resources": [resource]}}
    made = modules.twice("gravitee_api", **connected, **api)
    assert SECRET not in json.dumps(made)
    assert json.dumps(resource["configuration"]["authorizationServerUrl"]) in json.dumps(made["api"])
    asks = {"security": "oauth2", "oauth_resource": "Other", "audience": [url], "required_scopes": ["openid"]}
    modules.twice("gravitee_plan", **connected, **HERE, **asks)
    modules.twice("gravitee_deployment", **connected, **HERE)
    assert modules.run("mcp_check", connect=False, url=url)["result"] == "secured"
    client_id = register(world).json()["client_id"]
    modules.twice("gravitee_subscription", **connected, **HERE, client_id=client_id)
    token = Login().token(world, client_id, url)
    assert initialize(url, token) == 200
    assert initialize(url, Login().token(world, client_id, None)) == 401, "the audience counts"
    seen = modules.run("mcp_check", connect=False, url=url, token=token)
    assert (seen["result"], len(seen["tools"])) == ("secured", 2)


def test_the_resource_is_not_am_resources(modules: Modules, world: World, resource: dict[str, Any]) -> None:
    modules.run("gravitee_api", **HERE, name="News", target=world.urls["mcp"], definition={"resources": [resource]})
    given = {"server_url": world.urls["am_gateway"], "security_domain": "mcp-demo", "client_id": "a", "client_secret": SECRET}
    with pytest.raises(ModuleFailed, match="is of type oauth2, not oauth2-am-resource. Give another name."):
        modules.run("am_resource", **HERE, name="Other", **given)
