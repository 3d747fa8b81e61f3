"""An option that is said once: what follows from it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions, on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.validation import checked
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.walk import OBJECTS

from tests.specs import spec_of


def positive(value: int) -> int:
    if value < 1:
        raise ValueError(f"{value} is not enough. Give 1 or more.")
    return value


@dataclass(frozen=True)
class Inner:
    is_on: bool | None = option(wire="isIsOn")
    names: list[str] | None = option()


@dataclass(frozen=True)
class ThingOptions(ModuleOptions):
    name: str = option(required=True)
    secret: str | None = option(no_log=True)
    read_timeout: int | None = option(convert=positive)
    labels: dict[str, Any] = option({})
    inner: Inner = option(of=Inner)
    others: list[Inner] | None = option(each=Inner)
    state: str = option("present", choices=["present", "absent"])
    RULES = {"mutually_exclusive": [["secret", "read_timeout"]]}


INNER = {"is_on": {"type": "bool"}, "names": {"type": "list", "elements": "str"}}


def test_the_argument_spec() -> None:
    assert ThingOptions.spec() == {
        "name": {"type": "str", "required": True},
        "secret": {"type": "str", "no_log": True},
        "read_timeout": {"type": "int"},
        "labels": {"type": "dict", "default": {}},
        "inner": {"type": "dict", "options": INNER},
        "others": {"type": "list", "elements": "dict", "options": INNER},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({"name": "a"}, ThingOptions(name="a")),
        ({"name": "a", "secret": None, "inner": None}, ThingOptions(name="a")),
        ({"name": 1, "read_timeout": "5"}, ThingOptions(name="1", read_timeout=5)),
        ({"name": "a", "inner": {"is_on": "no"}}, ThingOptions(name="a", inner=Inner(is_on=False))),
        ({"name": "a", "others": [{}, {"names": "b,c"}]}, ThingOptions(name="a", others=[Inner(), Inner(names=["b", "c"])])),
    ],
)
def test_what_is_given(given: dict[str, Any], options: ThingOptions) -> None:
    assert checked(ThingOptions, "thing", given) == options


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "thing: missing required arguments: name."),
        ({"name": "a", "nme": "b"}, "thing: nme. Supported parameters include: "),
        ({"name": "a", "state": "gone"}, "thing: value of state must be one of: present, absent, got: gone."),
        ({"name": "a", "inner": {"is_off": True}}, "thing: inner.is_off. Supported parameters include: is_on, names."),
        ({"name": "a", "secret": "s", "read_timeout": 1}, "thing: parameters are mutually exclusive: secret|read_timeout."),
    ],
)
def test_what_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refused:
        checked(ThingOptions, "thing", given)
    assert str(refused.value).startswith(said)


def test_what_was_given_goes_to_the_server_under_its_names() -> None:
    options = ThingOptions(name="a", read_timeout=5, inner=Inner(is_on=False))
    assert on_the_wire(options, ("name", "secret", "read_timeout")) == {"name": "a", "readTimeout": 5}
    assert on_the_wire(options.inner) == {"isIsOn": False}
    assert on_the_wire(ThingOptions(name="a").inner) == {}
    with pytest.raises(Refusal, match=r"^read_timeout: 0 is not enough. Give 1 or more\.$"):
        on_the_wire(ThingOptions(name="a", read_timeout=0), ("read_timeout",))


def test_an_instance_is_written_down_without_its_secrets() -> None:
    assert "hidden" not in repr(ThingOptions(name="a", secret="hidden"))


def test_defaults_are_nobodys_to_change() -> None:
    ThingOptions(name="a").labels["b"] = "c"
    assert ThingOptions(name="a").labels == {}


@pytest.mark.parametrize("module", OBJECTS)
def test_a_step_and_its_module_manage_the_same_object(module: str) -> None:
    assert OBJECTS[module].takes.spec() == spec_of(module)
