# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the flows in the guide's order, and from which variables the options of each one's module come.

Role and fleet walk the same steps: the role by a task each, whose options the lookup gravitee.mcp.secure_mcp gets from here;
the fleet, and the look before anything is written, by the objects behind the modules (walk.py).

A step gets the variables of the host and what the steps before returned, by their names: in the role the registered results,
secure_mcp__NAME. What it leaves out is not given to the module.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import given
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import TOOL_KEY

Options = dict[str, Any]
Done = Mapping[str, Mapping[str, Any]]  # name of a step → the result of its module


@dataclass(frozen=True)
class Step:
    """One step: the module, its options, and the variable or the decision of the situation without which it is left out."""

    name: str
    module: str
    options: Callable[[Variables, Done], Options]
    when: str = ""  # or "not …"

    def is_due(self, done: Done) -> bool:
        """Whether the step is walked, by the decision of the situation that `when` names."""
        decision = bool(done["situation"].get(self.when.removeprefix("not ")))
        return not self.when or decision is not self.when.startswith("not ")


def situation(v: Variables, _done: Done) -> Options:
    """Of mcp_situation_info: every variable."""
    return _given(**asdict(v))


def api(v: Variables, done: Done) -> Options:
    """Of gravitee_api, by the id where the API is this server's already."""
    seen = done["situation"]
    return _given(
        id=seen["api_id"] if seen["ours"] else None,
        context_paths=[v.context_path],
        metadata_path=True,
        challenge={"url": v.url, "scopes": v.required_scopes},
        name=v.name,
        type=v.api_type,
        version=v.version,
        target=v.target,
        read_timeout=v.read_timeout,
        definition=v.api_definition,
        adopt=v.adopt,
        cors_origins=v.cors_origins or None,
    )


def open_plan(v: Variables, done: Done) -> Options:
    """Of gravitee_plan, in the flow `documented`: the keyless plan of a new API."""
    return {**part(v, done), "security": "key_less", "only_new_api": True}


def open_deployment(v: Variables, done: Done) -> Options:
    """Of gravitee_deployment, in the flow `documented`: the open API, for its test."""
    return {**part(v, done), "label": "open, to be secured", **_proof(v, "open")}


def open_test(v: Variables, _done: Done) -> Options:
    """Of mcp_check, in the flow `documented`."""
    return {"url": v.url, "expect": ["open"], "wait_timeout": v.verify_timeout}


def domain(v: Variables, done: Done) -> Options:
    """Settings and scopes at once: AM's gateway answers 404 for a moment after every write of a domain."""
    return _given(
        domain=done["situation"]["domain"]["id"],
        scopes=_scopes(v, done) or None,
        mcp_clients=v.dcr and not v.client_profiles,
        client_profiles=(v.client_profiles if v.dcr else None) or None,
        client_metadata_documents=v.client_metadata_documents,
        mcp_client_scopes=v.required_scopes,
        mcp_client_optional_scopes=enforced_scopes(v, done),
        client_registration=v.client_registration,
        login={"register_enabled": True} if v.user_registration else None,
    )


def _scopes(v: Variables, done: Done) -> list[str]:
    """What the domain must know for the required scopes, the tools and the clients; those of its own it always does."""
    of_clients = [scope for one in v.clients for scope in one.get("scopes") or []]
    needed = dict.fromkeys([*v.required_scopes, *tool_scopes(v, done), *of_clients])
    return [scope for scope in needed if scope not in ("openid", "offline_access")]


def enforced_scopes(v: Variables, done: Done) -> list[str]:
    """The scopes beside the required ones that the gateway asks for at some tool: a client asks for them when it needs them."""
    scopes = tool_scopes(v, done) if v.enforce_tools != "false" else []
    return [scope for scope in dict.fromkeys(scopes) if scope not in v.required_scopes]


def tool_scopes(v: Variables, done: Done) -> list[str]:
    """The scopes of all tools. A client that may not ask for one never gets to call its tool."""
    return [scope for tool in _tools(v, done) or [] for scope in tool.get("scopes") or []]


def _tools(v: Variables, done: Done) -> list[dict[str, Any]] | None:
    tools: list[dict[str, Any]] | None = done["situation"].get("tools")
    return tools


def _known_tools(v: Variables, done: Done) -> list[dict[str, Any]]:
    """Those that the gateway enforces the scopes of; of discovered ones nothing is known where nobody has asked."""
    if v.enforce_tools == "false":
        return []
    return (_tools(v, done) if "situation" in done else None if v.discover else v.tools) or []


def mcp_server(v: Variables, done: Done) -> Options:
    """Of am_mcp_server."""
    return _given(
        domain=done["situation"]["domain"]["id"],
        name=v.name,
        resource_identifiers=[v.url],
        client_id=v.client_id,
        client_secret=v.client_secret,
        grant_types=["authorization_code"],  # its credentials check the tokens of others, and get none of their own
        tools=[tool for tool in _tools(v, done) or [] if not v.discover or TOOL_KEY.fullmatch(tool["key"])] or None,
    )


def secret(v: Variables, done: Done) -> Options:
    """Beside the others where AM can hold more than one: another controller may be putting one of them in place."""
    seen = done["situation"]
    return _given(
        domain=seen["domain"]["id"],
        resource_identifier=v.url,
        state="renewed",
        in_use=[seen["secret_in_use"]] if seen.get("secret_in_use") else [],
        recreate=v.rotate_recreate if seen["rotating"] else v.recreate_lost_server,
        am_gateway_url=v.am_gateway_url if v.verify else None,
        wait_timeout=float(v.verify_timeout),
    )


def resource(v: Variables, done: Done) -> Options:
    """Of am_resource, with the secret that was made or renewed in this run, if any was."""
    server, new = done.get("mcp_server") or {}, done.get("secret") or {}
    return _given(
        **part(v, done),
        name=v.resource_name,
        server_url=v.am_gateway_url.rstrip("/"),
        security_domain=done["situation"]["domain"]["path"].strip("/"),
        client_id=server.get("client_id") or done["situation"]["client_id"],
        client_secret=v.client_secret or new.get("client_secret") or server.get("client_secret"),
        enabled=True,
    )


def oauth2_plan(v: Variables, done: Done) -> Options:
    """The tools are enforced as far as they are known; nothing is known of them where they stay as AM has them."""
    tools = _tools(v, done)
    known = tools is not None or v.enforce_tools == "false"
    services = [one["name"] for one in v.clients if one.get("type") == "service"]
    return _given(
        **part(v, done),
        name=v.plan_name,
        security="oauth2",
        oauth_resource=v.resource_name,
        required_scopes=v.required_scopes,
        propagate_auth_header=v.propagate_auth_header,
        audience=v.audience,
        require_user=v.require_user,
        machine_clients=[made_client(done, name).get("client_id") or TO_COME for name in services],
        url=v.url,
        tools=None if tools is None else {tool["key"]: tool.get("scopes") or [] for tool in tools},
        enforce_tools=v.enforce_tools if known else None,
    )


def api_import(v: Variables, done: Done) -> Options:
    """A new API of the sealed flow, whose parts need no API to be named by."""
    parts = {"api": api(v, done), "resource": resource(v, done), "plan": oauth2_plan(v, done)}
    named = ("api_id", "context_path")
    return {name: {key: value for key, value in options.items() if key not in named} for name, options in parts.items()}


def keyless_plans(v: Variables, done: Done) -> Options:
    """Of gravitee_plan: all keyless plans, whatever they are called, are closed."""
    opened = bool((done.get("open_plan") or {}).get("changed"))
    return {**part(v, done), "security": "key_less", "state": "closed", "will_exist": opened}


def deployment(v: Variables, done: Done) -> Options:
    """Due when anything before changed what the gateway runs; started already where it was opened before."""
    before = [done.get(name) or {} for name in ("api", "resource", "oauth2_plan", "api_import", "keyless_plans")]
    opened = bool((done.get("open_deployment") or {}).get("changed"))
    due = any(result.get("deployment_due") for result in before)
    return {**closing(v, done), "state": "deployed" if opened else "started", "label": "secured", "definition_changed": due}


def made_client(done: Done, name: str) -> Mapping[str, Any]:
    """What came of the known client `name` in AM."""
    return next((one for one in (done.get("clients") or {}).get("results") or [] if one.get("item") == name), {})


def verify(v: Variables, done: Done) -> Options:
    """Of mcp_check, with the test user and the check's own client, or a machine client, where there are any."""
    found = (done.get("test_client") or {}).get("applications") or [made_client(done, v.test_client)]
    own = found[0].get("client_id") if v.makes_test_client else None
    return _given(
        url=v.url,
        username=v.test_username,
        password=v.test_password,
        client_id=v.test_client_id or (own if own != TO_COME else None),
        client_secret=v.test_client_secret,
        subscription=v.dcr and v.makes_test_client,
        tool_scopes={tool["key"]: tool["scopes"] for tool in _known_tools(v, done) if tool.get("scopes")} or None,
        authorization_server=v.am_gateway_url or None,
        audience=v.bind_audience,
        expect=["secured"],
        wait_timeout=v.verify_timeout,
    )


def credentials_file(v: Variables, done: Done) -> Options:
    """Of the MCP server, and of the known clients that AM generated just now."""
    made = [one for one in (done.get("clients") or {}).get("results") or [] if one.get("client_secret")]
    clients = [{"name": one["item"], "client_id": one["client_id"], "client_secret": one["client_secret"]} for one in made]
    return {**part(v, done), "path": v.credentials_file, "resource_name": v.resource_name, "clients": clients}


def part(v: Variables, done: Done) -> Options:
    """How a part of the API names it; a new API has no id in a dry run."""
    made = (done.get("api") or {}).get("id") or (done.get("api_import") or {}).get("id")
    api_id = made or (done["situation"]["api_id"] if done["situation"]["ours"] else None)
    return _given(api_id=api_id, context_path=v.context_path)


def _proof(v: Variables, what: str) -> Options:
    asked = {"wait": v.verify, "wait_for": what, "wait_timeout": v.verify_timeout, "gateway_url": v.url}
    return {**asked, "wait_check": what == "secured"}


def closing(v: Variables, done: Done) -> Options:
    """Of a deployment after which nobody gets in without a token."""
    return {**part(v, done), "allow_open": False, "on_failure": v.on_failure, **_proof(v, "secured")}


def _given(**options: Any) -> Options:
    return given(options)


SECURE = (
    Step("api", "gravitee_api", api, when="not importing"),
    Step("open_plan", "gravitee_plan", open_plan, when="opening"),
    Step("open_deployment", "gravitee_deployment", open_deployment, when="opening"),
    Step("open_test", "mcp_check", open_test, when="opening"),
    Step("domain", "am_domain_settings", domain),
    Step("mcp_server", "am_mcp_server", mcp_server),
    Step("secret", "am_mcp_server_secret", secret, when="new_secret"),
    Step("resource", "am_resource", resource, when="not importing"),
    Step("api_import", "gravitee_api_import", api_import, when="importing"),
    Step("oauth2_plan", "gravitee_plan", oauth2_plan, when="not importing"),
    Step("keyless_plans", "gravitee_plan", keyless_plans, when="not importing"),
    Step("deployment", "gravitee_deployment", deployment),
)
# The step before which the known clients are created, as its rule names those that are machines.
NAMES_CLIENTS = "api_import"
# The results that tell what the role changed, in the order of its tasks.
_NAMES = [step.name for step in SECURE]
_FIRST = _NAMES.index(NAMES_CLIENTS)
CHANGING = (*_NAMES[:_FIRST], "clients", *_NAMES[_FIRST:], "subscriptions", "admission", "old_secrets")
