"""Writes every task result as a JSON line to the file that RECORDER_FILE names, with the seconds when it began and ended."""
from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: Task results as JSON lines
description:
  - For the tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"

    def __init__(self):
        super().__init__()
        self._began = {}

    def v2_runner_on_start(self, host, task):
        self._began[host.get_name(), task._uuid] = time.time()

    def _note(self, outcome, result):
        line = {
            "outcome": outcome,
            "host": result._host.get_name(),
            "task": result._task.name,
            "action": result._task.action,
            "began": self._began[result._host.get_name(), result._task._uuid],
            "ended": time.time(),
            "result": dict(result._result),
        }
        with open(os.environ["RECORDER_FILE"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result):
        self._note("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._note("failed", result)

    def v2_runner_on_skipped(self, result):
        self._note("skipped", result)
