"""The selection rule and the flows for tools, evaluated as the gateway does, say what a plain statement in Python says."""
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.selection_rule import CLAIMS, Rule, rule_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.tool_flows import is_ours, tool_flows, with_flows
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from tests.sandbox.apim_definition import stored_flow
from tests.sandbox.apim_expressions import holds
from tests.sandbox.apim_flows import answered
from tests.sandbox.world import World

URLS = st.sampled_from(["http://gw/w", "http://gw/w/x", "http://gw", "https://gw:8443/w", "http://other/w"])
CLIENTS = st.sampled_from(["a", "ab", "a b", "https://client.example/metadata", "m(1)|.*"])
SCOPES = st.sampled_from(["a", "b", "a:b", "weather:read", "a.b"])
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
NAMES = st.text(PRINTABLE, min_size=1, max_size=6) | st.sampled_from(["a", "ab", "a|b", "it's"])
METADATA = "http://gw/.well-known/oauth-protected-resource/w"


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    user = draw(st.booleans())
    machines = sorted(draw(st.sets(CLIENTS, max_size=3))) if user else []
    return Rule(tuple(sorted(draw(st.sets(URLS, max_size=3)))), user, tuple(machines))


CLAIM_SETS = st.fixed_dictionaries(
    {"aud": st.lists(URLS | CLIENTS, min_size=1, max_size=2), "sub": CLIENTS | st.just("00000000-uuid")},
    optional={"gis": st.just("idp:1"), "scope": st.lists(SCOPES, max_size=3).map(" ".join)},
)


def lets_in(rule: Rule, claims: dict[str, Any]) -> bool:
    """What the rule means."""
    meant = not rule.audience or any(url in claims["aud"] for url in rule.audience)
    return meant and (not rule.require_user or "gis" in claims or claims["sub"] in rule.machine_clients)


@given(rules(), CLAIM_SETS)
def test_a_rule_lets_in_just_what_it_says(rule: Rule, claims: dict[str, Any]) -> None:
    variables = {"context": {"attributes": {"jwt": {"claims": claims}}}}
    text = rule.text()
    assert (not text or holds(text, variables)) == lets_in(rule, claims)


@given(rules())
def test_a_rule_is_known_again(rule: Rule) -> None:
    text = rule.text()
    assert rule_of(text) == rule
    assert text == "" or text.startswith("{#")


@given(rules(), rules(), CLAIM_SETS)
def test_what_covers_another_rule_lets_in_no_more(rule: Rule, other: Rule, claims: dict[str, Any]) -> None:
    if rule.covers(other) and lets_in(rule, claims):
        assert lets_in(other, claims)


@pytest.mark.parametrize(
    "text",
    [
        "{#context.attributes['jwt'].claims['aud'] == 'http://gw/w'}",
        "{#context.attributes['jwt'].claims['aud'].contains('http://gw/w') || #context.attributes['jwt'].claims['gis'] != null}",
        "{#context.attributes['jwt'].claims['aud'].contains('http://gw/w') && true}",
        "{#context.attributes['jwt'].claims['aud'].contains('http://gw/w''')}",
        f"{{{CLAIMS}['gis'] != null && {CLAIMS}['aud'].contains('http://gw/w')}}",
        "true",
    ],
)
def test_the_rule_of_somebody_else_is_not_ours(text: str) -> None:
    assert rule_of(text) is None


@pytest.mark.parametrize("text", ["it's", "{x}", "a\\b", "", "ü", "a\nb", "}"])
def test_what_cannot_be_quoted_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(Refusal, match="audience: .* cannot stand in an expression"):
        Rule((text,)).text()
    with pytest.raises(Refusal, match="machine_clients: .* cannot stand in an expression"):
        Rule((), True, (text,)).text()


def call(name: str) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}})


def variables_of(body: str, claims: dict[str, Any], **headers: str) -> dict[str, Any]:
    sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    request = {"content": body, "path": "/w", "headers": sent}
    return {"request": request, "context": {"attributes": {"jwt": {"claims": claims}}}}


def status_of(
    flows: list[dict[str, Any]], body: str, claims: dict[str, Any], **headers: str
) -> tuple[int | None, str | None]:
    variables = variables_of(body, claims, **headers)
    response = answered([stored_flow(World(), flow) for flow in flows], "POST", "/", variables)
    return (response.status_code, response.headers.get("www-authenticate")) if response else (None, None)


@given(st.dictionaries(NAMES, st.lists(SCOPES, max_size=2), min_size=1, max_size=4), NAMES, CLAIM_SETS, st.booleans(), st.data())
def test_a_tool_is_called_with_its_scopes_only(
    tools: dict[str, list[str]], other: str, claims: dict[str, Any], unlisted: bool, data: st.DataObject
) -> None:
    flows = tool_flows(tools, "unlisted" if unlisted else "true", METADATA)
    name = data.draw(st.sampled_from([*tools, other]))
    missing = set(tools.get(name, [])) - set(claims.get("scope", "").split())
    status, challenge = status_of(flows, call(name), claims)
    assert status == (403 if missing or (unlisted and name not in tools) else None)
    if missing:
        scope = " ".join(sorted(set(tools[name])))
        assert challenge == f'Bearer error="insufficient_scope", scope="{scope}", resource_metadata="{METADATA}"'
    else:
        assert challenge is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_call_is_refused_by_whatever_method_it_comes(method: str) -> None:
    flows = [stored_flow(World(), flow) for flow in tool_flows({"a": ["s"]}, "true", METADATA)]
    response = answered(flows, method, "/", variables_of(call("a"), {}))
    assert response is not None and response.status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "application/json"}, 403),
        ({"content_type": "Application/JSON; charset=UTF-8"}, 403),
        ({"content_type": 'application/json;charset="utf-8"'}, 403),
        ({}, 403),
        ({"content_type": "application/json; charset=utf-7"}, 415),
        ({"content_type": "application/json; charset=utf-8; charset=utf-7"}, 415),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"content_type": "application/json", "content_encoding": "br"}, 415),
    ],
)
def test_what_the_server_may_read_otherwise_is_refused(headers: dict[str, str], status: int) -> None:
    flows = tool_flows({"a": ["s"]}, "true", METADATA)
    assert status_of(flows, call("a"), {}, **headers)[0] == status
    assert status_of(flows, call("a"), {"scope": "s"}, **headers)[0] == (415 if status == 415 else None)


def deep(levels: int, sibling: str = "") -> str:
    """The arguments of a call as lists within lists, each with a sibling before it."""
    return call("a")[:-2] + ', "arguments": {"x": ' + f"[{sibling}" * levels + "1" + "]" * levels + "}}}"


@pytest.mark.parametrize(
    "body",
    [
        deep(398),
        deep(2_000),
        deep(398, "[[[[[]]]], "),
        deep(398, '"\\"]]]]", '),
        call("a") + " " * 2_000_000,
        f"[{call('a')}]" + " " * 2_000_000,
        "\ufeff" + call("a") + " " * 2_000_000,
        call("a") + "\0" + " " * 2_000_000,
    ],
)
def test_no_body_gets_round_the_conditions(body: str) -> None:
    """Not by what the gateway cannot read, nor by what it gives up on."""
    flows = tool_flows({"a": ["s"]}, "true", METADATA)
    assert status_of(flows, body, {})[0] in (400, 403)


def last(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs)


def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def merged(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """In any case, an object into the one before, as Go's encoding/json fills a struct. A long s is an s in another case, too."""
    held: dict[str, Any] = {}
    for name, value in pairs:
        known = name.casefold()
        both = isinstance(value, dict) and isinstance(held.get(known), dict)
        held[known] = {**held[known], **value} if both else value
    return held


MEMBERS = ["method", "Method", "params", "PARAMS", "param\u017f", "name", "nAME", "arguments"]
VALUES = st.sampled_from(['"tools/call"', '"ping"', '"a"', '"b"', '["a"]', "{}", "null", "1"])


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of JSON objects, some with a member twice, some with escapes in its name."""
    names = st.builds(lambda name, ascii_only: json.dumps(name, ensure_ascii=ascii_only), st.sampled_from(MEMBERS), st.booleans())
    escaped = names.map(lambda name: f'"\\u{ord(name[1]):04x}{name[2:]}')
    members = st.builds("{}: {}".format, names | escaped, values)
    return st.lists(members, max_size=3).map(lambda found: f"{{{', '.join(found)}}}")


CALLS = st.builds(
    '{{"method": "{}", "params": {}{}}}'.format,
    st.sampled_from(["tools/call", "ping"]),
    objects(VALUES),
    st.sampled_from(["", ', "method": "ping"', ', "Method": "tools/call"', ', "params": {}', ', "PARAMS": {"name": "a"}']),
)


@given(CALLS | objects(VALUES | objects(VALUES)))
@example('{"method": "ping", "METHOD": "tools/call", "params": {"name": "a"}}')
@example('{"method": "tools/call", "method": "ping", "params": {"name": "a"}}')
@example('{"method": "tools/call", "params": {"name": "a"}, "params": {}}')
@example('{"method": "tools/call", "params": {"name": "b"}, "param\u017f": {"name": "a"}}')
@example('{"method": "tools/call", "params": {"name": ["a"]}}')
def test_whoever_reads_what_is_let_through_finds_no_call_without_its_scope(body: str) -> None:
    flows = tool_flows({"a": ["s"]}, "true", METADATA)
    if status_of(flows, body, {})[0] is not None:
        return
    for reader in (last, first, merged):
        read = json.loads(body, object_pairs_hook=reader)
        if read.get("method") == "tools/call" and isinstance(read.get("params"), dict):
            assert read["params"].get("name") not in ("a", ["a"]), reader.__name__


@pytest.mark.parametrize(
    "message",
    [
        {"method": "ping"},
        {"method": "notifications/initialized"},
        {"id": 1, "result": {}},
        {"method": "tools/call", "params": {"name": "b", "arguments": {"Method": "GET", "NAME": "x", "params": []}}},
        {"method": "tools/call", "params": {"name": "b", "_meta": {"progressToken": 1}, "arguments": {"a": [[], {}, [{}, ""]]}}},
        {"method": "resources/read", "params": {"uri": "file:///a"}},
        {"method": "initialize", "params": {"clientInfo": {"name": "c", "version": "1"}, "capabilities": {}}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_clients_send_is_let_through(message: dict[str, Any], indent: int | None) -> None:
    """As each condition is evaluated, and does not hold: an expression that fails fills the gateway's log."""
    variables = variables_of(json.dumps({"jsonrpc": "2.0", **message}, indent=indent), {})
    conditions = [flow["request"][0]["condition"] for flow in tool_flows({"a": ["s"], "b": []}, "unlisted", METADATA)]
    assert [holds(condition, variables) for condition in conditions] == [False] * len(conditions)


@pytest.mark.parametrize(
    "arguments",
    [
        {"rows": [{"a": [1, {"b": 2}], "c": "x"}] * 5_000},
        {"content": '{[\\"\n' * 50_000},
        {"x": "\\" * 50_001},
        {"text": "x" * 2_000_000},
    ],
)
def test_large_calls_are_let_through(arguments: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", "arguments": arguments}})
    flows = tool_flows({"a": ["s"]}, "unlisted", METADATA)
    assert status_of(flows, body, {"scope": "s"}) == (None, None)
    assert status_of(flows, body, {"scope": ""})[0] == 403


@pytest.mark.parametrize("count", [40, 100, 1_000])
def test_many_tools_are_enforced(count: int) -> None:
    """With more names than a pattern or an expression of the gateway holds."""
    names = [f"get_the_weather_of_{number}" for number in range(count)]
    flows = tool_flows({name: ["s"] for name in names}, "true", METADATA)
    assert len({flow["name"] for flow in flows}) == len(flows)
    for name in (names[0], names[count // 2], names[-1]):
        assert (status_of(flows, call(name), {})[0], status_of(flows, call(name), {"scope": "s"})[0]) == (403, None)


def test_what_is_too_long_for_the_gateway_is_refused() -> None:
    names = [f"get_the_weather_of_{number}" for number in range(1_000)]
    with pytest.raises(Refusal, match="enforce_tools: the names of 1000 tools"):
        tool_flows({name: [] for name in names}, "unlisted", METADATA)
    with pytest.raises(Refusal, match="tools: 'xx.*' and its scopes are too long"):
        tool_flows({"x" * 10_000: ["s"]}, "true", METADATA)
    with pytest.raises(Refusal, match="machine_clients: with 200 of them"):
        Rule((), True, tuple(f"client-{number:030}" for number in range(200))).text()


@given(st.text(max_size=20) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_json_object_is_refused_before_all_else(body: str) -> None:
    """A body that is none of an object's first characters, blanks before it aside, never reaches the server."""
    flows = tool_flows({"a": ["s"]}, "true", METADATA)
    if body.strip(" \t\n\r\f\v") and not body.lstrip(" \t\n\r\f\v").startswith("{"):
        assert status_of(flows, body, {}) == (400, None)


@pytest.mark.parametrize(
    ("name", "scopes", "status"),
    [
        ("a|b", "s:read", None),
        ("a", "s:read", None),
        ("a", "s", None),
        ("b", "s", 403),
        ("b", "x t", None),
        ("b", "tt", 403),
        ("b", "t:read at", 403),
        ("ab", "", None),
        ("a|b", "t", 403),
        ("it's", "t", None),
        ("it's", "s", 403),
    ],
)
def test_names_and_scopes_are_compared_as_a_whole(name: str, scopes: str, status: int | None) -> None:
    flows = tool_flows({"a|b": ["s:read"], "b": ["t"], "it's": ["t"]}, "true", METADATA)
    assert status_of(flows, call(name), {"scope": scopes})[0] == status


def test_no_flow_where_nothing_is_enforced() -> None:
    assert tool_flows({"a": []}, "true", METADATA) == tool_flows({"a": ["s"]}, "false", METADATA) == []
    with pytest.raises(Refusal, match="enforce_tools: .* tools is empty"):
        tool_flows({}, "unlisted", METADATA)


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ({"naïve": ["s"]}, "'naïve' cannot stand in an expression"),
        ({"": ["s"]}, "'' cannot stand in an expression"),
        ({"a\nb": ["s"]}, "cannot stand in an expression"),
        ({"a": ["it's"]}, "tools: .* cannot stand in an expression"),
        ({"a": ["b c"]}, "tools: 'b c' is no scope"),
        ({"a": ['b"']}, "is no scope"),
        ({"a": "scope"}, "tools: 'a' has 'scope', which is no list"),
    ],
)
def test_names_that_cannot_be_quoted_are_refused(tools: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        tool_flows(tools, "unlisted", METADATA)


@given(st.lists(st.sampled_from(["theirs", "another", "gravitee.mcp: old", "gravitee.mcp: scope s"]), max_size=4, unique=True))
def test_flows_of_others_stay_and_ours_are_known_again(names: list[str]) -> None:
    observed = [stored_flow(World(), {"name": name, "enabled": False}) for name in names]
    ours = tool_flows({"a": ["s"]}, "true", METADATA)
    merged = with_flows(observed, observed, ours)
    assert [flow for flow in merged if not is_ours(flow)] == [flow for flow in observed if not is_ours(flow)]
    assert [flow["name"] for flow in merged if is_ours(flow)] == [flow["name"] for flow in ours]
    stored = [stored_flow(World(), flow) for flow in merged]
    assert with_flows(stored, stored, ours) == stored
    assert with_flows(stored, stored, []) == [flow for flow in observed if not is_ours(flow)]
