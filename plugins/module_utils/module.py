# Copyright (c) 2026, the gravitee.mcp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thin edge to Ansible: parameters in, result out, exceptions to fail_json."""
from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.gravitee.mcp.plugins.module_utils import dependencies
from ansible_collections.gravitee.mcp.plugins.module_utils.core.errors import ApiError, Refusal
from ansible_collections.gravitee.mcp.plugins.module_utils.core.masking import SHORTEST, mask, mask_text, secrets_in, without
from ansible_collections.gravitee.mcp.plugins.module_utils.core.options import ModuleOptions
from ansible_collections.gravitee.mcp.plugins.module_utils.core.reconcile import Managed
from ansible_collections.gravitee.mcp.plugins.module_utils.core.validation import refusable
from ansible_collections.gravitee.mcp.plugins.module_utils.core.visible import is_text, sentence, visible
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


Taken = TypeVar("Taken", bound=ModuleOptions)
SENTENCES = ("msg", "changes", "waiting", "warnings")  # the keys of a result that hold words of this collection


class Servers:
    """The planes as the parameters name them, each asked for only when it is needed."""

    def __init__(self, params: Mapping[str, Any]):
        self.params = params
        self.warnings: list[str] = []
        given = {option.name for option in fields(Options)} & CONNECTION.keys() & params.keys()
        self.options = Options(**{name: params[name] for name in given})

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


class Module(AnsibleModule):
    """AnsibleModule whose parameters are without blanks around credentials, and whose outputs are without secrets."""

    servers: Servers | None = None

    def __init__(self, takes: type[ModuleOptions]):
        super().__init__(argument_spec={**CONNECTION, **takes.spec()}, supports_check_mode=True, **takes.RULES)
        self._keep_secrets()
        if dependencies.MISSING:
            self.fail_json(msg=dependencies.sentence(), missing_packages=dependencies.MISSING)
        try:
            self.servers = Servers(self.params)
        except Refusal as error:
            self.fail_json(msg=str(error))

    def _load_params(self) -> None:
        super()._load_params()
        refusable(self.argument_spec, self.params)

    def _log_invocation(self) -> None:
        """AnsibleModule writes the parameters to the system's log while it is being made."""
        self._keep_secrets()
        for name, value in self.params.items():
            if not is_text(value):
                self.fail_json(msg=f"{name}: it has half a character (a lone surrogate), which no text has. Write it anew.")
        super()._log_invocation()

    def log(self, msg: str, log_args: Any = None) -> None:
        """A line break in a value forges no entry of the system's log; a NUL, which syslog refuses, ends no task."""
        super().log(visible(msg), log_args)

    def fail_json(self, msg: str, **result: Any) -> None:
        """Also for parameters that AnsibleModule itself refuses while it is being made."""
        self._keep_secrets()
        super().fail_json(self._sentence(" ".join(msg.split())), **{"invocation": self._invocation, **result})

    @property
    def _invocation(self) -> dict[str, Any]:
        return {"module_args": mask(self.params)}

    def _keep_secrets(self) -> None:
        """Credentials are what is sent, so that this is what Ansible masks; what is a secret by its place joins them."""
        self.no_log_values.update(_stripped(self.argument_spec, self.params))
        self._hide(secrets_in(self.params))

    def _hide(self, secrets: Iterable[str]) -> None:
        self.no_log_values.update(secret for secret in secrets if len(secret) >= SHORTEST)

    def finish(self, result: Mapping[str, Any], warnings: Iterable[str] = ()) -> None:
        """End the task. What a server's secrets are is hidden in every sentence.

        They are not registered with Ansible: whoever writes an API's property named like a secret could make it hide the ids and
        URLs of others, which the next tasks need. In data, secrets are masked by their place.
        """
        for warning in dict.fromkeys([*self.servers.warnings, *warnings]):
            self.warn(self._sentence(warning))
        result = {**self._with_sentences(result), **self.servers.retried, "invocation": self._invocation}
        if result.get("failed"):
            self.fail_json(**result)
        self.exit_json(**result)

    def _with_sentences(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """The result, and that of each server of a fleet, with sentences that a terminal may show."""
        said = {name: result[name] for name in SENTENCES if name in result}
        told: dict[str, Any] = {
            name: [self._sentence(one) for one in value] if isinstance(value, list) else self._sentence(value)
            for name, value in said.items()
        }
        if "exception" in result:
            told["exception"] = self._without_secrets(result["exception"])
        if isinstance(result.get("servers"), list):
            told["servers"] = [self._with_sentences(server) for server in result["servers"]]
        return {**result, **told}

    def _sentence(self, text: Any) -> str:
        return sentence(self._without_secrets(str(text)))

    def _without_secrets(self, text: str) -> str:
        found = self.servers.options.found_secrets if self.servers else ()
        return without(found, mask_text(text))

    @contextlib.contextmanager
    def sentences(self) -> Iterator[None]:
        """Whatever goes wrong ends the task with one sentence; a bug of this collection with its traceback, too."""
        try:
            yield
        except (ApiError, Refusal) as error:
            self.finish({"failed": True, "msg": " ".join(str(error).split()), **_details(error)})
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
            said = f"This is a bug of gravitee.mcp, of no server and of no parameter: {type(error).__name__}: {error}"
            told = f"{' '.join(said.split())} Report it with this traceback."
            self.finish({"failed": True, "msg": told, "exception": traceback.format_exc()})


def _stripped(spec: Mapping[str, Any], params: Any) -> Iterator[str]:
    """Take the blanks and line breaks away from around credentials, as vault files end with one; the credentials."""
    for name, option in spec.items():
        value = params.get(name)
        if isinstance(value, str) and (option.get("no_log") or name.endswith("username")):
            params[name] = value.strip()
            if option.get("no_log") and params[name]:
                yield params[name]
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and option.get("options"):
                yield from _stripped(option["options"], part)


def run(managed: type[Managed]) -> None:
    """Bring one object to its desired state, or in check mode say what that would take."""
    module = Module(managed.takes)
    with module.sentences():
        thing = managed.on(module.servers, managed.takes.of(module.params))
        result = thing.carry_out(apply=not module.check_mode)
    module.finish(result, thing.warnings)


def read(takes: type[Taken], reader: Callable[[Servers, Taken], dict[str, Any]]) -> None:
    """Return what `reader` finds, its `warnings` as the task's; nothing changes."""
    module = Module(takes)
    with module.sentences():
        result = reader(module.servers, takes.of(module.params))
    warnings = result.pop("warnings", ())
    module.finish({"changed": False, **result}, warnings)


def fleet(takes: type[Taken], reconcile: Callable[[Servers, Taken, bool], dict[str, Any]]) -> None:
    """Reconcile many objects; those that were refused make the task fail, after all others are done."""
    module = Module(takes)
    with module.sentences():
        result = reconcile(module.servers, takes.of(module.params), not module.check_mode)
    result["diff"] = [part for server in result["servers"] for part in server["diff"]]
    if result["failed_servers"]:
        first = next(server for server in result["servers"] if server["failed"])
        count = f"{len(result['failed_servers'])} of {len(result['servers'])} servers"
        result |= {"failed": True, "msg": f"{count} were refused, the first: {first['name']}: {first['msg']}"}
    module.finish(result)


def _details(error: Exception) -> dict[str, Any]:
    """What a playbook may want to tell a server's refusal by."""
    if not isinstance(error, ApiError):
        return {}
    return {"status": error.status, "technical_code": error.code}
