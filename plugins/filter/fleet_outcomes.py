# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One outcome for every host of a fleet, also for those that could not be asked."""
from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_outcomes
short_description: One outcome for every host of a fleet
version_added: 0.1.0
description:
  - Puts together what M(gravitee.mcp.mcp_fleet) returned for each batch. A host whose batch failed, or that was in none, gets an
    outcome that says why.
positional: batches, checked
options:
  _input:
    description: The results of M(gravitee.mcp.mcp_fleet), one a batch, in the batches' order.
    type: list
    elements: dict
    required: true
  batches:
    description: The batches, as P(gravitee.mcp.fleet_batches#filter) makes them.
    type: list
    elements: dict
    required: true
  checked:
    description: Results of M(gravitee.mcp.mcp_check) for servers that are in no inventory, each with its C(item), as
      P(gravitee.mcp.mcp_urls#filter) makes it.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Batches of the whole inventory group
  ansible.builtin.set_fact:
    batches: "{{ groups['mcp_servers'] | gravitee.mcp.fleet_batches(hostvars) }}"
  no_log: true

- name: Check them
  gravitee.mcp.mcp_fleet:
    servers: "{{ item.servers }}"
  module_defaults:
    gravitee.mcp.mcp_fleet: "{{ item.options }}"
  loop: "{{ batches }}"
  loop_control:
    label: "{{ item.label }}"
  check_mode: true
  register: fleet_task

- name: Put the outcomes together
  ansible.builtin.set_fact:
    outcomes: "{{ fleet_task.results | gravitee.mcp.fleet_outcomes(batches) }}"
"""

RETURN = r"""
_value:
  description: The outcomes, as the servers that M(gravitee.mcp.mcp_fleet) returns.
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import below


def fleet_outcomes(
    results: Iterable[Mapping[str, Any]], batches: Iterable[Mapping[str, Any]], checked: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    return [*_of_batches(results, batches), *(_of_url(result, result["item"]) for result in checked)]


def _of_batches(results: Iterable[Mapping[str, Any]], batches: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    outcomes: list[dict[str, Any]] = []
    for result, batch in zip(results, batches, strict=True):
        answered = result.get("servers") or []
        if len(answered) == len(batch["hosts"]):
            outcomes += answered
            continue
        why = batch.get("trouble") or result.get("msg") or "mcp_fleet did not say what became of it"
        given = batch["servers"] or [{}] * len(batch["hosts"])
        outcomes += [_not_asked(host, server, why) for host, server in zip(batch["hosts"], given, strict=True)]
    return outcomes


def _not_asked(host: str, server: Mapping[str, Any], why: str) -> dict[str, Any]:
    path = server.get("context_path", "")
    url = below(str(server["gateway_url"]), path) if server.get("gateway_url") else ""
    named = {"name": server.get("name", host), "context_path": path, "url": url}
    return {**named, "changed": False, "changes": [], "diff": [], "failed": True, "msg": why}


def _of_url(result: Mapping[str, Any], server: Mapping[str, str]) -> dict[str, Any]:
    """Of a server that no inventory describes: it cannot drift."""
    base = {"name": server["name"], "url": server["url"], "context_path": "", "changes": [], "diff": [], "outside": True}
    if result.get("result"):
        return {**base, "failed": False, "seen": {key: result.get(key) for key in ("result", "summary", "steps", "doctor")}}
    return {**base, "failed": True, "msg": str(result.get("msg") or "mcp_check did not say what became of it")}


class FilterModule:
    """The collection's filters."""

    def filters(self) -> dict[str, Any]:
        return {"fleet_outcomes": fleet_outcomes}
