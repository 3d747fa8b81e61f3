"""Fleets as mcp_fleet and the check tell of them, and the page that the real filter and the real template make of one."""
from __future__ import annotations

import json
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.template import Templar
from ansible_collections.gravitee.mcp.plugins.filter.fleet_report import fleet_report
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.doctor import Evidence, diagnosis
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS

from tests.runners import ROOT

TEMPLATE = ROOT / "playbooks/templates/report.html.j2"
UNBROKEN = "EveryNotificationThatTheWholeCompanyEverSent" * 4
NAMES = ("Weather", "Invoices", "Timesheets", "Wiki search", "Tickets")
FOUND = {
    "open": "open",
    "unknown": "no token: the answers differ: HTTP 401 and HTTP 503. Have all gateways followed the last deployment?",
    "misconfigured": "authorization server metadata: HTTP 404: is the domain mcp of AM enabled?",
    "upstream_secured": "no token: HTTP 401, not in the gateway's words: does something in front of the gateway answer?",
    "unreachable": "no token: HTTP 404 No context-path matches the request URI.: is the API deployed and started?",
    "secured": "secured",
}
CLOSED = {"before": {"plans": [{"status": "PUBLISHED"}]}, "after": {"plans": [{"status": "CLOSED"}]}}


def outcome(number: int, posture: str, unbroken: str = "") -> dict[str, Any]:
    """Of one server; with `unbroken` in whatever comes from a user or a server."""
    name = NAMES[number] if number < len(NAMES) else f"Server {number}"
    path = f"/{name.lower().replace(' ', '-')}-mcp{unbroken}"
    url = f"https://gateway.example.com{path}"
    drifts = posture == "open" or number == len(NAMES) - 1
    asked = f"POST {url} initialize, no token"
    found, verdict = (FOUND[posture], "ok") if posture == "secured" else (FOUND[posture] + unbroken, "failed")
    steps = [
        {"step": "reachable", "asked": asked, "got": "HTTP 401", "verdict": "ok"},
        {"step": "no token", "asked": asked, "got": found, "verdict": verdict},
        {"step": "redirect", "asked": asked, "got": f"HTTP 308 to {url}/", "verdict": "warning"},
    ]
    return {
        "name": f"{name}{unbroken} MCP",
        "context_path": path,
        "url": url,
        "failed": False,
        "changes": [f"close plan Try it{unbroken} (KEY_LESS) of API {path}", f"deploy API {path}"] if drifts else [],
        "diff": [CLOSED, {"before": {"description": unbroken}, "after": {}}] if drifts else [],
        "seen": {"result": posture, "summary": found, "steps": steps},
    }


def fleet(count: int, unbroken: str = "") -> list[dict[str, Any]]:
    """Two of 15 are in trouble, each in another one; one that is secured has drifted."""
    troubles = [word for word in MEANINGS if word not in ("secured", "unknown")]
    bad = max(1, count * 2 // 15)
    return [outcome(one, troubles[one % len(troubles)] if one < bad else "secured", unbroken) for one in range(count)]


def trying(count: int) -> dict[str, Any]:
    """The report of a fleet with all that a page has to cope with."""
    servers = fleet(count, UNBROKEN)
    servers[0]["seen"]["doctor"] = diagnosis(Evidence(servers[0]["url"], 200))
    before = json.dumps(fleet_report(servers[1:]))
    servers[1] = {**servers[1], "context_path": "", "failed": True, "msg": f"The API {UNBROKEN} is another one.", "outside": True}
    servers[2].update(url="", failed=True, msg="The host has no secure_mcp_target")
    del servers[2]["seen"]
    made_from = [f"https://apim.example.com/{UNBROKEN}"]
    return fleet_report(servers, "audit", made_from, [f"update {UNBROKEN} of domain mcp"], count + 1, False, before)


def page_of(report: dict[str, Any]) -> str:
    """Its text, made as the playbook makes it."""
    loader, variables = DataLoader(), {"secure_mcp__report": report}
    lookup = lookup_loader.get("template", loader=loader, templar=Templar(loader, variables=variables))
    return lookup.run([str(TEMPLATE)], variables)[0]
