"""The flows of a plan and of an API: which of them a request meets, and the policy mock, the one that the sandbox plays."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from .apim_expressions import ExpressionFailed, Variables, fill_in, holds
from .apim_failures import Failure

Json = dict[str, Any]


def answered(flows: Iterable[Json], method: str, path: str, variables: Variables) -> Response | None:
    """What the first mock whose conditions are met answers; path: below the context path. Failure for another policy."""
    for flow in flows:
        if flow.get("enabled", True) and all(_selects(one, method, path, variables) for one in flow.get("selectors") or []):
            for step in flow.get("request") or []:
                if step.get("enabled", True) and _met(step.get("condition"), variables):
                    return _mock(step, variables)
    return None


def _met(condition: str | None, variables: Variables) -> bool:
    """A condition that cannot be evaluated is not met."""
    try:
        return not condition or holds(condition, variables)
    except ExpressionFailed:
        return False


def _selects(selector: Json, method: str, path: str, variables: Variables) -> bool:
    if selector["type"] == "CONDITION":
        return _met(selector.get("condition"), variables)
    if selector.get("methods") and method not in selector["methods"]:
        return False
    wanted = selector.get("path") or "/"
    if selector.get("pathOperator") == "EQUALS":
        return path.rstrip("/") == wanted.rstrip("/")
    return f"{path.rstrip('/')}/".startswith(f"{wanted.rstrip('/')}/")


def _mock(step: Json, variables: Variables) -> Response:
    if step["policy"] != "mock":
        raise Failure(500, f"The sandbox does not play the policy {step['policy']}.")
    configuration = step["configuration"]
    response = Response(fill_in(configuration.get("content") or "", variables), int(configuration["status"]))
    for header in configuration.get("headers") or []:
        response.headers[header["name"]] = fill_in(header["value"], variables)
    return response
