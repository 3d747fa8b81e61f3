# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a URL looks to an MCP client that was told nothing else."""
from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import WELL_KNOWN, web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer, McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.doctor import Evidence, diagnosis, version_of
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.places import (
    belongs_to,
    joined,
    same_place,
    same_url,
    texts,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import FAILED, OK, WARNING, Verdict, judge
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.with_token import WithToken, list_tools
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

MOST_ATTEMPTS = 100


def check(params: CheckOptions, options: Options) -> dict[str, Any]:
    """Walk the steps, again and again until the result is an expected one; Refusal if it never is."""
    deadline = time.monotonic() + params.wait_timeout
    while True:
        seen = Check(params, options).run()
        if not params.expect or seen["result"] in params.expect:
            return seen
        if time.monotonic() >= deadline:
            break
        time.sleep(min(1.0, params.wait_timeout / 10))
    raise Refusal(f"{seen['url']} is {seen['result']}, not {' or '.join(params.expect)}: {seen['summary']}")


class Check:
    """The steps of an MCP client from the first call to the list of tools; run() walks them and sums up.

    The result is a word of verdict.MEANINGS.
    """

    def __init__(self, params: CheckOptions, options: Options):
        try:
            self.url = web_url(params.url)
        except ValueError as error:
            raise Refusal(f"url: {error}") from error
        if params.attempts > MOST_ATTEMPTS:
            raise Refusal(f"attempts: {params.attempts} calls are too many. Give {MOST_ATTEMPTS} at most.")
        try:
            self.am = version_of(params.am_version)
        except ValueError as error:
            raise Refusal(f"am_version: {error}") from error
        self.params, self.options = params, options
        self.resource = self.url  # as the metadata names it
        self.server: Mapping[str, Any] = {}  # the authorization server's metadata
        self.steps: list[dict[str, str]] = []
        self.tools: list[dict[str, str]] = []
        self.document: Mapping[str, Any] = {}  # the metadata of the protected resource
        self.status: int | None = None  # of the first call without a token
        self.refusal = Answer()
        self.challenge: dict[str, str] = {}  # of the refusal
        self.told = ""  # the scopes that clients are told to ask for
        self.answered = self.followed = False
        self.opening = ""  # the method of the first call
        self.client = McpClient(self.url, options)  # for documents

    def run(self) -> dict[str, Any]:
        result = self._without_token()
        if result == "secured":
            self._metadata()
            self._with_token()
            if any(step["verdict"] == FAILED for step in self.steps):
                result = "misconfigured"
        failed = [step for step in self.steps if step["verdict"] == FAILED]
        summary = f"{failed[0]['step']}: {failed[0]['got']}" if failed else result
        seen = {"result": result, "summary": summary, "steps": self.steps, "tools": self.tools, "url": self.url}
        return {**seen, "doctor": self._diagnosis()} if self.params.doctor else seen

    def _diagnosis(self) -> list[dict[str, str]]:
        invalid = McpClient(self.url, self.options, "invalid").greet().status if self.answered else None
        verdicts: dict[str, str] = {}
        for step in self.steps:  # the worst of a step that was taken more than once
            verdicts[step["step"]] = max(verdicts.get(step["step"], OK), step["verdict"], key=(OK, WARNING, FAILED).index)
        seen = Evidence(self.url, self.status, invalid, self.challenge, self.document, self.server, verdicts, self.am)
        return diagnosis(seen)

    def _note(self, step: str, asked: str, got: str, verdict: str) -> None:
        self.steps.append({"step": step, "asked": asked, "got": got, "verdict": verdict})

    def _with_token(self) -> None:
        """As a client with a token: one that was given, or that the test user or a machine client gets here."""
        way = WithToken(self.url, self.resource, self.params, self.options, self._note)
        if self.params.token:
            way.call(self.params.token)
        elif (self.params.username or self.params.client_secret) and self.server:
            way.earn(self.server, self.told)
        self.tools = way.tools

    # Calls without a token

    def _without_token(self) -> str:
        """Asked several times through a gateway: behind one address may be several, and not all may know the last deployment."""
        seen: list[Verdict] = []
        for _attempt in range(max(1, self.params.attempts) if self.params.gateway else 1):
            seen.append(self._ask(first=not seen))
            if seen[-1].result == "open" or not self.answered:
                break
        worst = next((one for one in seen if one.result == "open"), seen[0])
        differ = list(dict.fromkeys(one.got for one in seen))
        if worst.result != "open" and len({one.result for one in seen}) > 1:
            said = " and ".join(differ)
            worst = Verdict("unknown", f"the answers differ: {said}. Have all gateways followed the last deployment?")
        asked = f"POST {self.url} {self.opening}, no token"
        times = f", {len(seen)} times on new connections" if worst.result == "secured" else ""
        self._note("no token", asked, f"{worst.got}{times}", FAILED if worst.fault else OK)
        if worst.result == "secured":
            # Without resource_metadata clients look at the well-known places, so that alone is no fault.
            self._note("challenge", asked, f"WWW-Authenticate: {self.refusal.headers.get('www-authenticate', 'none')}", OK)
        return worst.result

    def _ask(self, first: bool) -> Verdict:
        client = McpClient(self.url, self.options)
        answer = client.greet()
        if first:
            self.answered, self.status, self.opening = answer.status is not None, answer.status, client.opening
            got = f"HTTP {answer.status}" if self.answered else answer.trouble
            self._note("reachable", f"POST {self.url} {self.opening}, no token", got, OK if self.answered else FAILED)
        if answer.status and 300 <= answer.status < 400:
            return self._redirected(answer, first)
        old = answer.status in (400, 404, 405) and not answer.message and client.listens()
        verdict = judge(answer, self.params.gateway, old)
        if self.params.gateway and verdict.result != "open":  # one request was let through, by one gateway at least
            before = [judge(one, gateway=True) for one in client.answers]
            verdict = next((one for one in before if one.result == "open"), verdict)
        if verdict.result == "secured" and first:
            self.refusal, self.challenge = answer, answer.challenge
        if verdict.result == "open" and answer.message and self.params.list_tools:
            self.tools = list_tools(client, self._note)
        client.close()
        return verdict

    def _redirected(self, answer: Answer, first: bool) -> Verdict:
        """Asks once more at another spelling of the same URL, as clients follow there; a redirect leads nowhere else."""
        where = joined(self.url, answer.headers.get("location", ""))
        got = f"HTTP {answer.status} to {where}"
        respelt = where if same_place(self.url, where) else self.url.rstrip("/")
        if not self.followed and respelt != self.url:
            self.followed = True
            self._note("redirect", f"POST {self.url}", f"{got}: call {respelt} instead", WARNING)
            self.url = self.resource = respelt
            return self._ask(first)
        if self.params.gateway:
            why = "does a login page in front of the gateway answer, or the MCP server behind it? See the target's URL"
            return Verdict("unknown", f"{got}: {why}")
        return Verdict("misconfigured", f"{got}: give that URL if the MCP server is there")

    # What a client finds from there

    def _metadata(self) -> None:
        document = self._protected_resource()
        if document is None:
            return
        self.document = document
        resource = self.resource = str(document.get("resource", ""))
        if not same_url(resource, self.url):
            got = f"resource is {resource!r}, but clients call {self.url}: does a proxy hide the host from the gateway?"
            self._note("resource", "the metadata's resource", got, FAILED)
        self._scopes(document)
        servers, asked = texts(document.get("authorization_servers")), "the metadata's authorization_servers"
        expected = self.params.authorization_server
        if not servers:
            self._note("authorization server", asked, "none named", FAILED)
        elif expected and not belongs_to(servers[0], expected):
            got = f"{servers[0]}, not {expected} as expected (authorization_server, am_resource server_url)"
            self._note("authorization server", asked, got, FAILED)
        else:
            self._authorization_server(servers[0])

    def _protected_resource(self) -> dict[str, Any] | None:
        """The document at the first place where clients look; every place is reported (RFC 9728, MCP 2025-06-18)."""
        parts = urlsplit(self.url)
        base = f"{parts.scheme}://{parts.netloc}"
        path = parts.path.rstrip("/")
        places = {
            self.challenge.get("resource_metadata"): "named by the challenge",
            f"{base}{WELL_KNOWN}{path}": "well-known, path at its end",
            f"{base}{WELL_KNOWN}": "well-known at the root",
        }
        found = None
        for url, place in places.items():
            document = self._document(url, place, needed=found is None) if url else None
            found = found or document
        if found is None:
            self._no_metadata(f"{base}{WELL_KNOWN}{path}", f"{base}{path}{WELL_KNOWN}")
        return found

    def _document(self, url: str, place: str, needed: bool) -> dict[str, Any] | None:
        answer = self.client.get(url)
        if answer.status == 200 and answer.body:
            self._note("protected resource metadata", f"GET {url} ({place})", "HTTP 200", OK)
            return answer.body
        got = f"HTTP {answer.status}" if answer.status else answer.trouble
        if answer.status == 500:
            got += ": the OAuth2 plan names a resource that the API does not have (am_resource, gravitee_plan oauth_resource)"
        verdict = FAILED if answer.status == 500 else WARNING if needed else OK
        self._note("protected resource metadata", f"GET {url} ({place})", got if needed else f"{got}, and not needed", verdict)
        return None

    def _no_metadata(self, well_known: str, below: str) -> None:
        """Which of its two places a gateway serves, and how, tells the version of its OAuth2 policy, and so the remedy."""
        there, hidden = self.client.get(well_known), self.client.get(below)
        if hidden.status == 200 and "content-type" not in hidden.headers:
            got = f"it is at {below}, where only the challenge leads: use gravitee_plan with discovery=true, then deploy"
        elif there.status == 404 and hidden.status in (200, 401):
            path = urlsplit(well_known).path
            got = f"no API has the context path {path}: use gravitee_api with metadata_path=true, then deploy"
        else:
            got = "nowhere: does the OAuth2 plan use a resource of Gravitee AM that the API has, and is it deployed?"
        self._note("protected resource metadata", "every place where clients look", got, FAILED)

    def _scopes(self, document: Mapping[str, Any]) -> None:
        """What clients are told to ask for: by the challenge, which they prefer, or by the metadata."""
        told = self.challenge.get("scope", "").split() or texts(document.get("scopes_supported"))
        self.told = " ".join(told)
        none = (
            "none named: the official Python SDK 2 then asks for an empty one, and AM answers invalid_scope (gravitee_plan "
            "required_scopes, gravitee_api challenge)"
        )
        self._note("scopes", "the challenge and the metadata", self.told or none, OK if told else WARNING)

    def _authorization_server(self, issuer: str) -> None:
        try:
            parts = urlsplit(web_url(issuer))
        except ValueError as error:
            self._note("authorization server", "the metadata's authorization_servers", str(error), FAILED)
            return
        base, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        places = (
            f"{base}/.well-known/oauth-authorization-server{path}",
            f"{base}/.well-known/openid-configuration{path}",
            f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        )
        tried = []
        for url in places:
            answer = self.client.get(url)
            if answer.status == 200 and answer.body.get("issuer"):
                self._note("authorization server metadata", f"GET {url}", "HTTP 200", OK)
                self.server = answer.body
                self._judge(answer.body, issuer)
                return
            tried.append(f"{url}: {answer.status or answer.trouble}")
        got = f"{'; '.join(tried)}. Is the domain enabled, and {issuer} what clients can reach (am_resource server_url)?"
        self._note("authorization server metadata", f"GET {places[-1]}", got, FAILED)

    def _judge(self, metadata: Mapping[str, Any], issuer: str) -> None:
        if metadata["issuer"] != issuer:
            self._note("issuer", "the metadata's issuer", f"{metadata['issuer']}, not {issuer}", FAILED)
        methods = texts(metadata.get("code_challenge_methods_supported"))
        verdict = OK if "S256" in methods else FAILED
        self._note("PKCE", "code_challenge_methods_supported", ", ".join(methods) or "none", verdict)
        endpoint = metadata.get("registration_endpoint")
        verdict = OK if endpoint else WARNING
        self._note("registration", "registration_endpoint", endpoint or "none: clients must be known", verdict)
