# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of an MCP server in AM.

From 4.11 on AM holds up to ten beside each other, each with a name, and shows a value once, when it makes it. Before 4.11 there
is one, without a name, and the only way to another is to delete the MCP server and create it again.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME, Change, Managed, Plan, Planes
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of, find_domain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import (
    find_mcp_server,
    managed_part,
    normal_identifier,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import (
    by_age,
    generated_name,
    is_generated,
    left_over,
    shown,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.introspection import Introspection
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

FIRST = "Default"  # AM's name for the secret that comes with the MCP server
MOST = 10  # secrets of one MCP server; AM answers 400 to one more
LONGEST = 255  # characters of a name; AM answers 500 to 256
AGREE = 3  # answers in a row by which AM's gateways count as having followed


@dataclass(frozen=True)
class SecretOptions(ModuleOptions):
    """Options of am_mcp_server_secret. wait_timeout in seconds."""

    domain: str = option(required=True)
    resource_identifier: str | None = option()
    client_id: str | None = option()
    state: str = option("present", choices=["present", "renewed", "absent"])
    name: str | None = option()
    replaced_by: str | None = option()
    in_use: list[str] | None = option()
    recreate: bool = option(False)
    am_gateway_url: str | None = option()
    wait_timeout: float = option(60.0)
    RULES = {
        "required_one_of": [["resource_identifier", "client_id"]],
        "required_if": [["state", "present", ["name"]], ["state", "absent", ["name", "replaced_by"], True]],
        "mutually_exclusive": [["name", "replaced_by"]],
    }


def _optional_name(option: str, value: str | None) -> str | None:
    return None if value is None else _name(option, value)


def _name(option: str, value: str) -> str:
    """A secret's name as AM keeps it."""
    name = value.strip()
    if not 1 <= len(name) <= LONGEST:
        raise Refusal(f"{option}: {name[:40]!r} is no name for a secret. Use 1 to {LONGEST} characters.")
    return name


@dataclass(frozen=True)
class _Step:
    """A change with what it makes of the object, known before it is sent."""

    change: Change
    predict: Callable[[dict[str, Any]], dict[str, Any]]


class ManagedMcpServerSecret(Managed):
    """The MCP server's secrets as one object: {clientId, secrets: [{name, createdAt, expiresAt}], clientSecret when made}."""

    takes = SecretOptions
    kind = "mcp_server_secret"

    def __init__(self, am: Am, params: SecretOptions, options: Options):
        super().__init__()
        self.am, self.params, self.options = am, params, options
        self.title = str(params.client_id or params.resource_identifier)
        self.name = _optional_name("name", params.name)
        self.replaced_by = _optional_name("replaced_by", params.replaced_by)
        if self.replaced_by and params.state != "absent":
            raise Refusal("replaced_by: it says which secrets to delete. Give it with state=absent, or leave it out.")
        self.in_use = None if params.in_use is None else [_name("in_use", name) for name in params.in_use]
        self.server: dict[str, Any] = {}
        self.secrets: list[dict[str, Any]] | None = None
        self.gateway: Introspection | None = None
        self.steps: list[_Step] = []

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedMcpServerSecret:
        return cls(planes.am, params, planes.options)

    def observe(self) -> dict[str, Any] | None:
        self.domain_id = domain_id_of(self.am, self.params.domain)
        try:
            identifiers = [normal_identifier(value) for value in [self.params.resource_identifier] if value is not None]
        except ValueError as error:
            raise Refusal(f"resource_identifier: {error}") from error
        found = find_mcp_server(self.am, self.domain_id, identifiers, self.params.client_id)
        if found is None:
            return None
        self.server, self.secrets = found, self.am.secrets(self.domain_id, found["id"])
        listed = {} if self.secrets is None else {"secrets": [shown(one) for one in self.secrets]}
        return {"clientId": found["clientId"], **listed}

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        self.steps = self._missing() if observed is None else list(self._steps())
        wanted = observed or {"clientId": self.params.client_id or TO_COME, "secrets": []}
        for step in self.steps:
            wanted = step.predict(wanted)
        return wanted if self.steps else observed

    def changes(self, observed: dict[str, Any] | None, desired: dict[str, Any] | None) -> Iterable[Change]:
        return [step.change for step in self.steps]

    def _missing(self) -> list[_Step]:
        """There is no MCP server yet: an earlier task may make it."""
        if self.params.state == "absent":
            return []
        option = "client_id" if self.params.client_id else "resource_identifier"
        self.unmet.append(f"{option}: the domain has no MCP server {self.title}. Create it with am_mcp_server first.")
        return [self._creation()]

    def _steps(self) -> Iterator[_Step]:
        state = self.params.state
        if self.secrets is None and state == "renewed" and not self.name:
            yield from self._making_again()
            return
        if self.secrets is None:
            raise Refusal(
                "state: this AM (before 4.11) has one secret for an MCP server, without a name. All that can be done is to "
                "replace it, by state=renewed without a name, and recreate=true."
            )
        named = next((one for one in self.secrets if one["name"] == self.name), None)
        if state == "absent":
            if named and len(self.secrets) == 1:
                raise Refusal(f"name: {self.name!r} is the last secret of the MCP server, and AM keeps one. Make another first.")
            yield from map(self._removal, self._replaced() if self.replaced_by else [named] if named else [])
        elif named is None:
            self._need_gateway()
            yield from self._room()
            yield self._creation()
        elif state == "renewed":
            self._need_gateway()
            yield self._renewal(named)

    def _replaced(self) -> list[Mapping[str, Any]]:
        """Those that the named one replaces: made before it by this collection, or by AM with the MCP server, and not in use.

        Younger ones may be those of another run that is at work now. One that an earlier task is to make is the youngest.
        """
        secrets = by_age(self.secrets or [])
        names = [one["name"] for one in secrets]
        if self.replaced_by not in names:
            self.unmet.append(f"replaced_by: the MCP server has no secret named {self.replaced_by!r}, so the others stay.")
        older = secrets[: names.index(self.replaced_by)] if self.replaced_by in names else secrets
        replaced = [one for one in older if is_generated(one["name"]) or one["name"] == FIRST]
        return [one for one in replaced if one["name"] not in (self.in_use or ())]

    def _room(self) -> list[_Step]:
        """Where AM takes no more, the oldest secret of ours that nothing uses goes."""
        secrets = self.secrets or []
        if len(secrets) < MOST:
            return []
        names = [one["name"] for one in secrets]
        unknown = [name for name in self.in_use or [] if name not in names]
        if unknown:
            raise Refusal(f"in_use: the MCP server has no secret named {unknown[0]!r}. It has {', '.join(names)}.")
        ours = left_over(secrets, self.in_use or [])
        if self.in_use is None or not ours:
            way = "Say in in_use which are used, so that one which this collection made can go" if ours else "Delete one"
            raise Refusal(f"state: the MCP server has {len(names)} secrets, and AM takes no more: {', '.join(names)}. {way}.")
        return [self._removal(next(one for one in secrets if one["name"] == ours[0]))]

    def _need_gateway(self) -> None:
        """Nothing is written where AM's gateway could not be asked about the new secret afterwards."""
        if not self.params.am_gateway_url:
            return
        path = find_domain(self.am, self.params.domain)["path"]
        self.gateway = Introspection(self.params.am_gateway_url, path, self.options)
        if not self.gateway.speaks():
            raise Refusal(
                f"am_gateway_url: at {self.params.am_gateway_url} no AM gateway serves the domain {path}. Correct the URL, "
                "enable the domain, or leave am_gateway_url out to wait for nothing."
            )

    def _removal(self, secret: Mapping[str, Any]) -> _Step:
        def remove(now: dict[str, Any]) -> dict[str, Any]:
            self.am.delete_secret(self.domain_id, self.server["id"], secret["id"])
            return without(now)

        def without(now: dict[str, Any]) -> dict[str, Any]:
            return {**now, "secrets": [one for one in now["secrets"] if one["name"] != secret["name"]]}

        return _Step(Change(f"delete secret {secret['name']} of MCP server {self.server['name']}", remove), without)

    def _creation(self) -> _Step:
        def create(now: dict[str, Any]) -> dict[str, Any]:
            name = self.name or generated_name()
            made = self.am.create_secret(self.domain_id, self.server["id"], name)
            self._prove(made["secret"], lambda: self.am.delete_secret(self.domain_id, self.server["id"], made["id"]))
            self.name = name
            return added(now, made)

        def added(now: dict[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
            return {**now, "secrets": [*now["secrets"], shown(made)], "clientSecret": made["secret"]}

        what = f"secret {self.name}" if self.name else "another secret"
        summary = f"create {what} of MCP server {self.server.get('name', self.title)}"
        predicted = {"name": self.name or TO_COME, "secret": TO_COME}
        return _Step(Change(summary, create), lambda now: added(now, predicted))

    def _renewal(self, secret: Mapping[str, Any]) -> _Step:
        def renew(now: dict[str, Any]) -> dict[str, Any]:
            made = self.am.renew_secret(self.domain_id, self.server["id"], secret["id"])
            self._prove(made["secret"])
            return renewed(now, made)

        def renewed(now: dict[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
            secrets = [shown(made) if one["name"] == made["name"] else one for one in now["secrets"]]
            return {**now, "secrets": secrets, "clientSecret": made["secret"]}

        summary = f"renew secret {secret['name']} of MCP server {self.server['name']}"
        return _Step(Change(summary, renew), lambda now: renewed(now, {**secret, "secret": TO_COME}))

    def _making_again(self) -> Iterator[_Step]:
        """The same MCP server with a new secret. A run that dies in between leaves none: am_mcp_server makes it again."""
        name, client_id = self.server["name"], self.server["clientId"]
        if not self.params.recreate:
            raise Refusal(
                "recreate: this AM (before 4.11) cannot renew a secret, nor hold two. Set recreate=true to delete the MCP server "
                "and create it again with the same client id; until its new secret is in place tokens are refused."
            )

        def delete(now: dict[str, Any]) -> dict[str, Any]:
            self.am.delete_mcp_server(self.domain_id, self.server["id"])
            return now

        def create(now: dict[str, Any]) -> dict[str, Any]:
            try:
                made = self.am.create_mcp_server(self.domain_id, managed_part(self.server))
            except ApiError as error:
                remedy = f"the MCP server is deleted now: create it again, with client_id={client_id} of am_mcp_server"
                raise ApiError(error.method, error.path, error.status, error.message, error.code, remedy) from error
            self._prove(made["clientSecret"])
            return {**now, "clientSecret": made["clientSecret"]}

        self._need_gateway()
        yield _Step(Change(f"delete MCP server {name}", delete), lambda now: now)
        summary = f"create MCP server {name} with client id {client_id}"
        yield _Step(Change(summary, create), lambda now: {**now, "clientSecret": TO_COME})

    def _prove(self, secret: str, undo: Callable[[], None] | None = None) -> None:
        """Return when AM's gateway takes the new secret. One that it does not take in time is deleted: nobody has seen it."""
        wait = self.params.wait_timeout
        if self.gateway is None:
            return
        verdict = self.gateway.takes(self.server["clientId"], secret, wait, agree=AGREE, grace=wait)
        if verdict == "accepted":
            return
        fate = "so it was deleted again" if undo else "and the old one has ended: run this again"
        try:
            (undo or (lambda: None))()
        except ApiError as error:
            fate = f"and could not be deleted again: {error}"
        said = "still refuses" if verdict == "refused" else "gives no answer about"
        raise Refusal(
            f"wait_timeout: after {wait:g} s AM's gateway {self.params.am_gateway_url} {said} the new secret of MCP server "
            f"{self.server['name']}, {fate}."
        )

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        value = value or {}
        facts: dict[str, Any] = {"client_id": value.get("clientId", self.params.client_id)}
        if "secrets" in value:
            facts["secrets"] = value["secrets"]
            if self.name or plan.changed and not self.replaced_by:
                facts["name"] = self.name or TO_COME
        if "clientSecret" in value:
            facts["client_secret"] = value["clientSecret"]
        return facts
