# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option said once: a field of a frozen dataclass. Argument spec, default, type and name on the wire follow from it.

    @dataclass(frozen=True)
    class ThingOptions(ModuleOptions):
        name: str = option(required=True)
        scopes: list[str] | None = option()
        pkce: bool | None = option(wire="forcePKCE")
        login: Login | None = option(of=Login)
        state: str = option("present", choices=["present", "absent"])
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal

_TYPES = {"str": "str", "int": "int", "float": "float", "bool": "bool", "dict": "dict", "list": "list", "Any": "raw"}
Options = TypeVar("Options", bound="ModuleOptions")


@dataclasses.dataclass(frozen=True)
class ModuleOptions:
    """What a module is given, beside the connection. A field that is None was not given."""

    # required_one_of, required_if, mutually_exclusive and so on, as Ansible has them.
    RULES: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def spec(cls) -> dict[str, dict[str, Any]]:
        """The module's argument spec."""
        return argument_spec(cls)

    @classmethod
    def of(cls: type[Options], params: Mapping[str, Any]) -> Options:
        """The options among parameters that Ansible has validated; what is null there has its default."""
        built: Options = _built(cls, params)
        return built


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value: a parameter that is None was not given."""
    return {name: value for name, value in values.items() if value is not None}


def option(
    default: Any = None,
    *,
    of: type | None = None,
    each: type | None = None,
    wire: str = "",
    convert: Callable[[Any], Any] | None = None,
    **spec: Any,
) -> Any:
    """A field, and what the argument spec says beyond type and default: required, choices, no_log and so on.

    of: the dataclass of its suboptions, of which none is given where the option is not; each: that of each element of a list.
    wire: the name that the server uses, if it is not the option's in camelCase. convert: what makes the server's value of it;
    ValueError says what is wrong with a value.
    """
    metadata = {"spec": spec, "default": default, "inner": of or each, "wire": wire, "convert": convert}
    make: Callable[[], Any] = of or (lambda: type(default)(default) if isinstance(default, (list, dict)) else default)
    shown = not spec.get("no_log")  # where Python itself writes down an instance
    return dataclasses.field(default_factory=make, metadata=metadata, repr=shown)  # pylint: disable=invalid-field-call


def argument_spec(options: type, required: bool = True) -> dict[str, dict[str, Any]]:
    """The argument spec of a dataclass of options; without `required` none of them has to be given."""
    return {field.name: _spec(field, required) for field in dataclasses.fields(options)}


def _spec(field: dataclasses.Field[Any], required: bool) -> dict[str, Any]:
    kind, inner = str(field.type).removesuffix(" | None"), field.metadata["inner"]
    outer, _bracket, elements = kind.partition("[")
    spec: dict[str, Any] = {"type": "dict" if inner and outer != "list" else _TYPES[outer], **field.metadata["spec"]}
    if outer == "list" and elements:
        spec.setdefault("elements", "dict" if inner else _TYPES[elements.partition("[")[0].rstrip("]")])
    if inner:
        spec["options"] = argument_spec(inner)
    if field.metadata["default"] is not None:
        spec["default"] = field.metadata["default"]
    if not required:
        spec.pop("required", None)
    return spec


def _built(options: type, params: Mapping[str, Any]) -> Any:
    """An instance of a dataclass of options, those of suboptions in it."""
    values = {field.name: (field, params.get(field.name)) for field in dataclasses.fields(options)}
    return options(**{name: _value(field, value) for name, (field, value) in values.items() if value is not None})


def _value(field: dataclasses.Field[Any], value: Any) -> Any:
    inner = field.metadata["inner"]
    if inner is None:
        return value
    return [_built(inner, one) for one in value] if isinstance(value, list) else _built(inner, value)


def on_the_wire(options: Any, part: type | Iterable[str] | None = None) -> dict[str, Any]:
    """What was given of the options, under the server's names; Refusal names one that does not fit.

    part: only those of this base of their class, or those with these names.
    """
    fields = {field.name: field for field in dataclasses.fields(options)}
    names = [field.name for field in dataclasses.fields(part)] if isinstance(part, type) else fields if part is None else part
    wire = {}
    for name in names:
        value, convert = getattr(options, name), fields[name].metadata["convert"]
        if value is None:
            continue
        try:
            wire[fields[name].metadata["wire"] or _camel(name)] = convert(value) if convert else value
        except ValueError as error:
            raise Refusal(f"{name}: {error}") from error
    return wire


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return "".join([first, *(word.capitalize() for word in others)])
