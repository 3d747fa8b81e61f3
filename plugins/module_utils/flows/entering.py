# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that let clients in, known ones and those that registered themselves, and the options of each one's module."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import given
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import TO_COME
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.steps import (
    Done,
    Options,
    enforced_scopes,
    made_client,
    part,
    tool_scopes,
)
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables, is_url


def client(v: Variables, done: Done, name: str) -> Options:
    """Of the known client `name`, in AM."""
    known = _client(v, name)
    tools = tool_scopes(v, done) if name == v.test_client and v.makes_test_client else []  # which it shows to be enforced
    options = {
        "domain": done["situation"]["domain"]["id"],
        "name": name,
        "type": known.get("type") or "native",
        "redirect_uris": known.get("redirect_uris"),
        "grant_types": known.get("grant_types") or ["authorization_code", "refresh_token"],
        "scopes_mode": "add",
        "scopes": known.get("scopes") or list(dict.fromkeys(["openid", "offline_access", *v.required_scopes, *tools])),
        "client_id": known.get("client_id"),
        "client_secret": known.get("client_secret"),
    }
    return given(options)


def subscription(v: Variables, done: Done, name: str) -> Options:
    """Of the known client `name`, whose client id the step `clients` told, or is the URL of its document.

    By a document, it is for all users of this product, so what somebody decided against it stays.
    """
    known = _client(v, name)
    document = known["client_id"] if is_url(known.get("client_id")) else None
    return {
        **part(v, done),
        "plan": v.plan_name,
        "client_id": document or made_client(done, name).get("client_id") or TO_COME,
        "application_name": name,
        "application_type": known.get("type") or "native",
        "reopen": not document,
    }


def _client(v: Variables, name: str) -> Mapping[str, Any]:
    return next(one for one in v.known_clients if one["name"] == name)


def client_names(v: Variables, _done: Done) -> list[str]:
    """Of the known clients that are applications of AM, in their order; one whose id is a URL has a document instead."""
    return [one["name"] for one in v.known_clients if not is_url(one.get("client_id"))]


def subscriber_names(v: Variables, _done: Done) -> list[str]:
    """Of all known clients, in their order."""
    return [one["name"] for one in v.known_clients]


def admission(v: Variables, done: Done) -> Options:
    """Of mcp_admission."""
    options = {
        **part(v, done),
        "domain": done["situation"]["domain"]["id"],
        "resource": v.url,
        "plan": v.plan_name,
        "since_days": v.token_days,
        "admit": v.admit,
        "client_profiles": v.client_profiles if v.admit_profiles is None else v.admit_profiles,
        "scopes": enforced_scopes(v, done),
        "subscribe": v.registered_clients == "subscribe",
        "stale_days": v.stale_days,
        "remove_stale": v.remove_stale,
    }
    return given(options)


def test_client(v: Variables, _done: Done) -> Options:
    """Which client in AM is the check's own, for a check that is not the end of a run."""
    return {"domain": v.domain, "name": v.test_client, "self_registered": False}
