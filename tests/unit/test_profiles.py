"""Which redirect URIs a rule fits."""
from __future__ import annotations

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import admitted
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES, document_hosts, fits, needs
from ansible_collections.gravitee.mcp.plugins.modules import am_application_info, am_domain_settings


@pytest.mark.parametrize(
    ("uri", "pattern", "right"),
    [
        ("http://localhost:5000/callback", "http://localhost:*/callback", True),
        ("http://localhost/callback", "http://localhost:*/callback", True),
        ("http://localhost:1@evil.example/callback", "http://localhost:*/callback", False),
        ("http://localhost.evil.example/callback", "http://localhost:*/callback", False),
        ("http://localhost:5000/callback?x=1", "http://localhost:*/callback", False),
        ("http://localhost:5000/callback#x", "http://localhost:*/callback", False),
        ("https://localhost:5000/callback", "http://localhost:*/callback", False),
        ("http://LOCALHOST:5000/callback", "http://localhost:*/callback", True),
        ("http://localhost:5000/other", "http://localhost:*/callback", False),
        ("http://127.0.0.1", "http://127.0.0.1/", True),
        ("http://127.0.0.1:33418/", "http://127.0.0.1/", False),
        ("http://[::1]:5000/callback", "http://localhost:*/callback", False),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback", True),
        ("cursor://evil/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback", False),
        ("https://evil.example/redirect", "https://*/redirect", False),
    ],
)
def test_fits(uri: str, pattern: str, right: bool) -> None:
    assert fits(uri, pattern) is right


def test_every_redirect_uri_must_fit() -> None:
    rule = {"client_name": None, "redirect_uris": ["http://localhost:*/callback"]}
    assert admitted("x", ["http://localhost:1/callback"], [rule])
    assert not admitted("x", ["http://localhost:1/callback", "https://evil.example/"], [rule])
    assert not admitted("x", [], [rule])
    assert not admitted("x", ["http://localhost:1/callback"], [{**rule, "client_name": "y*"}])
    assert not admitted("x", ["http://localhost:1/callback"], [])


def test_a_domain_allows_what_the_clients_need_and_no_more() -> None:
    assert needs(["claude_ai"]) == {}
    assert needs(["claude_code"]) == {"allow_localhost_redirect_uri": True, "allow_http_scheme_redirect_uri": True}
    assert document_hosts(list(PROFILES)) == ["claude.ai", "vscode.dev"]


def test_the_modules_offer_every_profile() -> None:
    for module in (am_application_info, am_domain_settings):
        assert module.SPEC["client_profiles"]["choices"] == list(PROFILES)
