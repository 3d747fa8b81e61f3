"""gravitee_api cors_origins: MCP clients in a browser."""
from __future__ import annotations

import pytest
import requests

from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

WEATHER = {"context_path": "/weather-mcp", "name": "Weather", "target": "http://127.0.0.1:9000/mcp"}
ORIGIN = "http://localhost:6274"


def test_browsers_get_in_with_cors(modules: Modules, world: World) -> None:
    """The preflight and the refusal itself, as a page of this origin sees them; what else the API allows stays."""
    made = modules.twice("gravitee_api", **WEATHER, cors_origins=[ORIGIN])
    assert made["api"]["listeners"][0]["cors"]["allowOrigin"] == [ORIGIN]
    modules.run("gravitee_plan", context_path="/weather-mcp", security="key_less")
    modules.run("gravitee_deployment", context_path="/weather-mcp")
    url = f"{world.urls['gateway']}/weather-mcp"
    for method in ("POST", "GET", "DELETE"):
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
        asked["Access-Control-Request-Headers"] = "authorization,content-type,mcp-protocol-version,mcp-session-id,last-event-id"
        assert requests.options(url, headers=asked, timeout=10).status_code == 200
    foreign = {"Origin": "http://elsewhere", "Access-Control-Request-Method": "POST"}
    assert requests.options(url, headers=foreign, timeout=10).status_code == 400
    answer = requests.post(url, headers={"Origin": ORIGIN}, timeout=10)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "www-authenticate" in answer.headers["access-control-expose-headers"]


def test_cors_of_ones_own_stays_and_drift_is_seen(modules: Modules, world: World) -> None:
    own = {"enabled": True, "allowOrigin": ["http://old"], "allowMethods": ["PUT"], "allowHeaders": ["x-own"], "maxAge": 5}
    listener = {"type": "HTTP", "entrypoints": [{"type": "http-proxy"}], "cors": own}
    modules.run("gravitee_api", **WEATHER, definition={"listeners": [listener]})
    assert modules.run("gravitee_api", **WEATHER)["changed"] is False
    cors = modules.twice("gravitee_api", **WEATHER, cors_origins=[ORIGIN])["api"]["listeners"][0]["cors"]
    assert (cors["allowOrigin"], cors["allowMethods"][:2], cors["allowHeaders"][0]) == ([ORIGIN], ["PUT", "GET"], "x-own")
    assert (cors["maxAge"], cors["allowCredentials"]) == (5, False)
    record = next(iter(world.apis.values()))
    record.definition["listeners"][0]["cors"]["exposeHeaders"] = []
    drift = modules.twice("gravitee_api", **WEATHER, cors_origins=[ORIGIN])
    assert (drift["changes"], drift["deployment_due"]) == (["update listeners of API Weather"], True)
    assert modules.twice("gravitee_api", **WEATHER, cors_origins=[])["api"]["listeners"][0]["cors"]["enabled"] is False


@pytest.mark.parametrize("origin", ["localhost:6274", "http://localhost:6274/", "http://a,http://b", ""])
def test_what_is_no_origin_is_refused(modules: Modules, world: World, origin: str) -> None:
    with pytest.raises(ModuleFailed, match="cors_origins: .* is no origin"):
        modules.run("gravitee_api", **WEATHER, cors_origins=[origin])
    assert world.apis == {}
