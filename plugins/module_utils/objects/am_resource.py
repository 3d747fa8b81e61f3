# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's resource "Gravitee.io AM Authorization Server": how the gateway asks AM about a token."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import mask
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import on_the_wire, option
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Change, Plan, differing, merge
from ansible_collections.gravitee.mcp.plugins.module_utils.core.urls import web_url
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.gravitee_plan import SERVED
from ansible_collections.gravitee.mcp.plugins.module_utils.objects.part import ApiPart, OneApi

TYPE = "oauth2-am-resource"


@dataclass(frozen=True)
class Configuration:
    """The resource's configuration, as the plugin's schema has it."""

    server_url: str | None = option(wire="serverURL", convert=web_url)
    version: str | None = option(choices=["V1_X", "V2_X", "V3_X"])
    security_domain: str | None = option()
    client_id: str | None = option()
    client_secret: str | None = option(no_log=True)
    user_claim: str | None = option()
    http: dict[str, Any] | None = option()
    proxy: dict[str, Any] | None = option()
    ssl: dict[str, Any] | None = option()


@dataclass(frozen=True)
class ResourceOptions(OneApi, Configuration):
    """Options of am_resource."""

    name: str = option("Gravitee AM")
    enabled: bool = option(True)
    state: str = option("present", choices=["present", "absent"])


def configuration_of(definition: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What the resource of that name holds in an API's definition, or in a deployment's; {} if there is none."""
    resources = definition.get("resources") or []
    found: Mapping[str, Any] = next((one.get("configuration") or {} for one in resources if one["name"] == name), {})
    return found


class ManagedAmResource(ApiPart):
    """The resource, inside the API that has it."""

    takes = ResourceOptions
    params: ResourceOptions
    kind = "resource"

    def observe(self) -> dict[str, Any] | None:
        self.find()
        name = self.params.name
        found = [resource for resource in self.api.get("resources") or [] if resource["name"] == name]
        if len(found) > 1:
            raise Refusal(f"name: the API {self.title} has {len(found)} resources named {name!r}. Remove or rename one.")
        if found and found[0]["type"] != TYPE:
            raise Refusal(
                f"name: the resource {name!r} of the API {self.title} is of type {found[0]['type']}, not {TYPE}. "
                "Give another name."
            )
        return found[0] if found else None

    def desired(self, observed: dict[str, Any] | None) -> dict[str, Any] | None:
        if self.params.state == "absent":
            return None
        given = on_the_wire(self.params, Configuration)
        base = observed or {
            "name": self.params.name,
            "type": TYPE,
            "enabled": True,
            "configuration": {"version": "V3_X"},
        }
        wanted: dict[str, Any] = merge(base, {"enabled": self.params.enabled, "configuration": given})
        self._need_credentials(observed, wanted["configuration"], given)
        for name, key in (("server_url", "serverURL"), ("security_domain", "securityDomain")):
            if not wanted["configuration"].get(key):
                raise Refusal(f"{name}: the API {self.title} has no resource {self.params.name!r} yet, which needs it.")
        return wanted

    def _need_credentials(self, observed: Any, wanted: dict[str, Any], given: dict[str, Any]) -> None:
        had = (observed or {}).get("configuration", {}).get("clientId")
        if not wanted.get("clientId"):
            self.unmet.append("client_id: give the client id of the MCP server in AM (am_mcp_server returns it).")
        if given.get("clientSecret"):
            return
        if not wanted.get("clientSecret"):
            self.unmet.append(
                f"client_secret: the API {self.title} holds none for this resource. Give it, or let am_mcp_server renew it."
            )
        elif had and wanted["clientId"] != had:
            self.unmet.append(
                f"client_secret: the secret that the API {self.title} holds belongs to the client {had}. Give the one of "
                f"{wanted['clientId']}, or let am_mcp_server renew it."
            )

    def changes(self, observed: dict[str, Any] | None, desired: dict[str, Any] | None) -> Iterable[Change]:
        self.need_api()
        name = self.params.name
        if desired is None:
            self._refuse_if_used()
            yield Change(f"remove resource {name} from API {self.title}", lambda _: self._put(desired))
        elif observed is None:
            self._need_plugin()
            yield Change(f"add resource {name} to API {self.title}", lambda _: self._put(desired))
        else:
            changed = differing(observed["configuration"], desired["configuration"])
            what = ", ".join([*changed, *(["enabled"] if observed.get("enabled") != desired["enabled"] else [])])
            yield Change(f"update {what} of resource {name} of API {self.title}", lambda _: self._put(desired))

    def _need_plugin(self) -> None:
        """APIM takes any type of resource; the gateway would find out."""
        if TYPE not in self.apim.plugins("resources"):
            raise Refusal(f"This APIM has no resource plugin {TYPE}: install it on its management API and gateways first.")

    def _refuse_if_used(self) -> None:
        for plan in self.apim.plans(self.api["id"], SERVED):
            if ((plan.get("security") or {}).get("configuration") or {}).get("oauthResource") == self.params.name:
                raise Refusal(
                    f"name: the plan {plan['name']!r} of the API {self.title} checks its tokens with the resource "
                    f"{self.params.name!r}. Close that plan first."
                )

    def _put(self, wanted: dict[str, Any] | None) -> dict[str, Any] | None:
        name = self.params.name
        resources = list(self.api.get("resources") or [])
        place = next((i for i, resource in enumerate(resources) if resource["name"] == name), len(resources))
        resources[place : place + 1] = [wanted] if wanted else []
        self.api, self.etag = self.apim.update_api(self.api["id"], {**self.api, "resources": resources}, self.etag)
        return next((resource for resource in self.api.get("resources") or [] if resource["name"] == name), None)

    def facts(self, value: dict[str, Any] | None, plan: Plan) -> dict[str, Any]:
        due = self.api.get("deploymentState") == "NEED_REDEPLOY"
        return {
            "resource": mask(value or {}),
            "api_id": self.api.get("id"),
            "deployment_due": due or plan.changed,
        }
