"""What modules say without their libraries, and that the layers keep to their order."""
from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
UTILS = ROOT / "plugins/module_utils"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))


ROOMS = {
    "core": {"core"},
    "planes": {"core", "planes"},
    "mcp": {"core", "planes", "mcp"},
    "objects": {"core", "planes", "mcp", "objects"},
    "flows": {"core", "planes", "mcp", "objects", "flows"},
}
PLANES = {"planes.apim", "planes.am"}
BOTH_PLANES = {"flows.info", "flows.activity"}


def imported(path: Path) -> set[str]:
    """The files of module_utils that a file imports: room.file."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    prefix = "ansible_collections.gravitee.mcp.plugins.module_utils."
    return {node.module.removeprefix(prefix) for node in nodes if (node.module or "").startswith(prefix)} - {"dependencies"}


@pytest.mark.parametrize("room", ROOMS)
def test_data_flows_one_way(room: str) -> None:
    """A room imports from the rooms below it; the client knows no management plane, the planes not each other or Ansible."""
    for path in (UTILS / room).glob("*.py"):
        name, found = f"{room}.{path.stem}", imported(path)
        assert {one.partition(".")[0] for one in found} <= ROOMS[room], name
        assert not found >= PLANES or name in BOTH_PLANES, name
        assert room not in ("core", "mcp") or not PLANES & found, name
        assert name not in PLANES or not PLANES & found, name
        text = path.read_text(encoding="utf-8")
        assert "check_mode" not in text, name
        assert "AnsibleModule" not in text, name


def test_the_action_group_has_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["gravitee"] == MODULES


def test_the_event_source_needs_no_ansible_core() -> None:
    """ansible-rulebook runs it in a Python that may have none."""
    collections = ROOT / "build/collections"
    code = f"""
import sys
sys.modules["ansible"] = None
sys.path.insert(0, {str(collections)!r})
import ansible_collections.gravitee.mcp.plugins.module_utils.flows.activity
"""
    subprocess.run([sys.executable, "-c", code], check=True)
