# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of every module; the other files here are links to this one.

A link each, and no plugin_routing in meta/runtime.yml: a redirect of actions would give module_defaults of one module to all of
them, and a module's action_plugin is not loaded before the workers are forked, which costs each task 0.2 s of imports.
"""
from __future__ import annotations

import importlib

from ansible_collections.gravitee.mcp.plugins.plugin_utils.in_controller import InControllerAction


class ActionModule(InControllerAction):
    module = importlib.import_module(__name__.replace(".action.", ".modules."))
