"""What modules say without their libraries, and that the layers keep to their order."""
from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
UTILS = ROOT / "plugins/module_utils"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))


@pytest.mark.parametrize("package", ["requests", "pydantic"])
@pytest.mark.parametrize("name", MODULES)
def test_a_missing_library_is_named(name: str, package: str) -> None:
    """In a Python of its own, as the import must fail."""
    program = f"""
import sys
sys.modules[{package!r}] = None
sys.path.insert(0, {str(ROOT / "build/collections")!r})
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gravitee.mcp.plugins.modules import {name} as module
arguments = {{"domain": "d", "context_path": "/w", "id": "i", "url": "http://w", "api_id": "a", "security": "key_less"}}
known = {{**module.SPEC}}
aliases = {{alias for spec in known.values() for alias in spec.get("aliases", [])}}
arguments |= {{"servers": [], "gateway_url": "http://g", "am_gateway_url": "http://a"}}
given = {{key: value for key, value in arguments.items() if key in known or key in aliases}}
if {name!r} != "mcp_check" and "client_id" in known:
    given["client_id"] = "c"
with patch_module_args(given):
    module.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["failed"] is True
    assert f"Failed to import the required Python library ({package})" in result["msg"]


def imported(path: Path) -> set[str]:
    """The modules of this collection that a file imports, below module_utils."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    prefix = "ansible_collections.gravitee.mcp.plugins.module_utils"
    names = [node.module for node in nodes if (node.module or "").startswith(prefix)]
    return {name.removeprefix(prefix).lstrip(".").partition(".")[0] for name in names}


def test_data_flows_one_way() -> None:
    """module → objects → reconcile and the planes → connection; the planes know nothing of each other or of Ansible."""
    allowed = {
        "reconcile": set(),
        "dependencies": set(),
        "token_cache": set(),
        "transport": {"dependencies"},
        "connection": {"dependencies", "reconcile", "token_cache", "transport"},
        "apim": {"connection", "transport"},
        "am": {"connection", "transport"},
        "mcp_client": {"transport", "dependencies"},
    }
    for name, may in allowed.items():
        assert imported(UTILS / f"{name}.py") <= may, name
    for path in (UTILS / "objects").glob("*.py"):
        assert "module" not in imported(path), path
        assert not {"apim", "am"} <= imported(path) or path.stem == "info", path
    for name in [*allowed, *(f"objects/{path.stem}" for path in (UTILS / "objects").glob("*.py"))]:
        text = (UTILS / f"{name}.py").read_text(encoding="utf-8")
        assert "check_mode" not in text, name
        assert "AnsibleModule" not in text, name


def test_the_action_group_has_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["gravitee"] == MODULES
