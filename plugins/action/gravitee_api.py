# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of every module of this collection: meta/runtime.yml routes them here. Named as one, as sanity tests want it."""
from __future__ import annotations

import importlib
from types import ModuleType

from ansible_collections.gravitee.mcp.plugins.plugin_utils.in_controller import InControllerAction

MODULES = "ansible_collections.gravitee.mcp.plugins.modules"


class ActionModule(InControllerAction):
    @property
    def module(self) -> ModuleType:
        return importlib.import_module(f"{MODULES}.{self._task.action.rpartition('.')[2]}")
