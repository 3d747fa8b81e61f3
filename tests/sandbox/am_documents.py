"""Client ID metadata documents (AM 4.12): the domain's settings, and the client that a document and the template make.

Nothing of it is recorded: taken from AM's OpenAPI file (PatchCIMDSettings) and its sources, 4.13.0-alpha.4 (DomainServiceImpl,
CimdUriTrustValidator, CimdMetadataServiceImpl). Left out: keys (jwks), logos, revocation, a document's own Cache-Control.
"""
from __future__ import annotations

import copy
import ipaddress
import json
import re
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from .am_domain import AmError, Domain, known

Json = dict[str, Any]
SETTINGS: Json = {
    "enabled": False,
    "allowUnsecuredHttpUri": False,
    "allowPrivateIpAddress": False,
    "fetchTimeoutMs": 5000,
    "maxResponseSizeKb": 10,
    "cacheTtlSeconds": 86400,
    "cacheMaxEntries": 1000,
    "revokeOnDocumentChange": False,
}
ABOVE_ZERO = {
    "fetchTimeoutMs": "fetch timeout",
    "maxResponseSizeKb": "maximum response size",
    "cacheTtlSeconds": "cache TTL",
    "cacheMaxEntries": "cache maximum entries",
}
HOSTNAME = re.compile(r"(\*\.)?([a-zA-Z0-9-]{1,63}\.)+[a-zA-Z0-9-]{1,63}")
WITH_SECRETS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
NO_TEMPLATE = "templateId must be a valid application id configured as template"


def patched(domain: Domain, settings: Json, patch: Json) -> Json:
    """The settings after a patch. AmError where they are switched on and cannot be."""
    known(patch, {*SETTINGS, "allowedDomains", "templateId"})
    settings = {**settings, **copy.deepcopy(patch)}
    if not settings["enabled"]:
        return settings
    for name, called in ABOVE_ZERO.items():
        if settings[name] <= 0:
            raise AmError(400, f"CIMD settings are invalid: {called} must be higher than 0")
    if not all(HOSTNAME.fullmatch(host) for host in settings.get("allowedDomains") or []):
        rule = "allowed domains must be a list of valid domains and wildcard is only allowed for first-level subdomain"
        raise AmError(400, f"CIMD settings are invalid: {rule}")
    if not settings.get("templateId"):
        raise AmError(400, "templateId must be provided when Client ID Metadata Document is enabled")
    if not domain.applications.get(settings["templateId"], {}).get("template"):
        raise AmError(400, NO_TEMPLATE)
    return settings


def in_use(domain: Domain) -> Json | None:
    """The settings that AM's gateway knows, where they are switched on."""
    wire = (domain.synced.current or {}).get("wire", {"oidc": {}})
    settings: Json = wire["oidc"].get("cimdSettings", SETTINGS)
    return settings if settings["enabled"] else None


def client(domain: Domain, client_id: str) -> Json | None:
    """The application that AM makes of the document with this URL and of the template; None if anything is wrong with them."""
    settings = in_use(domain)
    parts = urlsplit(client_id)
    if settings is None or parts.scheme.lower() not in ("http", "https") or not _trusted(settings, parts.scheme, parts.hostname):
        return None
    url = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), fragment="").geturl()
    template, document = domain.applications.get(settings["templateId"]), _document(domain, settings, url)
    return _made_of(template, document, url) if template and document else None


def _trusted(settings: Json, scheme: str, host: str | None) -> bool:
    allowed = [pattern.lower() for pattern in settings.get("allowedDomains") or []]
    fits = any(host == one or (one.startswith("*.") and str(host).endswith(one[1:])) for one in allowed) or not allowed
    secured = scheme.lower() == "https" or settings["allowUnsecuredHttpUri"]
    return bool(host) and fits and secured and (settings["allowPrivateIpAddress"] or not _is_private(str(host)))


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _document(domain: Domain, settings: Json, url: str) -> Json | None:
    """From the cache, or fetched."""
    until, document = domain.documents.get(url, (0.0, None))
    if time.monotonic() < until:
        return document
    try:
        with urllib.request.urlopen(url, timeout=settings["fetchTimeoutMs"] / 1000) as answer:
            size = settings["maxResponseSizeKb"] * 1024
            body = answer.read(size + 1)
            document = json.loads(body) if answer.status == 200 and len(body) <= size else None
    except (OSError, ValueError):
        return None
    domain.documents[url] = (time.monotonic() + settings["cacheTtlSeconds"], document)
    return document


def _made_of(template: Json, document: Json, url: str) -> Json | None:
    method = document.get("token_endpoint_auth_method", "none")
    wrong = document.get("client_id") != url or not document.get("redirect_uris") or "client_secret" in document
    if wrong or method in WITH_SECRETS:
        return None
    made = copy.deepcopy(template)
    oauth = made["settings"]["oauth"]
    asked = (document.get("scope") or "").split()
    oauth.update(
        clientId=url,
        clientName=document.get("client_name", oauth["clientName"]),
        clientSecret=None,
        redirectUris=document["redirect_uris"],
        tokenEndpointAuthMethod=method,
        grantTypes=_both(document.get("grant_types", ["authorization_code"]), oauth["grantTypes"]),
        responseTypes=_both(document.get("response_types", ["code"]), oauth["responseTypes"]),
        scopeSettings=[one for one in oauth["scopeSettings"] if not asked or one["scope"] in asked],
    )
    return {**made, "template": False}


def _both(asked: list[str], allowed: list[str]) -> list[str]:
    return [one for one in asked if one in allowed]
