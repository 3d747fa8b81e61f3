"""Running modules and playbooks against the sandbox."""
from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from tests.sandbox.world import Request, World

ROOT = Path(__file__).parent.parent
PACKAGE = "ansible_collections.gravitee.mcp.plugins.modules"
# Where ansible-playbook is; another ansible-core may be named.
BIN = Path(os.environ.get("GRAVITEE_TEST_ANSIBLE", ROOT / "build/venv/bin"))


def connection(world: World) -> dict[str, Any]:
    return {
        "apim_url": world.urls["apim"],
        "apim_username": "admin",
        "apim_password": "admin",
        "am_url": world.urls["am"],
        "am_username": "admin",
        "am_password": "adminadmin",
    }


class ModuleFailed(Exception):
    """fail_json: the message, and the whole result."""

    def __init__(self, result: dict[str, Any]):
        super().__init__(result["msg"])
        self.result = result


class Modules:
    """The modules' own main(), in this process: real parameters, real AnsibleModule, real HTTP to the sandbox."""

    def __init__(self, world: World):
        self.world = world

    def run(self, module_name: str, /, *, check: bool = False, connect: bool = True, **params: Any) -> dict[str, Any]:
        arguments = {**(connection(self.world) if connect else {}), **params}
        switches = {"check_mode": check, "diff": True, "module_name": module_name, "inject_invocation": True}
        internal = {f"_ansible_{name}": value for name, value in switches.items()}
        module = importlib.import_module(f"{PACKAGE}.{module_name}")
        printed = io.StringIO()
        warnings._global_warnings.clear()
        with (
            patch_module_args({**arguments, **internal}),
            patch.object(warnings._internal, "is_controller", False),  # whatever else of Ansible a test has imported
            contextlib.redirect_stdout(printed),
            contextlib.suppress(SystemExit),
        ):
            module.main()
        result = json.loads(printed.getvalue().splitlines()[-1])
        result["warnings"] = [warning["event"]["msg"] for warning in result.get("warnings", [])]
        if result.get("failed"):
            raise ModuleFailed(result)
        return result

    def check_and_run(self, module_name: str, /, **params: Any) -> dict[str, Any]:
        """Check mode first, which must send no write; then the run, which must do just what was predicted."""
        before = len(self.world.writes())
        predicted = self.run(module_name, check=True, **params)
        assert self.world.writes()[before:] == []
        done = self.run(module_name, **params)
        for key in ("changed", "changes", "deployment_due"):
            assert predicted.get(key) == done.get(key), key
        assert predicted["diff"]["before"] == done["diff"]["before"]
        return done

    def twice(self, module_name: str, /, **params: Any) -> dict[str, Any]:
        """check_and_run, and then again, which must change nothing and send no write."""
        first = self.check_and_run(module_name, **params)
        before = len(self.world.writes())
        again = self.run(module_name, **params)
        assert (again["changed"], again["changes"]) == (False, [])
        assert self.world.writes()[before:] == []
        return first


@dataclass
class Played:
    """What came of a playbook: its exit code, its output, and each task's result by the task's name."""

    code: int
    output: str
    tasks: list[dict[str, Any]]

    def result(self, task: str) -> dict[str, Any]:
        return next(entry["result"] for entry in self.tasks if entry["task"].endswith(task))

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that changed something."""
        return [entry["task"] for entry in self.tasks if entry["outcome"] == "ok" and entry["result"].get("changed")]

    @property
    def changes(self) -> list[str]:
        """The role's own list of what was, or would be, done."""
        return self.result("Sum up")["ansible_facts"]["secure_mcp_changes"]

    @property
    def failure(self) -> str:
        return " ".join(str(entry["result"].get("msg")) for entry in self.tasks if entry["outcome"] == "failed")


class Playbooks:
    """ansible-playbook on an inventory with one MCP server, `weather`."""

    def __init__(self, world: World, folder: Path, collections: Path = ROOT / "build/collections"):
        self.world, self.folder, self.collections = world, folder, collections
        self.inventory: Path | None = None  # instead of the one that is made of the variables
        self.variables: dict[str, Any] = {
            **{f"secure_mcp_{name}": value for name, value in connection(world).items()},
            "secure_mcp_gateway_url": world.urls["gateway"],
            "secure_mcp_am_gateway_url": world.urls["am_gateway"],
            "secure_mcp_domain": "mcp-demo",
            "secure_mcp_name": "Weather MCP",
            "secure_mcp_context_path": "/weather-mcp",
            "secure_mcp_target": world.urls["mcp"],
            "secure_mcp_verify_timeout": 10,
            "gravitee_mcp_in_controller": not os.environ.get("GRAVITEE_TEST_TRAVEL"),
        }

    @property
    def url(self) -> str:
        return f"{self.world.urls['gateway']}{self.variables['secure_mcp_context_path']}"

    def run(self, playbook: str = "secure_mcp.yml", *arguments: str, **variables: Any) -> Played:
        """`variables` go without their secure_mcp_; `hosts`, with it, are a fleet instead of `weather`."""
        process = self.start(playbook, *arguments, **variables)
        output = process.communicate(timeout=240)[0]
        lines = self.recorded.read_text(encoding="utf-8").splitlines() if self.recorded.exists() else []
        return Played(process.returncode, output, [json.loads(line) for line in lines])

    def kill_after(self, number: int, playbook: str, **variables: Any) -> int:
        """Kill it when its n-th request to a management plane was carried out and the answer not yet sent. How many came."""
        look, asked = self.world.on_answer, 0

        def count(request: Request) -> None:
            nonlocal asked
            if look:
                look(request)
            if request.plane in ("apim", "am"):
                asked += 1
                if asked == number:
                    kill(process)

        self.world.on_answer = count
        process = self.start(playbook, **variables)
        process.communicate(timeout=120)
        self.world.on_answer = look
        return asked

    def start(self, playbook: str, *arguments: str, hosts: Any = None, **variables: Any) -> subprocess.Popen[str]:
        """In a process group of its own, so that kill() ends all of it."""
        prefixed = {f"secure_mcp_{name}": value for name, value in variables.items()}
        group = {"hosts": hosts or {"weather": {}}, "vars": {**self.variables, **prefixed}}
        inventory = {"mcp_servers": group}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
        self.recorded = self.folder / "results.jsonl"
        self.recorded.unlink(missing_ok=True)
        playbooks = self.collections / "ansible_collections/gravitee/mcp/playbooks"
        path = playbooks / playbook if not Path(playbook).is_absolute() else playbook
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GRAVITEE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
            "RECORDER_FILE": str(self.recorded),
            "XDG_RUNTIME_DIR": str(self.folder),
        }
        return subprocess.Popen(
            [BIN / "ansible-playbook", "-i", self.inventory or self.folder / "inventory.yml", path, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=self.folder,
            start_new_session=True,
        )


def kill(process: subprocess.Popen[str]) -> None:
    """As a machine that loses power would."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
