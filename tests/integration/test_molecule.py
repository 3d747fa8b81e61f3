"""The scenario for molecule in extensions, played in its order with ansible-playbook, as molecule does."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.runners import BIN, ROOT
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World

SCENARIO = ROOT / "build/collections/ansible_collections/gravitee/mcp/extensions/molecule/default"
MOLECULE = yaml.safe_load((SCENARIO / "molecule.yml").read_text(encoding="utf-8"))
PLAYBOOKS = {"idempotence": "converge.yml"}  # what a step plays, if not the playbook of its name


class Molecule:
    def __init__(self, folder: Path, **given: str):
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAVITEE_")} | given
        hosts = {platform["name"]: {} for platform in MOLECULE["platforms"]}
        [group] = {name for platform in MOLECULE["platforms"] for name in platform["groups"]}
        variables = MOLECULE["provisioner"]["inventory"]["group_vars"][group]
        self.inventory = folder / "inventory.yml"
        self.inventory.write_text(yaml.safe_dump({group: {"hosts": hosts, "vars": variables}}), encoding="utf-8")
        self.environment |= {"ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "true", "XDG_RUNTIME_DIR": str(folder)}

    def play(self, step: str) -> str:
        command = [BIN / "ansible-playbook", "-i", self.inventory, SCENARIO / PLAYBOOKS.get(step, f"{step}.yml")]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def test_the_scenario_on_the_sandbox(world: World, domain: Domain, tmp_path: Path) -> None:
    """Each variable for a Gravitee of one's own is given here; none of the playbooks is left out."""
    planes = {"GRAVITEE_APIM_URL": "apim", "GRAVITEE_AM_URL": "am", "MOLECULE_GATEWAY_URL": "gateway"}
    planes |= {"MOLECULE_AM_GATEWAY_URL": "am_gateway", "MOLECULE_TARGET": "mcp"}
    urls: dict[str, Any] = {name: world.urls[plane] for name, plane in planes.items()}
    molecule = Molecule(tmp_path, MOLECULE_DOMAIN="mcp-demo", **urls)
    first, *steps = MOLECULE["scenario"]["test_sequence"]
    assert (first, steps) == ("syntax", ["converge", "idempotence", "verify", "cleanup"])
    told = {step: molecule.play(step) for step in steps}
    assert [step for step in steps if "changed=0" in told[step]] == ["idempotence", "verify"]
    assert world.apis == {}
    played = {PLAYBOOKS.get(step, f"{step}.yml") for step in steps}
    assert {path.name for path in SCENARIO.glob("*.yml")} == {"molecule.yml", *played}
