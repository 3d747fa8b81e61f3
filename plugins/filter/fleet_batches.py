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
    - A host whose variables do not do is in a batch of its own without C(servers); its C(trouble) says what is wrong.
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import PREFIX, Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.module import CONNECTION
from jinja2 import TemplateError, Undefined

SERVER = [field.name for field in fields(Variables) if field.name != "domain"]
DOMAIN = "domain"  # what servers of one batch have in common, beside the connection
REQUIRED = ("name", "context_path", "target")


def _given(variables: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The role's variables that this host has, without their prefix; what is empty is not given."""
    values = {name: variables.get(f"{PREFIX}{name}") for name in names}
    _settle(values)
    return {name: value for name, value in values.items() if value not in (None, "")}


def _settle(value: Any) -> None:
    """Raises here, and not somewhere later, if a template in it leads to nothing."""
    if isinstance(value, Undefined):
        str(value)
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ():
        _settle(inner)


def fleet_batches(hosts: Iterable[str], hostvars: Mapping[str, Any], size: int = 50) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for host in hosts:
        try:
            server, options = _given(hostvars[host], SERVER), _given(hostvars[host], [*CONNECTION, DOMAIN])
        except (AnsibleError, TemplateError) as error:  # a template among the variables
            refused.append(_refused(host, f"The variables of the host {host} cannot be read: {error}"))
            continue
        missing = [f"secure_mcp_{name}" for name in REQUIRED if name not in server]
        if missing:
            refused.append(_refused(host, f"The host {host} has no {missing[0]}: give it in the inventory."))
            continue
        group = next((group for group in groups if group["options"] == options), None)
        if group is None:
            group = {"options": options, "hosts": [], "servers": []}
            groups.append(group)
        group["hosts"].append(host)
        group["servers"].append(server)
    return [*_batches(groups, int(size)), *refused]


def _refused(host: str, trouble: str) -> dict[str, Any]:
    return {"options": {}, "hosts": [host], "servers": [], "label": f"host {host}", "trouble": trouble}


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
