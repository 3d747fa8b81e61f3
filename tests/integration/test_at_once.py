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
    """fleet.yml by two at the same moment. Either gets through, or one is told to run again; the next run settles it.

    By turns on AM 4.11 and 4.10. There, a secret that one of them takes for lost is renewed by making the MCP server anew; that
    the other put the old one into the API is seen only by asking AM's gateway.
    """
    at = Fixture(sandbox, Faults(), {})
    both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        both.append(Playbooks(world, tmp_path / name))
    ended: list[int] = []
    for number in range(ROUNDS):
        world.am_version = ("4.11", "4.10")[number % 2]
        at.fresh()
        running: list[subprocess.Popen[str]] = [one.start("fleet.yml") for one in both]
        for process in running:
            output = process.communicate(timeout=120)[0]
            ended.append(process.returncode)
            assert "Traceback" not in output
        settled = both[0].run("fleet.yml", "-e", "secure_mcp_look=true", verify_timeout=1)
        assert settled.code == 0, settled.output
        as_it_should_be(at)
        assert both[1].run("fleet.yml").changed == []
    assert 0 in ended
