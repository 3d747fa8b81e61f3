"""What others wrote in APIM and AM is no template on the controller, with the newest ansible-core and the oldest at hand."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.runners import BIN, ROOT, Modules, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.apim_api import ApiRecord
from tests.sandbox.world import World

OLDEST = ROOT / "build/oldest/bin"  # made by `make oldest`
PLAY = [
    {
        "hosts": "mcp_servers",
        "gather_facts": False,
        "vars": {"nested": "{{ mcp_name }}", "listed": ["{{ mcp_labels }}", "{{ mcp_plans }}", "{{ mcp_am_server }}"]},
        "tasks": [
            {"debug": {"msg": "{{ [mcp_name, mcp_target, mcp_context_path, secure_mcp_name, nested, listed, copy, joined] }}"}},
            {"debug": {"msg": "{{ [inventory_hostname, group_names, groups, hostvars[inventory_hostname]] }}"}},
            {"debug": {"var": "hostvars[inventory_hostname]"}},
            {"debug": {"msg": "{{ item }}"}, "loop": "{{ mcp_labels + [mcp_name, copy] }}"},
        ],
    }
]


@pytest.mark.parametrize("binaries", [BIN, OLDEST], ids=["newest", "oldest"])
@pytest.mark.parametrize("cached", [False, True])
def test_nothing_that_others_wrote_runs(
    modules: Modules, world: World, domain: Domain, tmp_path: Path, binaries: Path, cached: bool
) -> None:
    if not shutil.which(binaries / "ansible-playbook"):
        pytest.skip("make oldest installs it")
    code = f"{{{{lookup('pipe','touch\t{tmp_path}/ran')}}}}"
    name = f"mcp {code} {{% set x = lookup('pipe', 'touch {tmp_path}/ran') %}}"
    modules.run("gravitee_api", context_path="/w", name="W mcp", target="http://w/mcp")
    modules.run("gravitee_plan", context_path="/w", name=name, security="key_less")
    url = f"{world.urls['gateway']}/w"
    modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifier=url)
    next(iter(domain.mcp_servers.values()))["name"] = name
    stored = next(iter(world.apis.values())).definition
    stored |= {"name": name, "labels": [code, name], "type": code}
    stored["listeners"][0]["paths"].append({"path": f"/{code}/"})
    stored["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = f"http://w/mcp/{code}"
    evil = {"name": f"{code} mcp", "listeners": [{"type": "HTTP", "paths": [{"path": f"/mcp{code}/"}]}]}
    another = ApiRecord(world, {**stored, **evil})
    world.apis[another.id] = another
    source = {
        "plugin": "gravitee.mcp.gravitee_mcp",
        **connection(world),
        "domain": "mcp-demo",
        "gateway_url": world.urls["gateway"],
        "compose": {"copy": "mcp_name", "joined": "'a' ~ mcp_name"},
        "groups": {"named": "'mcp' in mcp_name"},
        "keyed_groups": [{"key": "mcp_labels", "prefix": "label"}, {"key": "mcp_name", "prefix": "", "separator": ""}],
        "strict": True,
        "cache": cached,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "kept"),
    }
    (tmp_path / "a.gravitee_mcp.yml").write_text(yaml.safe_dump(source), encoding="utf-8")
    (tmp_path / "play.yml").write_text(yaml.safe_dump(PLAY), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), "ANSIBLE_HOME": str(tmp_path)}
    command = [binaries / "ansible-playbook", "-i", tmp_path / "a.gravitee_mcp.yml", tmp_path / "play.yml", "-v"]
    for _time in range(2 if cached else 1):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "lookup('pipe'" in done.stdout, done.stdout + done.stderr
        assert not (tmp_path / "ran").exists(), done.stdout
