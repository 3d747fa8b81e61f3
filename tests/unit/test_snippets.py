"""What users get for their clients, whatever a server is called."""
from __future__ import annotations

import base64
import json
import shlex
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jinja2
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gravitee.mcp.plugins.filter.mcp_snippets import mcp_snippets
from hypothesis import given
from hypothesis import strategies as st

from tests.runners import ROOT

URLS = st.sampled_from(["https://gw.example.com/weather-mcp", "http://[::1]:8082/w", "https://gw/a&b=c;'d'$(id)<x>\"y"])
HOSTILE = ["<script>alert(1)</script>", "'; rm -rf /; '", '"}}{{', "$(id)", "a\nb", "", "ü", "\u202etxt", "--help"]


def page(snippets: list[dict[str, str]]) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(ROOT / "playbooks/templates"), autoescape=False)
    return environment.get_template("clients.html.j2").render(secure_mcp__snippets=snippets)


@given(st.lists(st.fixed_dictionaries({"name": st.sampled_from(HOSTILE) | st.text(max_size=20), "url": URLS}), max_size=4))
def test_each_form_holds_the_url_and_nothing_breaks_out(servers: list[dict[str, str]]) -> None:
    told = mcp_snippets(servers)
    assert [one["name"] for one in told] == [server["name"] for server in servers]
    assert len({one["key"] for one in told}) == len(told)
    for one in told:
        key, url = one["key"], one["url"]
        assert json.loads(one["vscode"]) == {"servers": {key: {"type": "http", "url": url}}}
        assert json.loads(unquote(one["vscode_link"].partition("?")[2])) == {"name": key, "type": "http", "url": url}
        assert shlex.split(one["claude_code"]) == ["claude", "mcp", "add", "--transport", "http", key, url]
        assert shlex.split(one["gemini_cli"])[-2:] == [key, url]
        query = parse_qs(urlsplit(one["cursor_link"]).query)
        assert query["name"] == [key]
        assert json.loads(base64.b64decode(query["config"][0])) == {"url": url}
        assert key[0].isalnum()
    written = page(told)
    assert "<script" not in written
    assert all(tag in ("ul", "li", "h2", "p", "code", "dl", "dt", "dd", "a", "pre") for tag in opened(written))


def test_keys_are_unique() -> None:
    servers = [{"name": name, "url": "https://gw/w"} for name in ("a", "A!", "a 2", "a-2", "a")]
    assert [one["key"] for one in mcp_snippets(servers)] == ["a", "a-2", "a-2-2", "a-2-3", "a-3"]


def opened(text: str) -> list[str]:
    body = text.partition("</p>")[2].partition("</body>")[0]
    return [part.partition(">")[0].partition(" ")[0] for part in body.split("<")[1:] if not part.startswith("/")]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "gateway/weather", "", "file:///etc/passwd"])
def test_what_is_no_url_is_refused(url: str) -> None:
    server: dict[str, Any] = {"name": "Weather", "url": url}
    with pytest.raises(AnsibleFilterError, match="mcp_snippets: 'Weather': "):
        mcp_snippets([server])
