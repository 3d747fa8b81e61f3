# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MCP-serving APIs of an APIM environment as hosts."""
from __future__ import annotations

DOCUMENTATION = r"""
name: gravitee_mcp
short_description: The MCP servers behind APIM's gateway as hosts
version_added: 0.1.0
description:
  - Lists the APIs of an APIM environment that serve MCP, also those that are in no inventory, each with what APIM and, where it
    is matched, AM have of it.
  - What comes from APIM and AM is never a template. Of a host's name, letters, digits, dots, dashes and underscores stay, and
    group names of C(keyed_groups) are valid ones.
  - Its hosts are in the groups C(open), C(secured), C(misconfigured), C(unknown), C(stopped) and C(drifted) by what the
    management APIs say. The hosts of C(open) are publicly open.
  - A host is named after the first context path of its API, C(weather-mcp) for C(/weather-mcp). The API's id is added where two
    APIs would have the same name, or where a group has it.
  - The configuration file's name must end in C(gravitee_mcp.yml) or C(gravitee_mcp.yaml).
extends_documentation_fragment:
  - gravitee.mcp.connection
  - constructed
  - inventory_cache
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [gravitee.mcp.gravitee_mcp]
  match:
    description:
      - Regular expression by which an API is an MCP server; its name, its context paths, its labels and its target are searched.
      - An API of type mcp_proxy is one in any case.
    type: str
    default: (?i)\bmcp\b
  probe:
    description:
      - Whether to ask the target of every other API, too, whether it speaks MCP. Calls each from the controller, with no token.
    type: bool
    default: false
  probe_timeout:
    description: How long to wait for each target, in seconds.
    type: float
    default: 3.0
  domain:
    description: The AM domain in which to look for MCP servers, by hrid or id. Without it AM is not asked.
    type: str
  gateway_url:
    description: Public base URL of APIM's gateway. Required to match MCP servers in AM.
    type: str
  parallel:
    description: How many requests to have under way at the same time.
    type: int
    default: 8
"""

EXAMPLES = r"""
# all.gravitee_mcp.yml
# ansible-inventory -i all.gravitee_mcp.yml --graph
plugin: gravitee.mcp.gravitee_mcp
apim_url: https://apim.example.com:8083  # the tokens come from the environment
am_url: https://am.example.com:8093
domain: mcp
gateway_url: https://gateway.example.com
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /srv/mcp/cache
keyed_groups:
  - key: mcp_labels
    prefix: label
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import sentence
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.groups import GROUPS
from ansible_collections.gravitee.mcp.plugins.module_utils.module import CONNECTION, Servers


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "gravitee.mcp.gravitee_mcp"

    @staticmethod
    def _sanitize_group_name(name: str) -> str:
        """Always, whatever TRANSFORM_INVALID_GROUP_CHARS says: a label could be a template."""
        return to_safe_group_name(name, force=True, silent=True)

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(("gravitee_mcp.yml", "gravitee_mcp.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        key = self.get_cache_key(path)
        fresh = not (cache and self.get_option("cache"))
        try:
            hosts = self._observe(config) if fresh else self._cache[key]
        except KeyError:
            hosts, fresh = self._observe(config), True
        if fresh and self.get_option("cache"):
            self._cache[key] = hosts
        for group in GROUPS:
            self.inventory.add_group(group)
        for name, variables in hosts.items():
            self._add(name, variables)

    def _observe(self, config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        if dependencies.MISSING:
            raise AnsibleError(dependencies.sentence())
        from ansible_collections.gravitee.mcp.plugins.module_utils.flows.discovery import discover  # needs the packages

        own = ("probe", "probe_timeout", "domain", "gateway_url", "parallel")
        given = {name: self._value(name) for name in CONNECTION if name in config}
        connection = ArgumentSpecValidator(CONNECTION).validate(given)
        if connection.error_messages:
            raise AnsibleParserError(sentence(" ".join(" ".join(connection.error_messages).split())))
        params = {**connection.validated_parameters, **{name: self._value(name) for name in own}}
        try:
            pattern = re.compile(self.get_option("match"))
        except re.error as error:
            raise AnsibleParserError(sentence(f"match: {error}. Give a regular expression.")) from None
        try:
            return discover(Servers(params), params, pattern)
        except (ApiError, Refusal) as error:
            raise AnsibleParserError(sentence(" ".join(str(error).split()))) from None

    def _value(self, name: str) -> Any:
        """An option; a template in it is rendered, as credentials come from lookups."""
        value = self.get_option(name)
        return self.templar.template(value) if isinstance(value, str) and self.templar.is_template(value) else value

    def _add(self, name: str, variables: Mapping[str, Any]) -> None:
        """A host with what others wrote in APIM and AM, none of which Ansible may take for a template."""
        name, variables = _host_name(name, variables), wrap_var(dict(variables))
        self.inventory.add_host(name)
        groups: Iterable[str] = variables["mcp_groups"]
        for group in ("mcp_servers", *groups):
            self.inventory.add_child(group, name)
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        strict, compose = self.get_option("strict"), self.get_option("compose")
        self._set_composite_vars(compose, variables, name, strict=strict)
        composed = self.inventory.get_host(name).get_vars()
        for key in (compose or {}).keys() & composed.keys():
            self.inventory.set_variable(name, key, wrap_var(composed[key]))
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)


def _host_name(name: str, variables: Mapping[str, Any]) -> str:
    """The name, if it is a plain one; else with the API's id, so that no two become the same."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return name if plain == name else f"{plain}-{re.sub('[^A-Za-z0-9-]', '_', variables['mcp_api_id'])}"
