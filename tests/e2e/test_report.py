"""The audit's page in a real browser: read, filtered, sorted, by keyboard, on a phone and a desk, in both colour schemes."""
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.filter.fleet_report import fleet_report

from tests.e2e.conftest import OUTPUT
from tests.e2e.made_up import fleet, outcome, page_of, trying
from tests.integration.test_fleet import hosts, record
from tests.runners import ROOT, Playbooks
from tests.sandbox.world import World

LOOKS = (Path(__file__).parent / "looks.js").read_text(encoding="utf-8")
WIDTHS, COUNTS, SCHEMES = (360, 1440), (3, 300), ("light", "dark")


@pytest.fixture(scope="module")
def shown(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """shown(count, width) opens the page of a report about so many servers, which is made once."""
    folder = tmp_path_factory.mktemp("pages")
    made: dict[int, Path] = {}
    opened: list[Any] = []
    failed: list[str] = []

    def show(count: int, width: int, report: dict[str, Any] | None = None) -> Any:
        if count not in made:
            made[count] = folder / f"{count}.html"
            made[count].write_text(page_of(report or trying(count)), encoding="utf-8")
        opened.append(browser.new_context(viewport={"width": width, "height": 900}))
        opened[-1].add_init_script(f"window.check = {LOOKS}")
        page = opened[-1].new_page()
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(made[count].as_uri())
        return page

    yield show
    for context in opened:
        context.close()
    assert failed == [], "the page's script"


def visible(page: Any) -> list[str]:
    """The names in the rows that are there, from the top."""
    names = "rows => rows.filter(row => row.checkVisibility()).map(row => row.cells[0].innerText)"
    return page.eval_on_selector_all("tbody tr", names)


@pytest.fixture
def page_url(playbooks: Playbooks, domain: Any, world: World, tmp_path: Path) -> str:
    """The page of a fleet of 12, of which one is open, one has drifted and one is stopped."""
    assert playbooks.run("fleet.yml", hosts=hosts(12)).code == 0
    opened, stopped = record(world, "/s3-mcp/"), record(world, "/s7-mcp/")
    anyone = {"security": {"type": "KEY_LESS"}, "selectionRule": None, "flows": []}
    opened.plans["k"] = {**next(iter(opened.plans.values())), "id": "k", "name": "Oops", **anyone}
    opened.deploy("deployed")
    opened.serve()
    stopped.state = "STOPPED"
    stopped.serve()
    record(world, "/s5-mcp/").definition["description"] = "<img src=x onerror=alert(1)>"
    record(world, "/s5-mcp/").definition["apiVersion"] = "<b>9</b>"
    assert playbooks.run("audit.yml", hosts=hosts(12)).code == 2
    return (tmp_path / "audit.html").as_uri()


def test_what_the_playbook_writes(page_url: str, browser: Any) -> None:
    page = browser.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script in the data ran"))
    page.goto(page_url)
    assert asked == [page_url], "the page brings all it needs"
    assert "83.3" in page.inner_text(".big")
    assert page.get_attribute(".strip", "aria-label") == "1 open, 1 unreachable, 10 secured"
    assert len(visible(page)) == 12
    for word, names in {"trouble": ["S3", "S7", "S5"], "drifted": ["S3", "S7", "S5"], "open": ["S3"]}.items():
        page.select_option("#posture", word)
        assert visible(page) == names
    assert page.inner_text("#shown") == "1 of 12 servers"
    page.select_option("#posture", "")
    page.fill("#find", "apiversion")
    assert visible(page) == ["S5"]
    page.fill("#find", "")
    page.click("th button >> nth=0")
    page.click("th button >> nth=0")
    assert visible(page)[:3] == ["S11", "S10", "S9"]
    page.click("th button >> nth=2")
    assert visible(page)[:4] == ["S3", "S7", "S5", "S0"], "the worst first"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", COUNTS)
def test_looks(shown: Callable[..., Any], count: int, width: int) -> None:
    page = shown(count, width)
    OUTPUT.mkdir(exist_ok=True)
    for details in ("closed", "open"):
        if details == "open":
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("check.looks()") == [], (scheme, details)
            if details == "closed":
                page.screenshot(path=OUTPUT / f"report-{count}-{width}-{scheme}.png")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_key_reaches_everything_in_sight_and_in_order(shown: Callable[..., Any], width: int, scheme: str) -> None:
    page = shown(3, width)
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    steps = []
    while not steps or steps[-1]["at"] + 1 < steps[-1]["of"]:
        page.keyboard.press("Tab")
        steps.append(page.evaluate("check.focus()"))
        assert (steps[-1]["at"], steps[-1]["wrong"]) == (len(steps) - 1, [])
    assert len(steps) > 20


@pytest.mark.parametrize("width", WIDTHS)
def test_a_screen_reader_gets_names_a_table_and_the_count(shown: Callable[..., Any], width: int) -> None:
    """As the browser itself tells it, which forgets tables that are laid out as something else."""
    page = shown(3, width)
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    told = [one for one in nodes if not one["ignored"]]
    traits = [{trait["name"]: trait["value"].get("value") for trait in one.get("properties", [])} for one in told]
    nameless = [one for one, its in zip(told, traits, strict=True) if its.get("focusable") and not one["name"]["value"].strip()]
    assert nameless == []
    roles = Counter(one["role"]["value"] for one in told)
    assert {role: roles[role] for role in ("table", "row", "columnheader", "rowheader", "cell", "search", "main")} == {
        "table": 1, "row": 4, "columnheader": 4, "rowheader": 3, "cell": 9, "search": 1, "main": 1,
    }  # fmt: skip
    assert [its["live"] for one, its in zip(told, traits, strict=True) if one["role"]["value"] == "status"] == ["polite"]


@pytest.mark.parametrize("width", WIDTHS)
def test_all_of_it_by_keyboard_alone(shown: Callable[..., Any], width: int) -> None:
    page = shown(300, width)

    def go(selector: str, key: str = "Tab") -> None:
        for _step in range(20):
            page.keyboard.press(key)
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"{key} does not come to {selector}")

    go(".legend summary")
    page.keyboard.press("Enter")
    assert page.is_visible("text=Anyone gets in")
    page.keyboard.press("Space")
    assert not page.is_visible("text=Anyone gets in")
    go("#find")
    page.keyboard.type("WEATHER")
    assert (len(visible(page)), page.inner_text("#shown")) == (1, "1 of 300 servers")
    page.keyboard.press("Control+A")
    page.keyboard.type("no such thing")
    assert (visible(page), page.inner_text("#shown")) == ([], "0 of 300 servers")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    go("#posture")
    page.keyboard.type("what")
    assert page.inner_text("#shown") == f"{len(visible(page))} of 300 servers" != "300 of 300 servers"
    worst = visible(page)
    for button in range(4):
        go(f"th:nth-child({button + 1}) button")
        for key in ("Enter", "Space"):
            page.keyboard.press(key)
            assert page.eval_on_selector_all("[aria-sort]", "all => all.map((one) => one.cellIndex)") == [button]
        page.keyboard.press("Enter")
        assert page.get_attribute("[aria-sort]", "aria-sort") == "ascending"
        assert sorted(visible(page)) == sorted(worst)
    go("th:nth-child(3) button", "Shift+Tab")
    page.keyboard.press("Enter")
    assert visible(page) == worst
    go("tbody summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.nextElementSibling.checkVisibility()")


def test_a_card_names_its_columns(shown: Callable[..., Any]) -> None:
    page = shown(3, 360)
    labels = "cells => cells.map((cell) => getComputedStyle(cell, '::before').content.replace(/[\": ]+$|^\"/g, ''))"
    heads = page.eval_on_selector_all("thead button", "all => all.map((one) => one.textContent)")
    assert page.eval_on_selector_all("tbody td", labels) == heads[1:] * 3


def test_work_grows_with_the_servers_and_no_faster(shown: Callable[..., Any]) -> None:
    """The page is laid out a few times for a key or a sort, however many servers there are, and a server is not much of it."""
    page = shown(300, 1440)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def laid_out() -> float:
        return next(one["value"] for one in session.send("Performance.getMetrics")["metrics"] if one["name"] == "LayoutCount")

    before = laid_out()
    page.evaluate("find.value = 'weather'; find.dispatchEvent(new Event('input')); document.querySelector('th button').click();")
    assert laid_out() - before <= 3
    sizes = {count: len(page_of(fleet_report(fleet(count)))) for count in COUNTS}
    assert (sizes[300] - sizes[3]) / 297 < 2000


@pytest.mark.parametrize(("gaps", "tag"), [(5, '<details class="gaps" open>'), (6, '<details class="gaps">')])
def test_a_long_list_is_folded_and_only_a_web_address_is_a_link(gaps: int, tag: str) -> None:
    text = page_of(fleet_report([{**outcome(one, "unknown"), "url": "javascript:alert(1)"} for one in range(gaps)]))
    assert (tag in text, 'href="javascript' in text) == (True, False)


def test_nothing_changed_since_the_previous_report() -> None:
    outcomes = fleet(3)
    text = page_of(fleet_report(outcomes, previous=json.dumps(fleet_report(outcomes))))
    assert "</time>: nothing has changed." in text


@pytest.mark.parametrize(
    ("secured", "count", "share", "told"),
    [(1, 1, 1.0, "100.0"), (2_499, 2_500, 0.9996, "99.9"), (20_000, 20_001, 0.9999, "99.9"), (0, 3, 0.0, "0.0")],
)
def test_one_that_is_open_is_never_rounded_away(secured: int, count: int, share: float, told: str) -> None:
    good, bad = outcome(0, "secured"), outcome(1, "open")
    report = fleet_report([good] * secured + [bad] * (count - secured))
    assert report["share_secured"] == share
    assert f'<b class="big">{told}&nbsp;%</b>' in page_of({**report, "servers": report["servers"][:1]})


def test_a_server_without_a_url_has_its_name_in_the_comparison() -> None:
    nowhere = {**outcome(0, "open"), "url": ""}
    compared = fleet_report([], previous=json.dumps(fleet_report([nowhere])), allow_none=True)["compared"]
    assert compared["gone"] == ["Weather MCP"]


def test_the_picture_in_the_readme(shown: Callable[..., Any]) -> None:
    """docs/report.png is what this writes."""
    report = {**fleet_report(fleet(30), made_from=["https://apim.example.com:8083"]), "made_on": "controller"}
    page = shown(30, 1080, report)
    page.select_option("#posture", "trouble")
    third = page.locator("tbody tr:visible").nth(2).bounding_box()
    clip = {"x": 0, "y": 0, "width": 1080, "height": third["y"] + third["height"]}
    page.screenshot(path=OUTPUT / "report.png", clip=clip, full_page=True)
    told = f"{page.inner_text('.big')} secured, and the servers that need attention".replace("\N{NO-BREAK SPACE}", " ")
    assert f"![The report of an audit: {told}][report]" in (ROOT / "README.md").read_text(encoding="utf-8")
