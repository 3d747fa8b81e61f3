# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding an API, and what everything that lives inside one has in common."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed, Planes
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim, normal_path, paths_of


@dataclass(frozen=True)
class OneApi(ModuleOptions):
    """How the parts of an API name it."""

    api_id: str | None = option()
    context_path: str | None = option()
    RULES = {"required_one_of": [["api_id", "context_path"]]}


def find_api(
    apim: Apim, api_id: str | None, paths: Iterable[str], among: Iterable[dict[str, Any]] | None = None
) -> tuple[dict[str, Any] | None, str]:
    """The API with this id, or else the one that owns any of the context paths, with its ETag; None if there is none.

    among: the owners of these and of other paths, where they were looked for before.
    """
    if not api_id:
        wanted = {normal_path(path) for path in paths}
        owners = apim.owners(wanted) if among is None else [api for api in among if wanted & set(paths_of(api))]
        if len(owners) > 1:
            names = ", ".join(f"{api['name']} ({api['id']})" for api in owners)
            raise Refusal(f"context_paths: they belong to more than one API: {names}. Give id, or paths of one API.")
        if not owners:
            return None, ""
        owner = owners[0]
        api_id = owner["id"]
        if owner.get("definitionVersion") != "V4":
            raise Refusal(
                f"context_paths: {', '.join(sorted(wanted))} belongs to {owner['name']!r} ({api_id}), which is no v4 "
                "API. Migrate it to v4, or choose another path."
            )
    try:
        api, etag = apim.api(api_id)
    except ApiError as error:
        if error.status == 404:
            return None, ""
        raise
    if api.get("definitionVersion") != "V4":
        raise Refusal(f"id: {api['name']!r} ({api_id}) is no v4 API. Migrate it to v4, or give the id of another.")
    return api, etag


class ApiPart(Managed):
    """Something that lives in an API, named by the API's id or context path."""

    params: OneApi

    def __init__(self, apim: Apim, params: OneApi):
        super().__init__()
        self.apim, self.params = apim, params
        self.api: dict[str, Any] = {}
        self.etag = ""

    @classmethod
    def on(cls, planes: Planes, params: Any) -> ApiPart:
        return cls(planes.apim, params)

    def find(self) -> dict[str, Any] | None:
        """The API; None, and noted as unmet as soon as a change needs it, when there is none."""
        api, self.etag = find_api(self.apim, self.params.api_id, [self.params.context_path or ""])
        self.api = api or {}
        self.title = f"{self.params.context_path or self.params.api_id}"
        return api

    def need_api(self) -> None:
        if not self.api:
            self.unmet.insert(0, f"There is no API {self.title}: create it first with gravitee_api.")
