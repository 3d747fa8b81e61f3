# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a rotation that a first run has not, and the options of each one's module; walked by the role's rotate.yml."""
from __future__ import annotations

from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import given
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import Done, Options, closing, part
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables


def new_secret_resource(v: Variables, done: Done) -> Options:
    """Of a rotation: the secret and nothing else."""
    return given({**part(v, done), "name": v.resource_name, "client_secret": (done.get("secret") or {}).get("client_secret")})


def new_secret_deployment(v: Variables, done: Done) -> Options:
    """Of a rotation: what stands still is not started."""
    label = (done.get("secret") or {}).get("name") or "new secret"
    return {**closing(v, done), "state": "deployed", "label": label, "definition_changed": True}


def old_secrets(v: Variables, done: Done) -> Options:
    """Of am_mcp_server_secret: those that the new one replaced."""
    new = (done.get("secret") or {}).get("name")
    return {"domain": done["situation"]["domain"]["id"], "resource_identifier": v.url, "state": "absent", "replaced_by": new}


def rotated_credentials_file(v: Variables, done: Done) -> Options:
    """Of mcp_credentials_file: the MCP server's new secret, as a rotation makes no clients."""
    return {**part(v, done), "path": v.credentials_file, "resource_name": v.resource_name}
