# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many MCP servers at once: the role's sealed flow for each, on what was read for all of them.

Every object is planned by the class that its module uses. A first pass plans on a snapshot, read in bulk: one list of APIs, one
of MCP servers, the domain, and the plans of each API. Servers that have something to do are then gone through once more,
each object read anew, as the role does it. In check mode the first pass is all there is.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed, Plan
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.check import Check
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import ManagedDomain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import ManagedMcpServer
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import ManagedAmResource
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import READ_TIMEOUT, ManagedApi
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_deployment import ManagedDeployment
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import ManagedPlan
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import STATUSES, normal_path, paths_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.introspection import credentials

REQUIRED_SCOPES = ["openid"]  # what clients are told to ask for where nothing else is said; AM's domains have it


class Given(dict):
    """Parameters of a managed object; what is not given is None."""

    def __missing__(self, key: str) -> None:
        return None


class Live:
    """A plane that is asked and told everything anew, but for what `known` answers."""

    def __init__(self, plane: Any, **known: Any):
        self._plane = plane
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plane, name)


class ApimSnapshot(Live):
    """What APIM has now: every API from one list, the plans of an API from one request."""

    def __init__(self, apim: Any):
        super().__init__(apim, plugins=cache(apim.plugins), policy_schema=cache(apim.policy_schema))
        self._apis = {api["id"]: api for api in apim.apis(expands="deploymentState")}
        self._owners = {path: api for api in self._apis.values() for path in paths_of(api)}
        self._plans: dict[str, list[dict[str, Any]]] = {}

    def owners(self, paths: set[str]) -> list[dict[str, Any]]:
        return list({self._owners[path]["id"]: self._owners[path] for path in paths if path in self._owners}.values())

    def api(self, api_id: str) -> tuple[dict[str, Any], str]:
        return self._apis[api_id], ""

    def plans(self, api_id: str, statuses: Iterable[str] = STATUSES) -> list[dict[str, Any]]:
        if api_id not in self._plans:
            self._plans[api_id] = self._plane.plans(api_id)
        return [plan for plan in self._plans[api_id] if plan["status"] in statuses]


class AmSnapshot(Live):
    """What AM has now."""

    def __init__(self, am: Any, domain: str):
        servers = cache(lambda domain_id: list(am.mcp_servers(domain_id)))
        super().__init__(am, domain=cache(am.domain), scopes=cache(am.scopes), mcp_servers=servers)
        found = self.domain(domain)
        if found:
            self.mcp_servers(found["id"])


def reconcile(params: Mapping[str, Any], servers: Any, apply: bool) -> dict[str, Any]:
    """Every server of the fleet as it should be, or without `apply` what that would take."""
    fleet = [Given(server) for server in params["servers"]]
    _refuse_twins(fleet)
    if params["parallel"] < 1:
        raise Refusal(f"parallel: {params['parallel']} servers at the same time is none. Give 1 or more.")
    apim, am = servers.apim, servers.am
    snapshot = ApimSnapshot(apim), AmSnapshot(am, params["domain"])
    live = Live(apim, owners=snapshot[0].owners), Live(am, mcp_servers=snapshot[1].mcp_servers)
    domain = _domain(params, fleet, am if apply else snapshot[1], apply)
    shared = Given({**params, "domain": domain["id"], "security_domain": domain["path"].strip("/")})

    def one(server: Given) -> dict[str, Any]:
        outcome = _outcome(server, shared, lambda: _Flow(server, shared, *snapshot, servers.options).run(apply=False))
        if outcome["changed"] and apply:
            outcome = _outcome(server, shared, lambda: _Flow(server, shared, *live, servers.options).run(apply=True))
        if params["look"] and not outcome["failed"]:
            outcome["seen"] = Check(Given({"url": outcome["url"], "gateway": True}), servers.options).run()
        return outcome

    with ThreadPoolExecutor(params["parallel"]) as pool:
        outcomes = list(pool.map(one, fleet))
    return {
        "changed": bool(domain["changes"]) or any(outcome["changed"] for outcome in outcomes),
        "domain": domain,
        "servers": outcomes,
        "failed_servers": [outcome["name"] for outcome in outcomes if outcome["failed"]],
    }


def _refuse_twins(fleet: list[Given]) -> None:
    paths = [normal_path(server["context_path"]) for server in fleet]
    twice = sorted({path for path in paths if paths.count(path) > 1}) if len(set(paths)) < len(paths) else []
    if twice:
        raise Refusal(f"servers: more than one has the context path {twice[0]}. Give each a path of its own.")


def _domain(params: Mapping[str, Any], fleet: list[Given], am: Any, apply: bool) -> dict[str, Any]:
    """The domain's settings, once for all servers, and the scopes that any of them needs."""
    scopes = {scope for server in fleet for scope in _scopes(server)}
    required = sorted({scope for server in fleet for scope in _required_scopes(server)})
    managed = ManagedDomain(
        am,
        Given(
            domain=params["domain"],
            mcp_clients=params["dcr"] and not params["client_profiles"],
            client_profiles=(params["client_profiles"] or None) if params["dcr"] else None,
            mcp_client_scopes=required,
            scopes=sorted(scopes),
            login={"register_enabled": True} if params["user_registration"] else None,
        ),
    )
    plan, facts = _carry_out(managed, apply)
    return {**facts["domain"], **_told(managed, plan)}


def _required_scopes(server: Given) -> list[str]:
    given = server["required_scopes"]
    return REQUIRED_SCOPES if given is None else given


def _scopes(server: Given) -> list[str]:
    """What AM's domain must know; those of its own it always does."""
    tools = [scope for tool in server["tools"] or [] for scope in tool.get("scopes") or []]
    return [scope for scope in [*_required_scopes(server), *tools] if scope not in REQUIRED_SCOPES]


def _carry_out(managed: Managed, apply: bool) -> tuple[Plan, dict[str, Any]]:
    plan = managed.plan()
    value = plan.apply() if apply else plan.after
    return plan, managed.facts(value, plan)


def _told(managed: Managed, plan: Plan) -> dict[str, Any]:
    """What a plan says for the result."""
    diff = plan.diff(f"{managed.kind} {managed.title}")
    return {"changes": [change.summary for change in plan.changes], "diff": [diff] if plan.changed else []}


def _outcome(server: Given, shared: Given, work: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """A server's line in the result: what was or would be done, or why not. One server's refusal stops no other."""
    outcome = {
        "name": server["name"],
        "context_path": server["context_path"],
        "url": _url(server, shared),
        "changed": False,
        "changes": [],
        "diff": [],
        "failed": False,
    }
    try:
        told = work()
    except (ApiError, Refusal) as error:
        return {**outcome, "failed": True, "msg": str(error)}
    changes = [change for one in told for change in one["changes"]]
    diff = [part for one in told for part in one["diff"]]
    return {**outcome, "changed": bool(changes), "changes": changes, "diff": diff}


def _url(server: Given, shared: Given) -> str:
    return f"{shared['gateway_url'].rstrip('/')}/{server['context_path'].strip('/')}"


class _Flow:
    """The sealed flow of one server."""

    def __init__(self, server: Given, shared: Given, apim: Any, am: Any, options: Any):
        self.server, self.shared, self.apim, self.am, self.options = server, shared, apim, am, options
        self.path, self.url = server["context_path"], _url(server, shared)
        self.told: list[dict[str, Any]] = []

    def run(self, apply: bool) -> list[dict[str, Any]]:
        """What every step says of its object, in the safe order."""
        self.apply = apply
        self.api: dict[str, Any] = next(iter(self.apim.owners({normal_path(self.path)})), {})
        self.api_id = self.api.get("id")
        server = self._step(self._mcp_server())
        api = self._step(self._api())
        self.api_id = api["id"]
        resource = self._step(self._resource(server["client_id"], self.server["client_secret"] or server.get("client_secret")))
        oauth2 = self._step(self._plan(name=self.shared["plan_name"], security="oauth2", state="published", discovery=True))
        keyless = self._step(self._plan(security="key_less", state="closed"))
        due = any(facts["deployment_due"] for facts in (api, resource, oauth2, keyless))
        deployment = self._part(state="started", label="secured", definition_changed=due)
        self._step(ManagedDeployment(self.apim, deployment, self.options))
        return self.told

    def _step(self, managed: Managed) -> dict[str, Any]:
        plan, facts = _carry_out(managed, self.apply)
        self.told.append(_told(managed, plan))
        return facts

    def _part(self, **given: Any) -> Given:
        """Parameters of something inside the API."""
        return Given(api_id=self.api_id, context_path=self.path, **given)

    def _mcp_server(self) -> ManagedMcpServer:
        managed = ManagedMcpServer(
            self.am,
            Given(
                domain=self.shared["domain"],
                name=self.server["name"],
                resource_identifiers=[self.url],
                client_id=self.server["client_id"],
                client_secret=self.server["client_secret"],
                tools=self.server["tools"] or None,
                state="present",
                secret_name="Default",
                recreate=self.shared["recreate_lost_server"],
            ),
        )
        managed.params["rotate_secret"] = self._secret_is_lost(managed)
        return managed

    def _secret_is_lost(self, managed: ManagedMcpServer) -> bool:
        """AM has the MCP server, and the API does not hold the secret that goes with it."""
        if self.server["client_secret"] or managed.observe() is None:
            return False
        named = [one for one in self.api.get("resources") or [] if one["name"] == self.shared["resource_name"]]
        stored = named[0]["configuration"] if named else {}
        if not stored.get("clientSecret") or stored.get("clientId") != managed.client_id:
            return True
        wait = 0 if self.apply else self.shared["wait_timeout"]  # the first pass has waited
        return bool(self.shared["look"]) and credentials(stored, self.options, wait) == "refused"

    def _api(self) -> ManagedApi:
        return ManagedApi(
            self.apim,
            Given(
                id=self.api_id if self.api.get("name") == self.server["name"] else None,
                context_paths=[self.path],
                name=self.server["name"],
                version=self.server["version"] or "1.0",
                target=self.server["target"],
                read_timeout=self.server["read_timeout"] or READ_TIMEOUT,
                definition=self.server["definition"],
                adopt=self.server["adopt"],
                metadata_path=True,
                challenge=Given(url=self.url, scopes=self._required_scopes),
                mcp_resource=True,
                state="present",
            ),
        )

    @property
    def _required_scopes(self) -> list[str]:
        return _required_scopes(self.server)

    def _resource(self, client_id: str | None, client_secret: str | None) -> ManagedAmResource:
        return ManagedAmResource(
            self.apim,
            self._part(
                name=self.shared["resource_name"],
                server_url=self.shared["am_gateway_url"].rstrip("/"),
                security_domain=self.shared["security_domain"],
                client_id=client_id,
                client_secret=client_secret,
                state="present",
            ),
        )

    def _plan(self, **given: Any) -> ManagedPlan:
        oauth2 = {
            "oauth_resource": self.shared["resource_name"],
            "required_scopes": self._required_scopes or None,
        }
        return ManagedPlan(self.apim, self._part(**given, **(oauth2 if given["security"] == "oauth2" else {})))
