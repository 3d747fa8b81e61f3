# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gravitee Access Management: one short method an endpoint of the management API."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import forms
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.answers import json_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials, Session, Token, is_token
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options, segment

MCP_SERVER = {"type": "MCP_SERVER"}  # without it every read of a protected resource is a 500
FOREVER = 10**15  # ms since 1970, beyond what any clock says
NO_ENDPOINT = "HTTP 404 Not Found"  # AM's message for a path that it does not serve
REMEDIES = {
    401: "AM refused the credentials: check am_token, or am_username and am_password",
    403: "AM knows no such object, or the AM user lacks the permission for this",
}


class Am:
    """AM as the given user sees it."""

    def __init__(self, credentials: Credentials, options: Options):
        self.session = Session(credentials, options, self._login, REMEDIES)
        self._domains = f"/management{options.organization_path}{options.environment_path}/domains"

    @staticmethod
    def _login(session: Session) -> Token:
        """An access token for user and password; an account access token is one already."""
        if session.credentials.token:
            return Token(session.credentials.token)
        response = session.exchange("POST", "/management/auth/token", session.credentials.authorize)
        told = json_of(response)
        if not is_token(told.get("access_token")):
            said = "no token: is am_url the AM management API?"
            raise ApiError("POST", "/management/auth/token", response.status_code, said)
        expires = told.get("expires_at")  # ms since 1970
        if not isinstance(expires, (int, float)) or not 0 < expires < FOREVER:
            return Token(told["access_token"])
        return Token(told["access_token"], expires / 1000)

    def domain(self, domain: str) -> dict[str, Any] | None:
        """The domain with this hrid or this id; None when there is none, or this user may not see it."""
        name = segment(domain, "domain")
        ways = ((f"_hrid/{name}", (404,)), (name, (403, 404)))
        for path, absent in ways if domain.count("-") != 4 else reversed(ways):
            try:
                return self.session.get(f"{self._domains}/{path}", forms.DOMAIN)
            except ApiError as error:
                if error.status not in absent:
                    raise
        return None

    def patch_domain(self, domain_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The domain after the change. Each write lets AM's gateway answer 404 for half a second."""
        return self.session.ask("PATCH", self._domain(domain_id), forms.DOMAIN, body)

    def mcp_servers(self, domain_id: str) -> Iterator[dict[str, Any]]:
        """Every MCP server of the domain, without its secrets."""
        return self._pages(f"{self._domain(domain_id)}/protected-resources", forms.MCP_SERVER, MCP_SERVER)

    def mcp_server(self, domain_id: str, server_id: str) -> dict[str, Any]:
        """One MCP server, without its secrets."""
        return self.session.get(self._mcp_server(domain_id, server_id), forms.MCP_SERVER, **MCP_SERVER)

    def create_mcp_server(self, domain_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answers only id, name, clientId and clientSecret, and the secret this one time."""
        body = {**body, **MCP_SERVER}
        return self.session.ask("POST", f"{self._domain(domain_id)}/protected-resources", forms.NEW_MCP_SERVER, body)

    def patch_mcp_server(self, domain_id: str, server_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The MCP server after the change, without its secrets."""
        return self.session.ask("PATCH", self._mcp_server(domain_id, server_id), forms.MCP_SERVER, body)

    def delete_mcp_server(self, domain_id: str, server_id: str) -> None:
        """Remove an MCP server, with its credentials."""
        self.session.send("DELETE", self._mcp_server(domain_id, server_id), params=MCP_SERVER)

    def secrets(self, domain_id: str, server_id: str) -> list[dict[str, Any]] | None:
        """An MCP server's secrets without their values: id, name, createdAt, expiresAt where they expire (ms since 1970).

        None where AM has no such endpoint (before 4.11), which its own 404 says; a proxy's 404 does not.
        """
        try:
            return self.session.listed(f"{self._mcp_server(domain_id, server_id)}/secrets", forms.SECRET)
        except ApiError as error:
            if error.status == 404 and error.message == NO_ENDPOINT:
                return None
            raise

    def create_secret(self, domain_id: str, server_id: str, name: str) -> dict[str, Any]:
        """The new secret with its value under `secret`, which is shown this one time."""
        return self.session.ask("POST", f"{self._mcp_server(domain_id, server_id)}/secrets", forms.NEW_SECRET, {"name": name})

    def renew_secret(self, domain_id: str, server_id: str, secret_id: str) -> dict[str, Any]:
        """The secret with its new value under `secret`, which is shown this one time. The old value ends."""
        path = f"{self._mcp_server(domain_id, server_id)}/secrets/{segment(secret_id)}/_renew"
        return self.session.ask("POST", path, forms.NEW_SECRET)

    def delete_secret(self, domain_id: str, server_id: str, secret_id: str) -> None:
        """One that is gone already is no error."""
        try:
            self.session.send("DELETE", f"{self._mcp_server(domain_id, server_id)}/secrets/{segment(secret_id)}")
        except ApiError as error:
            if error.status != 404:
                raise

    def scopes(self, domain_id: str) -> set[str]:
        """The keys of the domain's scopes."""
        return {scope["key"] for scope in self._pages(f"{self._domain(domain_id)}/scopes", forms.SCOPE, {})}

    def create_scope(self, domain_id: str, key: str) -> None:
        """A new scope of the domain, named as its key."""
        body = {"key": key, "name": key, "description": f"Access to {key}"}
        self.session.send("POST", f"{self._domain(domain_id)}/scopes", body)

    def applications(self, domain_id: str, name: str | None = None) -> Iterator[dict[str, Any]]:
        """The domain's applications, those that registered themselves among them: id, name, type, no client id.

        name: only those of this name, which AM looks up (recorded); it takes a * for any text, so then all of them.
        """
        filters = {"q": name} if name and "*" not in name else {}
        found = self._pages(f"{self._domain(domain_id)}/applications", forms.LISTED_APPLICATION, filters)
        return (application for application in found if name in (None, application["name"]))

    def application(self, domain_id: str, application_id: str) -> dict[str, Any]:
        """One application as a whole, without its secret."""
        return self.session.get(self._application(domain_id, application_id), forms.APPLICATION)

    def create_application(self, domain_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answers the secret, this one time."""
        return self.session.ask("POST", f"{self._domain(domain_id)}/applications", forms.APPLICATION, body)

    def patch_application(self, domain_id: str, application_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """The application after the change, without its secret."""
        return self.session.ask("PATCH", self._application(domain_id, application_id), forms.APPLICATION, body)

    def delete_application(self, domain_id: str, application_id: str) -> None:
        """Remove an application, with its client id."""
        self.session.send("DELETE", self._application(domain_id, application_id))

    def tokens_created(self, domain_id: str, since: int, until: int) -> Iterator[dict[str, Any]]:
        """The audit log's entries about tokens, the newest first. Times in milliseconds since 1970."""
        filters = {"type": "TOKEN_CREATED", "from": since, "to": until}
        return self._pages(f"{self._domain(domain_id)}/audits", forms.TOKEN_CREATED, filters)

    def _domain(self, domain_id: str) -> str:
        return f"{self._domains}/{segment(domain_id, 'domain')}"

    def _application(self, domain_id: str, application_id: str) -> str:
        return f"{self._domain(domain_id)}/applications/{segment(application_id)}"

    def _mcp_server(self, domain_id: str, server_id: str) -> str:
        return f"{self._domain(domain_id)}/protected-resources/{segment(server_id)}"

    def _pages(self, path: str, form: forms.Form, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return self.session.pages(path, {"data": [form], **forms.TOTAL}, 0, _is_last, **filters, size=50)


def _is_last(answer: dict[str, Any], _page: int, count: int) -> bool:
    return count >= (answer.get("totalCount") or 0)
