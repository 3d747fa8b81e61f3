"""The rulebook and the example of one of one's own, run by ansible-rulebook as docs/events.md says."""
from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients import Login, register
from tests.examples.reading import blocks
from tests.integration.test_flows import initialize
from tests.runners import BIN, ROOT, Playbooks, connection, kill
from tests.sandbox.world import World

RULEBOOK = ROOT / "build/rulebook/bin/ansible-rulebook"
COMMAND = "ansible-rulebook --rulebook gravitee.mcp.mcp_clients --inventory inventory.yml --vars connection.yml"
pytestmark = [
    pytest.mark.usefixtures("domain"),
    pytest.mark.skipif(shutil.which("java") is None, reason="ansible-rulebook needs Java 17, and this machine has none"),
]


@contextlib.contextmanager
def running(playbooks: Playbooks, world: World, rulebook: str) -> Iterator[Path]:
    """ansible-rulebook on the inventory of a secured server, from its first look on; the file of what it prints."""
    assert playbooks.run("secure_mcp.yml", admit_profiles=["vscode"]).code == 0
    folder, before = playbooks.folder, len(world.log)
    for block in blocks("docs/events.md"):
        if block.file:
            text = block.text.replace("domain: mcp\n", "domain: mcp-demo\n").replace("interval: 5", "interval: 0.3")
            (folder / block.file).write_text(text, encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRAVITEE_")},
        **{f"GRAVITEE_{name.upper()}": value for name, value in connection(world).items()},
        "ANSIBLE_COLLECTIONS_PATH": str(playbooks.collections),
        "ANSIBLE_HOME": str(folder / "home"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    command = [RULEBOOK, *COMMAND.replace("gravitee.mcp.mcp_clients", rulebook).split()[1:]]
    log = folder / "rulebook.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder, start_new_session=True
        )
    try:
        until(lambda: any("/audits" in request.path for request in world.log[before:]), log)
        yield log
    finally:
        kill(process)


def until(done: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.2)


def test_a_client_is_admitted_when_it_got_its_token(playbooks: Playbooks, world: World) -> None:
    assert COMMAND in {command for block in blocks("docs/events.md") for command in block.commands}
    with running(playbooks, world, "gravitee.mcp.mcp_clients") as log:
        token = Login().token(world, register(world).json()["client_id"], playbooks.url)
        assert initialize(playbooks.url, token) == 401
        until(lambda: initialize(playbooks.url, token) == 200, log)


def test_a_rulebook_of_ones_own(playbooks: Playbooks, world: World) -> None:
    with running(playbooks, world, "rulebook.yml") as log:
        Login().token(world, register(world).json()["client_id"], playbooks.url)
        until(lambda: f"alice has a token for {playbooks.url}" in log.read_text(encoding="utf-8"), log)
