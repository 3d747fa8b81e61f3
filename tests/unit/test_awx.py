"""docs/awx.yml, the playbook that sets up AWX: no AWX runs here, so it is held against what the modules take."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.examples.reading import ROOT


class Loader(yaml.SafeLoader):
    """Reads Ansible's !unsafe as text."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
TASKS = yaml.load((ROOT / "docs/awx.yml").read_text(encoding="utf-8"), Loader)[0]["tasks"]
OPTIONS = yaml.safe_load((Path(__file__).parent / "awx_options.yml").read_text(encoding="utf-8"))


def given(module: str) -> list[dict[str, Any]]:
    return [task[f"awx.awx.{module}"] for task in TASKS if f"awx.awx.{module}" in task]


def refused(module: str, options: dict[str, Any]) -> list[str]:
    spec = {name: {"type": kind} for kind, names in OPTIONS[module].items() for name in names.split()}
    spec["name"] = {"type": "str", "required": True}
    return ArgumentSpecValidator(spec).validate(options).error_messages


def test_every_task_gives_options_that_its_module_has() -> None:
    assert [wrong for module in OPTIONS for options in given(module) for wrong in refused(module, options)] == []
    assert sum(len(given(module)) for module in OPTIONS) == len(TASKS)


def test_an_option_that_is_not_there_is_found() -> None:
    assert "schedule" in refused("job_template", {"name": "a", "schedule": "DTSTART:20260101T000000Z"})[0]
    assert "unable to convert to bool" in refused("job_template", {"name": "a", "survey_enabled": "perhaps"})[0]
    assert "name" in refused("schedule", {"rrule": "DTSTART:20260101T000000Z"})[0]


def test_the_tasks_name_what_there_is() -> None:
    templates = {template["name"]: template for template in given("job_template")}
    assert [one["playbook"] for one in templates.values() if not (ROOT / one["playbook"]).exists()] == []
    assert {one["unified_job_template"] for one in given("schedule")} <= set(templates)
    assert {name for one in templates.values() for name in one["credentials"]} == {one["name"] for one in given("credential")}
    assert {one["credential_type"] for one in given("credential")} == {one["name"] for one in given("credential_type")}


def test_the_survey_asks_for_variables_with_their_choices() -> None:
    specs = yaml.safe_load((ROOT / "roles/secure_mcp/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = {**specs["argument_specs"]["main"]["options"], "secure_mcp_hosts": {}}
    questions = [question for one in given("job_template") for question in one.get("survey_spec", {}).get("spec", [])]
    assert questions
    for question in questions:
        assert question.get("choices") == options[question["variable"]].get("choices"), question
