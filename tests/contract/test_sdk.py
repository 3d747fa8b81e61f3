"""How far the official Python SDK 2.x gets by itself: what the API has to say for it, by the policy's version."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.estate import PRM, Api, new_domain, new_mcp_server, template
from tests.runners import ROOT
from tests.sandbox.world import World

IN = "It is sunny in Paris"
BLANK = "'error': 'invalid_scope', 'error_description': 'Invalid scope(s): '"
LOST = "Registration failed: 404 No context-path matches the request URI."
SCOPE = {"requiredScopes": ["openid"]}
WELL_KNOWN = ["/w", f"{PRM}/w"]


def used(url: str, folder: Path) -> str:
    """What the tool answered, or the client's error."""
    call = ["get_weather", json.dumps({"city": "Paris"})]
    command = [sys.executable, "-m", "tests.sdk.python_client", url, str(folder / "kept.json"), *call]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment, timeout=60)
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer.get("text") or answer["error"]


@pytest.mark.parametrize(
    ("policy", "paths", "plan", "challenge", "expected"),
    [
        ("5.1.4", ["/w"], {}, None, LOST),
        ("5.1.4", ["/w"], {"addWwwAuthenticateHeader": True, **SCOPE}, None, BLANK),
        ("5.1.4", ["/w"], {}, f'Bearer resource_metadata="URL/w{PRM}", scope="openid"', IN),
        ("5.2.1", ["/w"], SCOPE, None, LOST),
        ("5.2.1", WELL_KNOWN, {}, None, BLANK),
        ("5.2.1", WELL_KNOWN, SCOPE, None, IN),
        ("5.3.1", WELL_KNOWN, SCOPE, None, IN),
        ("5.3.1", ["/w"], {}, f'Bearer resource_metadata="URL/w{PRM}", scope="openid"', IN),
    ],
)
def test_the_way_in(
    world: World, tmp_path: Path, policy: str, paths: list[str], plan: dict[str, Any], challenge: str | None, expected: str
) -> None:
    """Without validation of subscriptions, which would keep out every client that registers itself."""
    world.oauth2_policy, world.validate_subscription = policy, False
    domain = new_domain(world, "mcp-demo")
    made = new_mcp_server(world, domain, "Weather", f"{world.urls['gateway']}/w")
    domain.wire["oidc"]["clientRegistrationSettings"]["defaultScopes"] = ["openid", "offline_access"]
    domain.sync()
    api = Api(world, "mcp-demo", made, paths[0], **plan)
    told = challenge and challenge.replace("URL", world.urls["gateway"])
    api.set(*paths, responseTemplates={"GATEWAY_PLAN_UNRESOLVABLE": template(401, told, "Unauthorized")} if told else {})
    assert expected in used(api.url, tmp_path)
