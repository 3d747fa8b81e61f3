"""What APIM makes of an API definition: validation and defaults, as recorded."""
from __future__ import annotations

import base64
import copy
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .apim_errors import ApimError, invalid
from .apim_plugins import check_configuration, must_be_known
from .world import World, new_id

DROPPED_AT_CREATION = (
    "resources",
    "labels",
    "properties",
    "categories",
    "responseTemplates",
    "failover",
    "lifecycleState",
)
# What the gateway runs; a change of anything else needs no deployment.
RUNTIME = (
    "type",
    "listeners",
    "endpointGroups",
    "analytics",
    "failover",
    "flowExecution",
    "flows",
    "resources",
    "properties",
    "responseTemplates",
    "tags",
    "services",
)
WRITABLE = (*RUNTIME, "name", "description", "apiVersion", "groups", "visibility", "labels", "lifecycleState")
HTTP = {
    "readTimeout": 10000,
    "idleTimeout": 0,
    "connectTimeout": 3000,
    "maxConcurrentConnections": 20,
    "version": "HTTP_1_1",
}

KEY = secrets.token_bytes(16)  # what the server encrypts properties with
AM_RESOURCE = {"required": ["serverURL", "version", "securityDomain", "clientId", "clientSecret"]}


def normalize(body: dict[str, Any], world: World, creating: bool) -> dict[str, Any]:
    """The stored form of a create's or an update's body."""
    _check_shape(body)
    api = {key: copy.deepcopy(body[key]) for key in WRITABLE if body.get(key) is not None}
    if creating:
        for key in DROPPED_AT_CREATION:
            api.pop(key, None)
    if api.get("tags"):
        tags = ", ".join(api["tags"])
        raise ApimError(
            400, f"You are not allowed to use deployment on the tag(s) [{tags}].", "tag.notAllowed", {"tags": f"[{tags}]"}
        )
    api["definitionVersion"], api["type"] = "V4", body["type"]
    api["listeners"] = [_listener(world, listener) for listener in body["listeners"]]
    api["endpointGroups"] = _groups(world, body["endpointGroups"])
    defaults = {
        "analytics": {"enabled": True},
        "flowExecution": {"mode": "DEFAULT", "matchRequired": False},
        "flows": [],
        "groups": [],
        "visibility": "PRIVATE",
        "labels": [],
        "lifecycleState": "CREATED",
        "tags": [],
        "properties": [],
    }
    if not creating:
        defaults |= {"resources": [], "responseTemplates": {}}
    api = {**defaults, **api}
    api["flows"] = [stored_flow(world, flow) for flow in api["flows"]]
    api["properties"] = [_property(entry) for entry in api["properties"]]
    if "resources" in api:
        api["resources"] = [_resource(resource) for resource in api["resources"]]
    for templates in api.get("responseTemplates", {}).values():
        for template in templates.values():
            template.setdefault("headers", {})
            template.setdefault("propagateErrorKeyToLogs", False)
    if "failover" in api:
        timings = {"slowCallDuration": 2000, "openStateDuration": 10000, "maxFailures": 5, "perSubscription": True}
        api["failover"] = {**timings, **api["failover"]}
    api["categories"] = []
    return api


def _check_shape(body: dict[str, Any]) -> None:
    if body.get("type") not in ("PROXY", "MESSAGE", "NATIVE", "MCP_PROXY", "LLM_PROXY", "A2A_PROXY"):
        raise ApimError(
            400,
            "Cannot construct instance of `io.gravitee.rest.api.management.v2.rest.model.ApiType`, problem: "
            f"Unexpected value '{body.get('type')}'",
            None,
            {},
        )
    for key in ("name", "apiVersion", "listeners", "endpointGroups"):
        if body.get(key) is None:
            raise invalid(key)
    if not body["endpointGroups"]:
        raise invalid("endpointGroups", "size must be between 1 and 2147483647")


def _listener(world: World, given: dict[str, Any]) -> dict[str, Any]:
    for entrypoint in given.get("entrypoints", []):
        must_be_known(world, "entrypoints", entrypoint["type"])
    paths = [{"overrideAccess": False, **entry, "path": normal_path(entry["path"])} for entry in given.get("paths", [])]
    listener = {
        "type": given["type"],
        "paths": paths,
        "pathMappings": given.get("pathMappings", []),
        "entrypoints": [{"qos": "AUTO", **entrypoint} for entrypoint in given.get("entrypoints", [])],
        "servers": given.get("servers", []),
    }
    if given.get("cors"):
        cors = {"allowCredentials": False, "enabled": False, "maxAge": -1, "runPolicies": False}
        lists = {key: [] for key in ("allowHeaders", "allowMethods", "allowOrigin", "exposeHeaders")}
        listener["cors"] = {**cors, **lists, **given["cors"]}
    return listener


def normal_path(path: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9/_.:~-]*", path):
        raise ApimError(400, f"Path [{path}] is invalid", None, {})
    return f"/{path.strip('/')}/" if path.strip("/") else "/"


def _groups(world: World, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names: set[str] = set()
    groups = []
    for group in given:
        _unique(group["name"], names)
        must_be_known(world, "endpoints", group["type"])
        endpoints = []
        for endpoint in group.get("endpoints", []):
            _unique(endpoint["name"], names)
            if endpoint.get("inheritConfiguration") and group.get("sharedConfiguration") is None:
                message = f"Impossible to inherit from a null shared configuration for endpoint: {endpoint['name']}"
                raise ApimError(400, message, "endpoint.validationError", {})
            target = (endpoint.get("configuration") or {}).get("target", "")
            if re.search(r"\s", target):
                raise ApimError(400, f"#/target: string [{target}] does not match pattern ^\\S+$", "data.invalid")
            defaults = {"weight": 1, "services": {}, "secondary": False, "tenants": []}
            endpoints.append({**defaults, **endpoint})
        stored = {"loadBalancer": {"type": "ROUND_ROBIN"}, "services": {}, **group, "endpoints": endpoints}
        if (group.get("sharedConfiguration") or {}).get("http") is not None:
            stored["sharedConfiguration"] = {
                **group["sharedConfiguration"],
                "http": {**HTTP, **group["sharedConfiguration"]["http"]},
            }
        groups.append(stored)
    return groups


def _unique(name: str, names: set[str]) -> None:
    if name in names:
        raise ApimError(
            400,
            f"The endpoint name [{name}] is already used by another endpoint or endpoint group.",
            "api.endpointsGroup.endpoint.name.exists",
            {"api.endpointsGroup[].endpoint.name": name},
        )
    names.add(name)


def stored_flow(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """The stored form of a flow of an API or of a plan."""
    phases = ("request", "response", "subscribe", "publish", "connect", "interact")
    for step in (step for phase in phases for step in given.get(phase) or []):
        must_be_known(world, "policies", step["policy"])
    selectors = [{"methods": [], **selector} for selector in given.get("selectors", [])]
    return {"id": new_id(), "enabled": True, **{key: [] for key in (*phases, "tags")}, **given, "selectors": selectors}


def _property(given: dict[str, Any]) -> dict[str, Any]:
    """A value is encrypted if it is `encryptable`; one that comes as `encrypted` is taken for cipher text, whatever it is."""
    entry = {"encrypted": False, "dynamic": False, **given}
    if entry.pop("encryptable", False) and not entry["encrypted"]:
        entry |= {"value": _cipher_text(entry["value"]), "encrypted": True}
    return entry


def _cipher_text(value: str) -> str:
    encryptor, padder = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor(), padding.PKCS7(128).padder()
    padded = padder.update(value.encode()) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _resource(given: dict[str, Any]) -> dict[str, Any]:
    configuration = given["configuration"]
    if given["type"] == "oauth2-am-resource":
        configuration = {"version": "V3_X", "userClaim": "sub", **configuration}
        check_configuration(AM_RESOURCE, configuration)
    return {"enabled": True, **given, "configuration": configuration}
