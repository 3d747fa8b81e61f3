# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an MCP client with a token gets at a secured server: its call, its tools, and what is refused all the same."""
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.mcp import tool_proof
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import Answer, McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.login import Journey, Stopped
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.places import same_host, same_origin
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.refusals import claims_of, why_refused
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import FAILED, OK, WARNING
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

# Seconds: for 10 s AM's introspection names a token's audience as its client, seen to last 10.5 s (from AM 4.10.2 on).
YOUNG = 12.0
UNVALIDATED = (
    "let in, without any subscription: the gateway does not validate them (api.validateSubscription: false in its gravitee.yml, "
    "or an API of type mcp_proxy). Only the plan's selection rule tells tokens for this server from those for another"
)
WINDOW = "handlers.oauth2.introspect.offlineVerificationTimerSeconds: 0 in the gravitee.yml of AM's gateway ends that"


class WithToken:
    """Calls of `url`, which the metadata calls `resource`, with a token. `tools` are those that were listed."""

    def __init__(self, url: str, resource: str, params: CheckOptions, options: Options, note: tool_proof.Note):
        self.url, self.resource, self.params, self.options, self.note = url, resource, params, options, note
        self.tools: list[dict[str, str]] = []

    def earn(self, server: Mapping[str, Any], told: str) -> None:
        """Get a token as the client does, call with it, and show what else is refused; then remove what was registered.

        server: the authorization server's metadata. told: the scopes that clients are told to ask for.
        """
        journey = Journey(self.params, self.options, server, self._noted, self._trusted, told)
        try:
            token = journey.token(self.resource)
            if self.call(token, journey.client["client_id"]):
                self._tools_with_scopes(journey, token)
                if self.params.audience:
                    self._without_resource(journey)
                self._without_subscription(journey)
        except Stopped as error:
            self.note(error.step, error.asked, error.got, FAILED)
        self._clean_up(journey)

    def _noted(self, step: str, asked: str, got: str) -> None:
        self.note(step, asked, got, OK)

    def _again(self, journey: Journey, **changed: Any) -> Journey:
        """The same way with other parameters, which is not reported step by step."""
        params = replace(self.params, **changed)
        return Journey(params, self.options, journey.metadata, lambda *_step: None, self._trusted, journey.scope)

    def _clean_up(self, journey: Journey) -> None:
        if left := journey.clean_up():
            self.note("clean up", "the client's registration", left, WARNING)

    def _tools_with_scopes(self, journey: Journey, token: str) -> None:
        """Calls of tools with the token, which lacks their scopes, and with one that has them where the client may have it."""
        tools = tool_proof.lacking(self.params.tool_scopes or {}, journey.granted)
        if not tools:
            return
        client = McpClient(self.url, self.options, token)
        client.greet()
        is_enforced = tool_proof.refused(client, tools, self.note)
        client.close()
        if not is_enforced:
            return
        wanted = dict.fromkeys([*journey.granted.split(), *(scope for scopes in tools.values() for scope in scopes)])
        with_scopes = self._again(journey, scope=" ".join(wanted))
        with_scopes.client = journey.client
        asked = f"a token with the scopes {with_scopes.scope}"
        try:
            token = with_scopes.token(self.resource)
        except Stopped as error:
            self.note(tool_proof.STEP, asked, f"no such token for this client: {error.got}", WARNING)
            return
        left_out = tool_proof.lacking(tools, with_scopes.granted)
        if left_out:
            self.note(tool_proof.STEP, asked, f"a token without those of {', '.join(left_out)}", WARNING)
        client = McpClient(self.url, self.options, token)
        self._once_introspected(client, token)
        tool_proof.let_through(client, [tool for tool in tools if tool not in left_out], self.note)
        client.close()

    def _without_subscription(self, journey: Journey) -> None:
        """Whether a client that registers itself just now is let in; one that was given may have a subscription."""
        if not self.params.username:
            return
        asked = f"POST {self.url}, with a token of a client that registered itself just now"
        if not self.params.client_id:
            self.note("subscription", asked, UNVALIDATED, WARNING)
            return
        if not self.params.subscription:
            return
        unsubscribed = self._again(journey, client_id=None, client_secret=None)
        try:
            answer = McpClient(self.url, self.options, unsubscribed.token(self.resource)).greet()
            refused = f"HTTP {answer.status}: it has no subscription" if answer.status else answer.trouble
            let_in = _let_in(answer)
            self.note("subscription", asked, UNVALIDATED if let_in else refused, WARNING if let_in else OK)
        except Stopped as error:
            self.note("subscription", asked, f"no such token: {error.got}", WARNING)
        self._clean_up(unsubscribed)

    def call(self, token: str, client_id: str | None = None) -> bool:
        """Whether the token is let in; its tools are listed then."""
        client = McpClient(self.url, self.options, token)
        answer, waited = self._once_introspected(client, token)
        asked = f"POST {self.url} {client.opening}, with the token"
        if not _let_in(answer):
            self.note("call", asked, why_refused(answer, token, self.url, client_id), FAILED)
            return False
        late = f", and 401 for {waited:.0f} s before: AM takes a new token's audience for its client. {WINDOW}"
        self.note("call", asked, f"HTTP {answer.status}{late if waited else ''}", WARNING if waited else OK)
        self.tools = list_tools(client, self.note)
        client.close()
        return True

    def _once_introspected(self, client: McpClient, token: str) -> tuple[Answer, float]:
        """The answer to the first call, and the seconds that it was refused before.

        A client that may have a subscription is asked about again with the same token while that is young: a new one would be
        refused as long again. One that registered itself just now has none.
        """
        began, answer = time.monotonic(), client.greet()
        may_be_subscribed = self.params.token or self.params.client_id
        if answer.status != 401 or "realm" in answer.challenge or not may_be_subscribed:
            return answer, 0.0
        issued = claims_of(token).get("iat") if self.params.token else time.time()
        age = max(0.0, time.time() - issued) if isinstance(issued, (int, float)) else YOUNG
        while answer.status == 401 and age + time.monotonic() - began < YOUNG:
            time.sleep(min(0.5, YOUNG / 4))
            answer = client.greet()
        return answer, time.monotonic() - began

    def _without_resource(self, journey: Journey) -> None:
        """A token that names no server must be refused, as MCP asks, also to a client that gets in with one for this server."""
        asked = f"POST {self.url}, with a token that was asked for without resource"
        journey.note = lambda *_step: None  # the same way again
        try:
            answer = McpClient(self.url, self.options, journey.token(None)).greet()
        except Stopped as error:
            self.note("audience", asked, f"no such token: {error.got}", WARNING)
            return
        if answer.status and 200 <= answer.status < 300:
            got = f"HTTP {answer.status}: tokens that are not for this server are let in (gravitee_plan audience)"
            self.note("audience", asked, got, FAILED)
            return
        got = f"HTTP {answer.status}" if answer.status else answer.trouble
        self.note("audience", asked, got, OK if answer.status == 401 else WARNING)

    def _trusted(self, url: str) -> bool:
        """Whether the test user's password may go there: to the server that was named, or else to the host that was named in url.

        Whoever answers with a 401 chooses what the metadata says, so its word alone is never enough.
        """
        expected = self.params.authorization_server
        return same_origin(url, expected) if expected else same_host(self.url, url)


def _let_in(answer: Answer) -> bool:
    return bool(answer.status and 200 <= answer.status < 300 and answer.message)


def list_tools(client: McpClient, note: tool_proof.Note) -> list[dict[str, str]]:
    """Name and description of each tool, after greet."""
    tools, problem = client.tools()
    if tools is None:
        note("tools", "tools/list", problem, FAILED)
        return []
    note("tools", "tools/list", ", ".join(tool["name"] for tool in tools) or "none", OK)
    return [{"name": tool["name"], "description": str(tool.get("description") or "")} for tool in tools]
