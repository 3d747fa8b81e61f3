"""Many servers at once: mcp_fleet, its playbooks, the report, the inventory plugin."""
from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
import yaml

from tests.integration.test_flows import initialize
from tests.runners import BIN, ROOT, ModuleFailed, Modules, Playbooks, connection
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.serving import serving

pytestmark = pytest.mark.usefixtures("domain")
TOOLS = [{"key": "get_weather", "scopes": ["weather:read"]}]


def fleet(world: World, count: int = 3, **given: Any) -> dict[str, Any]:
    servers = [{"name": f"S{i}", "context_path": f"/s{i}-mcp", "target": world.urls["mcp"]} for i in range(count)]
    urls = {"gateway_url": world.urls["gateway"], "am_gateway_url": world.urls["am_gateway"]}
    return {"domain": "mcp-demo", "servers": servers, **urls, **given}


def hosts(count: int) -> dict[str, dict[str, str]]:
    return {f"s{i}": {"secure_mcp_context_path": f"/s{i}-mcp", "secure_mcp_name": f"S{i}"} for i in range(count)}


def record(world: World, path: str) -> Any:
    return next(api for api in world.apis.values() if api.paths[0] == path)


def test_secured_as_predicted_and_once(modules: Modules, world: World) -> None:
    given = fleet(world)
    given["servers"][0] |= {"tools": TOOLS, "required_scopes": ["weather:read"]}
    predicted = modules.run("mcp_fleet", check=True, **given)
    assert world.writes() == []
    done = modules.run("mcp_fleet", **given)
    assert [one["changes"] for one in done["servers"]] == [one["changes"] for one in predicted["servers"]]
    assert done["domain"]["changes"] == predicted["domain"]["changes"]
    assert {initialize(f"{world.urls['gateway']}/s{i}-mcp") for i in range(3)} == {401}
    before = len(world.writes())
    for check in (False, True):
        again = modules.run("mcp_fleet", check=check, **given)
        assert (again["changed"], [one["changes"] for one in again["servers"]]) == (False, [[], [], []])
    assert world.writes()[before:] == []


def test_it_does_what_the_role_does(modules: Modules, playbooks: Playbooks, world: World) -> None:
    """After the role the fleet finds nothing to do, and the other way round."""
    assert playbooks.run(hosts=hosts(2)).code == 0
    assert modules.run("mcp_fleet", check=True, **fleet(world, 2))["changed"] is False
    modules.run("mcp_fleet", **fleet(world, 4))
    both = playbooks.run("secure_mcp.yml", hosts=hosts(4))
    assert both.code == 0, both.output
    assert both.changed == []


def test_requests_for_a_check_grow_by_two_a_server(modules: Modules, world: World) -> None:
    counts = []
    for count in (5, 10):
        given = fleet(world, count)
        modules.run("mcp_fleet", **given)
        before = len(world.log)
        modules.run("mcp_fleet", check=True, **given)
        counts.append(len([request for request in world.log[before:] if request.plane in ("apim", "am")]))
    assert counts[1] - counts[0] == 2 * 5  # its plans, its subscriptions


def test_only_what_drifted_is_fixed(modules: Modules, world: World) -> None:
    given = fleet(world)
    modules.run("mcp_fleet", **given)
    record(world, "/s1-mcp/").definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = "http://evil"
    predicted = modules.run("mcp_fleet", check=True, **given)
    assert [bool(one["changes"]) for one in predicted["servers"]] == [False, True, False]
    assert "http://evil" in str(predicted["servers"][1]["diff"])
    done = modules.run("mcp_fleet", **given)
    assert done["servers"][1]["changes"] == predicted["servers"][1]["changes"]
    assert modules.run("mcp_fleet", check=True, **given)["changed"] is False


def test_a_refused_server_stops_no_other(modules: Modules, world: World) -> None:
    modules.run("gravitee_api", context_path="/s1-mcp", name="Theirs", target="http://theirs/mcp")
    with pytest.raises(ModuleFailed, match="1 of 3 servers were refused, the first: S1: context_path: .* belongs") as failure:
        modules.run("mcp_fleet", **fleet(world))
    assert failure.value.result["failed_servers"] == ["S1"]
    assert [initialize(f"{world.urls['gateway']}/s{i}-mcp") for i in range(3)] == [401, 404, 401]


def test_a_lost_secret_is_renewed(modules: Modules, world: World, domain: Domain) -> None:
    given = fleet(world)
    modules.run("mcp_fleet", **given)
    record(world, "/s2-mcp/").definition["resources"] = []
    modules.run("mcp_fleet", **given)
    secrets = {secret["secret"] for server in domain.mcp_servers.values() for secret in server["secrets"]}
    stored = {api.definition["resources"][0]["configuration"]["clientSecret"] for api in world.apis.values()}
    assert stored == secrets
    assert not any(secret in str(modules.run("mcp_fleet", **given)) for secret in secrets)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"domain": "nope"}, "domain: AM knows no domain 'nope'"),
        ({"servers": [{"name": "a", "context_path": "/a"}]}, "servers: number 1 has no target. Give it."),
        (
            {"servers": [{"name": n, "context_path": "/a", "target": "http://a"} for n in "ab"]},
            "servers: more than one has the context path /a/",
        ),
    ],
)
def test_refused_with_a_sentence(modules: Modules, world: World, given: dict, sentence: str) -> None:
    with pytest.raises(ModuleFailed) as failure:
        modules.run("mcp_fleet", **{**fleet(world), **given})
    assert sentence in str(failure.value)


def test_fleet_and_audit_playbooks_and_the_report(playbooks: Playbooks, world: World, tmp_path: Path) -> None:
    done = playbooks.run("fleet.yml", "-vvv", "-e", "secure_mcp_batch=2", hosts=hosts(5))
    assert done.code == 0, done.output
    for label in ("servers 1-2 of 5", "servers 3-4 of 5", "servers 5-5 of 5"):
        assert label in done.output
    assert "adminadmin" not in done.output
    assert playbooks.run("audit.yml", hosts=hosts(5)).code == 0
    record(world, "/s1-mcp/").definition["endpointGroups"][0]["endpoints"][0]["configuration"]["target"] = "http://<script>"
    opened = record(world, "/s2-mcp/")
    anyone = {"security": {"type": "KEY_LESS"}, "selectionRule": None, "flows": []}
    opened.plans["k"] = {**next(iter(opened.plans.values())), "id": "k", "name": "Oops", **anyone}
    opened.deploy("deployed")
    opened.serve()
    before = len(world.writes())
    audited = playbooks.run("audit.yml", "-e", "secure_mcp_report=out", hosts=hosts(5))
    assert world.writes()[before:] == []
    assert audited.code == 2
    assert "4 of 5 servers are secured, 2 have drifted." in audited.failure
    assert "5 servers: 1 open, 4 secured; 2 drifted; complete; " in audited.output
    assert "S2: open; close plan Oops (KEY_LESS) of API /s2-mcp; deploy API /s2-mcp" in audited.output
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (report["version"], report["kind"], report["total"], report["share_secured"]) == (2, "audit", 5, 0.8)
    assert report["counts"]["open"] == 1
    assert [(one["name"], one["drifted"]) for one in report["servers"]][:3] == [("S2", True), ("S1", True), ("S0", False)]
    assert "endpointGroups[0].endpoints[0].configuration.target: http://<script> → " in str(report["servers"][1]["changed_keys"])
    for ending in ("json", "html", "junit.xml", "sarif"):
        assert (tmp_path / f"out.{ending}").stat().st_mode & 0o777 == 0o600
    suite = ElementTree.fromstring((tmp_path / "out.junit.xml").read_text(encoding="utf-8"))[0]
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == ("6", "2", "0")
    (run,) = json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8"))["runs"]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [("open", "error"), ("drifted", "warning")]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]]
    assert {(tmp_path / place).is_file() for place in places} == {True}, "GitHub takes findings at files only"
    prints = {one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]}
    assert len(prints) == 2, "else one finding would hide the other"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "http://&lt;script&gt;" in page
    for text in (page, json.dumps(report)):
        for server in next(iter(world.domains.values())).mcp_servers.values():
            assert server["secrets"][0]["secret"] not in text
        assert "adminadmin" not in text


def test_drift_writes_the_same_report(playbooks: Playbooks, world: World, tmp_path: Path) -> None:
    assert playbooks.run("fleet.yml", hosts=hosts(3)).code == 0
    record(world, "/s0-mcp/").definition["apiVersion"] = "9"
    broken = {**hosts(3), "s2": {**hosts(3)["s2"], "secure_mcp_context_path": "/S2-mcp"}}
    drifted = playbooks.run("drift.yml", "-e", f"secure_mcp_report={tmp_path}/out", hosts=broken)
    assert drifted.code == 2
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    rows = {one["name"]: one for one in report["servers"]}
    assert {(one["posture"], one["tested"]) for one in rows.values()} == {("unknown", False)}
    assert rows["S0"]["changes"] == ["update apiVersion of API S0", "deploy API /s0-mcp"]
    assert 'apiVersion: 9 → 1.0' in rows["S0"]["changed_keys"]
    assert "has capitals" in rows["S2"]["summary"]
    assert (report["complete"], report["as_described"]) == (False, False)


def listed(folder: Path, world: World, **given: Any) -> dict[str, Any]:
    source = {"plugin": "gravitee.mcp.gravitee_mcp", **connection(world), **given}
    done = inventory(folder, source)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))


def inventory(folder: Path, source: dict[str, Any], **variables: str) -> subprocess.CompletedProcess[str]:
    """`variables` are of the environment."""
    path = folder / "a.gravitee_mcp.yml"
    path.write_text(yaml.safe_dump(source), encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), **variables}
    command = [BIN / "ansible-inventory", "-i", path, "--list"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def in_group(found: dict[str, Any], name: str) -> list[str]:
    return sorted(found.get(name, {}).get("hosts", []))


def test_inventory(modules: Modules, world: World, tmp_path: Path) -> None:
    modules.run("mcp_fleet", **fleet(world, 3))
    modules.run("gravitee_api", context_path="/orders", name="Orders", target="http://orders/")
    modules.run("gravitee_api", context_path="/hidden", name="Nobody knows", target=world.urls["mcp"].replace("/mcp", "/other"))
    modules.run("gravitee_api", context_path="/open-mcp", name="Door", target=world.urls["mcp"], labels=["weather"])
    modules.run("gravitee_plan", context_path="/open-mcp", security="key_less")
    modules.run("gravitee_deployment", context_path="/open-mcp")
    modules.run("gravitee_deployment", context_path="/s1-mcp", state="stopped")
    modules.run("gravitee_api", context_path="/s0-mcp", read_timeout=5000)
    record(world, "/s2-mcp/").definition["resources"] = []
    given = {"domain": "mcp-demo", "gateway_url": world.urls["gateway"]}
    found = listed(tmp_path, world, **given, keyed_groups=[{"key": "mcp_labels", "prefix": "label"}])
    assert in_group(found, "mcp_servers") == ["open-mcp", "s0-mcp", "s1-mcp", "s2-mcp"]
    assert in_group(found, "open") == ["open-mcp"]
    assert in_group(found, "secured") == ["s0-mcp"]
    assert in_group(found, "stopped") == ["s1-mcp"]
    assert in_group(found, "misconfigured") == ["s2-mcp"]
    assert in_group(found, "drifted") == ["s0-mcp", "s2-mcp"]
    assert in_group(found, "label_weather") == ["open-mcp"]
    variables = found["_meta"]["hostvars"]["s0-mcp"]
    assert variables["mcp_plans"] == [{"name": "OAuth2", "security": "OAUTH2", "status": "PUBLISHED"}]
    assert variables["mcp_url"] == f"{world.urls['gateway']}/s0-mcp"
    assert variables["mcp_am_server"]["name"] == "S0"
    assert found["_meta"]["hostvars"]["s2-mcp"]["mcp_problems"] == [
        "the plan OAuth2 names a resource that the API does not have: Gravitee AM"
    ]
    assert "clientSecret" not in str(found)


def test_inventory_hides_nothing(modules: Modules, world: World, tmp_path: Path) -> None:
    """One host for every API, none with the name of a group; odd plans and targets are said of their own API."""
    paths = ["/weather-mcp", "/weather/mcp", "/stopped", "/all", "/push-mcp", "/odd-mcp", "/closed-mcp", "/fine-mcp"]
    for path in paths:
        modules.run("gravitee_api", context_path=path, name=f"MCP {path}", target=world.urls["mcp"])
        modules.run("gravitee_plan", context_path=path, security="key_less")
        modules.run("gravitee_deployment", context_path=path)
    push = next(iter(record(world, "/push-mcp/").plans.values()))
    del push["security"]
    push["mode"] = "PUSH"
    odd = record(world, "/odd-mcp/").definition["endpointGroups"][0]["endpoints"][0]["configuration"]
    odd["target"] = "http://a..b\u2028[/{#properties['x']}"
    closed = record(world, "/closed-mcp/")
    modules.run("gravitee_plan", context_path="/closed-mcp", security="key_less", state="closed")
    assert closed.plans
    found = listed(tmp_path, world, probe=True)
    hosts_of = found["_meta"]["hostvars"]
    assert len(hosts_of) == len(in_group(found, "mcp_servers")) == len(paths)
    assert sorted(variables["mcp_context_path"] for variables in hosts_of.values()) == sorted(f"{path}/" for path in paths)
    groups = set(found) - {"_meta"}
    assert not groups & set(hosts_of)
    assert {"push-mcp", "odd-mcp", "closed-mcp", "fine-mcp"} < set(hosts_of)
    assert hosts_of["push-mcp"]["mcp_plans"][0]["security"] is None
    assert hosts_of["push-mcp"]["mcp_problems"] == ["no published plan that takes calls"]
    assert "closed-mcp" in in_group(found, "open"), "the gateway serves the open deployment until the next one"
    assert {"odd-mcp", "fine-mcp"} < set(in_group(found, "open"))
    assert in_group(found, "misconfigured") == ["push-mcp"]


def test_inventory_shows_an_api_whose_plans_cannot_be_read(modules: Modules, world: World, tmp_path: Path) -> None:
    modules.run("mcp_fleet", **fleet(world, 2))
    forbidden = f"/apis/{record(world, '/s1-mcp/').id}/plans"

    def forward(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if forbidden in path:
            return 403, {"Content-Type": "application/json"}, b'{"httpStatus": 403, "message": "no permission"}'
        kept = {name: value for name, value in headers.items() if name in ("Authorization", "Content-Type")}
        response = requests.request(method, f"{world.urls['apim']}{path}", data=body, headers=kept, timeout=10)
        return response.status_code, {"Content-Type": "application/json"}, response.content

    with serving(forward, headers=True) as base:
        found = listed(tmp_path, world, apim_url=base, retries=0)
    assert (in_group(found, "secured"), in_group(found, "unknown")) == (["s0-mcp"], ["s1-mcp"])
    assert "its plans cannot be read: " in found["_meta"]["hostvars"]["s1-mcp"]["mcp_problems"][0]


def test_every_group_of_the_inventory_is_there_also_without_hosts(world: World, tmp_path: Path) -> None:
    """So that `--graph open` and `hosts: open` do not fail where nothing is open."""
    listed(tmp_path, world)
    command = [BIN / "ansible-inventory", "-i", tmp_path / "a.gravitee_mcp.yml", "--graph", "open"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections")}
    assert subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout == "@open:\n"


def test_inventory_finds_servers_that_nobody_told_it_about(modules: Modules, world: World, tmp_path: Path) -> None:
    modules.run("gravitee_api", context_path="/tools", name="Tools", target=world.urls["mcp"])
    modules.run("gravitee_api", context_path="/orders", name="Orders", target="http://127.0.0.1:9/")
    assert in_group(listed(tmp_path, world, match="^never$"), "mcp_servers") == []
    assert in_group(listed(tmp_path, world, match="^never$", probe=True), "mcp_servers") == ["tools"]


def test_inventory_cache(modules: Modules, world: World, tmp_path: Path) -> None:
    modules.run("mcp_fleet", **fleet(world, 1))
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "kept")}
    first = listed(tmp_path, world, **cached)
    before = len(world.log)
    assert listed(tmp_path, world, **cached)["_meta"] == first["_meta"]
    assert len(world.log) == before


def test_inventory_takes_the_connection_from_the_environment(modules: Modules, world: World, tmp_path: Path) -> None:
    """As the modules do, numbers and truth values, too; what the file gives wins."""
    modules.run("mcp_fleet", **fleet(world, 1))
    given = {f"GRAVITEE_{name.upper()}": value for name, value in connection(world).items()}
    given |= {"GRAVITEE_VALIDATE_CERTS": "no", "GRAVITEE_TIMEOUT": "10", "GRAVITEE_ENVIRONMENT": "nope"}
    source = {"plugin": "gravitee.mcp.gravitee_mcp", "environment": "DEFAULT"}
    done = inventory(tmp_path, source, **given)
    assert in_group(json.loads(done.stdout), "secured") == ["s0-mcp"], done.stderr
    assert "Invalid organization or environment" in inventory(tmp_path, {"plugin": source["plugin"]}, **given).stderr
    assert "timeout" in inventory(tmp_path, source, **{**given, "GRAVITEE_TIMEOUT": "soon"}).stderr


def test_inventory_says_what_is_wrong(world: World, tmp_path: Path) -> None:
    source = {"plugin": "gravitee.mcp.gravitee_mcp", **connection(world), "apim_password": "wrong-password"}
    done = inventory(tmp_path, source)
    assert "APIM refused the credentials: check apim_token" in done.stderr
    assert "wrong-password" not in done.stderr


def test_the_inventory_feeds_the_audit(playbooks: Playbooks, modules: Modules, world: World, tmp_path: Path) -> None:
    """The hosts that the plugin finds are what the playbooks take."""
    modules.run("mcp_fleet", **fleet(world, 2))
    found = listed(tmp_path, world)
    names = in_group(found, "mcp_servers")
    audited = playbooks.run("audit.yml", hosts={name: found["_meta"]["hostvars"][name] for name in names})
    assert audited.code == 0, audited.output


def test_no_server_at_a_time_is_refused(modules: Modules) -> None:
    with pytest.raises(ModuleFailed, match="parallel: 0 servers at the same time is none. Give 1 or more."):
        modules.run("mcp_fleet", domain="mcp-demo", servers=[], parallel=0, gateway_url="http://g", am_gateway_url="http://a")
