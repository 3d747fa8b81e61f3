# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thin edge to Ansible: parameters in, result out, exceptions to fail_json."""
from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.am import Am
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.apim import Apim
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.session import Credentials
from ansible_collections.gravitee.mcp.plugins.module_utils.planes.transport import Options


def _option(variable: str, **spec: Any) -> dict[str, Any]:
    return {**spec, "fallback": (env_fallback, [f"GRAVITEE_{variable}"])}


CONNECTION = {
    "apim_url": _option("APIM_URL", type="str"),
    "apim_token": _option("APIM_TOKEN", type="str", no_log=True),
    "apim_username": _option("APIM_USERNAME", type="str"),
    "apim_password": _option("APIM_PASSWORD", type="str", no_log=True),
    "am_url": _option("AM_URL", type="str"),
    "am_token": _option("AM_TOKEN", type="str", no_log=True),
    "am_username": _option("AM_USERNAME", type="str"),
    "am_password": _option("AM_PASSWORD", type="str", no_log=True),
    "organization": _option("ORGANIZATION", type="str", default="DEFAULT"),
    "environment": _option("ENVIRONMENT", type="str", default="DEFAULT"),
    "validate_certs": _option("VALIDATE_CERTS", type="bool", default=True),
    "ca_path": _option("CA_PATH", type="path"),
    "client_cert": _option("CLIENT_CERT", type="path"),
    "client_key": _option("CLIENT_KEY", type="path"),
    "timeout": _option("TIMEOUT", type="float", default=30.0),
    "retries": _option("RETRIES", type="int", default=3),
    "retry_deadline": _option("RETRY_DEADLINE", type="float", default=60.0),
    "token_cache": _option("TOKEN_CACHE", type="bool", default=True, no_log=False),
}


class Servers:
    """The planes as the parameters name them, each asked for only when it is needed."""

    def __init__(self, params: Mapping[str, Any]):
        self.params = params
        self.warnings: list[str] = []
        self.options = Options(**{option.name: params[option.name] for option in fields(Options) if option.name in params})

    @property
    def retried(self) -> dict[str, list[str]]:
        """What was repeated, for the result."""
        return {"retried": self.options.retried} if self.options.retried else {}

    @property
    def apim(self) -> Apim:
        return Apim(self._credentials("apim"), self.options)

    @property
    def am(self) -> Am:
        return Am(self._credentials("am"), self.options)

    def _credentials(self, plane: str) -> Credentials:
        credentials = Credentials.of(plane, self.params)
        if credentials.in_the_open:
            where = f"the credentials for {credentials.url} travel in the open"
            self.warnings.append(f"{plane}_url is plain http: {where}. Use https.")
        return credentials


def _module(spec: Mapping[str, Any], rules: Mapping[str, Any]) -> AnsibleModule:
    module = AnsibleModule(argument_spec={**CONNECTION, **spec}, supports_check_mode=True, **rules)
    if dependencies.MISSING:
        module.fail_json(msg=dependencies.sentence(), missing_packages=dependencies.MISSING)
    return module


@contextlib.contextmanager
def _sentences(module: AnsibleModule, servers: Servers) -> Iterator[None]:
    """Whatever goes wrong ends the task with one sentence."""
    try:
        yield
    except (ApiError, Refusal) as error:
        module.fail_json(msg=" ".join(str(error).split()), **_details(error), **servers.retried)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        sentence = f"A server answered in a form that is not expected here ({said}). Is the URL right, and the version supported?"
        module.fail_json(msg=sentence, exception=traceback.format_exc(), **servers.retried)


def run(spec: Mapping[str, Any], managed: Callable[[Servers, Mapping[str, Any]], Managed], **rules: Any) -> None:
    """Bring one object to its desired state, or in check mode say what that would take."""
    module = _module(spec, rules)
    servers = Servers(module.params)
    with _sentences(module, servers):
        thing = managed(servers, module.params)
        result = thing.carry_out(apply=not module.check_mode)
    _warn(module, [*servers.warnings, *thing.warnings])
    module.exit_json(**result, **servers.retried)


def read(spec: Mapping[str, Any], reader: Callable[[Servers, Mapping[str, Any]], dict[str, Any]], **rules: Any) -> None:
    """Return what `reader` finds; nothing changes."""
    module = _module(spec, rules)
    servers = Servers(module.params)
    with _sentences(module, servers):
        result = reader(servers, module.params)
    _warn(module, servers.warnings)
    module.exit_json(changed=False, **result, **servers.retried)


def fleet(spec: Mapping[str, Any], reconcile: Callable[[Mapping[str, Any], Servers, bool], dict[str, Any]]) -> None:
    """Reconcile many objects; those that were refused make the task fail, after all others are done."""
    module = _module(spec, {})
    servers = Servers(module.params)
    with _sentences(module, servers):
        result = {**reconcile(module.params, servers, not module.check_mode), **servers.retried}
    _warn(module, servers.warnings)
    diff = [part for server in result["servers"] for part in server["diff"]]
    if result["failed_servers"]:
        first = next(server for server in result["servers"] if server["failed"])
        count = f"{len(result['failed_servers'])} of {len(result['servers'])} servers"
        module.fail_json(msg=f"{count} were refused, the first: {first['name']}: {first['msg']}", diff=diff, **result)
    module.exit_json(diff=diff, **result)


def _warn(module: AnsibleModule, warnings: list[str]) -> None:
    for warning in dict.fromkeys(warnings):
        module.warn(warning)


def _details(error: Exception) -> dict[str, Any]:
    """What a playbook may want to tell a server's refusal by."""
    if not isinstance(error, ApiError):
        return {}
    return {"status": error.status, "technical_code": error.code}
