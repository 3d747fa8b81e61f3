"""Whatever a server answers, whatever a user gives: a result or a sentence, never a traceback, and no secret in any of it.

The answers are those that the sandbox gave to a call, on tape, with one to three of them turned into something strange; the
parameters are those of such a call, with up to four options that nobody would give like that.
"""
from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from ansible.errors import AnsibleError, AnsibleOptionsError
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import LONGEST, visible
from ansible_collections.gravitee.mcp.plugins.module_utils.module import CONNECTION
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests import specs
from tests.inventories import listed, options
from tests.runners import ROOT, ModuleFailed, Modules
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World
from tests.scenes import INVENTORY, SECRET, Scene, recorded, stage, world_urls
from tests.strange import parameters
from tests.tapes import KINDS, Answer, Key, Player, instead_of_the_network, turned

MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
ALL = [*MODULES, INVENTORY]
# How many cases of answers, and of parameters; fewer for those that take longest.
LONG = {
    "gravitee_deployment": (120, 100),
    "mcp_admission": (100, 80),
    "mcp_check": (80, 60),
    "mcp_export_info": (60, 50),
    "mcp_fleet": (20, 20),
    "mcp_situation_info": (60, 60),
    INVENTORY: (40, 40),
}
CASES = {**dict.fromkeys(ALL, (470, 310)), **LONG}
TYPES = {"boolean": {"type": "bool"}, "dict": {"type": "dict"}, "list": {"type": "list", "elements": "raw"}}
LOGINS = ("/login", "/auth/token", "/_search", "/paths")
FIXED = settings(
    deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)
NUMBER = st.integers(0, 10**6)
TURNS = st.lists(st.tuples(NUMBER, st.sampled_from(KINDS), NUMBER, NUMBER), min_size=1, max_size=3)
_recorded: list[tuple[World, list[Scene]]] = []  # once for each worker


@pytest.fixture
def stage_of(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, list[Scene]]:
    if not _recorded:
        world = World()
        sandbox = Sandbox(world, fast=True).start()
        stage(world)
        _recorded.append((world, recorded(world, tmp_path_factory.mktemp("recorded"))))
        sandbox.stop()
    return _recorded[0]


class Case:
    """One task on a tape: what Ansible would show of it, and what it asked."""

    def __init__(self, world: World, scene: Scene, folder: Path):
        self.world, self.scene, self.folder = world, scene, folder
        self.log: list[str] = []

    def run(self, player: Player, check: bool, arguments: dict[str, Any]) -> None:
        """Fails on whatever must not be."""

        def log(_module: AnsibleModule, text: str, *_more: Any) -> None:
            self.log.append(text)

        with instead_of_the_network(player), patch.object(AnsibleModule, "log", log):
            shown, said = self._result(check, arguments)
        told = json.dumps([shown, self.log], ensure_ascii=False)
        assert SECRET not in told, f"a secret is shown: … {told[max(0, told.index(SECRET) - 300):][:400]}"
        assert "a bug of it" not in told, "the check of one server failed, and the others went on"
        if said is not None:
            is_a_sentence(said)
        if check:
            planes = tuple(world_urls(self.world).values())
            written = [key for key in player.asked if key[0] != "GET" and key[1].startswith(planes)]
            assert [key for key in written if not key[1].endswith(LOGINS)] == [], "a write in check mode"

    def _result(self, check: bool, arguments: dict[str, Any]) -> tuple[Any, str | None]:
        """Without what is meant to hold secrets; and why it failed, if it did."""
        if self.scene.module == INVENTORY:
            try:
                return listed(self.folder, **{**world_urls(self.world), **arguments}), None
            except AnsibleError as error:  # of options, ansible-core's own words
                return str(error), None if isinstance(error, AnsibleOptionsError) else error.message
        try:
            result, said = Modules(self.world).run(self.scene.module, check=check, **arguments), None
        except ModuleFailed as failure:
            result, said = failure.result, str(failure)
        assert "exception" not in result, result["exception"]
        tells = (*self.scene.tells, *(["apis"] if arguments.get("secrets") else []))
        return {key: value for key, value in result.items() if key not in tells}, said


def is_a_sentence(said: str) -> None:
    assert said.strip()
    assert visible(said) == said
    assert "Traceback" not in said
    assert "bug of gravitee.mcp" not in said
    assert len(said) <= LONGEST


def strange_answers(run: Callable[..., None], scenes: list[Scene]) -> Callable[[], None]:
    @given(st.sampled_from(range(len(scenes))), TURNS, st.booleans())
    def any_answers(number: int, turns: list[tuple[int, str, int, int]], check: bool) -> None:
        scene = scenes[number]
        keys = scene.tape.keys
        strange = {keys[which % len(keys)]: (kind, place, what) for which, kind, place, what in turns}

        def turn(key: Key, answer: Answer) -> Answer:
            return turned(answer, *strange[key]) if key in strange else answer

        run(scene, Player(scene.tape, turn), check, scene.arguments)

    return any_answers


def strange_parameters(run: Callable[..., None], scenes: list[Scene], spec: dict[str, Any]) -> Callable[[], None]:
    dropped = st.sampled_from([*[None] * 2 * len(spec), *spec])

    @given(st.sampled_from(range(len(scenes))), parameters(spec), dropped, st.booleans())
    def any_parameters(number: int, strange: dict[str, Any], without: str | None, check: bool) -> None:
        scene = scenes[number]
        kept = {name: value for name, value in scene.arguments.items() if name != without}
        run(scene, Player(scene.tape), check, {**kept, **strange})

    return any_parameters


def spec_of(name: str) -> dict[str, Any]:
    if name == INVENTORY:
        own = {name: option for name, option in options().items() if name != "plugin" and not name.startswith("cache")}
        return {name: {"type": "str", **option, **TYPES.get(option.get("type", ""), {})} for name, option in own.items()}
    return {**CONNECTION, **specs.spec_of(name)}


@pytest.fixture
def counted(
    stage_of: tuple[World, list[Scene]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[..., None]
) -> Callable[..., None]:
    """Runs a test of hypothesis `most` times, always the same ones, and counts the cases."""
    monkeypatch.chdir(tmp_path)  # strange parameters name files
    world, scenes = stage_of

    def run(kind: str, name: str, most: int, make: Callable[..., Any]) -> None:
        count = 0

        def case(scene: Scene, *given_ones: Any) -> None:
            nonlocal count
            count += 1
            Case(world, scene, tmp_path).run(*given_ones)

        seed(name)(settings(FIXED, max_examples=most)(make(case, [one for one in scenes if one.module == name])))()
        record_property(kind, count)
        assert count >= most, f"{count} of {most}"

    return run


@pytest.mark.parametrize("name", ALL)
def test_strange_answers(counted: Callable[..., None], name: str) -> None:
    counted("answers", name, CASES[name][0], strange_answers)


@pytest.mark.parametrize("name", ALL)
def test_strange_parameters(counted: Callable[..., None], name: str) -> None:
    counted("parameters", name, CASES[name][1], partial(strange_parameters, spec=spec_of(name)))


def test_there_are_enough_of_them() -> None:
    assert sum(map(sum, CASES.values())) >= 10_000
