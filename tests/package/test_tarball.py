"""The built collection: what is in it, and that it works where nothing else of this checkout is."""
from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.integration.test_flows import initialize
from tests.package.conftest import clean
from tests.runners import BIN, ROOT, Playbooks
from tests.sandbox.world import World

MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
NOT_FOR_USERS = {"Makefile", "pyproject.toml", "requirements-dev.txt", "constraints-dev.txt", ".ci", ".github", "tests", "build"}


@pytest.fixture(scope="module")
def collections(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty path with the tarball installed."""
    where = tmp_path_factory.mktemp("collections")
    command = [BIN / "ansible-galaxy", "collection", "install", "--offline", "-p", where, tarball]
    subprocess.run(command, check=True, env=clean(where), capture_output=True)
    return where


def test_contents(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    assert {"README.md", "LICENSE", "CHANGELOG.rst", "requirements.txt", "meta/runtime.yml"} <= set(names)
    assert {name.split("/")[0] for name in names} & NOT_FOR_USERS == set()
    assert {f"plugins/modules/{name}.py" for name in MODULES} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".tar.gz"))]


def test_every_module_is_documented(collections: Path) -> None:
    environment = {**clean(collections), "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    names = [f"gravitee.mcp.{name}" for name in MODULES]
    shown = subprocess.run(
        [BIN / "ansible-doc", "--json", *names], capture_output=True, text=True, check=True, env=environment
    )
    documented = json.loads(shown.stdout)
    assert sorted(documented) == names
    for name, parts in documented.items():
        assert parts["examples"].strip(), name
        assert parts["return"], name
        assert "apim_url" in parts["doc"]["options"], name


@pytest.mark.parametrize("flow", ["sealed", "documented"])
def test_the_installed_role(collections: Path, world: World, domain: object, tmp_path: Path, flow: str) -> None:
    playbooks = Playbooks(world, tmp_path, collections)
    predicted = playbooks.run("secure_mcp.yml", "--check", flow=flow)
    first = playbooks.run(flow=flow)
    assert first.code == 0, first.output
    assert first.changes == predicted.changes
    assert initialize(playbooks.url) == 401
    assert playbooks.run(flow=flow).changes == []


def test_modules_that_travel(collections: Path, world: World, domain: object, tmp_path: Path) -> None:
    """To another Python, as to another host."""
    playbooks = Playbooks(world, tmp_path, collections)
    playbooks.variables["gravitee_mcp_in_controller"] = False
    first = playbooks.run()
    assert first.code == 0, first.output
    assert playbooks.run().changes == []
