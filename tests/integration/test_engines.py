"""Beyond one machine, on existing engines: ansible-runner, ansible-builder's execution environment."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import ansible_runner
import pytest
import yaml

from tests.integration.test_fleet import hosts, record
from tests.runners import BIN, ROOT, Playbooks
from tests.sandbox.world import World


@pytest.mark.usefixtures("domain")
def test_ansible_runner_audits_the_fleet(playbooks: Playbooks, world: World, tmp_path: Path) -> None:
    assert playbooks.run("fleet.yml", hosts=hosts(4)).code == 0
    data = tmp_path / "data"
    (data / "inventory").mkdir(parents=True)
    (data / "inventory/hosts.yml").write_text((tmp_path / "inventory.yml").read_text(encoding="utf-8"), encoding="utf-8")
    variables = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(tmp_path),
    }

    def audit() -> ansible_runner.Runner:
        given = {"secure_mcp_report": str(tmp_path / "out")}
        return ansible_runner.run(
            private_data_dir=str(data), playbook="gravitee.mcp.audit", extravars=given, envvars=variables, quiet=True
        )

    fine = audit()
    assert (fine.status, fine.rc) == ("successful", 0), fine.stdout.read()
    record(world, "/s1-mcp/").definition["apiVersion"] = "9"
    drifted = audit()
    assert (drifted.status, drifted.rc) == ("failed", 2)
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in report["servers"] if one["drifted"]] == ["S1"]
    kept = "".join(path.read_text(encoding="utf-8") for path in (data / "artifacts").rglob("*") if path.is_file())
    assert "adminadmin" not in kept.replace(str(data / "inventory"), "")


def test_the_execution_environment_is_valid(tmp_path: Path) -> None:
    context = ["--context", tmp_path / "context", "--output-filename", "Containerfile"]
    command = [BIN / "ansible-builder", "create", "--file", ROOT / "execution-environment.yml", *context]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    containerfile = (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    described = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))
    assert described["dependencies"]["ansible_core"]["package_pip"] in containerfile
    requirements = (tmp_path / "context/_build/requirements.txt").read_text(encoding="utf-8")
    assert "pydantic" in requirements


def test_the_collection_says_what_python_it_needs() -> None:
    """ansible-builder finds it in the collection itself."""
    command = [BIN / "ansible-builder", "introspect", "--sanitize", ROOT / "build/collections"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "requests>=2.28" in done.stdout
