"""Every file that names a version of ansible-core, Python or a package says what tests/matrix.txt and requirements.txt say."""
from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import ansible
import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.dependencies import REQUIRED

from tests import matrix
from tests.matrix import ROOT, Version

VERSIONS = matrix.versions()
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_series_is_tested_once_oldest_first() -> None:
    minors = [int(version.series.removeprefix("2.")) for version in VERSIONS]
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_the_collection_requires_the_oldest() -> None:
    assert yaml.safe_load(read("meta/runtime.yml"))["requires_ansible"] == f">={OLDEST.series}.0"
    assert yaml.safe_load(read("roles/secure_mcp/meta/main.yml"))["galaxy_info"]["min_ansible_version"] == OLDEST.series


def test_the_execution_environment_has_what_is_tested() -> None:
    dependencies = yaml.safe_load(read("execution-environment.yml"))["dependencies"]
    after = f"2.{int(NEWEST.series.removeprefix('2.')) + 1}"
    assert dependencies["ansible_core"]["package_pip"] == f"ansible-core>={OLDEST.series},<{after}"
    assert dependencies["python"] == list(REQUIRED.values())


def test_the_packages_are_those_of_the_requirements() -> None:
    assert [line for line in read("requirements.txt").splitlines() if not line.startswith("#")] == list(REQUIRED.values())


def test_the_pages_say_what_is_tested() -> None:
    page = read("docs/compatibility.md")
    [core] = re.findall(r"^\| ansible-core \| (.*) \|$", page, re.MULTILINE)
    assert re.findall(r"2\.\d+\.\d+", core) == [version.core for version in VERSIONS]
    assert f"{OLDEST.series} is the oldest" in core
    [python] = re.findall(r"^\| Python \| .*; tested with (.*) \|$", page, re.MULTILINE)
    assert set(re.findall(r"3\.\d+", python)) == {one for version in VERSIONS for one in version.pythons}
    told = " ".join(read("README.md").split())
    *others, last = [version.series for version in VERSIONS]
    assert f"Tested with ansible-core {', '.join(others)} and {last}." in told
    assert set(re.findall(r"ansible-core (2\.\d+) or later", told)) <= {OLDEST.series}


def test_this_environment_has_the_newest_that_its_python_runs() -> None:
    assert matrix.newest() == f"ansible-core=={ansible.__version__}"
    assert not re.search("^ansible-core", read("requirements-dev.txt") + read("constraints-dev.txt"), re.MULTILINE)


@pytest.mark.parametrize(
    ("had", "passing", "code"),
    [("old mid new", "old mid new", 0), ("old new", "old new", 0), ("mid new", "mid new", 1), ("old mid", "old mid", 1)]
    + [("old mid new", passing, 1) for passing in ("mid new", "old new", "old mid")],
)
def test_the_oldest_and_the_newest_must_run_and_none_may_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, had: str, passing: str, code: int
) -> None:
    monkeypatch.setattr(matrix, "versions", lambda: [Version(core, ["3.99"]) for core in ("old", "mid", "new")])
    monkeypatch.setattr(matrix, "installed", lambda version: Path() if version.core in had else None)
    monkeypatch.setattr(matrix, "tested", lambda version, programs, arguments: version.core in passing)
    assert matrix.main([]) == code
    lines = capsys.readouterr().out.splitlines()
    for core, line in zip(("old", "mid", "new"), lines, strict=True):
        outcome = "not tested" if core not in had else "passed" if core in passing else "failed"
        assert line.startswith(f"ansible-core {core}: {outcome}")
        assert ("3.99" in line) is (core not in had)


def test_a_python_is_taken_from_the_path_or_from_pyenv_if_it_works(tmp_path: Path) -> None:
    def has(name: str, program: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)
        return str(path)

    def found(*versions: str) -> str:
        environment = {"PATH": f"{tmp_path}/bin:{os.defpath}", "PYENV_ROOT": str(tmp_path / "pyenv"), "HOME": str(tmp_path)}
        command = [ROOT / "tests/python.sh", *versions]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.strip()

    assert found("3.98", "3.97") == ""
    has("bin/python3.98", "exit 127")  # as pyenv's, of a version that is not chosen
    assert found("3.98") == ""
    whole = has("pyenv/versions/3.98.1/bin/python", "echo $0")
    assert found("3.98", "3.97") == whole
    other = has("bin/python3.97", "echo $0")
    assert (found("3.98", "3.97"), found("3.97", "3.98")) == (whole, other)
