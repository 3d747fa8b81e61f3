# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a URL looks to an MCP client that was told nothing else."""
from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.wire import WELL_KNOWN, web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer, McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.login import Journey, Stopped
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

OK, WARNING, FAILED = "ok", "warning", "failed"
UPSTREAM = (
    "The MCP server itself asks for authentication. Gravitee's guide works only where it does not: switch that off, or keep "
    "the server as it is"
)


def check(params: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Walk the steps, again and again until the result is an expected one; Refusal if it never is."""
    deadline = time.monotonic() + params["wait_timeout"]
    while True:
        seen = Check(params, options).run()
        if not params["expect"] or seen["result"] in params["expect"]:
            return seen
        if time.monotonic() >= deadline:
            break
        time.sleep(min(1.0, params["wait_timeout"] / 10))
    raise Refusal(f"{seen['url']} is {seen['result']}, not {' or '.join(params['expect'])}: {seen['summary']}")


class Check:
    """The steps of an MCP client from the first call to the list of tools; run() walks them and sums up.

    Result: open (a stranger gets in), secured (a stranger does not, a client finds its way), upstream_secured (the MCP
    server behind asks for authentication), unreachable (nothing there speaks MCP), misconfigured (a step fails).
    """

    def __init__(self, params: Mapping[str, Any], options: Options):
        try:
            self.url = web_url(params["url"])
        except ValueError as error:
            raise Refusal(f"url: {error}") from error
        self.params, self.options = params, options
        self.resource = self.url  # as the metadata names it
        self.server: Mapping[str, Any] = {}  # the authorization server's metadata
        self.steps: list[dict[str, str]] = []
        self.tools: list[dict[str, str]] = []
        self.challenge: dict[str, str] = {}  # of the refusal
        self.client = McpClient(self.url, options)

    def run(self) -> dict[str, Any]:
        result = self._stranger()
        if result == "secured":
            self._metadata()
            if self.params["token"]:
                self._with_token(self.params["token"])
            elif self.params["username"] and self.server:
                self._earn_token()
            if any(step["verdict"] == FAILED for step in self.steps):
                result = "misconfigured"
        failed = [step for step in self.steps if step["verdict"] == FAILED]
        summary = f"{failed[0]['step']}: {failed[0]['got']}" if failed else result
        return {"result": result, "summary": summary, "steps": self.steps, "tools": self.tools, "url": self.url}

    def _note(self, step: str, asked: str, got: str, verdict: str) -> None:
        self.steps.append({"step": step, "asked": asked, "got": got, "verdict": verdict})

    # A call with no token

    def _stranger(self) -> str:
        answer = self.client.initialize()
        asked = f"POST {self.url} initialize, no token"
        if answer.status is None:
            self._note("reachable", asked, answer.trouble, FAILED)
            return "unreachable"
        self._note("reachable", asked, f"HTTP {answer.status}", OK)
        if answer.status in (401, 403):
            return self._turned_away(asked, answer)
        if 200 <= answer.status < 300 or answer.message:
            return self._let_in(asked, answer)
        return self._neither(asked, answer)

    def _let_in(self, asked: str, answer: Answer) -> str:
        name = ((answer.message or {}).get("result") or {}).get("serverInfo", {}).get("name")
        if answer.message:
            self._note("no token", asked, f"MCP server {name or ''} answers anyone".replace("  ", " "), OK)
            if self.params["list_tools"]:
                self._list_tools(self.client)
            self.client.close()
            return "open"
        self._note("no token", asked, f"HTTP {answer.status} for anyone, but no MCP message: is the URL right?", FAILED)
        return "open"

    def _turned_away(self, asked: str, answer: Answer) -> str:
        got = f"HTTP {answer.status}"
        if not self.params["gateway"] or not _from_gateway(answer):
            self._note("no token", asked, f"{got} from the MCP server. {UPSTREAM}", FAILED)
            return "upstream_secured"
        self._note("no token", asked, got, OK)
        # Without resource_metadata clients look at the well-known places, so that alone is no fault.
        self._note("challenge", asked, f"WWW-Authenticate: {answer.headers.get('www-authenticate', 'none')}", OK)
        self.challenge = answer.challenge
        return "secured"

    def _neither(self, asked: str, answer: Answer) -> str:
        where = answer.headers.get("location")
        if where:
            got = f"HTTP {answer.status} to {where}: call the URL without the slash at its end"
            self._note("no token", asked, got, FAILED)
            return "misconfigured"
        remedy = "is the API deployed and started, and the path right?" if answer.status == 404 else "is the MCP server up?"
        self._note("no token", asked, f"HTTP {answer.status} {answer.text.strip()[:100]}: {remedy}", FAILED)
        return "unreachable"

    # What a client finds from there

    def _metadata(self) -> None:
        document = self._protected_resource()
        if document is None:
            return
        resource = self.resource = str(document.get("resource", ""))
        if resource.rstrip("/") != self.url.rstrip("/"):
            got = f"resource is {resource!r}, but clients call {self.url}: does a proxy hide the host from the gateway?"
            self._note("resource", "the metadata's resource", got, FAILED)
        self._scopes(document)
        servers = document.get("authorization_servers") or []
        if not servers:
            self._note("authorization server", "the metadata's authorization_servers", "none named", FAILED)
            return
        self._authorization_server(str(servers[0]))

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
        told = self.challenge.get("scope", "").split() or [str(scope) for scope in document.get("scopes_supported") or []]
        none = (
            "none named: the official Python SDK 2 then asks for an empty one, and AM answers invalid_scope (gravitee_plan "
            "required_scopes, gravitee_api challenge)"
        )
        self._note("scopes", "the challenge and the metadata", " ".join(told) or none, OK if told else WARNING)

    def _authorization_server(self, issuer: str) -> None:
        parts = urlsplit(issuer)
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
        methods = metadata.get("code_challenge_methods_supported") or []
        verdict = OK if "S256" in methods else FAILED
        self._note("PKCE", "code_challenge_methods_supported", ", ".join(methods) or "none", verdict)
        endpoint = metadata.get("registration_endpoint")
        verdict = OK if endpoint else WARNING
        self._note("registration", "registration_endpoint", endpoint or "none: clients must be known", verdict)

    # As a client with a token, given or earned

    def _earn_token(self) -> None:
        """Register, log in as the test user, get a token, call with it; then remove what was registered."""
        journey = Journey(self.params, self.options, self.server, lambda *step: self._note(*step, OK))
        try:
            if self._with_token(journey.token(self.resource)) and self.params["audience"]:
                self._without_resource(journey)
        except Stopped as error:
            self._note(error.step, error.asked, error.got, FAILED)
        left = journey.clean_up()
        if left:
            self._note("clean up", "the client's registration", left, WARNING)

    def _without_resource(self, journey: Journey) -> None:
        """A token that names no server must be refused, as MCP asks, also to a client that gets in with one for this server."""
        asked = f"POST {self.url} initialize, with a token that was asked for without resource"
        journey.note = lambda *_step: None  # the same way again
        try:
            answer = McpClient(self.url, self.options, journey.token(None)).initialize()
        except Stopped as error:
            self._note("audience", asked, f"no such token: {error.got}", WARNING)
            return
        if answer.status and 200 <= answer.status < 300:
            got = f"HTTP {answer.status}: tokens that are not for this server are let in (gravitee_plan audience)"
            self._note("audience", asked, got, FAILED)
            return
        got = f"HTTP {answer.status}" if answer.status else answer.trouble
        self._note("audience", asked, got, OK if answer.status == 401 else WARNING)

    def _with_token(self, token: str) -> bool:
        client = McpClient(self.url, self.options, token)
        answer = client.initialize()
        asked = f"POST {self.url} initialize, with the token"
        if not (answer.status and 200 <= answer.status < 300 and answer.message):
            self._note("call", asked, _why_refused(answer, _client_of(token)), FAILED)
            return False
        self._note("call", asked, f"HTTP {answer.status}", OK)
        self._list_tools(client)
        client.close()
        return True

    def _list_tools(self, client: McpClient) -> None:
        tools, problem = client.tools()
        if tools is None:
            self._note("tools", "tools/list", problem, FAILED)
            return
        self.tools = [{"name": tool["name"], "description": tool.get("description") or ""} for tool in tools]
        self._note("tools", "tools/list", ", ".join(tool["name"] for tool in tools) or "none", OK)


def _from_gateway(answer: Answer) -> bool:
    """Whether Gravitee's gateway said this itself, and not the server behind it."""
    metadata = answer.challenge.get("resource_metadata", "")
    return "http_status_code" in answer.body or answer.text.strip() == "Unauthorized" or WELL_KNOWN in metadata


def _client_of(token: str) -> str:
    """The client id in a JWT, unverified; for messages only."""
    try:
        payload = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["client_id"])
    except (IndexError, KeyError, TypeError, ValueError):
        return "of this token"


def _why_refused(answer: Answer, client: str) -> str:
    if answer.status == 401:
        return (
            f"HTTP 401: token accepted by AM, refused by the gateway: client {client} has no subscription to the OAuth2 plan: "
            "use gravitee_subscription (if it has one, the token is expired or of another server, or the plan's selection rule "
            "refuses it, as it does tokens without a user: gravitee_plan audience, require_user)"
        )
    if answer.status == 403:
        return "HTTP 403: the token lacks a scope that the plan requires (gravitee_plan required_scopes)"
    if answer.status == 503:
        return "HTTP 503: the gateway cannot ask AM; are client id and secret of the AM resource right (am_resource)?"
    if answer.status == 504:
        return "HTTP 504: the MCP server takes longer than the endpoint's read timeout (gravitee_api read_timeout)"
    return f"HTTP {answer.status}" if answer.status else answer.trouble
