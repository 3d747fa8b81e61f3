# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with the role's variables, as gravitee.mcp.mcp_fleet takes them."""
from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_batches
short_description: Hosts with the variables of the role secure_mcp, as batches for mcp_fleet
version_added: 0.1.0
description:
  - Puts hosts of the same environment, domain and settings together, and splits them into batches, so that a long run says where
    it is.
positional: hostvars
options:
  _input:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's C(hostvars).
    type: dict
    required: true
  size:
    description: How many hosts a batch has at the most.
    type: int
    default: 50
"""

EXAMPLES = r"""
- name: Split the whole inventory group into batches
  ansible.builtin.set_fact:
    batches: "{{ groups['mcp_servers'] | gravitee.mcp.fleet_batches(hostvars) }}"
  no_log: true
"""

RETURN = r"""
_value:
  description:
    - A list of batches, each with C(options) and C(servers) as M(gravitee.mcp.mcp_fleet) takes them, its C(hosts), and a C(label)
      such as C(servers 1-50 of 200). The options hold credentials.
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# Option of mcp_fleet → variable of the role, where the name is another one.
SERVER = {
    **dict.fromkeys(("name", "context_path", "target", "version", "client_id", "client_secret", "tools", "required_scopes")),
    **dict.fromkeys(("read_timeout", "adopt")),
    "definition": "api_definition",
}
SHARED = {
    **dict.fromkeys(("apim_url", "apim_token", "apim_username", "apim_password", "organization", "environment")),
    **dict.fromkeys(("am_url", "am_token", "am_username", "am_password", "validate_certs", "ca_path")),
    **dict.fromkeys(("domain", "gateway_url", "am_gateway_url", "resource_name", "plan_name", "dcr", "client_profiles")),
    **dict.fromkeys(("user_registration", "recreate_lost_server")),
    "wait_timeout": "verify_timeout",
}
REQUIRED = ("name", "context_path", "target")


def _given(variables: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    """The role's variables that this host has, under the names of mcp_fleet's options; what is empty is not given."""
    values = {option: variables.get(f"secure_mcp_{variable or option}") for option, variable in names.items()}
    return {option: value for option, value in values.items() if value not in (None, "", [], {})}


def fleet_batches(hosts: Iterable[str], hostvars: Mapping[str, Any], size: int = 50) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    for host in hosts:
        variables = hostvars[host]
        server, options = _given(variables, SERVER), _given(variables, SHARED)
        for name in REQUIRED:
            if name not in server:
                raise AnsibleFilterError(f"The host {host} has no secure_mcp_{name}: give it in the inventory.")
        if server.get("tools") == "discover":
            del server["tools"]  # the fleet leaves the tools as AM has them
        group = next((group for group in groups if group["options"] == options), None)
        if group is None:
            group = {"options": options, "hosts": [], "servers": []}
            groups.append(group)
        group["hosts"].append(host)
        group["servers"].append(server)
    return _batches(groups, int(size))


def _batches(groups: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    total, done, batches = sum(len(group["servers"]) for group in groups), 0, []
    for group in groups:
        for start in range(0, len(group["servers"]), size):
            servers = group["servers"][start : start + size]
            label = f"servers {done + 1}-{done + len(servers)} of {total}"
            hosts = group["hosts"][start : start + size]
            batches.append({"options": group["options"], "hosts": hosts, "servers": servers, "label": label})
            done += len(servers)
    return batches


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"fleet_batches": fleet_batches}
