"""The benchmark measures what it did when its figures were written down."""
from __future__ import annotations

import json
import subprocess
import sys

from tests.runners import ROOT


def test_every_part_of_it_runs() -> None:
    """On one server, for a moment: what its numbers are is nobody's concern here."""
    small = ["--servers", "1", "--crowd", "1000", "--seconds", "0.2"]
    done = subprocess.run([sys.executable, "-m", "tests.bench", *small], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"first_s", "role_check_s", "uri_over_ours", "calls_with_tool_rules_over_without", "inventory_rss_mb"} <= set(told)
