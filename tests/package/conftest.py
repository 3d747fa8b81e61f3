"""The built collection."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.runners import BIN, ROOT


def clean(home: Path) -> dict[str, str]:
    """An environment that knows nothing of this checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GRAVITEE_"))}
    return {**environment, "ANSIBLE_HOME": str(home / "home"), "HOME": str(home)}


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git has or would have, as from a clean checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([BIN / "ansible-galaxy", "collection", "build", "--output-path", out, source], check=True, env=clean(out))
    [built] = out.glob("gravitee-mcp-*.tar.gz")
    return built
