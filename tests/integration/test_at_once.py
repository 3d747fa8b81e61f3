"""Two controllers at once on the same server: the same state in the end, and nothing twice."""
from __future__ import annotations

import subprocess
from pathlib import Path

from tests.faults import Faults
from tests.integration.test_faults import Fixture, as_it_should_be
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

ROUNDS = 20


def test_twenty_rounds(sandbox: Sandbox, world: World, domain: Domain, tmp_path: Path) -> None:
    """fleet.yml by two at the same moment. Either gets through, or one is told to run again; the next run changes nothing.

    On AM 4.11: before, a secret that one of them takes for lost is renewed by making the MCP server anew, which the other may
    not notice.
    """
    at = Fixture(sandbox, Faults(), {})
    both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        both.append(Playbooks(world, tmp_path / name))
    ended: list[int] = []
    world.am_version = "4.11"
    for _round in range(ROUNDS):
        at.fresh()
        running: list[subprocess.Popen[str]] = [one.start("fleet.yml") for one in both]
        for process in running:
            output = process.communicate(timeout=120)[0]
            ended.append(process.returncode)
            assert "Traceback" not in output
        settled = both[0].run("fleet.yml")
        assert settled.code == 0, settled.output
        as_it_should_be(at)
        assert both[1].run("fleet.yml").changed == []
    assert 0 in ended
