# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands where a run is about to work, and what follows from it: every decision of the flows is a property here."""
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import below, web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.plans_beside import in_words, plans_beside
from ansible_collections.gravitee.mcp.plugins.module_utils.flows.variables import Variables
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.client import McpClient
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_domain_settings import find_domain
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.am_resource import TYPE, configuration_of
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import lets_in_anyone
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.pending import open_plans, pending
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.secret_names import name_in_use
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import normal_path, security_of
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.introspection import Introspection, credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options

OF_THE_API = ("ours", "others", "served", "is_open", "opening", "importing", "plans_of_others", "plans_beside")
OF_THE_SECRET = ("secret", "secret_lost", "rotating", "new_secret", "secret_in_use")


@dataclass(frozen=True)
class Situation:
    """Read once, before anything is written.

    api: the API at the context path, whatever its name, with its plans; {} if there is none. server: AM's MCP server of the URL.
    held: what AM says of the client id and secret that the API holds; own: of those that the user gave. Each is accepted,
    refused, or unknown where AM's gateway was not asked or cannot be. secret_in_use: the name of the secret that the API holds,
    where the label of a deployment tells it. undeployed: a line for each change that waits to be deployed.
    """

    variables: Variables
    domain: Mapping[str, Any]
    api: Mapping[str, Any] = field(default_factory=dict)
    plans: tuple[Mapping[str, Any], ...] = ()
    server: Mapping[str, Any] = field(default_factory=dict)
    held: str = "unknown"
    own: str = "unknown"
    secret_in_use: str | None = None
    undeployed: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether the API is the one that these variables describe: told by its name."""
        return bool(self.api) and self.api["name"] == self.variables.name

    @property
    def others(self) -> bool:
        """Whether there is an API and it is not ours."""
        return bool(self.api) and not self.ours

    @property
    def origin(self) -> str:
        """What manages the API by APIM's word, KUBERNETES for Gravitee's operator (OpenAPI); "" for its console and its API."""
        context = self.api.get("originContext")
        origin = context.get("origin") if isinstance(context, Mapping) else None
        return origin if isinstance(origin, str) and origin != "MANAGEMENT" else ""

    @property
    def served(self) -> bool:
        """Whether a gateway ever served the API."""
        return "deployedAt" in self.api

    @property
    def opening(self) -> bool:
        """Whether the documented flow opens the API: only one that never was served, and that nobody has begun to close."""
        return self.variables.flow == "documented" and not self.served and all(map(lets_in_anyone, self.plans))

    @property
    def importing(self) -> bool:
        """Whether the API is made in one request, closed from the beginning.

        Not where a file of credentials is written, which comes between resource and plan, so that no secret of a client is lost
        with a plan that is refused; and an import of the type mcp_proxy was never seen.
        """
        v = self.variables
        return not self.api and v.flow == "sealed" and v.api_type == "proxy" and not v.credentials_file

    @property
    def resource(self) -> Mapping[str, Any]:
        """The API's resource that asks AM about tokens; {} if there is none."""
        resources = self.api.get("resources") or []
        return next((one for one in resources if one["name"] == self.variables.resource_name and one["type"] == TYPE), {})

    @property
    def stored(self) -> Mapping[str, Any]:
        """The configuration of that resource."""
        return self.resource.get("configuration") or {}

    @property
    def secret(self) -> str:
        """Of the secret that the API holds: good, missing, foreign (it belongs to another client), or refused by AM."""
        if not self.stored.get("clientSecret"):
            return "missing"
        if self.server and self.stored.get("clientId") != self.server["clientId"]:
            return "foreign"
        return "refused" if self.held == "refused" else "good"

    @property
    def secret_lost(self) -> bool:
        """Whether AM has the MCP server and the API holds no secret for it, and the user gave none: it needs a new one."""
        return bool(self.server) and not self.variables.client_secret and self.secret != "good"

    @property
    def rotating(self) -> bool:
        """Whether a good secret is to be replaced."""
        return self.variables.rotate and bool(self.server) and self.ours and self.secret == "good"

    @property
    def new_secret(self) -> bool:
        return self.secret_lost or self.rotating

    @property
    def plans_of_others(self) -> list[str]:
        """Names of the plans that let somebody in and that the role does not make."""
        theirs = [plan for plan in self.plans if plan["status"] != "CLOSED" and security_of(plan) != "KEY_LESS"]
        return [plan["name"] for plan in theirs if plan["name"] != self.variables.plan_name]

    @property
    def plans_beside(self) -> list[dict[str, Any]]:
        """Served plans that let in what the OAuth2 plan refuses: name, security, status and lets_in of each."""
        return [asdict(one) for one in plans_beside(self.variables, self.plans)]

    @property
    def warnings(self) -> list[str]:
        """What the user should know of before anything is written."""
        beside = [in_words(self.variables, one) for one in plans_beside(self.variables, self.plans)]
        said = f"The API {self.variables.name!r} has changes that are not deployed yet, and are with the next deployment"
        return [*beside, *([f"{said}: {'; '.join(self.undeployed)}."] if self.ours and self.undeployed else [])]

    @property
    def is_open(self) -> bool:
        """Whether a published plan lets in anyone."""
        return bool(open_plans(self.plans))

    def facts(self) -> dict[str, Any]:
        """What tasks use by name; no secret in it."""
        return {
            "url": self.variables.url,
            "domain": {key: self.domain.get(key) for key in ("id", "hrid", "path")},
            "api_id": self.api.get("id"),
            "api_name": self.api.get("name"),
            "client_id": self.server.get("clientId"),
            **{name: getattr(self, name) for name in (*OF_THE_API, *OF_THE_SECRET)},
        }


def look(v: Variables, apim: Any, am: Any, options: Options) -> Situation:
    """Read what there is. apim and am are planes, or snapshots of them."""
    domain = find_domain(am, v.domain)
    owner = next(iter(apim.owners({normal_path(v.context_path)})), None)
    api = apim.api(owner["id"])[0] if owner and owner.get("definitionVersion") == "V4" else owner or {}
    plans = tuple(apim.plans(api["id"])) if api.get("definitionVersion") == "V4" else ()
    identifier = v.url.lower()
    servers = (one for one in am.mcp_servers(domain["id"]) if identifier in one["resourceIdentifiers"])
    server: Mapping[str, Any] = next(servers, {})
    seen = _with_am_asked(Situation(v, domain, api, plans, server, undeployed=_undeployed(apim, api, plans)), options)
    return replace(seen, secret_in_use=_secret_in_use(seen, apim, am)) if seen.rotating else seen


def _undeployed(apim: Any, api: Mapping[str, Any], plans: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """What somebody changed by hand, or a run that did not end, as lines of what a deployment would change."""
    if "deployedAt" not in api or api.get("deploymentState") != "NEED_REDEPLOY":
        return ()
    return tuple(pending(apim.last_deployment(api["id"]), api, plans))


def _secret_in_use(seen: Situation, apim: Any, am: Any) -> str | None:
    """Each deployment of a new secret is labelled with its name; AM itself does not know which secret is used."""
    secrets = am.secrets(seen.domain["id"], seen.server["id"]) or []
    held = [
        (one.label, configuration_of(one.definition, seen.variables.resource_name).get("clientSecret"))
        for one in apim.deployments(seen.api["id"], 50)
    ]
    return name_in_use(held, [secret["name"] for secret in secrets])


def _with_am_asked(seen: Situation, options: Options) -> Situation:
    """The situation with what AM's gateway says of the secrets, where the user lets it be asked."""
    v = seen.variables
    if not (v.verify and seen.server):
        return seen
    if v.client_secret:
        gateway = Introspection(v.am_gateway_url, seen.domain["path"], options)
        return replace(seen, own=gateway.takes(seen.server["clientId"], v.client_secret, v.verify_timeout))
    return replace(seen, held=credentials(seen.stored, options, v.verify_timeout)) if seen.secret == "good" else seen


def refuse_what_cannot_be(seen: Situation, trouble: Callable[[str, float], str]) -> None:
    """Refusals that no single object knows of; those of the objects come when each is planned.

    trouble: what is wrong with AM's gateway by its metadata's URL, see `trouble_with_am`.
    """
    v = seen.variables
    for name in ("gateway_url", "am_gateway_url"):
        try:
            web_url(getattr(v, name))
        except ValueError as error:
            raise Refusal(f"{name}: {error}") from error
    if seen.origin and not v.adopt:
        raise Refusal(
            f"adopt: the API {seen.api['name']!r} at {v.context_path} has the origin {seen.origin}: another tool manages it, and "
            "may put back what is changed here. Secure it with that tool, or give adopt=true, which in check mode says what that "
            "would change."
        )
    if seen.own == "refused":
        raise Refusal(
            f"client_secret: AM does not take it for the MCP server {v.url} (it has another since, as after a rotation). Leave "
            "client_secret out, and a new one is made; or remove the MCP server from AM first, and it is made with yours."
        )
    url = below(v.am_gateway_url, seen.domain["path"], "oidc/.well-known/openid-configuration")
    got = trouble(url, v.verify_timeout) if v.verify else ""
    if got:
        domain = f"the domain {seen.domain.get('hrid')} is enabled"
        raise Refusal(f"am_gateway_url: {url} {got}. Give the base URL of AM's gateway, and see that {domain}.")


def trouble_with_am(url: str, wait: float, options: Options) -> str:
    """What keeps clients from the metadata of a domain at AM's gateway; "" if nothing does. It follows AM some seconds after."""
    client, deadline = McpClient(url, options, retries=0), time.monotonic() + wait
    while not (answer := client.get(url)).body.get("issuer"):
        if time.monotonic() >= deadline or answer.status is None:
            return f"answers {answer.status}" if answer.status else answer.trouble
        time.sleep(min(0.5, wait / 4))
    return ""


def refuse_to_rotate(seen: Situation) -> None:
    """Only what is ours and secured is rotated, and no secret that the user chose."""
    v = seen.variables
    if not seen.api or not seen.server or not seen.stored:
        raise Refusal(f"context_path: there is no secured MCP server at {v.url} to rotate the secret of. Run the role first.")
    if not seen.ours:
        raise Refusal(f"name: the API at {v.context_path} is {seen.api['name']!r}, not {v.name!r}: nothing of it is rotated.")
    if v.client_secret:
        raise Refusal(
            "client_secret: the secret of this MCP server is your own, and is not rotated behind your back. Leave client_secret "
            "out to let AM make one, or remove the MCP server from AM and run the role with your new secret."
        )
