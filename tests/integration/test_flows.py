"""The role: both flows, from a fresh installation to a closed door."""
from __future__ import annotations

import pytest

from tests.runners import Playbooks
from tests.sandbox.world import World

pytestmark = pytest.mark.usefixtures("domain")


@pytest.mark.parametrize("flow", ["sealed", "documented"])
def test_run_and_run_again(playbooks: Playbooks, world: World, flow: str) -> None:
    first = playbooks.run(flow=flow)
    assert first.code == 0, first.output
    assert first.result("Look at the secured API as a client would")["result"] == "secured"
    before = len(world.writes())
    again = playbooks.run(flow=flow)
    assert again.code == 0, again.output
    assert (again.changed, again.changes) == ([], [])
    assert world.writes()[before:] == []
