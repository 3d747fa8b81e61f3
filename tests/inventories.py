"""The inventory plugin in this process, without the loader of collections, which cannot come after the first import of one."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible import constants
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible_collections.gravitee.mcp.plugins.doc_fragments import connection
from ansible_collections.gravitee.mcp.plugins.inventory.gravitee_mcp import DOCUMENTATION, InventoryModule

FRAGMENTS = (constructed, inventory_cache, connection)


def options() -> dict[str, Any]:
    """Every option of the plugin as its documentation has it."""
    texts = [DOCUMENTATION, *(fragment.ModuleDocFragment.DOCUMENTATION for fragment in FRAGMENTS)]
    return {name: option for text in texts for name, option in yaml.safe_load(text)["options"].items()}


def listed(folder: Path, **given: Any) -> dict[str, dict[str, Any]]:
    """Host → its variables."""
    constants.config.initialize_plugin_configuration_definitions("inventory", InventoryModule.NAME, options())
    path = folder / "a.gravitee_mcp.yml"
    path.write_text(yaml.safe_dump({"plugin": InventoryModule.NAME, **given}), encoding="utf-8")
    plugin, data = InventoryModule(), InventoryData()
    plugin._load_name, plugin._redirected_names = InventoryModule.NAME, [InventoryModule.NAME]
    plugin.parse(data, DataLoader(), str(path), cache=False)
    return {name: host.get_vars() for name, host in data.hosts.items()}
