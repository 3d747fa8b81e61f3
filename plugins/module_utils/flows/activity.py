# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in APIM and AM since the last look, as events for Event-Driven Ansible."""
from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import visible
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.clients import DAY, resource_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import domain_id_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, paths_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

Event = dict[str, Any]
OVERLAP = 900_000  # ms that each look at AM's audit log goes back beyond the last: entries appear late, and clocks differ


class Activity:
    """Looks at AM, APIM or both. The first look is what later ones are compared with, and has no events.

    token_created: resource, client_id, user (None for a machine's token), at (ms since 1970).
    api_deployed: api_id, name, context_paths, at (as APIM has it).
    unreachable and reachable: plane, message. Of each, one event at the beginning, none while it lasts.
    """

    def __init__(self, am: Am | None, domain: str, apim: Apim | None):
        if am is None and apim is None:
            raise Refusal("am_url and apim_url are missing: there is nothing to watch. Give one, or both.")
        if am is not None and not domain:
            raise Refusal("domain is missing: give the AM domain whose audit log is to be watched.")
        self.am, self.domain, self.apim = am, domain, apim
        self._looked = int(time.time() * 1000)  # at the audit log, the last time that AM answered
        self._entries: set[str] | None = None  # ids of the audit log's entries, then
        self._deployed: dict[str, str] | None = None  # id of an API → the time of its deployment
        self._down: set[str] = set()

    def look(self) -> list[Event]:
        """What is new since the last look, the oldest first for each plane. Refusal where a server refuses the credentials."""
        of_am = self._asked("am", self.am, self._tokens) if self.am else ()
        of_apim = self._asked("apim", self.apim, self._deployments) if self.apim else ()
        return [*of_am, *of_apim]

    def _asked(self, plane: str, server: Any, ask: Callable[[Any], list[Event]]) -> Iterator[Event]:
        try:
            events = ask(server)
            _forget(server.session.options)
        except ApiError as error:
            if error.status in (401, 403):
                raise Refusal(str(error)) from error
            if plane not in self._down:
                self._down.add(plane)
                yield {"event": "unreachable", "plane": plane, "message": visible(str(error))}
            return
        if plane in self._down:
            self._down.remove(plane)
            yield {"event": "reachable", "plane": plane, "message": f"{plane} answers again"}
        yield from events

    def _tokens(self, am: Am) -> list[Event]:
        now = int(time.time() * 1000)
        # A day beyond now, as AM's clock may be ahead.
        entries = list(am.tokens_created(domain_id_of(am, self.domain), self._looked - OVERLAP, now + DAY))
        known, self._entries = self._entries, {entry["id"] for entry in entries}
        self._looked = now
        new = [entry for entry in entries if known is not None and entry["id"] not in known]
        return [self._token(entry) for entry in sorted(new, key=lambda entry: int(entry["timestamp"]))]

    @staticmethod
    def _token(entry: Event) -> Event:
        client, user = entry.get("accessPoint") or {}, (entry.get("target") or {}).get("alternativeId")
        named = {"client_id": client.get("alternativeId"), "user": None if user is None else visible(user)}
        return {"event": "token_created", "resource": resource_of(entry), **named, "at": entry["timestamp"]}

    def _deployments(self, apim: Apim) -> list[Event]:
        apis = [api for api in apim.apis() if api.get("deployedAt")]
        known, self._deployed = self._deployed, {api["id"]: api["deployedAt"] for api in apis}
        new = [api for api in apis if known is not None and known.get(api["id"]) != api["deployedAt"]]
        return [
            {
                "event": "api_deployed",
                "api_id": api["id"],
                "name": visible(api["name"]),
                "context_paths": [path.rstrip("/") or "/" for path in paths_of(api)],
                "at": api["deployedAt"],
            }
            for api in sorted(new, key=lambda api: str(api["deployedAt"]))
        ]


def _forget(options: Options) -> None:
    """What a connection notes for the result of a task would grow for as long as this process lives."""
    options.retried.clear()
    options.found_secrets.clear()


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise Refusal(f"{name}: {value!r} is no number of seconds above 0.")
    return seconds


CONNECTION = ("url", "token", "username", "password")
OPTIONS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("organization", "environment", "ca_path", "client_cert", "client_key"), lambda _name, value: str(value)),
    "validate_certs": lambda _name, value: str(value).lower() not in ("false", "no", "off", "0"),
    "timeout": _seconds,
}
FROM_ENVIRONMENT = (*(f"{plane}_{name}" for plane in ("apim", "am") for name in CONNECTION), *OPTIONS)
ARGUMENTS = (*FROM_ENVIRONMENT, "domain", "interval")


def activity_of(args: Mapping[str, Any]) -> tuple[Activity, float]:
    """What the arguments of an event source name, and the seconds between two looks; Refusal for what does not fit."""
    if dependencies.MISSING:
        raise Refusal(dependencies.sentence())  # type: ignore[no-untyped-call]
    added = {name for name in args if name.startswith("eda_")}  # by ansible-rulebook
    if unknown := sorted(set(args) - set(ARGUMENTS) - added):
        raise Refusal(f"{', '.join(unknown)}: there is no such argument. There are {', '.join(ARGUMENTS)}.")
    given = {name: _given(args, name) for name in FROM_ENVIRONMENT}
    options = Options(**{name: typed(name, given[name]) for name, typed in OPTIONS.items() if given[name] is not None})
    am = Am(Credentials.of("am", given), options) if given["am_url"] else None
    apim = Apim(Credentials.of("apim", given), options) if given["apim_url"] else None
    return Activity(am, args.get("domain") or "", apim), _seconds("interval", args.get("interval", 5))


def _given(args: Mapping[str, Any], name: str) -> Any:
    """The argument, or else the environment variable of the modules' option; None where both are missing or empty."""
    found = (value for value in (args.get(name), os.environ.get(f"GRAVITEE_{name.upper()}")) if value not in (None, ""))
    return next(found, None)
