"""The audit's page in a real browser: read, filtered, sorted, by keyboard, in both colour schemes."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import OUTPUT
from tests.integration.test_fleet import hosts, record
from tests.runners import Playbooks
from tests.sandbox.world import World

pytestmark = pytest.mark.usefixtures("domain")


@pytest.fixture
def page_url(playbooks: Playbooks, world: World, tmp_path: Path) -> str:
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


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2 between two colours as the browser writes them."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def visible(page: Any) -> list[str]:
    return [row.query_selector("td").inner_text() for row in page.query_selector_all("tbody tr") if row.is_visible()]


def test_read_filter_sort_and_keyboard(page_url: str, browser: Any) -> None:
    page = browser.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail("a script in the data ran"))
    page.goto(page_url)
    assert asked == [page_url], "the page brings all it needs"
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / "report.png", full_page=True)
    assert "83.3" in page.inner_text(".big")
    assert page.get_attribute(".strip", "aria-label") == "1 open, 1 unreachable, 10 secured"
    assert len(visible(page)) == 12
    page.select_option("#posture", "trouble")
    assert visible(page) == ["S3", "S7", "S5"]
    page.select_option("#posture", "drifted")
    assert visible(page) == ["S3", "S7", "S5"]
    page.select_option("#posture", "open")
    assert visible(page) == ["S3"]
    assert page.inner_text("#shown") == "1 of 12"
    page.select_option("#posture", "")
    page.fill("#find", "apiversion")
    assert visible(page) == ["S5"]
    page.fill("#find", "")
    page.click("th button >> nth=0")
    page.click("th button >> nth=0")
    assert visible(page)[:3] == ["S11", "S10", "S9"]
    assert page.get_attribute("th >> nth=0", "aria-sort") == "descending"
    page.focus("th button >> nth=2")
    page.keyboard.press("Enter")
    assert page.get_attribute("th >> nth=2", "aria-sort") == "ascending"
    page.focus("tbody tr:has-text('S3') summary >> nth=0")
    page.keyboard.press("Enter")
    assert page.is_visible("text=answers anyone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(page_url: str, browser: Any, scheme: str) -> None:
    page = browser.new_context(color_scheme=scheme).new_page()
    page.goto(page_url)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    background = "rgb(255, 255, 255)" if background == "rgba(0, 0, 0, 0)" else background
    for selector in ("h1", ".soft", ".badge", "a", "li.open .badge", "li.unreachable .badge", "li.drifted .badge"):
        colour = page.evaluate("selector => getComputedStyle(document.querySelector(selector)).color", selector)
        assert contrast(colour, background) >= 4.5, f"{selector} {colour} on {background}"
