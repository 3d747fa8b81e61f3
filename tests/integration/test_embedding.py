"""The role inside other work, and module_defaults for its modules."""
from __future__ import annotations

import json

import pytest

from tests.integration.test_flows import initialize
from tests.runners import ROOT, Playbooks


@pytest.mark.usefixtures("domain")
def test_the_example_site_playbook(playbooks: Playbooks) -> None:
    given = {**playbooks.variables, "weather_target": playbooks.variables["secure_mcp_target"]}
    arguments = ["-e", json.dumps(given)]
    done = playbooks.run(str(ROOT / "playbooks/examples/site.yml"), *arguments, hosts={"other": {}})
    assert done.code == 0, done.output
    assert f"{playbooks.url} is secured; done: 8 change(s)" in done.output
    assert initialize(playbooks.url) == 401
    again = playbooks.run(str(ROOT / "playbooks/examples/site.yml"), *arguments, hosts={"other": {}})
    assert "done: 0 change(s)" in again.output
