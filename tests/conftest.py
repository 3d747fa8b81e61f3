"""Fixtures: a sandbox for each worker, a runner for modules and one for playbooks."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import ALICE, Domain, enabled_domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

_running: dict[bool, Sandbox] = {}


@pytest.fixture(scope="session", autouse=True)
def _sandboxes() -> Iterator[None]:
    yield
    for sandbox in _running.values():
        sandbox.stop()


@pytest.fixture(autouse=True)
def _own_token_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ports come back, and with them the names of tokens."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def mcp_json() -> bool:
    """Whether the MCP server answers in JSON; tests override it by parametrizing."""
    return False


@pytest.fixture
def sandbox(mcp_json: bool) -> Sandbox:
    """A fresh installation of APIM 4.10 and AM 4.10, whose gateways follow at once."""
    if mcp_json not in _running:
        _running[mcp_json] = Sandbox(World(), mcp_json=mcp_json).start()
    running = _running[mcp_json]
    running.world.on_answer = None
    running.world.apim_version = running.world.am_version = "4.10"
    running.world.sync_delay = 0.0
    running.reset()
    return running


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return sandbox.world


@pytest.fixture
def domain(world: World) -> Domain:
    """An enabled domain, mcp-demo, with the user alice."""
    return enabled_domain(world, **ALICE)


@pytest.fixture
def modules(world: World) -> Modules:
    return Modules(world)


@pytest.fixture
def playbooks(world: World, tmp_path: Path) -> Playbooks:
    return Playbooks(world, tmp_path)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cases the tests of faults, and those of strange answers and parameters, went through."""
    reports = [report for found in terminalreporter.stats.values() for report in found if getattr(report, "when", "") == "call"]
    told = [pair for report in reports for pair in report.user_properties]
    counted = {kind: sum(value for name, value in told if name == kind) for kind in ("cases", "answers", "parameters")}
    if counted["cases"]:
        terminalreporter.write_line(f"{counted['cases']} cases of a request that met a fault")
    answers, parameters = counted["answers"], counted["parameters"]
    if answers or parameters:
        terminalreporter.write_line(f"{answers + parameters:,} cases: {answers:,} answers, {parameters:,} parameters")
