"""Every bold sentence of the contract has a test that fails without its remedy.

Here are those tests that fit nowhere else, too.
"""
from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import requests

from tests.integration.test_flows import initialize
from tests.runners import ModuleFailed, Modules
from tests.sandbox.world import World

ROOT = Path(__file__).parent.parent.parent
CONTRACT = ROOT.parent / "shared/contract"
AT = {"context_path": "/w"}

# The beginning of each bold sentence: the tests, below tests/.
TRAPS = {
    "A credential costs APIM": ["integration/test_connection.py::test_the_login_is_exchanged_once_and_no_cookie_kept"],
    "That answer also sets cookies": ["integration/test_connection.py::test_the_login_is_exchanged_once_and_no_cookie_kept"],
    "400": ["integration/test_connection.py::test_the_environment_fills_in"],
    '403 "Permission denied"': ["integration/test_domain.py::test_refused_with_a_sentence"],
    "403": ["integration/test_mcp_server.py::test_removed"],
    "Sent with the create": ["integration/test_api.py::test_what_a_create_drops_is_put_afterwards"],
    "With readTimeout 10 s": ["integration/test_traps.py::test_a_slow_tool_outlasts_the_servers_own_timeout"],
    "Look objects up in the list": ["integration/test_traps.py::test_objects_are_looked_up_in_the_list"],
    "An unknown resource type": [
        "integration/test_traps.py::test_a_resource_that_apim_does_not_know_is_refused",
        "integration/test_resource.py::test_two_resources_of_a_name_are_ambiguous",
    ],
    "does not apply pending changes": [
        "integration/test_deployment.py::test_stop_and_start_leaves_pending_changes_to_the_deployment"
    ],
    "only PUBLISHED": ["integration/test_plan.py::test_a_staged_plan_is_published_not_made_again"],
    "a name of no resource": [
        "integration/test_plan.py::test_refused_with_a_sentence",
        "integration/test_check.py::test_the_plan_names_a_resource_that_is_not_there",
    ],
    "`addWwwAuthenticateHeader` left out": [
        "integration/test_plan.py::test_discovery_is_sent_where_the_schema_knows_it",
        "integration/test_check.py::test_no_challenge_means_no_client_finds_its_way",
    ],
    "Closing the last published plan": [
        "integration/test_deployment.py::test_no_published_plan_is_refused_and_the_open_door_named",
        "integration/test_flows.py::test_an_open_api_is_closed",
    ],
    "A valid token is not enough": ["integration/test_check.py::test_a_good_token_without_a_subscription_is_refused"],
    "503": ["integration/test_check.py::test_a_wrong_secret_in_the_resource_is_a_503_for_good_tokens"],
    "500": ["integration/test_check.py::test_the_plan_names_a_resource_that_is_not_there"],
    "`loginSettings` is replaced": ["integration/test_domain.py::test_login_settings_are_merged"],
    "the vendor's OpenAPI file leaves": ["integration/test_domain.py::test_every_setting_goes_both_ways"],
    "The toggle alone": ["integration/test_domain.py::test_the_toggle_alone_lets_no_mcp_client_in"],
    "only `{id, name, clientId, clientSecret}`": ["integration/test_flows.py::test_a_lost_secret_is_renewed"],
    "Reads need": ["integration/test_mcp_server.py::test_found_beyond_the_first_page"],
    "Who has a token for which server": ["integration/test_application.py::test_who_has_a_token_for_which_server"],
    "Identifiers are trimmed": [
        "integration/test_api.py::test_refused_with_a_sentence",
        "integration/test_mcp_server.py::test_what_am_normalizes_is_no_drift",
    ],
}


# As TRAPS, for the second page. Its table has numbers in bold; "500" is an event, or a subscription, that cannot be processed.
SECOND_LOOK = {
    "The audit log's parameters": [
        "contract/test_audits.py::test_a_token_that_was_given_out",
        "integration/test_application.py::test_who_has_a_token_for_which_server",
    ],
    "A registered client may change": ["integration/test_admission.py::test_who_is_admitted_no_more_is_closed"],
    "`properties`: a value sent": [
        "unit/test_definition.py::test_a_property_is_sent_to_be_encrypted_or_kept",
        "unit/test_properties.py::test_a_property_is_encrypted_once_and_never_kept_in_clear",
    ],
    "admits and reports nobody": ["integration/test_clients.py::test_the_role_reports_admits_and_leaves_out"],
    "A token that was asked for without": ["integration/test_enforcement.py::test_who_is_let_in"],
    "A selection rule on the plan": ["integration/test_enforcement.py::test_who_is_let_in"],
    "`claims['aud'] == ": ["unit/test_enforcement.py::test_a_rule_lets_in_just_what_it_says"],
    "Every plan that is served": ["integration/test_enforcement.py::test_plans_beside_are_told"],
    "Anyone may register a client": ["integration/test_enforcement.py::test_who_is_let_in"],
    "200": [
        "integration/test_discovery.py::test_the_check_names_what_is_missing",
        "integration/test_enforcement.py::test_a_machine_client_is_let_in_by_name",
    ],
    "There is no `client_id`": ["integration/test_enforcement.py::test_a_machine_client_is_let_in_by_name"],
    "`grant_types: [": ["integration/test_enforcement.py::test_who_is_let_in"],
    "403 and `WWW-Authenticate": ["integration/test_enforcement.py::test_tools_need_their_scopes"],
    "An expression that fails": ["unit/test_enforcement.py::test_what_is_no_json_object_is_refused_before_all_else"],
    "An expression begins with": ["unit/test_enforcement.py::test_a_rule_is_known_again"],
    "CORS with origins alone": ["integration/test_cors.py::test_browsers_get_in_with_cors"],
    "500": [
        "contract/test_recordings.py::test_exchange",
        "integration/test_subscription.py::test_a_plan_that_validates_by_hand",
    ],
    'ends "misconfigured"': ["integration/test_discovery.py::test_the_check_names_what_is_missing"],
    "401": ["integration/test_discovery.py::test_the_check_names_what_is_missing"],
    "404": ["integration/test_discovery.py::test_the_check_names_what_is_missing"],
    "An API of type PROXY needs": ["integration/test_discovery.py::test_the_paths_of_an_api"],
    "The official Python SDK 2.x asks": ["integration/test_discovery.py::test_what_the_policy_does_not_say_a_template_does"],
    "The challenge can be mended": ["integration/test_discovery.py::test_what_the_policy_does_not_say_a_template_does"],
    "not in the headers": ["integration/test_discovery.py::test_what_the_policy_does_not_say_a_template_does"],
    "The field is `statusCode`": ["integration/test_discovery.py::test_the_check_names_what_is_missing"],
    "A missing scope is 401": ["integration/test_discovery.py::test_what_the_policy_does_not_say_a_template_does"],
    "For the first 10 seconds": ["integration/test_with_token.py::test_a_new_token_is_asked_with_until_it_is_taken"],
    "Closed by `PATCH settings": ["integration/test_mcp_server.py::test_its_credentials_get_no_token"],
    "2026-07-28": ["integration/test_eras.py::test_each_is_secured_and_a_user_gets_its_tools"],
    "A rotation can refuse calls": ["integration/test_faults.py::test_every_request_meets_every_fault"],
    "The user's own secret": ["integration/test_property.py::test_a_secret_of_the_users_own_that_am_refuses_is_not_put_back"],
    "Any PATCH of a domain": ["integration/test_property.py::test_the_domain_is_written_once"],
    "`POST …/apis/_import/definition": ["integration/test_api_import.py::test_one_request_makes_what_three_modules_make"],
    "Plans come back as they were": ["integration/test_way_back.py::test_the_way_back_is_open"],
}
PAGES = {"README.md": TRAPS, "second-look.md": SECOND_LOOK}


@pytest.mark.parametrize("page", PAGES)
def test_every_bold_sentence_has_its_test(page: str) -> None:
    """And nothing is named that the page does not say."""
    path = CONTRACT / page
    if not path.exists():
        pytest.skip("the contract's page is not beside this checkout")
    bold = {" ".join(text.split()) for text in re.findall(r"\*\*(.+?)\*\*", path.read_text(encoding="utf-8"), re.DOTALL)}
    starts = list(PAGES[page])
    # The longest beginning that fits, as one may begin like another.
    said = {text: max((start for start in starts if text.startswith(start)), key=len, default="") for text in bold}
    assert [text for text, start in said.items() if not start] == []
    assert [start for start in starts if start not in said.values()] == []


def test_the_tests_named_are_there() -> None:
    for name in {name for tests in PAGES.values() for names in tests.values() for name in names}:
        path, test = name.split("::")
        nodes = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8")).body
        assert test in {node.name for node in nodes if isinstance(node, ast.FunctionDef)}, name


@pytest.mark.parametrize("mcp_json", [True])
def test_a_slow_tool_outlasts_the_servers_own_timeout(modules: Modules, world: World, mcp_json: bool) -> None:
    """APIM's 10 s and our 120 s, here in small: a tool that answers in JSON after a second."""
    api = modules.run("gravitee_api", **AT, name="W", target=world.urls["mcp"])["api"]
    assert api["endpointGroups"][0]["sharedConfiguration"]["http"]["readTimeout"] == 120_000
    modules.run("gravitee_plan", **AT, security="key_less")
    call = {"name": "slow_forecast", "arguments": {"seconds": 1}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accept = {"Accept": "application/json, text/event-stream"}
    for timeout, status in ((300, 504), (30_000, 200)):
        modules.run("gravitee_api", **AT, read_timeout=timeout)
        modules.run("gravitee_deployment", **AT)
        assert initialize(f"{world.urls['gateway']}/w") == 200
        answer = requests.post(f"{world.urls['gateway']}/w", json=message, headers=accept, timeout=20)
        assert answer.status_code == status


def test_objects_are_looked_up_in_the_list(modules: Modules, world: World) -> None:
    """Over pages; the search is not asked, as its index was seen stale."""
    for number in range(105):
        modules.run("gravitee_api", context_path=f"/w{number:03}", name=f"W{number:03}", target="http://w/mcp")
    world.log.clear()
    assert modules.run("gravitee_api", context_path="/w104", name="W104")["changed"] is False
    assert not [request for request in world.log if request.path.endswith("_search")]


def test_a_resource_that_apim_does_not_know_is_refused(modules: Modules, world: World) -> None:
    world.plugins_removed = {"oauth2-am-resource"}
    modules.run("gravitee_api", **AT, name="W", target="http://w/mcp")
    resource = {"server_url": "http://am", "security_domain": "d", "client_id": "c", "client_secret": "s3cr3t"}
    with pytest.raises(ModuleFailed, match="has no resource plugin oauth2-am-resource: install it"):
        modules.run("am_resource", **AT, **resource)
