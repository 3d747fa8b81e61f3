"""Each requirement: met, not met, impossible, not asked; and the page says what the code says."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.doctor import CANNOT, REQUIREMENTS, Evidence, diagnosis, version_of

from tests.examples.reading import ROOT

URL = "https://gw.example.com/weather-mcp"
SERVER = {
    "issuer": "https://auth.example.com/mcp/oidc",
    "authorization_endpoint": "https://auth.example.com/a",
    "token_endpoint": "https://auth.example.com/t",
    "code_challenge_methods_supported": ["plain", "S256"],
    "client_id_metadata_document_supported": True,
    "authorization_response_iss_parameter_supported": True,
}
RESOURCE = {"resource": URL, "authorization_servers": ["https://auth.example.com"]}
GOOD = Evidence(URL, 401, 401, {"scope": "openid"}, RESOURCE, SERVER, {"audience": "ok", "tool scopes": "ok"})
CIMD, ISS = "client_id_metadata_document_supported", "authorization_response_iss_parameter_supported"
UNSEEN = 2  # requirements that nobody can see from outside


def verdicts(seen: Evidence) -> dict[str, str]:
    return {one["requirement"]: one["verdict"] for one in diagnosis(seen)}


def without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in SERVER.items() if key not in names}


def test_all_that_can_be_seen_is_met() -> None:
    told = diagnosis(GOOD)
    assert [one["verdict"] for one in told].count("met") == len(REQUIREMENTS) - UNSEEN
    assert [bool(one["remedy"]) for one in told] == [one["verdict"] != "met" for one in told]
    assert all(one["because"] for one in told)


def test_nothing_is_met_where_nothing_was_seen() -> None:
    assert "met" not in verdicts(Evidence("http://gw/x")).values()


@pytest.mark.parametrize(
    ("change", "requirement"),
    [
        ({"without_token": 200}, "A call without a token is answered with 401"),
        ({"with_invalid_token": 503}, "A call with an invalid token is answered with 401"),
        ({"resource": {}}, "The server has protected resource metadata (RFC 9728)"),
        ({"resource": {"resource": URL}}, "Its metadata names an authorization server"),
        ({"verdicts": {"resource": "failed"}}, "The resource in its metadata is the URL that clients call"),
        ({"challenge": {}}, "The challenge names the scopes to ask for"),
        ({"challenge": {"scope": "openid offline_access"}}, "The scopes that it names leave out offline_access"),
        (
            {"server": {}, "verdicts": {"authorization server metadata": "failed"}},
            "The authorization server has metadata (RFC 8414 or OpenID Connect Discovery)",
        ),
        ({"verdicts": {"issuer": "failed"}}, "Its issuer is the one that the resource names"),
        ({"server": {**SERVER, "code_challenge_methods_supported": ["plain"]}}, "It says that it supports PKCE with S256"),
        ({"server": without("code_challenge_methods_supported")}, "It says that it supports PKCE with S256"),
        ({"server": {**SERVER, "token_endpoint": "http://auth/t"}}, "All its endpoints are served over TLS"),
        ({"url": "http://gw/x"}, "The server itself is served over TLS"),
        ({"server": without(CIMD)}, "It takes client ID metadata documents"),
        ({"server": without(CIMD), "am": (4, 12)}, "It takes client ID metadata documents"),
        ({"verdicts": {"tool scopes": "failed"}}, "A token that lacks a scope is answered with 403 and the scope"),
        ({"verdicts": {"audience": "failed"}}, "A token that is not for this server is refused"),
    ],
)
def test_what_is_not_met_is_said(change: dict[str, Any], requirement: str) -> None:
    assert verdicts(replace(GOOD, **change))[requirement] == "not met"


@pytest.mark.parametrize(
    ("change", "requirement", "because"),
    [
        ({"server": without(CIMD), "am": (4, 11)}, "It takes client ID metadata documents", "AM 4.12 is the first that can"),
        ({"server": without(ISS)}, "It names itself in authorization responses (RFC 9207)", "no version of AM up to"),
    ],
)
def test_what_this_version_cannot_meet_is_no_fault_of_a_setting(change: dict[str, Any], requirement: str, because: str) -> None:
    told = next(one for one in diagnosis(replace(GOOD, **change)) if one["requirement"] == requirement)
    assert (told["verdict"], because in told["because"]) == (CANNOT, True)


def test_only_what_is_not_met_can_be_impossible() -> None:
    """Whatever the version, what was seen is met, and what nobody asked stays so."""
    assert verdicts(replace(GOOD, am=(4, 10))) == verdicts(GOOD)
    assert CANNOT not in verdicts(Evidence("https://gw/x", am=(4, 10))).values()


@pytest.mark.parametrize(
    ("text", "version"),
    [("4.10", (4, 10)), ("4.11.2", (4, 11)), ("4.13.0-alpha.3", (4, 13)), (" 4.9 ", (4, 9)), (None, None), ("", None)],
)
def test_versions(text: str | None, version: tuple[int, int] | None) -> None:
    assert version_of(text) == version


@pytest.mark.parametrize("text", ["four", "4", "4.", "v4.10", "4.10x1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        version_of(text)


def test_the_page_has_every_requirement_as_the_code_does() -> None:
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| [")]
    assert rows == [f"| [{one.name}]({one.source}) | {one.level} | {one.remedy} |" for one in REQUIREMENTS]
