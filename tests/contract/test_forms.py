"""What the planes expect of an answer, and what real servers answered."""
from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.gravitee.mcp.plugins.module_utils.planes import forms
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.forms import misfit

from tests.sandbox.world import recordings

FILES = {
    "apim": ["apim-management", "apim-2-management", "apim-v1-management", "apim-2-v1-management"],
    "am": ["am-management", "am-2-management", "am-4.11-management", "am-4.11-2-management"],
}
# plane, methods and path of an endpoint → the form of its answers
ENDPOINTS: list[tuple[str, str, str, Any]] = [
    ("apim", "GET", "/environments/[^/]+/apis", {"data": [forms.API], **forms.PAGE}),
    ("apim", "POST", "/environments/[^/]+/apis", forms.API),
    ("apim", "GET|PUT", ".*/apis/[^/]+", forms.API),
    ("apim", "GET", ".*/apis/[^/]+/plans", {"data": [forms.PLAN], **forms.PAGE}),
    ("apim", "POST|PUT", ".*/apis/[^/]+/plans(/[^/]+(/_[a-z]+)?)?", forms.PLAN),
    ("apim", "GET", ".*/subscriptions", {"data": [forms.SUBSCRIPTION], **forms.PAGE}),
    ("apim", "POST", ".*/subscriptions(/[^/]+/_[a-z]+)?", forms.SUBSCRIPTION),
    ("apim", "GET", ".*/events", forms.EVENTS),
    ("apim", "GET", ".*/schema", forms.SCHEMA),
    ("apim", "GET", ".*/plugins/[a-z]+", [forms.PLUGIN]),
    ("apim", "GET", ".*/applications", [forms.APP]),
    ("apim", "POST", ".*/applications", forms.APP),
    ("apim", "GET", ".*/applications/[^_/]+", forms.APP),
    ("am", "GET|PATCH", ".*/domains/(_hrid/)?[^/]+", forms.DOMAIN),
    ("am", "GET", ".*/protected-resources", {"data": [forms.MCP_SERVER], **forms.TOTAL}),
    ("am", "POST", ".*/protected-resources", forms.NEW_MCP_SERVER),
    ("am", "GET|PATCH", ".*/protected-resources/[^/]+", forms.MCP_SERVER),
    ("am", "GET", ".*/protected-resources/[^/]+/secrets", [forms.SECRET]),
    ("am", "POST", ".*/protected-resources/[^/]+/secrets(/[^/]+/_renew)?", forms.NEW_SECRET),
    ("am", "GET", ".*/scopes", {"data": [forms.SCOPE], **forms.TOTAL}),
    ("am", "GET", ".*/applications", {"data": [forms.LISTED_APPLICATION], **forms.TOTAL}),
    ("am", "POST", ".*/applications", forms.APPLICATION),
    ("am", "GET|PATCH", ".*/applications/[^/]+", forms.APPLICATION),
    ("am", "GET", ".*/audits", {"data": [forms.TOKEN_CREATED], **forms.TOTAL}),
]


@pytest.mark.parametrize(("plane", "methods", "path", "form"), ENDPOINTS, ids=[f"{one[1]} {one[2]}" for one in ENDPOINTS])
def test_what_real_servers_answered_has_the_form(plane: str, methods: str, path: str, form: Any) -> None:
    answers = [
        one["response"]
        for name in FILES[plane]
        for one in recordings(name)
        if one["status"] < 300 and re.fullmatch(methods, one["method"]) and re.fullmatch(path, one["path"].partition("?")[0])
    ]
    assert answers
    assert [wrong for answer in answers if (wrong := misfit(answer, form))] == []


@pytest.mark.parametrize(
    ("value", "form", "wrong"),
    [
        ({"id": "x", "n": 1, "more": object()}, {"id": str, "n?": int}, ""),
        ({"id": "x", "n": None}, {"id": str, "n?": int}, ""),
        ({"n": 1}, {"id": str}, "id is missing"),
        ({"id": None}, {"id": str}, "id is missing"),
        ({"id": 5}, {"id": str}, "id is not a text"),
        ({"id": True}, {"id": int}, "id is not a whole number"),
        ({"data": [{"id": "x"}, {}]}, {"data": [{"id": str}]}, "data[1].id is missing"),
        ({"data": {"id": "x"}}, {"data": [{"id": str}]}, "data is not a list"),
        ([1], {"data": [str]}, "it is not an object"),
        ("hush", [str], "it is not a list"),
        ({"a": {"hush": {"b": 1}}}, {"a": {"*": {"b": str}}}, "a.*.b is not a text"),
        ({"a": {"hush": None}}, {"a": {"*": {"b": str}}}, ""),
        ({"type": "a"}, lambda value: {"b": str} if value["type"] == "a" else {}, "b is missing"),
    ],
)
def test_a_misfit_names_the_place_and_nothing_of_the_value(value: Any, form: Any, wrong: str) -> None:
    assert misfit(value, form) == wrong
