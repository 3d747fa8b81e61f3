"""Parameters that nobody would give: every option of an argument spec, of its type with anything in it, and of any other type."""
from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.scenes import SECRET

TEXTS = [
    "",
    " ",
    "/",
    "x",
    "/W",
    "w mcp",
    "a" * 300,
    "x" * 20_000,
    "../..",
    "{{ x }}",
    "{#",
    "%s",
    "*",
    "(",
    "\x00",
    "a\nb",
    "\x1b[2J",
    "\u202e\U0001f511",
    "\xe4",
    "http://",
    "http://[",
    "http://x:y/",
    "http://x:99999/",
    "http://\u2100/",
    "http://h/ mcp",
    "HTTP://GW/w",
    "ftp://h",
    "discover",
    "-1",
    "None",
    "/nowhere/file",
    "/dev/null",
    "/",
]
KEYS = ["listeners", "paths", "path", "endpointGroups", "endpoints", "name", "resources", "configuration", "security", "key"]
KEYS += ["type", "properties", "value", "encrypted", "flows", "plans", "labels", "tags", "id", "state", "responseTemplates"]
KEYS += ["*", "weather", ""]
NUMBERS = [0, 1, -1, 2**31, 2**63, 10**30]
FLOATS = [0.0, -1.0, 1e-9, 1e300, float("inf")]
TEXT = st.one_of(st.sampled_from(TEXTS), st.text(max_size=6))
LEAF = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), TEXT, st.sampled_from(FLOATS[:4]))
JSON = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)),
    max_leaves=6,
)
HIDDEN = st.sampled_from([f"{SECRET}-given", f" {SECRET}-given\n", f"{SECRET} \x00 \u20ac", f"{SECRET}'\"\\{{{{ x }}}}", "", " "])
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "path": TEXT,
    "bool": st.booleans(),
    "int": st.sampled_from(NUMBERS),
    "float": st.sampled_from(FLOATS),
    "dict": st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
    "raw": JSON,
}
# What is no secret by itself may hold some, in the places of a definition where they are.
DEFINITIONS = st.sampled_from(
    [
        {"properties": [{"key": "password", "value": f"{SECRET}-value"}]},
        {"properties": [{"key": "password", "value": [f"{SECRET}-value", {"x": f"{SECRET}-value"}]}, {"key": 5}]},
        {"properties": [{"key": "k", "value": f"{SECRET}-value", "encryptable": True}], "name": 5},
        {"endpointGroups": [{"sharedConfiguration": {"headers": [{"name": "Authorization", "value": f"{SECRET}-value"}]}}]},
        {"configuration": {"clientSecret": {"a": [f"{SECRET}-value"]}}, "password": f"{SECRET}-value"},
        {"target": f"http://u:{SECRET}-value@h/?token={SECRET}-value"},
    ]
)


def values(spec: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Of one option, three of four of its type."""
    kind = spec.get("elements") if spec["type"] == "list" else spec["type"]
    if "wait" in name or name == "verify_timeout":
        return st.sampled_from([0, 1, -1, "x", [], None])
    if "choices" in spec:
        fitting: st.SearchStrategy[Any] = st.sampled_from([*spec["choices"], *spec["choices"], "nope"])
    elif "options" in spec:
        fitting = parameters(spec["options"])
    elif spec.get("no_log"):
        fitting = HIDDEN
    else:
        fitting = st.one_of(SIMPLE[kind], SIMPLE[kind], DEFINITIONS) if kind in ("dict", "raw") else SIMPLE[kind]
    if spec["type"] == "list":
        fitting = st.lists(fitting, max_size=3)
    if spec.get("no_log"):
        return st.one_of(fitting, fitting, HIDDEN.map(lambda text: [text]), HIDDEN.map(lambda text: {"x": text}))
    return st.one_of(fitting, fitting, fitting, JSON)


def parameters(spec: dict[str, Any], most: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the options."""
    one = st.one_of([st.tuples(st.just(name), values(option, name)) for name, option in spec.items()])
    return st.lists(one, min_size=1, max_size=most).map(dict)
