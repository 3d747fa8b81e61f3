"""The lookup says what mcp_check says."""
from __future__ import annotations

from typing import Any

from tests.integration.test_in_controller import run
from tests.integration.test_parity import variables
from tests.role import Role
from tests.runners import Modules, Playbooks
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World


def test_each_verdict_and_bad_input_in_one_sentence(
    playbooks: Playbooks, modules: Modules, world: World, domain: Domain
) -> None:
    v = variables(world)
    Role(modules.run, v).play()
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "secured": (f"'{v.url}'", {"url": v.url}),
        "unreachable": (f"'{v.url}-not'", {"url": f"{v.url}-not"}),
        "open": (f"'{world.urls['mcp']}', gateway=false", {"url": world.urls["mcp"], "gateway": False}),
        "misconfigured": (
            f"'{v.url}', authorization_server='https://other.example.com'",
            {"url": v.url, "authorization_server": "https://other.example.com"},
        ),
        "is no http(s) URL": ("'weather'", {}),
        "timeout: 0 is no time to wait": ("'http://x', timeout=0", {}),
    }
    told = run(
        playbooks,
        [
            {
                "name": name,
                "ansible.builtin.set_fact": {"seen": f"{{{{ lookup('gravitee.mcp.posture', {terms}) }}}}"},
                "ignore_errors": True,
            }
            for name, (terms, _params) in asked.items()
        ],
    )
    for name, (_terms, params) in asked.items():
        result = told.result(name)
        if params:
            seen = modules.run("mcp_check", **params)
            expected = {"url": params["url"], "result": name, "summary": seen["summary"]}
            assert result["ansible_facts"]["seen"] == expected
        else:
            assert name in result["msg"]
