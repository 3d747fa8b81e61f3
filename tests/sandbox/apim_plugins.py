"""APIM's plugins as its management plane describes them, and how it checks configurations against their schemas."""
from __future__ import annotations

import copy
from typing import Any

import jsonschema

from .apim_errors import ApimError
from .world import World, recorded

ORGANIZATION = "/organizations/DEFAULT/plugins"
# Policies that were seen working in flows, beside those of the recorded list, which holds the kinds of security alone.
IN_FLOWS = {"groovy", "mock"}
# How APIM's validator names JSON's types.
TYPES = {
    "array": "JSONArray",
    "boolean": "Boolean",
    "integer": "Integer",
    "null": "Null",
    "number": "Number",
    "object": "JSONObject",
    "string": "String",
}


def described(world: World, path: str) -> Any:
    """What the server tells at `path` below /plugins; StopIteration where nobody recorded it."""
    if path == "policies/oauth2/schema":
        return oauth2_schema(world)
    if "/" not in path:
        return plugins(world, path)
    found = recorded("apim-management", f"{ORGANIZATION}/{path}")
    return {**found, "version": oauth2_policy(world)} if path == "policies/oauth2" else found


def plugins(world: World, kind: str) -> list[dict[str, Any]]:
    """As recorded, the OAuth2 policy in its version; with the enterprise edition mcp-proxy beside http-proxy."""
    found = copy.deepcopy(recorded("apim-management", f"{ORGANIZATION}/{kind}"))
    if world.enterprise and kind in ("endpoints", "entrypoints"):
        found.append({**found[0], "id": "mcp-proxy", "name": "MCP Proxy", "supportedApiType": "MCP_PROXY"})
    for entry in found:
        if (kind, entry["id"]) == ("policies", "oauth2"):
            entry["version"] = oauth2_policy(world)
    return [entry for entry in found if entry["id"] not in world.plugins_removed]


def oauth2_policy(world: World) -> str:
    return getattr(world, "oauth2_policy", {"4.10": "5.1.4", "4.11": "5.2.1", "4.12": "5.3.1"}[world.apim_version])


def oauth2_schema(world: World) -> dict[str, Any]:
    """As recorded with policy 5.1.4; 5.2.1 and 5.3.1 differ by the option of the challenge, which they have no more."""
    schema = copy.deepcopy(recorded("apim-management", f"{ORGANIZATION}/policies/oauth2/schema"))
    if oauth2_policy(world) != "5.1.4":
        del schema["properties"]["addWwwAuthenticateHeader"]
    return schema


def must_be_known(world: World, kind: str, plugin: str) -> None:
    known = {entry["id"] for entry in plugins(world, kind)}
    if plugin not in known | (IN_FLOWS if kind == "policies" else set()):
        raise ApimError(404, f"Plugin [{plugin}] cannot be found.", "plugin.notFound", {"plugin": plugin})


def check_configuration(schema: dict[str, Any], configuration: dict[str, Any]) -> None:
    """400 data.invalid in the words of APIM's own validator. Unknown properties pass, whatever the schema says of them."""
    open_schema = {key: value for key, value in schema.items() if key != "additionalProperties"}
    for error in jsonschema.Draft7Validator(open_schema).iter_errors(configuration):
        message = error.message
        if error.validator == "required":
            key = next(key for key in schema["required"] if key not in configuration)
            message = f"#: required key [{key}] not found"
        elif error.validator == "type":
            found = next(name for name in TYPES if jsonschema.Draft7Validator({"type": name}).is_valid(error.instance))
            where = "/".join(str(part) for part in ("#", *error.absolute_path))
            message = f"{where}: expected type: {TYPES[error.validator_value]}, found: {TYPES[found]}"
        raise ApimError(400, message, "data.invalid")
