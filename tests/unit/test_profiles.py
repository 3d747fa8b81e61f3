"""Which redirect URIs a rule fits."""
from __future__ import annotations

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import AdmitRule, admit_rules, refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES, document_hosts, fits, needs
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.specs import spec_of


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
        ("http://[::1]:5000/callback", "http://[::1]:*/callback", True),
        ("http://[::1]/callback", "http://[::1]:*/callback", True),
        ("http://[::1]:5000/callback", "http://[::1]/callback", False),
        ("http://[::1]:5000/callback", "http://[::2]:*/callback", False),
        ("http://[::1", "http://[::1]:*/callback", False),
        ("http://[::1]evil:1/callback", "http://[::1]:*/callback", False),
        ("https://h/alice/cb", "https://h/alice/*", True),
        ("https://h/alice/../mallory", "https://h/alice/*", False),
        ("https://h/alice/./cb", "https://h/alice/*", False),
        ("https://h/alice/..", "https://h/alice/*", False),
        ("https://h/alice/%2e%2e/mallory", "https://h/alice/*", False),
        ("https://h/alice/..%2fmallory", "https://h/alice/*", False),
        ("https://h/alice\\..\\mallory", "https://h/alice*", False),
        ("https://h/alice/..;/mallory", "https://h/alice/*", True),
        ("https://h//mallory/alice/cb", "https://h/*", False),
        ("https://h\\@evil.example/cb", "https://h/*", False),
        ("https://h /cb", "https://h/*", False),
        ("https://h/c\nb", "https://h/c*", False),
        ("https://h/cb?", "https://h/cb", False),
        ("https://h/*", "https://h/*", False),
        ("https://h/{#a}", "https://h/*", False),
        ("https://h:99999/cb", "https://h:*/cb", False),
        ("https://h:\u0661/cb", "https://h:*/cb", False),
        ("https://\uff48/cb", "https://h/cb", False),
        ("com.example.app:/cb", "com.example.app:/cb", True),
        ("javascript:alert(1)", "javascript:*", False),
        ("", "*", False),
        (None, "*", False),
    ],
)
def test_fits(uri: str, pattern: str, right: bool) -> None:
    assert fits(uri, pattern) is right


CLAUDE = {
    "name": "Claude Code",
    "redirect_uris": ["http://localhost:1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}
RULE = {"client_name": None, "redirect_uris": ["http://localhost:*/callback"]}


@pytest.mark.parametrize(
    ("changed", "rule", "why_not"),
    [
        ({}, {}, ""),
        ({"users": ["alice"]}, {}, ""),
        ({"users": []}, {}, "nobody has logged in with it"),
        ({"redirect_uris": ["http://localhost:1/callback", "https://evil.example/"]}, {}, "no rule admits it, see admit"),
        ({"redirect_uris": ["http://localhost:1/callback", "http://[::1"]}, {}, "no rule admits it, see admit"),
        ({"redirect_uris": []}, {}, "no rule admits it, see admit"),
        ({}, {"client_name": "y*"}, "no rule admits it, see admit"),
        ({"name": "yes"}, {"client_name": "y*"}, ""),
        ({"grant_types": ["authorization_code"]}, {}, ""),
        ({"grant_types": []}, {}, "it registered the grant types none"),
        ({"grant_types": ["client_credentials"]}, {}, "it registered the grant types client_credentials"),
        ({"grant_types": ["authorization_code", "password"]}, {}, "it registered the grant types authorization_code, password"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, {}, ""),
    ],
)
def test_who_is_admitted_and_why_not(changed: dict, rule: dict, why_not: str) -> None:
    rules = admit_rules([AdmitRule(**{**RULE, **rule})], [])
    told = refusal({**CLAUDE, **changed}, rules)
    assert bool(told) is bool(why_not)
    assert why_not in told
    assert refusal({**CLAUDE, **changed}, []) == "no rule admits it, see admit (secure_mcp_admit)"


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_admits_what_it_registers_and_no_more(name: str) -> None:
    rules = admit_rules([], [name])
    profile = PROFILES[name]
    plain = [uri.replace("*", "1") for uri in profile["redirect_uris"]]
    client = {**CLAUDE, "redirect_uris": plain, "grant_types": list(profile["grant_types"]), "users": ["alice"]}
    for method in profile["auth_methods"]:
        assert refusal({**client, "token_endpoint_auth_method": method}, rules) == ""
    for more in (
        {"grant_types": ["client_credentials"]},
        {"grant_types": [*profile["grant_types"], "client_credentials"]},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"redirect_uris": [*plain, "https://evil.example/steal"]},
        {"users": []},
    ):
        assert refusal({**client, **more}, rules)


def test_a_pattern_that_is_no_url_is_refused() -> None:
    with pytest.raises(Refusal, match="is no pattern of a redirect URI"):
        admit_rules([AdmitRule(redirect_uris=["http://[::1/cb"])], [])


PIECES = st.sampled_from(
    ["https://", "h", "evil.example", "/", "/alice/", "..", ".", "%2e", "%2f", "@", ":", "1", "\\", "?", "#", "[::1]", " "]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=8).map("".join) | st.text() | st.text(max_size=6).map("https://h/alice/{}".format))
def test_what_fits_goes_where_the_pattern_says(uri: str) -> None:
    """As another parser reads it, which resolves dot segments as browsers do."""
    if fits(uri, "https://h/alice/*"):
        read = parse_url(uri)
        assert (read.scheme, read.host, read.port, read.auth, read.query, read.fragment) == ("https", "h", None, None, None, None)
        assert read.path.startswith("/alice/")
        assert read.url == uri, "nothing of it had to be put right"


def test_a_domain_allows_what_the_clients_need_and_no_more() -> None:
    assert needs(["claude_ai"]) == {}
    assert needs(["claude_code"]) == {"allow_localhost_redirect_uri": True, "allow_http_scheme_redirect_uri": True}
    assert document_hosts(list(PROFILES)) == ["claude.ai", "vscode.dev"]


def test_the_modules_offer_every_profile() -> None:
    for module in ("am_application_info", "am_domain_settings"):
        assert spec_of(module)["client_profiles"]["choices"] == list(PROFILES)
