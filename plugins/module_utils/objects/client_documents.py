# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client ID metadata documents: the settings of a domain by which clients bring a URL as their id (AM 4.12).

From AM's API description and its sources: a client with a document is made after an application that is a template, so AM refuses
`enabled` without one; and where no host is named it fetches whatever URL it is given.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import merge


@dataclass(frozen=True)
class MetadataDocuments:
    """The wire's oidc.cimdSettings (AM 4.12); `template` names the application whose id `template_id` is."""

    enabled: bool | None = option()
    allowed_domains: list[str] | None = option()
    allow_private_ip_address: bool | None = option()
    allow_unsecured_http_uri: bool | None = option()
    cache_ttl_seconds: int | None = option()
    cache_max_entries: int | None = option()
    fetch_timeout_ms: int | None = option()
    max_response_size_kb: int | None = option()
    revoke_on_document_change: bool | None = option()
    template: str | None = option(wire="templateId")
    template_id: str | None = option()


def with_documents(
    observed: Mapping[str, Any], given: MetadataDocuments, named: Callable[[str], Iterable[Mapping[str, Any]]]
) -> dict[str, Any]:
    """The settings as given; Refusal for what AM could not work with. named: the domain's applications of a name."""
    if given.template:
        given = replace(given, template=_template(given.template, named), template_id=None)
    settings: dict[str, Any] = merge(observed, on_the_wire(given))
    if given != MetadataDocuments() and settings.get("enabled"):
        if not settings.get("templateId"):
            raise Refusal(
                "client_metadata_documents: template is missing: AM makes such clients after an application that is a template. "
                "Make one with am_application and template=true, and give its name."
            )
        if not settings.get("allowedDomains"):
            raise Refusal(
                "client_metadata_documents: allowed_domains is missing, and without it AM would fetch documents from any host. "
                "Name the hosts, or give client_profiles."
            )
    return settings


def _template(name: str, named: Callable[[str], Iterable[Mapping[str, Any]]]) -> str:
    found = [one for one in named(name) if one.get("template")]
    if len(found) != 1:
        raise Refusal(
            f"client_metadata_documents: the domain has {len(found) or 'no'} templates named {name!r}. Make one with "
            "am_application and template=true, or give template_id."
        )
    return str(found[0]["id"])
