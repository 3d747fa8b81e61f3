# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.gravitee.mcp.plugins.plugin_utils.in_controller import InControllerAction


class ActionModule(InControllerAction):
    """The module of this file's name; the files here are all the same."""
