# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners of an API: its context paths, that of its metadata, and the origins of browsers. Pure: no HTTP."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import WELL_KNOWN
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.cors import with_cors

if TYPE_CHECKING:
    from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ApiOptions

Path = Mapping[str, Any]  # path, and host where it has one


def listeners(frame: Mapping[str, Any], paths: list[str], params: ApiOptions) -> list[dict[str, Any]]:
    """The listeners of the API `frame`, the HTTP one with these paths and what else the options of gravitee_api ask for."""
    with_metadata = params.metadata_path and frame.get("type") == "PROXY"
    return [
        _http(listener, paths, with_metadata, params) if listener.get("type") == "HTTP" else listener
        for listener in frame.get("listeners") or []
    ]


def _http(listener: Mapping[str, Any], paths: list[str], with_metadata: bool, params: ApiOptions) -> dict[str, Any]:
    changed = {**listener, "paths": _paths(listener.get("paths") or [], paths, with_metadata, params.purge_paths)}
    origins = params.cors_origins
    cors = None if origins is None else with_cors(listener.get("cors"), origins)
    return {**changed, "cors": cors} if cors else changed


def _paths(has: list[dict[str, Any]], paths: list[str], with_metadata: bool, purge: bool) -> list[dict[str, Any]]:
    """The given paths first, as the gateway names the resource by the first; then the others, and the metadata's."""
    given = paths or [entry["path"] for entry in has if not entry["path"].startswith(WELL_KNOWN)]
    named = [entry for path in given for entry in [entry for entry in has if entry["path"] == path] or [{"path": path}]]
    metadata = [{**_host(entry), "path": WELL_KNOWN + entry["path"]} for entry in named] if with_metadata else []
    others = [entry for entry in has if entry not in named and (not purge or _among(entry, metadata))]
    return [*named, *others, *(entry for entry in metadata if not _among(entry, others))]


def _host(entry: Path) -> dict[str, Any]:
    return {"host": entry["host"]} if entry.get("host") else {}


def _among(entry: Path, others: Iterable[Path]) -> bool:
    """Whether one of the others is the same path at the same host."""
    return any((one["path"], one.get("host")) == (entry["path"], entry.get("host")) for one in others)
