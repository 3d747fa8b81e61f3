# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of an API: its shape, what of it is read-only, and when a change of it makes a deployment due."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Plan, differing, is_encrypted, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import BaseModel, ConfigDict, ValidationError, to_camel
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import normal_path

# Changing these does not make a deployment due; they are no part of what the gateway runs.
NOT_OF_THE_GATEWAY = {"name", "description", "labels", "visibility", "categories", "groups", "lifecycleState"}
# What an answer has and a PUT does not take (OpenAPI: ApiV4 without UpdateApiV4), and what gravitee_api_info adds.
READ_ONLY = {"_links", "createdAt", "crossId", "definitionContext", "deployedAt", "deploymentState", "id", "originContext"}
READ_ONLY |= {"plans", "primaryOwner", "state", "updatedAt", "workflowState"}


class _Anything(BaseModel):
    """A part of a definition: of what it holds only the shape is checked, and that as far as it is reached into."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")


class _Path(_Anything):
    path: str


class _Listener(_Anything):
    paths: list[_Path] | None = None


class _Endpoint(_Anything):
    name: str


class _EndpointGroup(_Anything):
    name: str
    endpoints: list[_Endpoint] | None = None


class _Property(_Anything):
    key: str


class _Definition(_Anything):
    listeners: list[_Listener] | None = None
    properties: list[_Property] | None = None
    endpoint_groups: list[_EndpointGroup] | None = None


def _check_shape(definition: Mapping[str, Any]) -> None:
    try:
        _Definition.model_validate(definition)
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(part + 1) if isinstance(part, int) else part for part in ("definition", *wrong["loc"]))
        raise Refusal(f"{where}: {wrong['msg']}") from error


def normal_definition(definition: Mapping[str, Any], observed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`definition` as the server would keep it; Refusal where it has another shape than a definition.

    Its context paths get their slashes. A property that is to be encrypted is what the API has, where that is encrypted
    already; else it is sent to be encrypted, never as if it were cipher text: APIM would keep it in clear.
    """
    _check_shape(definition)
    normal: dict[str, Any] = merge({}, dict(definition))
    for listener in normal.get("listeners") or []:
        for entry in listener.get("paths") or []:
            entry["path"] = normal_path(entry["path"])
    if normal.get("properties"):
        stored = _encrypted(observed)
        normal["properties"] = [merge(stored.get(entry["key"]), _property(entry)) for entry in normal["properties"]]
    return normal


def _property(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("encryptable") or given.get("encrypted"):
        return {**given, "encryptable": True, "encrypted": None}
    return {**given, "encryptable": None}  # which no answer has


def not_compared(definition: Mapping[str, Any], observed: Mapping[str, Any] | None) -> list[str]:
    """A warning for the given values that cannot be told from what APIM has, as it shows cipher text of them."""
    stored = _encrypted(observed)
    keys = [
        entry["key"]
        for entry in definition.get("properties") or []
        if entry["key"] in stored
        and entry.get("value") not in (None, stored[entry["key"]]["value"])
        and _property(entry).get("encrypted") is not False
    ]
    if not keys:
        return []
    return [
        f"definition: APIM keeps the value of {', '.join(keys)} encrypted, so it is not compared with the given one and stays. "
        "To set it anew, remove the property first or give it another key."
    ]


def _encrypted(observed: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The properties that APIM keeps encrypted, by key."""
    return {entry["key"]: entry for entry in (observed or {}).get("properties") or [] if is_encrypted(entry)}


def deployment_due(plan: Plan, value: Mapping[str, Any] | None) -> bool:
    """Whether the gateway serves something else than the definition: the server's word, or a change of what it runs.

    The same in a dry run and in the run after it, so that both deploy or neither does.
    """
    changed = set(differing(plan.before or {}, plan.after)) if plan.after else set()
    return (value or {}).get("deploymentState") == "NEED_REDEPLOY" or bool(changed - NOT_OF_THE_GATEWAY)
