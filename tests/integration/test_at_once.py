"""Two controllers, and many hosts of one play, at once on the same server: the same state in the end, and nothing twice."""
from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.faults import Faults
from tests.integration.test_faults import Fixture, as_it_should_be
from tests.runners import Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.servers import Sandbox
from tests.sandbox.world import World

ROUNDS = 6


def test_two_at_the_same_moment(sandbox: Sandbox, world: World, domain: Domain, tmp_path: Path) -> None:
    """fleet.yml by two at the same moment. Either gets through, or one is told to run again; the next run settles it.

    By turns on AM 4.11 and 4.10. There, a secret that one of them takes for lost is renewed by making the MCP server anew; that
    the other put the old one into the API is seen only by asking AM's gateway.
    """
    at = Fixture(sandbox, Faults(), {})
    both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        both.append(Playbooks(world, tmp_path / name))
    ended: list[int] = []
    for number in range(ROUNDS):
        world.am_version = ("4.11", "4.10")[number % 2]
        at.fresh()
        running: list[subprocess.Popen[str]] = [one.start("fleet.yml") for one in both]
        for process in running:
            output = process.communicate(timeout=120)[0]
            ended.append(process.returncode)
            assert "Traceback" not in output
        settled = both[0].run("fleet.yml", "-e", "secure_mcp_look=true", verify_timeout=1)
        assert settled.code == 0, settled.output
        as_it_should_be(at)
        assert both[1].run("fleet.yml").changed == []
    assert 0 in ended


HOSTS = [f"server-{number}" for number in range(8)]
CONNECTION = {name: f"{{{{ secure_mcp_{name} }}}}" for name in ("am_url", "am_username", "am_password")}
EVERY_HOST = {
    "hosts": "mcp_servers",
    "connection": "local",
    "gather_facts": False,
    "module_defaults": {"group/gravitee.mcp.gravitee": {**CONNECTION}},
    "tasks": [
        {
            "name": "Let the clients of this server register",
            "gravitee.mcp.am_domain_settings": {
                "domain": "mcp-demo",
                "mcp_clients": True,
                "mcp_client_scopes": ["{{ inventory_hostname }}"],
                "scopes": ["{{ inventory_hostname }}"],
                "login": {"register_enabled": True},
            },
        },
        {
            "name": "Make the client that all of them know",
            "gravitee.mcp.am_application": {
                "domain": "mcp-demo",
                "name": "Assistant",
                "type": "native",
                "scopes": ["openid", "{{ inventory_hostname }}"],
                "scopes_mode": "add",
            },
        },
    ],
}


def test_many_hosts_of_one_play(playbooks: Playbooks, world: World, domain: Domain, tmp_path: Path) -> None:
    """With Ansible's default of five forks, and 80 ms to AM. Each has its own scope; the client has no client id."""
    world.latency = {"am": 0.08}
    book = tmp_path / "every_host.yml"
    book.write_text(yaml.safe_dump([EVERY_HOST]), encoding="utf-8")
    done = playbooks.run(str(book), hosts={host: {} for host in HOSTS})
    assert done.code == 0, done.output
    assert set(HOSTS) <= set(domain.scopes)
    registration = domain.wire["oidc"]["clientRegistrationSettings"]
    assert set(registration["allowedScopes"]) == {"openid", "profile", "email", "offline_access", *HOSTS}
    assert set(registration["defaultScopes"]) == {"openid", *HOSTS}
    [client] = domain.applications.values()
    oauth = client["settings"]["oauth"]
    assert {setting["scope"] for setting in oauth["scopeSettings"]} == {"openid", *HOSTS}
    told = [entry["result"]["client_id"] for entry in done.tasks if "client_id" in entry["result"]]
    assert told == [oauth["clientId"]] * len(HOSTS)
    world.latency = {}
    assert playbooks.run(str(book), hosts={host: {} for host in HOSTS}).changed == []
