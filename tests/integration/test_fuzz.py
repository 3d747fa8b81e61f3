"""Whatever a server answers, whatever a user gives: a sentence, never a traceback."""
from __future__ import annotations

import functools
import importlib
import json
import random
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runners import PACKAGE, ROOT, ModuleFailed, Modules
from tests.sandbox.am_domain import Domain
from tests.serving import serving

APIM = {"apim_username": "u", "apim_password": "p", "connect": False, "retries": 0, "timeout": 2, "token_cache": False}
AM = {"am_username": "u", "am_password": "p", "connect": False, "retries": 0, "timeout": 2, "token_cache": False}
OBJECT = {"id": "x", "name": "W", "state": "STARTED", "definitionVersion": "V4", "listeners": [], "endpointGroups": []}
ANSWERS: list[bytes] = [
    b"",
    b"<html><body>It works</body></html>",
    b"null",
    b"[]",
    b"{}",
    b"42",
    b'"text"',
    b"{\"data\": null}",
    b'{"data": [null]}',
    b'{"data": [{}]}',
    b'{"data": "x", "pagination": 3}',
    b'{"data": [], "pagination": {"pageCount": "many"}}',
    json.dumps({"data": [OBJECT]}).encode(),
    json.dumps({"data": [{**OBJECT, "listeners": [{"paths": [{"path": "/w/"}]}]}]}).encode(),
    json.dumps({"data": [{**OBJECT, "listeners": [{"paths": "none"}], "resources": 5}]}).encode(),
    b'{"token": "t", "access_token": "t", "id": null, "data": {"a": 1}}',
    b"[" * 2000 + b"]" * 2000,
    b'{"data": [' + b'{"id": "y"},' * 20000 + b'{"id": "z"}]}',
    b"\xff\xfe\x00broken",
]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("apim_url", "gravitee_api", {"context_path": "/w", "name": "W", "target": "http://w/mcp", "labels": ["a"]}),
    ("apim_url", "gravitee_api", {"context_path": "/w", "state": "absent"}),
    ("apim_url", "gravitee_api_info", {"plans": True}),
    ("apim_url", "gravitee_plan", {"api_id": "x", "security": "oauth2", "oauth_resource": "AM"}),
    ("apim_url", "gravitee_plan", {"api_id": "x", "security": "key_less", "state": "absent"}),
    ("apim_url", "am_resource", {"api_id": "x", "server_url": "http://a", "security_domain": "d", "client_id": "c"}),
    ("apim_url", "gravitee_deployment", {"api_id": "x"}),
    ("apim_url", "gravitee_subscription", {"api_id": "x", "client_id": "c"}),
    ("am_url", "am_domain_settings", {"domain": "d", "mcp_clients": True, "login": {"register_enabled": True}}),
    ("am_url", "am_mcp_server", {"domain": "d", "name": "M", "resource_identifier": "http://gw/m"}),
    ("am_url", "am_application", {"domain": "d", "name": "A", "type": "native", "scopes": ["openid"]}),
    ("am_url", "am_application_info", {"domain": "d", "resource": "http://gw/m"}),
    ("am_url", "am_mcp_server_info", {"domain": "d"}),
    ("am_url", "am_mcp_server_info", {"domain": "d", "secrets": True}),
    ("am_url", "am_mcp_server_secret", {"domain": "d", "client_id": "y", "state": "renewed", "recreate": True}),
    ("am_url", "am_mcp_server_secret", {"domain": "d", "client_id": "y", "state": "absent", "replaced_by": "b"}),
]


def is_a_sentence(failure: ModuleFailed) -> None:
    told = str(failure)
    assert told
    assert "\n" not in told
    assert "Traceback" not in told
    assert len(told) < 1000, told


def ends_in_a_sentence(modules: Modules, base: str, where: str, name: str, given: dict[str, Any]) -> None:
    try:
        modules.run(name, **{where: base}, **(APIM if where == "apim_url" else AM), **given)
    except ModuleFailed as failure:
        is_a_sentence(failure)


def odd(left: list[bytes], _method: str, path: str, _body: bytes) -> tuple[int, dict[str, str], bytes]:
    """A login that works, then one odd answer after the other, the last one again and again."""
    if path.endswith(("/login", "/auth/token")):
        return 200, {"Content-Type": "application/json"}, b'{"token": "t", "access_token": "t"}'
    body = left.pop(0) if len(left) > 1 else left[0]
    return 200, {"Content-Type": "application/json", "ETag": '"1"'}, body


NAMES = [f"{call[1]} {number}" for number, call in enumerate(CALLS)]


@pytest.mark.parametrize(("where", "name", "given"), CALLS, ids=NAMES)
def test_any_answer_ends_in_a_sentence(modules: Modules, where: str, name: str, given: dict[str, Any]) -> None:
    """After a login that works, the same odd answer to everything, and random mixtures of them."""
    dice = random.Random(name)
    turns = [[answer] for answer in ANSWERS] + [[dice.choice(ANSWERS) for _answer in range(4)] for _turn in range(15)]
    for turn in turns:
        with serving(functools.partial(odd, list(turn))) as base:
            ends_in_a_sentence(modules, base, where, name, given)


@pytest.mark.parametrize("body", ANSWERS, ids=range(len(ANSWERS)))
def test_a_login_that_answers_anything(modules: Modules, body: bytes) -> None:
    with serving(lambda *_request: (200, {"Content-Type": "application/json"}, body)) as base:
        for where, name, given in (CALLS[2], CALLS[12]):
            ends_in_a_sentence(modules, base, where, name, given)


@pytest.mark.parametrize("body", ANSWERS, ids=range(len(ANSWERS)))
def test_an_mcp_server_that_answers_anything(modules: Modules, body: bytes) -> None:
    for status in (200, 401, 500):
        for kind in ("application/json", "text/event-stream"):
            headers = {"Content-Type": kind, "WWW-Authenticate": "Bearer x=\"y"}
            with serving(lambda *_request, told=(status, headers, body): told) as base:
                seen = modules.run("mcp_check", url=f"{base}/mcp", retries=0, timeout=2, list_tools=True)
                assert seen["result"] in MEANINGS


# Parameters of the right type with anything in them, and now and then of any type.
TEXTS = ["", " ", "/", "x", "/W", "w mcp", "a" * 300, "../..", "{{ x }}", "%s", "\x00", "http://", "http://[", "http://x:y/"]
PARTS = ["listeners", "paths", "path", "endpointGroups", "endpoints", "name", "resources", "configuration", "security", "key"]
TEXT = st.one_of(st.sampled_from(TEXTS), st.text(max_size=6))
LEAF = st.one_of(st.none(), st.booleans(), st.integers(), TEXT)
JSON = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(PARTS), inner, max_size=3)),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(PARTS), JSON, max_size=4)
SIMPLE = {"str": TEXT, "bool": st.booleans(), "int": st.integers(-1, 2), "float": st.floats(0, 2), "dict": OBJECTS, "raw": JSON}


def values(spec: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of one option, mostly of its type."""
    if "choices" in spec:
        fitting: st.SearchStrategy[Any] = st.sampled_from(spec["choices"])
    elif "options" in spec:  # another type is for ansible-core, which stumbles over a list with no mapping in it
        return st.lists(parameters(spec["options"]), max_size=3) if spec["type"] == "list" else parameters(spec["options"])
    else:
        fitting = SIMPLE[spec.get("elements", spec["type"]).replace("path", "str")]
    if spec["type"] == "list":
        fitting = st.lists(fitting, max_size=3)
    return st.one_of(fitting, fitting, fitting, JSON)


def parameters(spec: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Every option or not; those that are required most of the time."""
    return st.fixed_dictionaries({}, optional={name: values(option) for name, option in spec.items()})


MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_any_parameter_ends_in_a_sentence(modules: Modules, domain: Domain, name: str) -> None:
    """On a server with an API, a plan, a resource and an MCP server to meet."""
    modules.run("gravitee_api", context_path="/w", name="W", target="http://w/mcp")
    modules.run("am_mcp_server", domain="mcp-demo", name="W", resource_identifier="http://gw/w", client_id="c")
    modules.run("am_resource", context_path="/w", server_url="http://a", security_domain="d", client_id="c", client_secret="s")
    modules.run("gravitee_plan", context_path="/w", security="oauth2", oauth_resource="Gravitee AM")
    known = {"context_path": "/w", "context_paths": ["/w"], "domain": "mcp-demo", "client_id": "c", "name": "W"}
    spec = importlib.import_module(f"{PACKAGE}.{name}").SPEC
    start = {option: known[option] for option in spec if option in known}
    start |= {"wait_timeout": 0} if "wait_timeout" in spec else {}

    @settings(max_examples=40, derandomize=True, deadline=None, database=None)
    @given(st.booleans(), parameters(spec))
    def any_parameters(check: bool, given_ones: dict[str, Any]) -> None:
        try:
            modules.run(name, check=check, timeout=1, retries=0, **{**start, **given_ones})
        except ModuleFailed as failure:
            is_a_sentence(failure)
            assert "not expected here" not in str(failure), "the server gets the blame for it"

    any_parameters()
