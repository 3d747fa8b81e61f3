"""README.md, followed from beginning to end by somebody who has Python and the built collection, nothing of this checkout."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.clients import Login, register
from tests.examples.following import DOMAIN, SECURE, Reader
from tests.examples.reading import ROOT, blocks, commands
from tests.integration.test_flows import initialize
from tests.runners import BIN
from tests.sandbox.world import World

COLLECTION = "git+https://github.com/gravitee-mcp/gravitee.mcp"
PLAYBOOK = "ansible-playbook -i inventory.yml gravitee.mcp."
DOCUMENT = "https://gateway.example.com/weather-mcp"


class Newcomer(Reader):
    """Has a virtual environment with the ansible-core under test, and looks at the server after each playbook."""

    def __init__(self, world: World, folder: Path, tarball: Path):
        (folder / "project").mkdir()
        super().__init__(world, folder / "project", _environment(folder), {COLLECTION: str(tarball)})
        self.environment["PIP_CONSTRAINT"] = str(folder / "constraints.txt")
        self.url = self.replace(DOCUMENT)
        self.before = {f"{PLAYBOOK}admit_clients": self.log_in}
        self.after = {
            f"{SECURE} --check --diff": self.is_predicted,
            SECURE: self.is_secured,
            **{PLAYBOOK + name: self.is_as_it_was for name in ("verify", "drift", "fleet")},
            f"{PLAYBOOK}export": self.is_exported,
            f"{PLAYBOOK}audit": self.is_reported,
            f"{PLAYBOOK}admit_clients": self.is_admitted,
            f"{PLAYBOOK}rotate": self.is_rotated,
            f"{PLAYBOOK}teardown": self.is_removed,
        }

    @property
    def changed(self) -> int:
        """How many tasks of the last playbook changed something."""
        return int(re.search(r"changed=(\d+)", self.last.output)[1])

    def is_predicted(self) -> None:
        assert self.world.writes() == []
        self.predicted = self.changed
        assert self.predicted == 4  # the domain, its MCP server, the API with all that is in it, the deployment

    def is_secured(self) -> None:
        assert self.changed == self.predicted
        assert initialize(self.url) == 401
        self.written = len(self.world.writes())
        self.after.pop(SECURE)
        self.run(SECURE)
        self.is_as_it_was()

    def is_as_it_was(self) -> None:
        assert self.changed == 0, self.last.output
        assert len(self.world.writes()) == self.written

    def is_reported(self) -> None:
        self.is_as_it_was()
        report = json.loads((self.folder / "audit.json").read_text(encoding="utf-8"))
        assert (report["total"], report["counts"]["secured"], report["as_described"]) == (1, 1, True)
        assert (self.folder / "audit.html").exists()

    def is_exported(self) -> None:
        """What was written is an inventory by which the role changes nothing."""
        self.run("ansible-playbook -i exported/hosts.yml gravitee.mcp.secure_mcp --check")
        self.is_as_it_was()

    def log_in(self) -> None:
        """VS Code registers itself, its user logs in, and the gateway still refuses it."""
        client_id = register(self.world, DOMAIN).json()["client_id"]
        self.token = Login().token(self.world, client_id, self.url, domain=DOMAIN)
        assert initialize(self.url, self.token) == 401
        self.secrets = self.secrets_in_am()

    def secrets_in_am(self) -> list[str]:
        [server] = self.domain.mcp_servers.values()
        return [secret["secret"] for secret in server["secrets"]]

    def is_admitted(self) -> None:
        assert self.changed == 1, self.last.output
        assert initialize(self.url, self.token) == 200
        self.written = len(self.world.writes())

    def is_rotated(self) -> None:
        assert len(self.secrets_in_am()) == 1
        assert self.secrets_in_am() != self.secrets
        assert initialize(self.url, self.token) == 200

    def is_removed(self) -> None:
        assert initialize(self.url, self.token) == 404
        assert self.world.apis == {}


def test_the_front_page(world: World, tarball: Path, tmp_path: Path) -> None:
    newcomer = Newcomer(world, tmp_path, tarball)
    for block in blocks("README.md"):
        newcomer.follow(block)
    played = [command.split()[3] for command in commands("README.md") if command.startswith("ansible-playbook")]
    assert {f"gravitee.mcp.{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")} == set(played)


def _environment(folder: Path) -> Path:
    """A fresh virtual environment of the Python that runs the ansible-core under test; the folder of its programs.

    What README installs there is of that version.
    """
    version = subprocess.run(
        [BIN / "python", "-c", "import ansible; print(ansible.__version__)"], capture_output=True, text=True, check=True
    )
    (folder / "constraints.txt").write_text(f"ansible-core=={version.stdout}", encoding="utf-8")
    subprocess.run([BIN / "python", "-m", "venv", folder / "venv"], check=True)
    return folder / "venv/bin"
