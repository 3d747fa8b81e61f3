"""The pages say what the code says."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.profiles import PROFILES

from tests.site.links import broken

ROOT = Path(__file__).parent.parent.parent
ROLE = ROOT / "roles/secure_mcp"
OPENAPI = ROOT.parent / "shared/contract/openapi"


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
    for kind in ("inventory", "filter"):
        assert [path.stem for path in (ROOT / "plugins" / kind).glob("*.py") if f"`{path.stem}`" not in page] == []


def test_the_clients_page_has_every_profile() -> None:
    page = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    assert [name for name in PROFILES if f"`{name}`" not in page] == []


def test_promises_name_tests_that_are_there() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    for page in ("README.md", "SECURITY.md"):
        named = re.findall(r"`(?:tests/)?(\w+\.py)(?:::(?:\w+\.)?(\w+))?`", (ROOT / page).read_text(encoding="utf-8"))
        assert len(named) > 8
        assert [name for name in named if f"def {name[1]}" not in written[name[0]] and name[1]] == []


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "SECURITY.md", ROLE / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


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
