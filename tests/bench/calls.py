"""Calls of a tool per second through the gateway, without and with rules for tools."""
from __future__ import annotations

import json
import time

import requests

from tests.clients import Login, register

from .playing import Bench

RULES = {
    "without": {"enforce_tools": "false"},
    "with tool rules": {"enforce_tools": "unlisted"},
}
TOOLS = {"tools": [{"key": "get_weather", "scopes": ["weather:read"]}, {"key": "slow_forecast"}]}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def calls_per_second(bench: Bench, seconds: float) -> dict[str, float]:
    return {name: _calls(bench, rules, seconds) for name, rules in RULES.items()}


def _calls(bench: Bench, rules: dict[str, str], seconds: float) -> float:
    bench.ask("reset")
    given = {f"secure_mcp_{name}": value for name, value in {**TOOLS, **rules}.items()}
    bench.play(bench.fleet(1), "secure_mcp.yml", "-e", json.dumps(given))
    url = f"{bench.urls['gateway']}/s0-mcp"
    scope = "openid" if rules == RULES["without"] else "openid weather:read"
    client_id = register(bench.world, scope=scope).json()["client_id"]
    token = Login().token(bench.world, client_id, url, scope=scope)
    with requests.Session() as http:
        http.headers.update({**HEADERS, "Authorization": f"Bearer {token}"})
        made, began = 0, time.monotonic()
        while time.monotonic() - began < seconds:
            answer = http.post(url, json=CALL, timeout=10)
            if not answer.ok:
                raise SystemExit(f"a call of a tool is answered {answer.status_code}: {answer.text}")
            made += 1
        return made / (time.monotonic() - began)
