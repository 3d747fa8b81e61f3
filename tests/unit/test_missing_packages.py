"""A Python without requests and pydantic: every module says so, and what installs them."""
from __future__ import annotations

import json
import shlex
import subprocess
import sys

from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import REQUIRED

from tests.unit.test_edges import MODULES, ROOT

# In a Python of its own, as the imports must fail. Each module with as many of these arguments as it has options.
ARGUMENTS = {
    "domain": "d", "context_path": "/w", "id": "i", "url": "http://w", "api_id": "a", "security": "key_less", "client_id": "c",
    "name": "n", "path": "/f", "resource": "http://r",
    "servers": [], "gateway_url": "http://g", "am_gateway_url": "http://a",
}
PROGRAM = f"""
import contextlib, importlib, sys
sys.modules.update(dict.fromkeys({list(REQUIRED)}))
from ansible.module_utils.testing import patch_module_args
from tests.specs import spec_of
for name in {MODULES}:
    module, spec = importlib.import_module("ansible_collections.gravitee.mcp.plugins.modules." + name), spec_of(name)
    aliases = [alias for one in spec.values() for alias in one.get("aliases", [])]
    given = {{key: value for key, value in {ARGUMENTS}.items() if key in [*spec, *aliases]}}
    if name == "mcp_check":
        del given["client_id"]
    if name == "gravitee_api_import":
        given = {{"api": {{}}, "resource": {{}}, "plan": {{}}}}
    with patch_module_args(given), contextlib.suppress(SystemExit):
        module.main()
"""


def test_every_module_names_both_packages_and_the_command() -> None:
    environment = {"PYTHONPATH": f"{ROOT}/build/collections:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    results = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert len(results) == len(MODULES)
    for name, result in zip(MODULES, results, strict=True):
        named, command = result["msg"].split(": ")
        assert named.startswith(f"{sys.executable} lacks requests and pydantic"), name
        assert shlex.split(command) == [sys.executable, "-m", "pip", "install", *REQUIRED.values()], name
        assert (result["failed"], "exception" in result) == (True, False), name
