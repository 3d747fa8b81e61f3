"""What the playbooks say when something is missing, limited, broken or not what the inventory thinks: never green about it."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gravitee.mcp.plugins.filter.fleet_outcomes import fleet_outcomes
from ansible_collections.gravitee.mcp.plugins.filter.fleet_report import fleet_report
from ansible_collections.gravitee.mcp.plugins.filter.mcp_urls import mcp_urls
from ansible_collections.gravitee.mcp.plugins.module_utils.mcp.verdict import MEANINGS

from tests.integration.test_fleet import hosts, record
from tests.runners import Playbooks
from tests.sandbox.world import World

OUTCOME = {"name": "S", "url": "http://g/s", "context_path": "/s", "changes": [], "diff": [], "failed": False}


def seen(result: str) -> dict[str, Any]:
    return {"result": result, "summary": f"why {result}", "steps": []}


@pytest.mark.parametrize("drifted", [True, False])
@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("result", [*MEANINGS, "nonsense", None])
def test_only_what_was_asked_and_is_right_is_as_described(result: str | None, failed: bool, drifted: bool) -> None:
    outcome = {**OUTCOME, "failed": failed, "changes": ["update"] * drifted, **({"seen": seen(result)} if result else {})}
    report = fleet_report([outcome], expected=1)
    (row,) = report["servers"]
    assert report["as_described"] is (result in ("secured", None) and not failed and not drifted)
    assert report["complete"] is not (failed or result in ("unknown", "nonsense"))
    assert row["posture"] == ("unknown" if result in ("nonsense", None) or (failed and result == "secured") else result)
    assert bool(row["todo"]) is (drifted or failed or result not in ("secured", None))
    assert sum(count for word, count in report["counts"].items() if word != "drifted") == report["total"] == 1


def test_nothing_is_not_green() -> None:
    assert (fleet_report([])["as_described"], fleet_report([])["complete"]) == (False, False)
    assert fleet_report([], allow_none=True)["as_described"] is True
    lacking = fleet_report([{**OUTCOME, "seen": seen("secured")}], expected=2)
    assert (lacking["as_described"], lacking["gaps"]) == (False, ["1 of 2 hosts said nothing at all"])


def test_what_changed_since_the_previous_report() -> None:
    def made(**results: str | None) -> list[dict[str, Any]]:
        return [{**OUTCOME, "name": name, **({"seen": seen(result)} if result else {})} for name, result in results.items()]

    before = fleet_report([*made(a="open", b="secured", c="secured", d=None), {**OUTCOME, "name": "e", "changes": ["update x"]}])
    now = fleet_report(made(a="secured", b="open", d=None, e="secured"), previous=json.dumps(before))["compared"]
    assert now["with"] == before["made_at"]
    assert now["new"] == {"b (http://g/s)": ["open"]}
    assert now["fixed"] == {"a (http://g/s)": ["open"], "e (http://g/s)": ["update x"]}
    assert now["gone"] == ["c (http://g/s)"]
    same = fleet_report(made(a="open"), previous=json.dumps(fleet_report(made(a="open"))))["compared"]
    assert (same["new"], same["fixed"], same["gone"], same["why_not"]) == ({}, {}, [], "")


@pytest.mark.parametrize(
    ("previous", "why"),
    [
        ("", "there is no previous report"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"version": 2, "kind": "audit", "servers": [1], "made_at": ""}', "cannot be read"),
        ('{"version": 1, "kind": "audit"}', "of another version or kind"),
        ('{"version": 2, "kind": "drift"}', "of another version or kind"),
    ],
)
def test_a_previous_report_that_is_none_stops_nothing(previous: str, why: str) -> None:
    compared = fleet_report([OUTCOME], previous=previous)["compared"]
    assert (compared["with"], why in compared["why_not"]) == (None, True)


def test_servers_that_are_in_no_inventory() -> None:
    file = {"servers": {"News": {"type": "http", "url": "http://n/mcp"}, "Local": {"command": "npx"}, "Again": {"url": "http://x/mcp"}}}
    found = mcp_urls(["http://x/mcp", "http://y/mcp"], json.dumps(file))
    assert [one["url"] for one in found] == ["http://x/mcp", "http://y/mcp", "http://n/mcp"]
    assert [one["name"] for one in found] == ["Again", "http://y/mcp", "News"]
    assert mcp_urls([], json.dumps({"mcpServers": {"A": {"url": "http://a/mcp"}}})) == [{"name": "A", "url": "http://a/mcp"}]
    for text in ("{", "[]", '{"other": {}}', '{"servers": []}'):
        with pytest.raises(AnsibleFilterError, match="secure_mcp_mcp_json: the file "):
            mcp_urls([], text)


@pytest.mark.parametrize(
    ("result", "described"), [("secured", True), ("upstream_secured", True), ("open", False), ("unknown", False), (None, False)]
)
def test_a_server_outside_may_see_to_itself(result: str | None, described: bool) -> None:
    checked = {"item": {"name": "N", "url": "http://n/mcp"}, **(seen(result) if result else {"msg": "it failed"})}
    report = fleet_report(fleet_outcomes([], [], [checked]), expected=1)
    assert report["as_described"] is described
    assert report["complete"] is (result not in ("unknown", None))


def test_the_worst_is_first() -> None:
    outcomes = [{**OUTCOME, "name": result, "seen": seen(result)} for result in reversed(MEANINGS)]
    assert [one["name"] for one in fleet_report(outcomes)["servers"]] == list(MEANINGS)


def test_changed_keys_alone_are_shown() -> None:
    before = {"same": 1, "target": "http://a", "plans": [{"status": "published"}], "tags": ["x"]}
    after = {"same": 1, "target": "http://b", "plans": [{"status": "closed"}], "tags": ["x", "y"], "new": True}
    (row,) = fleet_report([{**OUTCOME, "diff": [{"before": before, "after": after}]}])["servers"]
    assert row["changed_keys"] == [
        "new: nothing → true",
        "plans[0].status: published → closed",
        'tags: ["x"] → ["x", "y"]',
        "target: http://a → http://b",
    ]


def test_every_host_has_an_outcome_whatever_became_of_its_batch() -> None:
    batches = [
        {"hosts": ["a", "b"], "servers": [{"name": "A"}, {"name": "B", "context_path": "b", "gateway_url": "http://g/"}]},
        {"hosts": ["c"], "servers": [], "trouble": "The host c has no secure_mcp_target"},
        {"hosts": ["d"], "servers": [{"name": "D"}]},
        {"hosts": ["e"], "servers": [{"name": "E"}]},
    ]
    results = [{"msg": "APIM is down", "failed": True}, {"skipped": True}, {"servers": [OUTCOME]}, {"rc": 1}]
    outcomes = fleet_outcomes(results, batches)
    assert [one["name"] for one in outcomes] == ["A", "B", "c", "S", "E"]
    assert [one["failed"] for one in outcomes] == [True, True, True, False, True]
    assert [one.get("msg") for one in outcomes][:3] == ["APIM is down", "APIM is down", "The host c has no secure_mcp_target"]
    assert outcomes[1]["url"] == "http://g/b"
    assert outcomes[4]["msg"]


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "audit.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("domain")
def test_each_trouble_is_its_own_row(playbooks: Playbooks, world: World, tmp_path: Path) -> None:
    """No target, a template that fails, another environment that is down, a renamed API with a keyless plan; one is well."""
    assert playbooks.run("fleet.yml", hosts=hosts(2)).code == 0
    renamed = record(world, "/s1-mcp/")
    renamed.definition["name"] = "Renamed by hand"
    for plan in renamed.plans.values():
        plan.update(security={"type": "KEY_LESS"}, selectionRule=None, flows=[])
    renamed.deploy("deployed")
    renamed.serve()
    fleet: dict[str, Any] = hosts(5)
    fleet["s2"]["secure_mcp_target"] = ""
    fleet["s3"]["secure_mcp_target"] = "{{ nobody_defined_this }}"
    fleet["s4"]["secure_mcp_apim_url"] = "http://127.0.0.1:9"
    fleet["s4"]["secure_mcp_retries"] = 0
    audited = playbooks.run("audit.yml", hosts=fleet)
    assert (audited.code, (tmp_path / "audit.html").exists()) == (2, True), audited.output
    report = report_of(tmp_path)
    rows = {one["name"]: one for one in report["servers"]}
    assert {name: one["posture"] for name, one in rows.items()} == {
        "S0": "secured", "S1": "open", "s2": "unknown", "s3": "unknown", "S4": "unknown",
    }  # fmt: skip
    assert (report["total"], report["complete"], report["servers"][0]["name"]) == (5, False, "S1")
    assert "secure_mcp_target" in rows["s2"]["summary"]
    assert "nobody_defined_this" in rows["s3"]["summary"]
    assert "Connection refused" in rows["S4"]["summary"]
    assert "Renamed by hand" in rows["S1"]["refusal"]
    assert "INCOMPLETE" in audited.output


@pytest.mark.usefixtures("domain")
def test_no_server_at_all_is_a_failure(playbooks: Playbooks, tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text('{"as_described": true}', encoding="utf-8")
    audited = playbooks.run("audit.yml", "-e", "secure_mcp_hosts=mcp_severs", hosts=hosts(1))
    assert (audited.code, report_of(tmp_path)["as_described"], report_of(tmp_path)["total"]) == (2, False, 0)
    assert playbooks.run("audit.yml", "-e", "secure_mcp_hosts=mcp_severs secure_mcp_allow_none=true", hosts=hosts(1)).code == 0
    for playbook in ("fleet.yml", "drift.yml", "verify.yml"):
        done = playbooks.run(playbook, "-e", "secure_mcp_hosts=mcp_severs", hosts=hosts(1))
        assert done.code == 2, playbook
        assert "No host is in mcp_severs" in done.output


@pytest.mark.usefixtures("domain")
def test_limit_is_refused_or_honoured(playbooks: Playbooks, world: World) -> None:
    for playbook in ("audit.yml", "fleet.yml"):
        for limit in ("s0", "localhost,s0"):
            done = playbooks.run(playbook, "--limit", limit, hosts=hosts(2))
            assert (done.code, f"-e 'secure_mcp_hosts={limit}'" in done.output) == (2, True), done.output
    assert world.writes() == []
    assert playbooks.run("fleet.yml", "-e", "secure_mcp_hosts=s0", hosts=hosts(2)).code == 0
    assert [api.paths[0] for api in world.apis.values()] == ["/s0-mcp/"]
    assert playbooks.run("drift.yml", "--limit", "s0", hosts=hosts(2)).code == 0


def test_the_audit_takes_urls_and_compares_with_the_report_before(playbooks: Playbooks, world: World) -> None:
    (playbooks.folder / "mcp.json").write_text(json.dumps({"mcpServers": {"Weather": {"url": world.urls["mcp"]}}}))
    given = ["-e", f"secure_mcp_mcp_json={playbooks.folder}/mcp.json", "-e", '{"secure_mcp_urls": ["http://127.0.0.1:9/mcp"]}']
    report = playbooks.folder / "report"
    for compared in (False, True):
        done = playbooks.run("audit.yml", *given, "-e", f"secure_mcp_report={report}", "-e", "secure_mcp_hosts=none")
        assert done.code == 2, done.output
        told = json.loads(report.with_suffix(".json").read_text())
        assert [(one["name"], one["posture"]) for one in told["servers"]] == [
            ("Weather", "open"),
            ("http://127.0.0.1:9/mcp", "unreachable"),
        ]
        assert bool(told["compared"]["with"]) is compared
    assert "0 with new findings, 0 fixed, 0 gone" in done.output
