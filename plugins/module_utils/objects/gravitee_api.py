# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A v4 HTTP proxy API of APIM."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import (
    Change,
    Managed,
    Plan,
    Planes,
    differing,
    merge,
    missing,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import WELL_KNOWN, web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.challenges import challenge_templates, with_challenges
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.definition import (
    READ_ONLY,
    deployment_due,
    normal_definition,
    not_compared,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.listeners import listeners
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import find_api
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, normal_path, paths_of

PLUGINS = {"PROXY": "http-proxy", "MCP_PROXY": "mcp-proxy"}  # the entrypoint and the endpoint of each type
READ_TIMEOUT = 120_000  # ms, for new APIs: the server's own 10 s cuts off tool calls that answer in JSON
_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*")
# A create drops these without a word; a PUT afterwards keeps them.
DROPPED_AT_CREATION = ("resources", "labels", "properties", "categories", "responseTemplates", "failover", "lifecycleState")


@dataclass(frozen=True)
class Challenge:
    """What the gateway's own refusals tell clients: the URL that they call, and the scopes to ask for."""

    url: str = option(required=True)
    scopes: list[str] | None = option()


@dataclass(frozen=True)
class Fields:
    """The API's fields that have an option of their own."""

    name: str | None = option()
    version: str | None = option(wire="apiVersion")
    description: str | None = option()
    tags: list[str] | None = option()
    labels: list[str] | None = option()
    visibility: str | None = option(choices=["public", "private"], convert=str.upper)


@dataclass(frozen=True)
class EndpointHttp:
    """How requests get to the API's endpoint. Times in milliseconds."""

    read_timeout: int | None = option()
    connect_timeout: int | None = option()
    idle_timeout: int | None = option()
    max_concurrent_connections: int | None = option()


@dataclass(frozen=True)
class ApiOptions(ModuleOptions, Fields, EndpointHttp):
    """Options of gravitee_api."""

    id: str | None = option()
    context_paths: list[str] | None = option(aliases=["context_path"])
    purge_paths: bool = option(False)
    metadata_path: bool = option(False)
    challenge: Challenge = option(of=Challenge)
    cors_origins: list[str] | None = option()
    type: str | None = option(choices=["proxy", "mcp_proxy"])
    target: str | None = option(convert=web_url)
    definition: dict[str, Any] = option({})
    replace: bool = option(False)
    mcp_resource: bool = option(True)
    adopt: bool = option(False)
    state: str = option("present", choices=["present", "absent"])
    RULES = {"required_one_of": [["id", "context_paths"]]}


def is_context_path(path: str) -> bool:
    """Whether it is a path and nothing else: no URL, no blanks, no dot segments, which gateways take out."""
    inner = path.strip().strip("/")
    return bool(_PLAIN.fullmatch(inner)) and not {".", ".."} & set(inner.split("/")) and "//" not in inner


def check_mcp_path(path: str) -> None:
    """Refuse a path that no MCP client could get a token for."""
    if path != path.lower():
        raise Refusal(
            f"context_paths: {path!r} has capitals. AM lower-cases the identifiers of MCP servers while the gateway "
            "keeps the case, so every client would ask for a resource that AM does not know (invalid_target). "
            f"Use {path.lower()!r}, or mcp_resource=false if this API is no MCP server."
        )


class ManagedApi(Managed):
    """The API itself."""

    takes = ApiOptions
    kind = "api"

    def __init__(self, apim: Apim, params: ApiOptions):
        super().__init__()
        self.apim, self.params = apim, params
        self.paths = [self._path(path) for path in params.context_paths or []]
        self.title = ", ".join(self.paths) or str(params.id)
        self.type = params.type.upper() if params.type else None
        self.etag = ""
        self.owners: list[dict[str, Any]] = []  # of the paths that it may get
        self.given: dict[str, Any] = {}

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ManagedApi:
        return cls(planes.apim, params)

    def _path(self, path: str) -> str:
        if not is_context_path(path):
            raise Refusal(
                f"context_paths: {path!r} is no context path. Use letters, digits, '-', '_', '.', '~' and '/', without a scheme, "
                "a host or segments of dots, as in /weather-mcp."
            )
        if self.params.mcp_resource and self.params.state == "present":
            check_mcp_path(path)
        return normal_path(path)

    @property
    def _sought(self) -> set[str]:
        """The paths that the API may get by its options, those of the metadata among them: the list of all APIs is long."""
        return set() if self.params.id else {place + path for path in self.paths for place in ("", WELL_KNOWN)}

    def observe(self) -> dict[str, Any] | None:
        self.owners = self.apim.owners(self._sought) if self._sought else []
        observed, self.etag = find_api(self.apim, self.params.id, self.paths, self.owners)
        name = self.params.name
        if observed is None:
            if self.params.id and self.params.state == "present":
                raise Refusal(f"id: there is no API {self.params.id}. Leave id out to find or create it by its path.")
        elif not self.params.id and name and observed["name"] != name and not self.params.adopt:
            raise Refusal(
                f"context_paths: {', '.join(self.paths)} belongs to the API {observed['name']!r} ({observed['id']}), "
                f"not to {name!r}. Choose another path, or adopt=true to take that API over under this name."
            )
        if observed and self.type not in (None, observed["type"]):
            raise Refusal(
                f"type: the API {observed['name']!r} is of type {observed['type'].lower()}, and no API changes its type. "
                "Remove it first, or choose another path."
            )
        return observed

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.params.state == "absent":
            return None
        definition = normal_definition(self.params.definition, observed)
        self.warnings += not_compared(self.params.definition, observed)
        if observed and self.params.replace:
            definition = {key: value for key, value in definition.items() if key not in READ_ONLY}
            base = {key: value for key, value in observed.items() if key in READ_ONLY} | definition
        else:
            base = observed or self._new(definition)
        frame = merge(base, definition)
        given = merge(definition, on_the_wire(self.params, Fields))
        if self.paths or self.params.metadata_path or self.params.cors_origins is not None:
            given["listeners"] = listeners(frame, self.paths, self.params)
        if endpoint := self._endpoint_groups(frame):
            given["endpointGroups"] = merge(given.get("endpointGroups"), endpoint)
        self.given = given
        wanted: dict[str, Any] = merge(base, given)
        if self.params.challenge.url:
            self._add_challenges(self.params.challenge, wanted)
        return wanted

    def _new(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """What a new API has before anything is given; Refusal for what only the user can know."""
        if not (self.params.name or definition.get("name")):
            raise Refusal("name: there is no API at this context path yet, and a new one needs a name.")
        if not self.params.target and not definition.get("endpointGroups"):
            raise Refusal("target: there is no API at this context path yet, and a new one needs its MCP server's URL.")
        kind = self.type or "PROXY"
        plugin = PLUGINS[kind]
        if kind != "PROXY":
            self._need_plugin(plugin)
        base = {
            "definitionVersion": "V4",
            "type": kind,
            "apiVersion": "1.0",
            "listeners": [{"type": "HTTP", "entrypoints": [{"type": plugin}]}],
        }
        if not definition.get("endpointGroups"):
            endpoint = {"name": "Default HTTP proxy", "type": plugin, "weight": 1, "inheritConfiguration": True}
            group = {"name": "Default HTTP proxy group", "type": plugin, "endpoints": [endpoint]}
            base["endpointGroups"] = [{**group, "sharedConfiguration": {"http": {"readTimeout": READ_TIMEOUT}}}]
        return base

    def _need_plugin(self, plugin: str) -> None:
        if not all(plugin in self.apim.plugins(kind) for kind in ("endpoints", "entrypoints")):
            raise Refusal(
                f"type: this APIM has no plugin {plugin} (it is part of the enterprise edition). Use type=proxy, and "
                "gravitee_subscription for each client."
            )

    def _add_challenges(self, challenge: Challenge, wanted: dict[str, Any]) -> None:
        templates = wanted.get("responseTemplates") or {}
        needed = challenge_templates(challenge.url, challenge.scopes or [], self.apim.policy_schema("oauth2"))
        changed, theirs = with_challenges(templates, needed)
        if changed != templates:
            wanted["responseTemplates"] = changed
            self.given = merge(self.given, {"responseTemplates": changed})
        self.warnings += [f"challenge: the API has a response template {key} of its own, which stays." for key in theirs]

    def _endpoint_groups(self, frame: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """The parameters of the endpoint, at the place where `frame` has its only one."""
        target, http = on_the_wire(self.params, ("target",)), on_the_wire(self.params, EndpointHttp)
        if not target and not http:
            return None
        groups = frame.get("endpointGroups") or []
        if len(groups) != 1 or len(groups[0].get("endpoints") or []) != 1:
            raise Refusal(
                "target: this API does not have exactly one endpoint, so target, the timeouts and "
                "max_concurrent_connections name none. Give endpointGroups in definition instead."
            )
        group, endpoint = groups[0], groups[0]["endpoints"][0]
        given_endpoint = {"name": endpoint["name"], "configuration": target}
        given_group = {"name": group["name"], "endpoints": [given_endpoint]}
        if http:
            place = given_group if endpoint.get("inheritConfiguration") else given_endpoint
            key = "sharedConfiguration" if place is given_group else "sharedConfigurationOverride"
            place[key] = {"http": http}
        return [given_group]

    def changes(self, observed: Any, desired: dict[str, Any] | None) -> Iterable[Change]:
        if desired is None:
            if observed["state"] == "STARTED":
                yield Change(f"stop API {observed['name']}", self._stop)
            yield Change(f"delete API {observed['name']} and its plans", self._delete)
            return
        self._refuse_taken_paths(observed, desired)
        if observed is None:
            yield Change(f"create API {desired['name']} at {', '.join(self.paths)}", lambda _: self.apim.create_api(desired))
            late = [key for key in DROPPED_AT_CREATION if self.given.get(key)]
            if late:
                yield Change(f"set {', '.join(late)} of API {desired['name']}", self._complete)
        else:
            names = ", ".join(sorted(differing(observed, desired)))
            yield Change(f"update {names} of API {observed['name']}", lambda api: self._put(desired, api["id"]))

    def _refuse_taken_paths(self, observed: Mapping[str, Any] | None, desired: Mapping[str, Any]) -> None:
        """APIM would refuse it, too, but a new API's first requests may be written by then."""
        new = set(paths_of(desired)) - set(paths_of(observed or {})) - set(self.paths)
        owners = self.owners if new <= self._sought else self.apim.owners(new)
        others = (api for api in owners if new & set(paths_of(api)) and api["id"] != (observed or {}).get("id"))
        if owner := next(others, None):
            taken = ", ".join(sorted(new & set(paths_of(owner))))
            raise Refusal(
                f"metadata_path: {taken} belongs to the API {owner['name']!r} ({owner['id']}). Remove that path from it, or set "
                "metadata_path=false and serve the metadata there yourself."
            )

    def _stop(self, api: dict[str, Any]) -> dict[str, Any]:
        self.apim.stop(api["id"])
        return api

    def _delete(self, api: dict[str, Any]) -> None:
        self.apim.delete_api(api["id"])

    def _complete(self, created: dict[str, Any]) -> dict[str, Any]:
        api, self.etag = self.apim.api(created["id"])
        return self._put(merge(api, self.given), api["id"])

    def _put(self, body: dict[str, Any], api_id: str) -> dict[str, Any]:
        api, self.etag = self.apim.update_api(api_id, body, self.etag)
        dropped = missing(api, self.given)
        if dropped:
            raise Refusal(
                f"APIM took the change of API {api['name']!r} but did not keep {', '.join(dropped)}: it drops unknown "
                "categories and fields without a word. Create the category first, or correct the field's name."
            )
        return api

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        return {
            "api": mask(value or {}),
            "id": (value or {}).get("id"),
            "deployment_due": deployment_due(plan, value),
        }
