"""GitHub's workflows, those of docs/ci.md and of this repository, as data: no GitHub runs here. And the forms for issues."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import matrix, release
from tests.examples.reading import ROOT, blocks

OURS = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
SHOWN = {block.file: block.data for block in blocks("docs/ci.md") if block.file and "workflows" in block.file}
WORKFLOWS = {**OURS, **SHOWN}
# What a job may write → the step that needs it.
WRITES = {"security-events": "github/codeql-action/upload-sarif@", "pull-requests": "gh pr comment"}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
VERSIONED = {version for one in matrix.versions() for version in one.pythons}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for step in steps(workflow) if "run" in step]


def wrong(workflow: dict[str, Any]) -> list[str]:
    """What is not as it should be, whoever runs it."""
    found = []
    for step in steps(workflow):
        if "uses" in step and not re.fullmatch(r"(actions/[\w-]+|github/codeql-action/[\w-]+)@v\d+", step["uses"]):
            found.append(f"not an action of GitHub's at a major version: {step['uses']}")
        if re.search(r"\$\{\{ (?!matrix\.)", step.get("run", "")):
            found.append(f"an expression in a command: {step['run']}")
        if step.get("uses", "").startswith("actions/checkout@") and step["with"]["persist-credentials"] is not False:
            found.append("the token of the checkout stays")
    for level in (workflow, *workflow["jobs"].values()):
        if "secrets." in str(level.get("env")):
            found.append("every step gets the secrets")
    if not isinstance(workflow.get("permissions"), dict):
        return [*found, "no permissions are named"]
    for scope, may in workflow["permissions"].items():
        needed = WRITES.get(scope)
        if may == "write" and not (needed and any(needed in str(step) for step in steps(workflow))):
            found.append(f"may write {scope}")
    on = workflow.get("on", workflow.get(True))  # YAML 1.1 takes the key for a boolean
    if "pull_request_target" in str(on):
        found.append("runs the code of a fork with the secrets")
    return found + [f"{name} may run for hours" for name, job in workflow["jobs"].items() if "timeout-minutes" not in job]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_no_more_than_it_needs(name: str) -> None:
    assert wrong(WORKFLOWS[name]) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"permissions": "write-all"}, "no permissions are named"),
        ({"permissions": {"contents": "write"}}, "may write contents"),
        ({"permissions": {"pull-requests": "write"}}, "may write pull-requests"),
        ({True: "pull_request_target"}, "runs the code of a fork with the secrets"),
        ({"env": {"A": "${{ secrets.A }}"}}, "every step gets the secrets"),
        ({"jobs": {"a": {"steps": []}}}, "a may run for hours"),
        *(
            ({"jobs": {"a": {"timeout-minutes": 1, "steps": [step]}}}, found)
            for step, found in (
                ({"run": "a ${{ secrets.A }}"}, "an expression in a command: a ${{ secrets.A }}"),
                ({"run": "a ${{ github.event.title }}"}, "an expression in a command: a ${{ github.event.title }}"),
                ({"uses": "actions/checkout@main", "with": {"persist-credentials": True}}, "the token of the checkout stays"),
                ({"uses": "actions/cache@main"}, "not an action of GitHub's at a major version: actions/cache@main"),
                ({"uses": "somebody/else@v1"}, "not an action of GitHub's at a major version: somebody/else@v1"),
            )
        ),
    ],
)
def test_one_that_may_is_found(changed: dict[Any, Any], found: str) -> None:
    workflow = {"permissions": {"contents": "read"}, "jobs": {}, **changed}
    assert found in wrong(workflow)


def test_the_pages_play_playbooks_that_are_there() -> None:
    run = "\n".join(command for workflow in SHOWN.values() for command in commands(workflow))
    played = set(re.findall(r" gravitee\.mcp\.(\w+)", run))
    assert played == {"audit", "drift"}
    assert {name for name in played if not (ROOT / f"playbooks/{name}.yml").exists()} == set()
    assert set(SHOWN) == {".github/workflows/audit.yml", ".github/workflows/preview.yml"}


def test_what_is_uploaded_is_what_an_audit_writes() -> None:
    tasks = yaml.safe_load((ROOT / "playbooks/tasks/report.yml").read_text(encoding="utf-8"))
    [report] = [task for task in tasks if "loop" in task]
    written = {f"audit.{ending}" for ending in report["loop"]}
    uploads = [step["with"] for step in steps(SHOWN[".github/workflows/audit.yml"]) if "upload" in step.get("uses", "")]
    assert [given["sarif_file"] for given in uploads if "sarif_file" in given] == ["audit.sarif"]
    assert "audit.sarif" in written


def test_ours_run_targets_of_make_alone() -> None:
    """Together all of `make test`."""
    made = set()
    for name, workflow in OURS.items():
        for job in workflow["jobs"].values():
            choices = job.get("strategy", {}).get("matrix", {})
            for command in (step["run"] for step in job["steps"] if "run" in step):
                assert re.match(r"make ", command), f"{name}: {command}"
                for target in choices.get("target", [""]):
                    words = command.replace("${{ matrix.target }}", target).split()[1:]
                    made |= {word for word in words if "=" not in word}
    assert made <= {target for line in re.findall(r"^([\w -]+):", MAKEFILE, re.MULTILINE) for target in line.split()}
    [everything] = re.findall(r"^test: (.*)$", MAKEFILE, re.MULTILINE)
    assert made == {*everything.split(), "release-check", "publish"}


def test_ours_have_the_pythons_that_are_tested() -> None:
    tests, publishing = OURS["tests.yml"]["jobs"], OURS["release.yml"]["jobs"]["galaxy"]
    assert set(tests["tests"]["strategy"]["matrix"]["python"]) == VERSIONED
    for job in (tests["matrix"], publishing):
        [given] = [step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")]
        assert set(given.split()) == VERSIONED
        assert given.split()[-1] == "3.13", "the last is the one that python and make take"


def test_a_release_is_checked_before_it_is_published() -> None:
    assert commands(OURS["release.yml"]) == ['make release-check RELEASE="$GITHUB_REF_NAME"', "make publish"]
    *before, publish = steps(OURS["release.yml"])
    assert "secrets.GALAXY_API_KEY" in publish["env"]["ANSIBLE_GALAXY_SERVER_GALAXY_TOKEN"]
    assert [step for step in before if "secrets." in str(step)] == []
    assert "tests.release $(RELEASE)" in MAKEFILE


def test_a_tag_of_another_version_is_no_release(capsys: pytest.CaptureFixture[str]) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert release.main(["v9.9.9"]) == 1
    assert f"the tag is v9.9.9, and galaxy.yml says {version}: it has to be v{version}" in capsys.readouterr().out
    release.main([f"v{version}"])
    assert "the tag is" not in capsys.readouterr().out


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem)
def test_a_form_is_one_that_github_takes(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({field["id"] for field in fields}) == len({field["attributes"]["label"] for field in fields}) == len(fields)
    required = " ".join(field["attributes"]["label"] for field in fields if field.get("validations", {}).get("required"))
    assert [name for name in ("ansible-core", "APIM", "AM") if name not in required] == []


def test_vulnerabilities_are_no_issues() -> None:
    config = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text(encoding="utf-8"))
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    assert f"{repository}/security/advisories/new" in [link["url"] for link in config["contact_links"]]
    assert config["blank_issues_enabled"] is False
    assert all({"name", "url", "about"} == set(link) for link in config["contact_links"])
