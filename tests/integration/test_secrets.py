"""No secret in any byte of output, nor in any file left behind."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients import Login, register, subscribe
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

OWN = {"client_id": "weather", "client_secret": "own-client-secret-of-ours"}
CLIENTS = [{"name": "Reporting", "type": "web", "redirect_uris": ["https://r/cb"], "client_secret": "reporting-secret-of-ours"}]
USER = {"test_username": "alice", "test_password": "Alice-Passw0rd!"}


@pytest.fixture
def secrets(world: World, domain: Domain) -> set[str]:
    """Every secret that the run is given; those that servers make come in `made`."""
    world.admins = {"apim": ("admin", "apim-admin-password"), "am": ("admin", "am-admin-password")}
    return {"apim-admin-password", "am-admin-password", OWN["client_secret"], "reporting-secret-of-ours", "Alice-Passw0rd!"}


def made(world: World, domain: Domain) -> set[str]:
    """What the servers generated: client secrets, management tokens, registration tokens."""
    applications = [application["settings"]["oauth"] for application in domain.applications.values()]
    keys = ("clientSecret", "registrationAccessToken")
    return {
        *(secret["secret"] for server in domain.mcp_servers.values() for secret in server["secrets"]),
        *(oauth[key] for oauth in applications for key in keys if oauth.get(key)),
        *world.tokens,
    }


def left_behind(folder: Path, but: set[Path]) -> dict[Path, str]:
    """The text of every file below a folder, except those that the test itself wrote and the token cache's."""
    files = [path for path in folder.rglob("*") if path.is_file() and path not in but]
    return {path: path.read_text(encoding="utf-8", errors="replace") for path in files if "gravitee.mcp-" not in str(path)}


@pytest.mark.parametrize("what", ["sealed", "documented", "generated", "failing", "rotate", "fleet", "clients"])
def test_nothing_tells_a_secret(
    playbooks: Playbooks,
    world: World,
    domain: Domain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secrets: set[str],
    what: str,
) -> None:
    world.am_version = "4.11"
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(tmp_path / "ansible.log"))
    playbooks.variables |= {"secure_mcp_apim_password": "apim-admin-password", "secure_mcp_am_password": "am-admin-password"}
    outputs: list[str] = []
    own_files = {tmp_path / "inventory.yml"}

    def run(playbook: str = "secure_mcp.yml", **given: Any) -> None:
        outputs.append(playbooks.run(playbook, "-vvvv", "--diff", **given).output)
        recorded = playbooks.recorded.read_text(encoding="utf-8") if playbooks.recorded.exists() else ""
        outputs.append(recorded)

    match what:
        case "sealed" | "documented":
            run(flow=what, **OWN)
            run(flow=what, **{**OWN, "required_scopes": ["a"]})
        case "generated":
            run()
            next(iter(world.apis.values())).definition["resources"] = []
            run()
        case "failing":
            run(target="weather", **OWN)
            run(name="x" * 65, **OWN)
            domain.update({**domain.wire, "enabled": False})
            run(verify_timeout=1, **OWN)
        case "rotate":
            run()
            run("rotate.yml", rotate_wait=0)
            run(on_failure="rollback", read_timeout=1000, am_gateway_url="http://127.0.0.1:9", verify_timeout=1)
        case "fleet":
            run("fleet.yml", **OWN)
            next(iter(world.apis.values())).definition["resources"][0]["configuration"]["clientSecret"] = "somebody-elses-secret"
            secrets.add("somebody-elses-secret")
            run("audit.yml", **OWN)
            run("drift.yml", **OWN)
        case "clients":
            run(clients=CLIENTS, registered_clients="subscribe", **USER)
            client_id = register(world).json()["client_id"]
            secrets.add(Login().token(world, client_id, playbooks.url))
            subscribe(world, client_id)
            run("verify.yml", verify_timeout=1, test_client_id=client_id, **USER)
            run("teardown.yml", clients=CLIENTS)
    assert yaml.safe_load((tmp_path / "inventory.yml").read_text(encoding="utf-8"))
    texts = {**{f"output {number}": text for number, text in enumerate(outputs)}, **left_behind(tmp_path, own_files)}
    assert any("TASK [" in text for text in outputs)
    for secret in secrets | made(world, domain):
        for place, text in texts.items():
            assert secret not in text, f"{place} tells {secret[:4]}…"
