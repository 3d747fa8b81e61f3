# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file with generated credentials: JSON, variables of the role, readable by its owner alone, replaced as a whole."""
from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import configuration_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart, OneApi

SERVER_ID, SERVER_SECRET, CLIENTS = "secure_mcp_client_id", "secure_mcp_client_secret", "secure_mcp_client_credentials"


@dataclass(frozen=True)
class ClientCredentials:
    """Those of a client that AM has just generated."""

    name: str = option(required=True)
    client_id: str = option(required=True)
    client_secret: str = option(required=True, no_log=True)


@dataclass(frozen=True)
class CredentialsFileOptions(OneApi):
    """Options of mcp_credentials_file."""

    path: str = option(required=True, type="path")
    resource_name: str = option("Gravitee AM")
    clients: list[ClientCredentials] = option([], each=ClientCredentials)


def known_credentials(path: str) -> dict[str, Any] | None:
    """What the file holds, None if it is not there; Refusal where it cannot be written or belongs to something else."""
    file = Path(path)
    try:
        if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
            raise Refusal(f"credentials_file: {path}: its folder is not there, or not writable. Make it first.")
        if not file.exists():
            return None
    except (OSError, ValueError) as error:
        raise Refusal(f"credentials_file: {path!r} is no path of a file that can be written ({error}).") from error
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        held = None
    if not isinstance(held, dict) or SERVER_ID not in held:
        foreign = "is a file that this role did not write, or that cannot be read"
        raise Refusal(f"credentials_file: {path} {foreign}. Give another path.")
    return held


class ManagedCredentialsFile(ApiPart):
    """Client id and secret that the API's resource holds, and those of clients that AM has just generated."""

    takes = CredentialsFileOptions
    params: CredentialsFileOptions
    kind = "credentials_file"

    def observe(self) -> dict[str, Any] | None:
        self.find()
        held = known_credentials(self.params.path)
        self.title = self.params.path
        return held

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        """What the file holds of clients stays: a client's secret is shown once."""
        stored = configuration_of(self.api, self.params.resource_name)
        if not stored.get("clientSecret"):
            self.unmet.append(f"The API holds no credentials in a resource {self.params.resource_name!r} yet.")
        made = {
            one.name: {"client_id": one.client_id, "client_secret": one.client_secret}
            for one in self.params.clients
            if one.client_secret
        }
        clients = {**(observed or {}).get(CLIENTS, {}), **made}
        return {SERVER_ID: stored.get("clientId"), SERVER_SECRET: stored.get("clientSecret"), CLIENTS: clients}

    def changes(self, observed: dict[str, Any] | None, desired: dict[str, Any] | None) -> Iterable[Change]:
        yield Change(f"write credentials to {self.params.path}", lambda _: self._write(desired))

    def _write(self, credentials: dict[str, Any] | None) -> dict[str, Any] | None:
        """Beside the old file, then in its place: nobody ever reads half of it, or with other rights."""
        path = Path(self.params.path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(credentials, file, indent=4, sort_keys=True)
                file.write("\n")
            os.replace(name, path)
        except OSError as error:
            os.unlink(name)
            raise Refusal(f"credentials_file: {path} could not be written: {error.strerror}.") from error
        return credentials

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        return {"path": self.params.path}
