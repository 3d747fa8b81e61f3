# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option said once: a field of a dataclass with its type and default, from which the argument spec follows.

    @dataclass(frozen=True)
    class Options:
        name: str = option(required=True)
        scopes: list[str] | None = option()
        state: str = option("present", choices=["present", "absent"])
"""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal

_TYPES = {"str": "str", "int": "int", "float": "float", "bool": "bool", "dict": "dict", "list": "list", "Any": "raw"}


class Given(dict[str, Any]):
    """Parameters of an object that no module's argument spec has filled in: what is not given is None."""

    def __missing__(self, key: str) -> None:
        return None


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value: a parameter that is None was not given."""
    return {name: value for name, value in values.items() if value is not None}


def checked(whose: str, spec: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as a module with this argument spec gets them; Refusal, which says whose they are, for what it does not take."""
    copied = dict(values)
    refusable(spec, copied)
    validated = ArgumentSpecValidator(spec).validate(copied)
    if validated.error_messages:
        raise Refusal(f"{whose}: {'; '.join(validated.error_messages).rstrip('.')}.")
    parameters: dict[str, Any] = validated.validated_parameters
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


def option(default: Any = None, **spec: Any) -> Any:
    """A field with what the argument spec says beyond type and default: required, choices, no_log, options and so on."""
    metadata = {"spec": spec, "default": default}
    if isinstance(default, (list, dict)):
        # pylint: disable-next=invalid-field-call
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)  # pylint: disable=invalid-field-call


def argument_spec(options: type, names: Iterable[str] | None = None, required: bool = True) -> dict[str, dict[str, Any]]:
    """The argument spec of a dataclass of options, or of those `names`; without `required` none of them has to be given."""
    fields = {field.name: field for field in dataclasses.fields(options)}
    return {name: _spec(fields[name], required) for name in (fields if names is None else names)}


def _spec(field: dataclasses.Field[Any], required: bool) -> dict[str, Any]:
    kind = str(field.type).removesuffix(" | None")
    outer, _bracket, inner = kind.partition("[")
    spec: dict[str, Any] = {"type": _TYPES[outer], **field.metadata["spec"]}
    if outer == "list" and inner:
        spec.setdefault("elements", _TYPES[inner.partition("[")[0].rstrip("]")])
    if field.metadata["default"] is not None:
        spec["default"] = field.metadata["default"]
    if not required:
        spec.pop("required", None)
    return spec
