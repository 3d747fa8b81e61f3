# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that no module was given, validated as Ansible does it."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import Options


def checked(options: type[Options], whose: str, values: Mapping[str, Any]) -> Options:
    """The options as a module gets them from these values; Refusal, which says whose they are, for what it does not take."""
    return options.of(validated(options.spec(), values, whose, **options.RULES))


def validated(spec: Mapping[str, Any], values: Mapping[str, Any], whose: str, **rules: Any) -> dict[str, Any]:
    """The values with types and defaults of an argument spec; Refusal, which says whose they are, for what it does not take."""
    copied = dict(values)
    refusable(spec, copied)
    result = ArgumentSpecValidator(spec, **rules).validate(copied)
    if result.error_messages:
        raise Refusal(f"{whose}: {'; '.join(result.error_messages).rstrip('.')}.")
    parameters: dict[str, Any] = result.validated_parameters
    return parameters


def refusable(spec: Mapping[str, Any], params: dict[str, Any]) -> None:
    """Make a text of whatever stands in the place of a mapping or of a number: ansible-core refuses that in words."""
    for name, option_spec in spec.items():
        inner = option_spec.get("options")
        for key in (name, *option_spec.get("aliases", ())):
            value = params.get(key)
            if inner and value is not None:
                params[key] = [_mapping(inner, one) for one in value] if isinstance(value, list) else _mapping(inner, value)
            elif option_spec["type"] in ("int", "float") and isinstance(value, (list, dict)):
                params[key] = str(value)


def _mapping(spec: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, dict):
        return str(value)
    copied = dict(value)
    refusable(spec, copied)
    return copied
