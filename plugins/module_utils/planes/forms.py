# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of each answer, as far as anybody above reaches into it: what has passed here needs no second look.

A form is a type; a list of one form; a mapping of key → form, where "key?" may be missing or null and "*" is any key; or a
function that gives the form for a value. What a form does not name may be anything.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Union

Form = Union[type, list[Any], Mapping[str, Any], Callable[[Any], Any]]  # noqa: UP007
ANY = object
_WORDS = {str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list"}


def misfit(value: Any, form: Form, place: str = "") -> str:
    """What is wrong with the value, and where; "" if it has the form. No word of it comes from the value."""
    if isinstance(form, type):
        return "" if _is_a(value, form) else f"{place or 'it'} is not {_WORDS[form]}"
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{place or 'it'} is not a list"
        wrong = (misfit(item, form[0], f"{place}[{number}]") for number, item in enumerate(value))
        return next(filter(None, wrong), "")
    if not isinstance(value, dict):
        return f"{place or 'it'} is not an object"
    if not isinstance(form, Mapping):
        return misfit(value, form(value), place)
    return next(filter(None, (_part(value, key, inner, place) for key, inner in form.items())), "")


def _is_a(value: Any, form: type) -> bool:
    return isinstance(value, form) and not (form is int and isinstance(value, bool))


def _part(value: Mapping[str, Any], key: str, form: Form, place: str) -> str:
    if key == "*":
        wrong = (misfit(item, form, f"{place}.*".lstrip(".")) for item in value.values() if item is not None)
        return next(filter(None, wrong), "")
    name = key.rstrip("?")
    inner = value.get(name)
    there = f"{place}.{name}".lstrip(".")
    if inner is None:
        return "" if name != key else f"{there} is missing"
    return misfit(inner, form, there)


# APIM

_OF_AM = {"serverURL?": str, "securityDomain?": str, "clientId?": str, "clientSecret?": str}
_RESOURCE = {"name": str, "type": str, "enabled?": bool}


def RESOURCE(resource: Mapping[str, Any]) -> Form:  # noqa: N802
    """Of the configurations that of the resources that ask AM is read."""
    asks_am = resource.get("type") == "oauth2-am-resource"
    return {**_RESOURCE, "configuration": _OF_AM} if asks_am else _RESOURCE


_CORS = {"enabled?": bool, "allowOrigin?": [str], "allowMethods?": [str], "allowHeaders?": [str], "exposeHeaders?": [str]}
_LISTENER = {"type?": str, "paths?": [{"path": str, "host?": str}], "cors?": _CORS}
_ENDPOINT = {"name": str, "configuration?": {"target?": str}}
_GROUP = {"name": str, "sharedConfiguration?": {"http?": dict}, "endpoints?": [_ENDPOINT]}
_TEMPLATES = {"*": {"*": {"headers?": dict}}}
_ANY_API = {"id": str, "name": str, "definitionVersion?": str, "contextPath?": str, "labels?": [str]}
_V4_API = {
    **_ANY_API,
    "type": str,
    "state": str,
    "apiVersion?": str,
    "deploymentState?": str,
    "deployedAt?": str,
    "listeners?": [_LISTENER],
    "endpointGroups?": [_GROUP],
    "resources?": [RESOURCE],
    "properties?": [{"key": str, "encrypted?": bool}],
    "responseTemplates?": _TEMPLATES,
}


def API(api: Mapping[str, Any]) -> Form:  # noqa: N802
    """Of APIs of other versions nobody reads more than what they are called."""
    return _V4_API if api.get("definitionVersion") == "V4" else _ANY_API


PLAN = {
    "id": str,
    "name": str,
    "status": str,
    "security?": {"type?": str, "configuration?": {"oauthResource?": str, "requiredScopes?": [str]}},
    "selectionRule?": str,
    "tags?": [str],
    "flows?": [{"name?": str}],
    "createdAt?": str,
}
SUBSCRIPTION = {"id": str, "status": str, "plan": {"id": str}, "application": {"id": str}}
APP = {"id": str, "name": str, "settings?": {"app?": {"client_id?": str}}}
PLUGIN = {"id": str}
SCHEMA = {"properties?": dict}
_OF_AN_EVENT = {"DEPLOYMENT_NUMBER?": str, "DEPLOYMENT_LABEL?": str}
EVENTS = {"data": [{"id": str, "createdAt": str, "payload": str, "properties?": _OF_AN_EVENT}]}
# What a gateway is given to serve: APIM's words in other letters, see Deployment.
SERVED = {
    "plans?": [{"id": str, "name": str, "status?": str, "security?": {"type?": str}, "selectionRule?": str, "tags?": [str]}],
    "resources?": [RESOURCE],
    "responseTemplates?": {"*": {"*": dict}},
}
PAGE = {"pagination?": {"pageCount?": int}}

# AM

DOMAIN = {
    "id": str,
    "path": str,
    "hrid?": str,
    "name?": str,
    "enabled?": bool,
    "oidc?": {
        "clientRegistrationSettings?": {"allowedScopes?": [str], "defaultScopes?": [str]},
        "cimdSettings?": {"allowedDomains?": [str]},
    },
    "loginSettings?": dict,
}
MCP_SERVER = {
    "id": str,
    "name": str,
    "clientId": str,
    "resourceIdentifiers": [str],
    "features?": [{"key": str, "type": str, "description?": str, "scopes?": [str]}],
    "settings?": {"oauth?": {"grantTypes?": [str]}},
}
NEW_MCP_SERVER = {"id": str, "clientId": str, "clientSecret": str}
SECRET = {"id": str, "name": str, "createdAt": int, "expiresAt?": int}
NEW_SECRET = {**SECRET, "secret": str}
SCOPE = {"key": str}
LISTED_APPLICATION = {"id": str, "name": str}
APPLICATION = {
    **LISTED_APPLICATION,
    "type": str,
    "createdAt": int,
    "settings?": {
        "oauth?": {
            "clientId?": str,
            "clientSecret?": str,
            "clientName?": str,
            "redirectUris?": list,  # AM takes whatever a client registers
            "grantTypes?": [str],
            "tokenEndpointAuthMethod?": str,
            "registrationClientUri?": str,
            "scopeSettings?": [{"scope": str}],
        }
    },
    "identityProviders?": [{"identity": str}],
}
TOKEN_CREATED = {
    "id": str,
    "timestamp": int,
    "accessPoint?": {"id?": str, "alternativeId?": str},
    "target?": {"alternativeId?": str},
    "outcome?": {"message?": str},
}
TOTAL = {"totalCount?": int}
