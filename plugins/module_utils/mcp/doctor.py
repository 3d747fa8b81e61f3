# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MCP authorization (revision 2026-07-28) and OAuth 2.1 ask of a server, and which of it is met, as seen from outside.

Data, and a small judgement each on what the check has seen. What cannot be seen from outside is listed as not asked. What no
setting of the AM at hand can meet is told from what one can.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MET, NOT_MET, CANNOT, NOT_ASKED = "met", "not met", "cannot be met by this version", "not asked"
VERSION = re.compile(r"(\d+)\.(\d+)([.-].*)?")
NO_VERSION = "no version of AM up to 4.13.0-alpha.4 does (its sources)"
MCP = "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization"
SECURITY = f"{MCP}/security-considerations"
OAUTH = "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-13"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "introspection_endpoint")
Told = tuple[str, str]  # the verdict, and because of what


@dataclass
class Evidence:
    """What the check saw. statuses: of calls without a token and with an invalid one, None where there was no such call.

    resource: the metadata of the protected resource, server: that of the authorization server; {} where there is none.
    verdicts: step → ok, warning or failed, of those that were taken. am: the version of AM, major and minor, if it is known.
    """

    url: str
    without_token: int | None = None
    with_invalid_token: int | None = None
    challenge: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    am: tuple[int, int] | None = None


@dataclass(frozen=True)
class Requirement:
    """level: MUST or SHOULD. remedy: the setting that meets it. since: the first AM that has it; None where none is known to."""

    name: str
    level: str
    source: str
    remedy: str
    judge: Callable[[Evidence], Told]
    since: tuple[int, int] | None = (0, 0)

    def verdict(self, seen: Evidence) -> Told:
        """As `judge` says, but for what the version of AM cannot meet."""
        verdict, because = self.judge(seen)
        if verdict != NOT_MET or self.since == (0, 0):
            return verdict, because
        if self.since is None:
            return CANNOT, f"{because}; {NO_VERSION}"
        if seen.am and seen.am < self.since:
            return CANNOT, f"{because}; AM {'.'.join(map(str, self.since))} is the first that can"
        return verdict, because


def version_of(text: str | None) -> tuple[int, int] | None:
    """Major and minor of a version such as 4.10.7; None for none. ValueError for what is no version."""
    found = VERSION.fullmatch((text or "").strip())
    if text and not found:
        raise ValueError(f"{text!r} is no version. Give it as in 4.11 or 4.11.2.")
    return (int(found[1]), int(found[2])) if found else None


def _status(status: int | None, wanted: int) -> Told:
    if status is None:
        return NOT_ASKED, "there was no answer"
    return MET if status == wanted else NOT_MET, f"HTTP {status}"


def _step(seen: Evidence, name: str) -> Told:
    """By a step of the check."""
    verdict = seen.verdicts.get(name)
    if verdict is None:
        return NOT_ASKED, f"the check did not come to the step: {name}"
    return NOT_MET if verdict == "failed" else MET if verdict == "ok" else NOT_ASKED, f"the step {name} is {verdict}"


def _has(document: Mapping[str, Any], key: str, whose: str) -> Told:
    if not document:
        return NOT_ASKED, f"there is no metadata of the {whose}"
    value = document.get(key)
    return (MET, f"{key}: {value}") if value else (NOT_MET, f"no {key} in the metadata of the {whose}")


def _same(seen: Evidence, name: str, document: Mapping[str, Any], whose: str) -> Told:
    """The check has a step of this name only where the document names another than it should."""
    return (NOT_MET, f"another {name}") if seen.verdicts.get(name) == "failed" else _has(document, name, whose)


def _contains(seen: Evidence, key: str, value: str) -> Told:
    told = _has(seen.server, key, "authorization server")
    values = seen.server.get(key)
    return (NOT_MET, told[1]) if told[0] == MET and not (isinstance(values, list) and value in values) else told


def _metadata(seen: Evidence) -> Told:
    return (MET, "found") if seen.resource else (NOT_MET, "at none of the places where clients look")


def _scope(seen: Evidence) -> Told:
    if seen.without_token != 401:
        return NOT_ASKED, "a call without a token is not refused with 401"
    return (MET, seen.challenge["scope"]) if seen.challenge.get("scope") else (NOT_MET, "the challenge names no scope")


def _offline(seen: Evidence) -> Told:
    if not seen.resource:
        return NOT_ASKED, "there is no metadata of the protected resource"
    listed = seen.resource.get("scopes_supported")
    named = [*seen.challenge.get("scope", "").split(), *(listed if isinstance(listed, list) else [])]
    return (NOT_MET, "offline_access is named") if "offline_access" in named else (MET, "it is not named")


def _tls(seen: Evidence) -> Told:
    return (MET, seen.url) if seen.url.startswith("https:") else (NOT_MET, f"{seen.url} has no TLS")


def _tls_of_the_server(seen: Evidence) -> Told:
    if not seen.server:
        return NOT_ASKED, "there is no metadata of the authorization server"
    plain = [name for name in ENDPOINTS if str(seen.server.get(name) or "https:").split(":", 1)[0] != "https"]
    return (NOT_MET, f"without TLS: {', '.join(plain)}") if plain else (MET, "every endpoint in its metadata has TLS")


def _not_from_outside(_seen: Evidence) -> Told:
    return NOT_ASKED, "it cannot be seen from outside"


REQUIREMENTS = (
    Requirement(
        "A call without a token is answered with 401",
        "MUST",
        f"{OAUTH}#section-5.3",
        "fleet.yml or the role: an OAuth2 plan that is served, and no keyless one",
        lambda seen: _status(seen.without_token, 401),
    ),
    Requirement(
        "A call with an invalid token is answered with 401",
        "MUST",
        f"{MCP}#token-handling",
        "gravitee_plan with security=oauth2, am_resource",
        lambda seen: _status(seen.with_invalid_token, 401),
    ),
    Requirement(
        "The server has protected resource metadata (RFC 9728)",
        "MUST",
        f"{MCP}#overview",
        "gravitee_api metadata_path=true, gravitee_plan discovery=true, then deploy",
        _metadata,
    ),
    Requirement(
        "Its metadata names an authorization server",
        "MUST",
        f"{MCP}#authorization-server-discovery",
        "am_resource server_url and security_domain",
        lambda seen: _has(seen.resource, "authorization_servers", "protected resource"),
    ),
    Requirement(
        "The resource in its metadata is the URL that clients call",
        "MUST",
        "https://datatracker.ietf.org/doc/html/rfc9728#section-3.3",
        "let a proxy in front of the gateway pass on the host (X-Forwarded-Host)",
        lambda seen: _same(seen, "resource", seen.resource, "protected resource"),
    ),
    Requirement(
        "The challenge names the scopes to ask for",
        "SHOULD",
        f"{MCP}#scope-selection-strategy",
        "gravitee_plan required_scopes, gravitee_api challenge",
        _scope,
    ),
    Requirement(
        "The scopes that it names leave out offline_access",
        "SHOULD",
        f"{MCP}#refresh-tokens",
        "gravitee_plan required_scopes, without offline_access",
        _offline,
    ),
    Requirement(
        "The authorization server has metadata (RFC 8414 or OpenID Connect Discovery)",
        "MUST",
        f"{MCP}#overview",
        "enable the AM domain, am_resource server_url",
        lambda seen: (MET, "found") if seen.server else _step(seen, "authorization server metadata"),
    ),
    Requirement(
        "Its issuer is the one that the resource names",
        "MUST",
        "https://datatracker.ietf.org/doc/html/rfc8414#section-3.3",
        "am_resource server_url: the URL that clients use for AM's gateway",
        lambda seen: _same(seen, "issuer", seen.server, "authorization server"),
    ),
    Requirement(
        "It says that it supports PKCE with S256",
        "MUST",
        f"{SECURITY}#authorization-code-protection",
        "AM does; ask its operator what answers in its place",
        lambda seen: _contains(seen, "code_challenge_methods_supported", "S256"),
    ),
    Requirement(
        "All its endpoints are served over TLS",
        "MUST",
        f"{SECURITY}#communication-security",
        "TLS in front of AM's gateway, then am_resource server_url",
        _tls_of_the_server,
    ),
    Requirement(
        "The server itself is served over TLS",
        "MUST",
        f"{OAUTH}#section-1.5",
        "TLS in front of APIM's gateway, then secure_mcp_gateway_url",
        _tls,
    ),
    Requirement(
        "It takes client ID metadata documents",
        "SHOULD",
        f"{MCP}/client-registration#client-id-metadata-documents",
        "AM 4.12: am_domain_settings client_metadata_documents",
        lambda seen: _has(seen.server, "client_id_metadata_document_supported", "authorization server"),
        (4, 12),
    ),
    Requirement(
        "It names itself in authorization responses (RFC 9207)",
        "SHOULD",
        f"{MCP}#authorization-response-validation",
        "no setting of AM is known for it",
        lambda seen: _has(seen.server, "authorization_response_iss_parameter_supported", "authorization server"),
        None,
    ),
    Requirement(
        "A token that is not for this server is refused",
        "MUST",
        f"{SECURITY}#access-token-privilege-restriction",
        "gravitee_plan audience (secure_mcp_bind_audience); it is asked with a test user and audience=true",
        lambda seen: _step(seen, "audience"),
    ),
    Requirement(
        "A token that lacks a scope is answered with 403 and the scope",
        "SHOULD",
        f"{MCP}#runtime-insufficient-scope-errors",
        "gravitee_api challenge, gravitee_plan tools; it is asked with a test user or a machine client, and tool_scopes",
        lambda seen: _step(seen, "tool scopes"),
    ),
    Requirement(
        "The client's token is not passed on to the MCP server",
        "MUST",
        f"{SECURITY}#access-token-privilege-restriction",
        "gravitee_plan propagate_auth_header=false (secure_mcp_propagate_auth_header)",
        _not_from_outside,
    ),
    Requirement(
        "A redirect URI is compared as a whole",
        "MUST",
        f"{SECURITY}#open-redirection",
        "oidc.redirectUriStrictMatching in the gravitee.yml of AM's gateway; without it AM takes any path below a registered one",
        _not_from_outside,
    ),
)


def diagnosis(seen: Evidence) -> list[dict[str, str]]:
    """Every requirement: requirement, level, source, verdict, because, and remedy, which is empty where it is met."""
    return list(_judged(seen))


def _judged(seen: Evidence) -> Iterator[dict[str, str]]:
    for one in REQUIREMENTS:
        verdict, because = one.verdict(seen)
        said = {"requirement": one.name, "level": one.level, "source": one.source, "verdict": verdict, "because": because}
        yield {**said, "remedy": "" if verdict == MET else one.remedy}
