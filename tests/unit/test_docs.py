"""The pages say what the code says."""
from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS

from tests.examples.reading import PAGES, PLUGINS, ROOT, blocks, examples, installing
from tests.site.links import broken

ROLE = ROOT / "roles/secure_mcp"
OPENAPI = ROOT.parent / "shared/contract/openapi"
# How the address of a file or a folder of this repository begins.
OWN = [
    *(f"https://github.com/gravitee-mcp/gravitee.mcp/{kind}/main/" for kind in ("blob", "tree")),
    "https://raw.githubusercontent.com/gravitee-mcp/gravitee.mcp/main/",
]
PLAYBOOKS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "playbooks/examples").glob("*.yml"))


def test_the_roles_page_has_every_variable() -> None:
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    table = re.findall(r"^\| `(secure_mcp_\w+)` \|", (ROLE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert table == list(specs["main"]["options"])
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    assert set(defaults) <= set(table)
    for name, spec in specs["main"]["options"].items():
        if "default" in spec:
            assert defaults[name] == spec["default"], name


def test_the_roles_page_has_every_task_file() -> None:
    page = (ROLE / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (ROLE / "tasks").glob("*.yml") if f"`{path.name}`" not in page] == []


def test_the_front_page_has_every_module_and_playbook() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.stem for path in (ROOT / "plugins/modules").glob("*.py") if f"`{path.stem}`" not in page] == []
    assert [path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem not in page] == []
    for kind in ("inventory", "filter", "lookup"):
        assert [path.stem for path in (ROOT / "plugins" / kind).glob("*.py") if f"`{path.stem}`" not in page] == []


def test_the_clients_page_has_every_profile() -> None:
    page = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    assert [name for name in PROFILES if f"`{name}`" not in page] == []


def test_the_page_of_alarms_quotes_what_the_code_says() -> None:
    """The first column of its tables: words of verdicts, and sentences with … where something is filled in."""
    page = (ROOT / "docs/alarms.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    quoted = [quote for row in rows for quote in re.findall(r"`([^`]+)`", row[0])]
    said, words = sentences(), {*MEANINGS, "drifted"}
    assert len(quoted) > 40
    wrong = [quote for quote in quoted if not set(re.findall(r"\w+", quote)) <= words and not is_said(quote, said)]
    assert wrong == []
    commands = "".join(block.text for block in blocks("docs/alarms.md"))
    named = {name.lower() for name in re.findall(r"\*\*(\w+)\*\*", page)}
    assert [name for name in named if not re.search(rf"# {name}\b", commands)] == []
    assert set(MEANINGS) - {"secured"} <= set(quoted)


def is_said(quote: str, said: list[str]) -> bool:
    pieces = [re.escape(piece.strip()) for piece in quote.split("…") if piece.strip()]
    return any(re.search(".*".join(pieces), text, re.DOTALL) for text in said)


def sentences() -> list[str]:
    """The strings of the code, … for what is filled in; the playbooks and templates as they are; what examples print."""
    files = [path for folder in ("playbooks", "roles") for path in (ROOT / folder).rglob("*.*") if path.suffix in (".yml", ".j2")]
    said = [path.read_text(encoding="utf-8") for path in files]
    said += [block.text for page in PAGES for block in blocks(page) if block.language == "text"]
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                said.append("".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.append(node.value)
    return said


def test_every_page_installs_what_is_needed_in_the_same_way() -> None:
    """README, the other pages, the reference pages of modules and of the website, and requirements.txt."""
    pip, galaxy = installing("README.md")
    assert [(page, command) for page in PAGES for command in installing(page) if command not in (pip, galaxy)] == []
    needed = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert shlex.split(pip) == ["pip", "install", "ansible-core", *needed]
    fragment = (ROOT / "plugins/doc_fragments/connection.py").read_text(encoding="utf-8")
    assert [line for line in needed if f"  - {line.replace('>=', ' >= ')}\n" not in fragment] == []
    site = (ROOT / "tests/site/antsibull-docs.cfg").read_text(encoding="utf-8")
    assert f'"{galaxy}"' in site.replace("{namespace}.{name}", "gravitee.mcp")


def test_examples_use_public_variables_only() -> None:
    shown = {page: [block.text for block in blocks(page)] for page in PAGES} | {plugin: [examples(plugin)] for plugin in PLUGINS}
    for path in (*PLAYBOOKS, "docs/awx.yml"):
        shown[path] = [(ROOT / path).read_text(encoding="utf-8")]
    used = {name for texts in shown.values() for text in texts for name in re.findall(r"\bsecure_mcp_\w+", text)}
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    pages = [(ROOT / f"docs/{page}.md").read_text(encoding="utf-8") for page in ("fleets", "estate")]
    runs = {name for page in pages for name in re.findall(r"`(secure_mcp_\w+)`", page)}
    assert used - set(specs["main"]["options"]) - runs - {"secure_mcp_changes", "secure_mcp_results"} == set()


def test_targets_of_make_that_pages_name_are_there() -> None:
    lines = re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    targets = {target for line in lines for target in line.split()}
    for page in PAGES:
        assert set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)) <= targets, page


@pytest.mark.parametrize("path", [*PAGES, *PLUGINS, *PLAYBOOKS, "docs/awx.yml"])
def test_standard_terms(path: str) -> None:
    """Plain English instead of riddles."""
    text = examples(path) if path in PLUGINS else (ROOT / path).read_text(encoding="utf-8")
    assert re.findall(r"(?i)\b(?:strangers?|foretells?|foretold|mends?|mended|doors?|sentence a request)\b", text) == []


def test_promises_name_tests_that_are_there() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    for page in ("README.md", "SECURITY.md"):
        named = re.findall(r"`(?:tests/)?(\w+\.py)(?:::(?:\w+\.)?(\w+))?`", (ROOT / page).read_text(encoding="utf-8"))
        assert len(named) > 8
        assert [name for name in named if f"def {name[1]}" not in written[name[0]] and name[1]] == []


def test_links_between_pages_lead_somewhere() -> None:
    """Relative ones, and those to this repository by its address."""
    pages = [*PAGES, *(str(path.relative_to(ROOT)) for path in (ROOT / ".github").rglob("*.*"))]
    followed = 0
    for page in pages:
        for target in links((ROOT / page).read_text(encoding="utf-8")):
            ours = [ROOT / target.removeprefix(own) for own in OWN if target.startswith(own)]
            path = ours[0] if ours else (ROOT / page).parent / target
            if ours or "://" not in target:
                assert path.exists(), f"{page}: {target}"
                followed += 1
    assert followed > 30


def test_the_front_page_is_read_elsewhere_too() -> None:
    """On Galaxy and Automation Hub, where a relative link leads nowhere."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [target for target in links(page) if "://" not in target] == []
    named = set(re.findall(r"^\[([^\]]+)\]: ", page, re.MULTILINE))
    text = re.sub(r"^```.*?^```$|`[^`]*`", "", page, flags=re.MULTILINE | re.DOTALL)
    used = {label or words for words, label in re.findall(r"\[([^\]]+)\](?:\[([^\]]*)\])?(?![(:])", text)}
    assert {label.lower() for label in used} == named


def test_a_link_is_found_however_it_is_written() -> None:
    page = f"[a](b.md#c) ![d](e.png)\n\n[f]: https://g.example/h#i\n  url: {OWN[0]}j.md\n"
    assert links(page) == ["b.md", "e.png", "https://g.example/h", f"{OWN[0]}j.md"]


def links(text: str) -> list[str]:
    """Targets without their anchors: Markdown's, and bare ones to this repository."""
    inline = re.findall(r"\]\(([^)#\s]+)", text)
    defined = re.findall(r"^\[[^\]]+\]: ([^#\s]+)", text, re.MULTILINE)
    bare = [target for own in OWN for target in re.findall(rf"{re.escape(own)}[^)#\s]+", text)]
    return list(dict.fromkeys([*inline, *defined, *bare]))


def test_permissions_are_those_of_the_vendors_descriptions() -> None:
    page = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    assert modules - set(re.findall(r"`(\w+)`", page)) == set()
    if not OPENAPI.exists():
        pytest.skip("the vendors' API descriptions are not beside this checkout")
    described = "".join(path.read_text(encoding="utf-8") for path in OPENAPI.glob("*.yaml"))
    assert [name for name in re.findall(r"`([A-Z_]+\[[A-Z]+\])`", page) if name not in described] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a id="x" href="b.html#y"></a><a href="c.html"></a><a href="#x"></a><a href="https://e"></a>')
    (tmp_path / "b.html").write_text('<a href="a.html#x"></a>')
    assert broken(tmp_path) == (["a.html: b.html#y", "a.html: c.html"], 4)
