"""Whether AM takes a client id and secret: what its gateway, or somebody in front of it, answers, and what is made of that."""
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import introspection
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.introspection import Introspection
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

from tests.runners import Modules
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

YES = (200, {}, b'{"active": false}')
NO = (401, {}, b'{"error": "invalid_client", "error_description": "Client authentication failed"}')
GONE = (404, {}, b"No security domain matches the request URI.")
PROXY = (401, {}, b"<html>Who are you?</html>")
WELCOME = (200, {}, b"<html>It works</html>")
BROKEN = (502, {}, b"")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("PAUSE", 0.05), ("STEP", 0.02), ("GRACE", 0.4)):
        monkeypatch.setattr(introspection, name, seconds)


@pytest.mark.parametrize(
    ("answers", "asked", "verdict"),
    [
        ([YES], {}, "accepted"),
        ([NO], {}, "refused"),
        ([GONE], {}, "unknown"),
        ([PROXY], {}, "unknown"),
        ([WELCOME], {}, "unknown"),
        ([BROKEN], {}, "unknown"),
        # A gateway that has not followed yet, or answers nobody for half a second after a write to its domain.
        ([NO, NO, YES], {"wait": 5}, "accepted"),
        ([GONE, GONE, YES], {"wait": 5}, "accepted"),
        ([NO, GONE, NO, YES], {"wait": 5}, "accepted"),
        ([NO], {"wait": 0.5}, "refused"),
        ([GONE, NO], {"wait": 0.5}, "refused"),
        ([GONE], {"wait": 60, "grace": 0.2}, "unknown"),
        ([NO, GONE], {"wait": 60, "grace": 0.2}, "unknown"),
        # Several gateways behind one address: not the first that knows the secret decides.
        ([YES, NO, YES, NO, YES, YES, YES, NO], {"wait": 5, "agree": 3}, "accepted"),
        ([YES, NO], {"wait": 0.5, "agree": 3}, "refused"),
        ([YES, YES, GONE, YES, YES, YES, NO], {"wait": 5, "agree": 3}, "accepted"),
    ],
)
def test_answers_and_verdicts(answers: list[tuple], asked: dict[str, float], verdict: str) -> None:
    """The last answer stays."""
    seen: list[str] = []

    def answer(_method: str, path: str, headers: dict[str, str], _body: bytes) -> tuple:
        seen.append(f"{path} {headers.get('Authorization')}")
        return answers[min(len(seen), len(answers)) - 1]

    with serving(answer, headers=True) as base:
        told = Introspection(f"{base}/", "/mcp-demo/", Options()).takes("id", "secret", **asked)
    assert told == verdict
    assert set(seen) == {"/mcp-demo/oauth/introspect Basic aWQ6c2VjcmV0"}


@pytest.mark.parametrize(
    ("answers", "speaks"),
    [([NO], True), ([GONE, NO], True), ([PROXY], False), ([YES], False), ([WELCOME], False), ([GONE], False)],
)
def test_whether_am_serves_the_domain_there(answers: list[tuple], speaks: bool) -> None:
    seen: list[Any] = []

    def answer(_method: str, _path: str, headers: dict[str, str], _body: bytes) -> tuple:
        seen.append(headers.get("Authorization"))
        return answers[min(len(seen), len(answers)) - 1]

    with serving(answer, headers=True) as base:
        assert Introspection(base, "mcp-demo", Options()).speaks(wait=0.3) is speaks
    assert set(seen) == {None}


def test_the_sandbox_answers_as_am_does(modules: Modules, world: World, domain: Domain) -> None:
    made = modules.run("am_mcp_server", domain=domain.id, name="W", resource_identifier="http://gw/w", client_secret="its own")
    at = Introspection(world.urls["am_gateway"], domain.wire["path"], Options())
    assert at.speaks(wait=0)
    assert at.takes(made["client_id"], "its own") == "accepted"
    assert at.takes(made["client_id"], "another") == "refused"
    assert at.takes("nobody", "its own") == "refused"
    for elsewhere in (Introspection("http://127.0.0.1:9", "mcp-demo", Options()), Introspection(at.gateway_url, "no", Options())):
        assert not elsewhere.speaks(wait=0)
        assert elsewhere.takes(made["client_id"], "its own") == "unknown"
