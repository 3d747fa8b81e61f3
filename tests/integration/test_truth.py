"""Every verdict against the truth table: mcp_check by the gateway and direct, the role's preflight, the inventory's probe."""
from __future__ import annotations

import collections
import contextlib
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.filter.fleet_report import fleet_report
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.discovery import speaks_mcp
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.target import ask_target
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import check
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check_options import CheckOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

from tests.integration.truth_table import MESSAGE, ROWS, Row, server
from tests.runners import ROOT
from tests.serving import serving

OPTIONS = Options(timeout=0.5, retries=0)


def names(base: str) -> dict[str, str]:
    local = base.replace("127.0.0.1", "localhost")
    tls = base.replace("http:", "https:")
    return {"{base}": base, "{local}": local, "{LOCAL}": local.replace("localhost", "LocalHost"), "{tls}": tls}


def filled(text: str, base: str) -> str:
    for name, value in names(base).items():
        text = text.replace(name, value)
    return text


@contextlib.contextmanager
def there(row: Row) -> Iterator[str]:
    """The row's server, and the URL to ask."""
    answer = server(row)

    def fill_in(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        base = f"http://127.0.0.1:{headers['Host'].rpartition(':')[2]}"
        status, told, content = answer(method, path, body)
        told = {name: filled(value, base) for name, value in told.items()}
        if callable(content):
            return status, told, content()
        named = b"{base}" in content or b"{local}" in content
        return status, told, filled(content.decode(), base).encode() if named else content

    with serving(fill_in, headers=True) as base:
        yield base


@pytest.mark.parametrize("gateway", [True, False], ids=["gateway", "direct"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_verdict(row: Row, gateway: bool) -> None:
    with there(row) as base:
        seen = check(CheckOptions(url=filled(row.url, base), gateway=gateway), OPTIONS)
        assert seen["result"] == (row.gateway if gateway else row.direct), seen["steps"]
        if gateway:
            told = f"{seen['summary']} {seen['steps']}"
            assert filled(row.says, base) in told
    assert (seen["result"] in ("open", "secured")) or seen["summary"] != seen["result"], "no reason given"
    (entry,) = fleet_report([{"name": "S", "url": seen["url"], "context_path": "/s", "seen": seen}])["servers"]
    assert entry["posture"] == seen["result"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_preflight_and_probe(row: Row) -> None:
    """The preflight refuses what asks for authentication, and warns of all that is not open; the probe takes what is open."""
    with there(row) as base:
        url = filled(row.url, base)
        v = Variables(gateway_url="http://g", am_gateway_url="http://a", domain="d", name="S", context_path="/s", target=url)
        try:
            _tools, warnings = ask_target(v, OPTIONS)
            word = warnings[0].partition(" is ")[2].partition(" ")[0] if warnings else "open"
        except Refusal as refusal:
            assert url in str(refusal)
            word = "upstream_secured"
        assert word == row.direct
    with there(row) as base:
        assert speaks_mcp(filled(row.url, base), OPTIONS) is (row.direct == "open")


def test_the_table_is_large_and_knows_every_word() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 60
    words = collections.Counter([row.gateway for row in ROWS] + [row.direct for row in ROWS])
    assert set(words) == set(MEANINGS)


def test_the_words_are_documented_as_they_are_defined() -> None:
    page = (ROOT / "docs/fleets.md").read_text(encoding="utf-8")
    assert all(f"| `{word}` | {meaning} |" in page for word, meaning in MEANINGS.items())


def test_a_bomb_takes_little_memory() -> None:
    row = next(row for row in ROWS if row.name == "a gzip bomb as a refusal")
    with there(row) as base:
        tracemalloc.start()
        check(CheckOptions(url=f"{base}/mcp", gateway=False), OPTIONS)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_the_negotiated_version_is_sent() -> None:
    versions = []

    def answer(_method: str, _path: str, headers: dict[str, str], _body: bytes) -> tuple[int, dict[str, str], bytes]:
        versions.append({name.lower(): value for name, value in headers.items()}.get("mcp-protocol-version"))
        return 200, {"Content-Type": "application/json"}, older

    older = json.dumps({**MESSAGE, "result": {"protocolVersion": "2025-03-26", "tools": []}}).encode()
    with serving(answer, headers=True) as base:
        check(CheckOptions(url=f"{base}/mcp", gateway=False, list_tools=True), OPTIONS)
    assert versions == ["2026-07-28", None, "2025-03-26", "2025-03-26"]
