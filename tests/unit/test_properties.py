"""What holds for any observed and any desired object."""
from __future__ import annotations

import copy
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_mcp_server import ManagedMcpServer, McpServerOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_api import ApiOptions, ManagedApi
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.am_domain import Domain
from tests.sandbox.am_resources import AmResources
from tests.sandbox.apim_api import ApiRecord
from tests.sandbox.apim_definition import normalize
from tests.sandbox.world import World

KEYS = st.sampled_from(["id", "name", "key", "a", "b", "c", "clientSecret", "password", "list"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "x", "y"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)


@given(OBJECTS, OBJECTS)
def test_merging_again_changes_nothing(observed: dict, wanted: dict) -> None:
    once = merge(observed, wanted)
    assert merge(once, wanted) == once


@given(OBJECTS, OBJECTS)
def test_fields_that_nobody_named_are_kept(observed: dict, wanted: dict) -> None:
    merged = merge(observed, wanted)
    for key in observed.keys() - wanted.keys():
        assert merged[key] == observed[key]


@given(OBJECTS, OBJECTS)
def test_merging_leaves_its_arguments_alone(observed: dict, wanted: dict) -> None:
    before = copy.deepcopy((observed, wanted))
    merge(observed, wanted)
    assert (observed, wanted) == before


SECRET_KEYS = st.sampled_from(["clientSecret", "client_secret", "password", "Password", "token", "apiKey", "secret"])
SECRETS = st.recursive(
    st.just("hush-hush-hush"),
    lambda inner: st.one_of(
        st.dictionaries(SECRET_KEYS, inner, min_size=1, max_size=2),
        st.lists(st.dictionaries(SECRET_KEYS, inner, min_size=1, max_size=1), min_size=1, max_size=2),
    ),
    max_leaves=6,
).filter(lambda value: not isinstance(value, str))


@given(SECRETS)
def test_no_secret_is_ever_shown(secret: Any) -> None:
    plan = Plan(before={"a": 1}, after={"a": secret}, changes=[Change("c", lambda now: now)])
    assert "hush" not in str(plan.diff("h"))
    assert "hush" not in str(mask(secret, {"a": secret}))


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=12)
NAMES = st.sampled_from(["one", "two", "three"])
PROPERTIES = st.lists(st.fixed_dictionaries({"key": NAMES, "value": TEXT}), unique_by=lambda entry: entry["key"], max_size=3)
FLOW = st.fixed_dictionaries({"name": NAMES, "enabled": st.booleans()})
FLOWS = st.lists(FLOW, unique_by=lambda flow: flow["name"], max_size=3)
DEFINITIONS = st.fixed_dictionaries(
    {},
    optional={
        "properties": PROPERTIES,
        "flows": FLOWS,
        "analytics": st.fixed_dictionaries({"enabled": st.booleans()}),
        "failover": st.fixed_dictionaries({"enabled": st.booleans(), "maxRetries": st.integers(1, 5)}),
    },
)
APIS = st.fixed_dictionaries(
    {},
    optional={
        "description": TEXT,
        "labels": st.lists(NAMES, unique=True, max_size=3),
        "visibility": st.sampled_from(["public", "private"]),
        "version": st.sampled_from(["1.0", "2.0"]),
        "read_timeout": st.integers(1, 10**6),
        "idle_timeout": st.integers(0, 10**6),
        "max_concurrent_connections": st.integers(1, 100),
        "target": st.sampled_from(["http://a/mcp", "https://b.example.com/mcp"]),
        "definition": DEFINITIONS,
    },
)


class ModelApim:
    """As much of APIM as an API needs, with the sandbox's normalization, and no HTTP."""

    def __init__(self) -> None:
        self.world, self.record = World(), None

    def owners(self, _paths: set[str]) -> list[dict[str, Any]]:
        return [self.record.wire()] if self.record else []

    def api(self, _api_id: str) -> tuple[dict[str, Any], str]:
        return self.record.wire(owner=True), ""

    def create_api(self, body: dict[str, Any]) -> dict[str, Any]:
        self.record = ApiRecord(self.world, normalize(body, self.world, creating=True))
        return self.record.wire(empties=True)

    def update_api(self, _api_id: str, body: dict[str, Any], _etag: str) -> tuple[dict[str, Any], str]:
        self.record.definition = normalize(body, self.world, creating=False)
        return self.record.wire(owner=True), ""


@settings(max_examples=200, deadline=None)
@given(APIS, APIS)
def test_an_api_is_planned_once(first: dict, second: dict) -> None:
    """Whatever is given, applied to the model of APIM and planned again, leaves nothing to do; twice over."""
    apim = ModelApim()
    fixed = {"context_paths": ["/w"], "name": "W", "state": "present", "mcp_resource": True}
    for wanted in ({"target": "http://w/mcp", **first}, second):
        ManagedApi(apim, ApiOptions(**fixed, **wanted)).plan().apply()
        assert ManagedApi(apim, ApiOptions(**fixed, **wanted)).plan().changes == []


TOOLS = st.lists(
    st.fixed_dictionaries({"key": NAMES}, optional={"description": TEXT, "scopes": st.lists(st.just("openid"), max_size=1)}),
    unique_by=lambda tool: tool["key"],
    max_size=3,
)
IDENTIFIERS = st.sampled_from(["http://GW/a", " http://gw/b ", "http://gw/c"])
SERVERS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Weather", "News"]),
        "description": TEXT,
        "tools": TOOLS,
        "resource_identifiers": st.lists(IDENTIFIERS, min_size=1, unique=True),
    },
)


class ModelAm:
    """As much of AM as an MCP server needs, with the sandbox's normalization, and no HTTP."""

    def __init__(self) -> None:
        self.kept = Domain(World(), {"name": "d"})
        self.resources = AmResources(type("Plane", (), {"world": self.kept.world}))

    def domain(self, _domain: str) -> dict[str, Any]:
        return self.kept.wire

    def scopes(self, _domain_id: str) -> set[str]:
        return set(self.kept.scopes)

    def mcp_servers(self, _domain_id: str) -> list[dict[str, Any]]:
        return [self.resources._shown(server) for server in self.kept.mcp_servers.values()]

    def create_mcp_server(self, _domain_id: str, body: dict[str, Any]) -> dict[str, Any]:
        server = self.resources._new(self.kept, body)
        self.kept.mcp_servers[server["id"]] = server
        return {**server, "clientSecret": "s"}

    def patch_mcp_server(self, _domain_id: str, server_id: str, body: dict[str, Any]) -> dict[str, Any]:
        self.resources._updated(self.kept, self.kept.mcp_servers[server_id], body)
        return self.resources._shown(self.kept.mcp_servers[server_id])


@settings(max_examples=200, deadline=None)
@given(SERVERS, SERVERS)
def test_an_mcp_server_is_planned_once(first: dict, second: dict) -> None:
    am = ModelAm()
    fixed = {"domain": "d", "client_id": "c", "state": "present"}
    start = {"name": "Weather", "resource_identifiers": ["http://gw/a"]}
    for wanted in ({**start, **first}, second):
        ManagedMcpServer(am, McpServerOptions.of({**fixed, **wanted})).plan().apply()
        assert ManagedMcpServer(am, McpServerOptions.of({**fixed, **wanted})).plan().changes == []


SECRET_PROPERTIES = st.lists(
    st.fixed_dictionaries(
        {"key": NAMES, "value": st.sampled_from(["plain-text-a", "plain-text-b"])},
        optional={"encryptable": st.booleans(), "encrypted": st.booleans()},
    ),
    unique_by=lambda entry: entry["key"],
    max_size=3,
)


@settings(max_examples=200, deadline=None)
@given(SECRET_PROPERTIES, SECRET_PROPERTIES)
def test_a_property_is_encrypted_once_and_never_kept_in_clear(first: list, second: list) -> None:
    apim = ModelApim()
    fixed = {"context_paths": ["/w"], "name": "W", "state": "present", "mcp_resource": True}
    ManagedApi(apim, ApiOptions(**fixed, target="http://w/mcp")).plan().apply()
    for properties in (first, second):
        wanted = ApiOptions(**fixed, definition={"properties": properties})
        ManagedApi(apim, wanted).plan().apply()
        again = ManagedApi(apim, wanted)
        assert again.plan().changes == []
        kept = {entry["key"]: entry for entry in apim.record.definition.get("properties") or []}
        assert not [entry for entry in kept.values() if entry["encrypted"] and entry["value"].startswith("plain-text")]
        for given_one in properties:
            if given_one.get("encryptable") or given_one.get("encrypted"):
                assert kept[given_one["key"]]["encrypted"]
