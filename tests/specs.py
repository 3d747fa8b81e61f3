"""The argument specs of the collection's modules, as AnsibleModule gets them."""
from __future__ import annotations

import importlib
from typing import Any
from unittest import mock

from ansible_collections.gravitee.mcp.plugins.module_utils import module as edge

MODULES = "ansible_collections.gravitee.mcp.plugins.modules"


class _Asked(Exception):
    """Raised in the place of the module, with what it takes."""


def _ask(takes: Any) -> None:
    raise _Asked(takes)


def spec_of(name: str) -> dict[str, dict[str, Any]]:
    """The options of a module, beside those of the connection."""
    with mock.patch.object(edge, "Module", side_effect=_ask):
        try:
            importlib.import_module(f"{MODULES}.{name}").main()
        except _Asked as asked:
            return asked.args[0].spec()
    raise AssertionError(f"{name} makes no module")
