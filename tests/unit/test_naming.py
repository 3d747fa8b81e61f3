"""Refusals name what the user wrote."""
from __future__ import annotations

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.naming import NAMES, PARTS, VARIABLES, named, named_by_role

from tests.specs import spec_of
from tests.unit.test_steps import TASKS, everything, step_of

# What the steps say themselves: no variable has a part in it.
OF_THE_STEPS = {
    *("api_id", "id", "state", "security", "label", "enabled", "expect", "grant_types", "scopes_mode", "clients"),
    *("metadata_path", "only_new_api", "will_exist", "definition_changed", "allow_open", "wait_for", "wait_check"),
    *("in_use", "replaced_by", "self_registered", "resource_name"),
}


@pytest.mark.parametrize("module", VARIABLES)
def test_the_table_has_options_and_variables_that_are_there(module: str) -> None:
    spec = spec_of(module)
    aliases = {alias for one in spec.values() for alias in one.get("aliases", [])}
    assert set(VARIABLES[module]) <= {*spec, *aliases}
    assert set(VARIABLES[module].values()) <= NAMES


def test_every_option_that_a_step_gives_has_its_variable() -> None:
    v, client = everything(), [{"item": "one", "name": "one", "client_id": "c", "client_secret": "s"}]
    api, domain = {"api_id": "a", "ours": True, "client_id": "c", "rotating": True}, {"id": "d", "path": "/d"}
    seen = {**api, "domain": domain, "clients": client}
    new = {"client_id": "c", "client_secret": "s", "name": "n"}
    done = {"situation": seen, "mcp_server": new, "secret": new, "clients": {"results": client}}
    missing = set()
    for module, step, _name in TASKS["main.yml"]:
        function = step_of(step)
        options = function(v, done, "one") if function.__code__.co_argcount == 3 else function(v, done)
        parts = {PARTS[name]: part for name, part in options.items()} if module == "gravitee_api_import" else {module: options}
        for of, given in parts.items():
            missing |= {(of, name) for name in set(given) - set(VARIABLES.get(of, {})) - NAMES - OF_THE_STEPS}
    assert missing == set()


@pytest.mark.parametrize(
    ("module", "message", "told"),
    [
        ("gravitee_api", "context_paths: '/w' is taken.", "secure_mcp_context_path: '/w' is taken."),
        ("gravitee_api_import", "api.context_paths: '/w' is taken.", "secure_mcp_context_path: '/w' is taken."),
        ("gravitee_api_import", "plan.name: no.", "secure_mcp_plan_name: no."),
        ("gravitee_api_import", "api: nme is no option.", "api: nme is no option."),
        ("gravitee_plan", "audience, require_user: no.", "secure_mcp_bind_audience, secure_mcp_require_user: no."),
        ("am_resource", "server_url: no URL.", "secure_mcp_am_gateway_url: no URL."),
        ("am_application", "redirect_uris: no URL.", "secure_mcp_clients: no URL."),
        ("mcp_situation_info", "context_path: bad.", "secure_mcp_context_path: bad."),
        ("gravitee_api", "no_such_option: bad.", "no_such_option: bad."),
        ("gravitee_api", "POST /apis answered 500: broken", "POST /apis answered 500: broken"),
        ("gravitee_deployment", "wait_timeout: after 5 s", "secure_mcp_verify_timeout: after 5 s"),
        ("am_mcp_server", "", ""),
    ],
)
def test_what_a_role_says(module: str, message: str, told: str) -> None:
    assert named_by_role(f"gravitee.mcp.{module}", message) == told
    assert named(module, message) == told.replace("secure_mcp_", "")
