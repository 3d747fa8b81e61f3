"""Every example of the documentation runs as it stands. One that nobody knows how to run fails the test."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.following import DOMAIN, Reader, reason
from tests.examples.reading import PAGES, PLUGINS, ROOT, Block, blocks, examples
from tests.runners import Modules
from tests.sandbox.world import World

# The modules that make things, in the order of the guide.
MAKING = (
    "am_domain_settings",
    "am_mcp_server",
    "gravitee_api",
    "am_resource",
    "gravitee_plan",
    "gravitee_deployment",
    "am_application",
    "gravitee_subscription",
    "mcp_fleet",
)
# tests/package/test_first_minutes.py follows README.md.
FOLLOWED = [page for page in PAGES if page != "README.md" and not all(reason(block) for block in blocks(page))]


@pytest.fixture
def reader(world: World, tmp_path: Path) -> Reader:
    return Reader(world, tmp_path)


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page(reader: Reader, world: World, page: str) -> None:
    reader.begin()
    reader.situations["After someone published a keyless plan in the console:"] = lambda: publish_keyless_plan(world)
    for block in blocks(page):
        reader.follow(block)


def test_tasks_of_the_plugins(reader: Reader, world: World) -> None:
    """From an empty installation.

    What makes things, in the guide's order; what reads them; then what else can be done to them, in the opposite order, as that
    ends with deleting them.
    """
    making = [tasks_of(f"plugins/modules/{name}.py") for name in MAKING]
    reading = [tasks_of(path) for path in PLUGINS if Path(path).stem not in MAKING and "/inventory/" not in path]
    tasks = [made[0] for made in making]
    tasks += [task for each in reading for task in each]
    tasks += [task for made in reversed(making) for task in made[1:]]
    reader.environment |= {f"GRAVITEE_{plane.upper()}_URL": world.urls[plane] for plane in ("apim", "am")}
    reader.use_checkout()
    reader.write_files_of("README.md")
    reader.write("play.yml", yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], sort_keys=False))
    told = reader.run("ansible-playbook -i inventory.yml play.yml").output
    ok, skipped = (int(re.search(rf"{outcome}=(\d+)", told)[1]) for outcome in ("ok", "skipped"))
    assert len(tasks) > len(PLUGINS)
    assert ok + skipped == len(tasks), told


def test_the_example_of_the_inventory_plugin(reader: Reader) -> None:
    reader.begin()
    text = examples("plugins/inventory/gravitee_mcp.py")
    name, command = (line.removeprefix("# ") for line in text.splitlines()[:2])
    reader.write(name, text)
    assert "@secured" in reader.run(command).output


def test_the_role_in_a_playbook_of_ones_own(reader: Reader) -> None:
    reader.begin()
    reader.write("site.yml", (ROOT / "playbooks/examples/site.yml").read_text(encoding="utf-8"))
    told = reader.run("ansible-playbook -i inventory.yml site.yml").output
    url = reader.replace("https://gateway.example.com/weather-mcp")
    assert f"Weather MCP is secured at {url}, after 0 change(s)." in told


def test_another_authorization_server(world: World, tmp_path: Path) -> None:
    """AM's gateway plays Keycloak: where its endpoints are is replaced, and its client is an MCP server that AM knows."""
    paths = {
        "/protocol/openid-connect/token/introspect": "/oauth/introspect",
        "/.well-known/oauth-authorization-server": "/oidc/.well-known/oauth-authorization-server",
        "https://keycloak.example.com/realms": world.urls["am_gateway"],
    }
    reader = Reader(world, tmp_path, replaced=paths)
    reader.begin()
    made = {"resource_identifiers": [f"{world.urls['gateway']}/news-mcp"], "client_id": "gateway"}
    secret = reader.credentials["KEYCLOAK_SECRET"]
    Modules(world).run("am_mcp_server", domain=DOMAIN, name="News", client_secret=secret, **made)
    reader.write("play.yml", (ROOT / "playbooks/examples/other_server.yml").read_text(encoding="utf-8"))
    assert "changed=4" in reader.run("ansible-playbook play.yml").output
    told = reader.run("ansible-playbook play.yml --diff").output
    assert "changed=0" in told
    assert secret not in told


@pytest.mark.parametrize(
    ("language", "text", "lead", "why"),
    [
        ("bash", "ls\n", "", "nobody knows how to run a block of the language 'bash'"),
        ("", "ls\n", "", "nobody knows how to run a block of the language ''"),
        ("yaml", "a: 1\n", "", "neither plays"),
        ("console", "ls nowhere\n", "", "ended with 2, not 0"),
        ("console", "true\n", "After it snowed:", "nobody knows how it comes about: After it snowed:"),
        ("yaml", "- {hosts: mcp_servers, gather_facts: false, tasks: [ansible.builtin.fail: ]}\n", "", "ended with 2, not 0"),
        ("yaml", "# a.yml\nurl: https://other.example.com\n", "", "no address is known for {'other.example.com'}"),
        ("yaml", "# a.yml\npassword: …\n", "", "password"),
        ("text", "It is sunny\n", "", "does not print: It is sunny"),
    ],
)
def test_an_example_that_does_not_run_is_found(reader: Reader, language: str, text: str, lead: str, why: str) -> None:
    reader.use_checkout()
    reader.write_files_of("README.md")
    with pytest.raises((AssertionError, KeyError), match=re.escape(why)):
        reader.follow(Block("page.md", language, text, lead))


def publish_keyless_plan(world: World) -> None:
    Modules(world).run("gravitee_plan", context_path="/weather-mcp", name="Try it", security="key_less")
    Modules(world).run("gravitee_deployment", context_path="/weather-mcp", allow_open=True)


def tasks_of(plugin: str) -> list[dict[str, Any]]:
    return yaml.safe_load(examples(plugin))
