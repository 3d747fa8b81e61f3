"""secure_mcp_credentials_file: secrets on disk only if asked for, for the user alone."""
from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_rotation import secrets
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

CLIENTS = [{"name": "Reporting", "type": "web", "redirect_uris": ["https://r/cb"]}, {"name": "VS Code"}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weather.json"


def read(file: Path) -> dict[str, Any]:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return json.loads(file.read_text(encoding="utf-8"))


def test_what_was_generated_is_written(playbooks: Playbooks, world: World, domain: Domain, file: Path) -> None:
    world.am_version = "4.11"
    given = {"credentials_file": str(file), "clients": CLIENTS}
    assert playbooks.run("secure_mcp.yml", "--check", **given).code == 0
    assert not file.exists()
    done = playbooks.run("secure_mcp.yml", "-vvvv", "--diff", **given)
    assert done.code == 0, done.output
    [server], [secret] = domain.mcp_servers.values(), secrets(domain)
    [reporting] = [one["settings"]["oauth"] for one in domain.applications.values() if one["name"] == "Reporting"]
    written = read(file)
    assert (written["secure_mcp_client_id"], written["secure_mcp_client_secret"]) == (server["clientId"], secret)
    own = {"client_id": reporting["clientId"], "client_secret": reporting["clientSecret"]}
    assert written["secure_mcp_client_credentials"]["Reporting"] == own
    assert not [told for told in (secret, own["client_secret"]) if told in done.output]
    before = file.stat()
    again = playbooks.run(**given)
    assert (again.changes, again.changed, file.stat()) == ([], [], before)
    file.unlink()
    assert playbooks.run(**given).code == 0
    assert read(file)["secure_mcp_client_secret"] == secret, "the API holds it"
    assert playbooks.run("rotate.yml", rotate_wait=0, **given).code == 0
    assert read(file)["secure_mcp_client_secret"] == secrets(domain)[0] != secret
    assert playbooks.run("secure_mcp.yml", "-e", f"@{file}", **given).changes == []
    assert f"The file {file} stays." in playbooks.run("teardown.yml", **given).output
    assert file.exists()


def test_a_path_that_will_not_do_is_refused(playbooks: Playbooks, world: World, domain: Domain, file: Path) -> None:
    there = file.parent / "no" / "such"
    assert f"credentials_file: {there}: its folder is not there" in playbooks.run(credentials_file=str(there)).failure
    file.write_text('{"something": "else"}', encoding="utf-8")
    assert "a file that this role did not write" in playbooks.run(credentials_file=str(file)).failure
    assert file.read_text(encoding="utf-8") == '{"something": "else"}'
    assert world.writes() == []
