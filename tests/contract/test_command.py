"""`python -m tests.sandbox`: what its options say reaches the servers."""
from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from tests.runners import ROOT
from tests.sandbox.__main__ import world_of

PORTS = [f"--{plane}-port=0" for plane in ("apim", "gateway", "am", "am-gateway", "mcp")]
SCHEMA = "/management/v2/organizations/DEFAULT/plugins/policies/oauth2/schema"


@pytest.fixture
def started() -> Iterator[Callable[..., dict[str, str]]]:
    """Starts the sandbox with options; the URLs that it prints."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> dict[str, str]:
        command = [sys.executable, "-m", "tests.sandbox", *PORTS, *options]
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        word, *pairs = running[-1].stdout.readline().split()
        assert word == "ready"
        return dict(pair.split("=", 1) for pair in pairs)

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_the_policy_and_all_servers(started: Callable[..., dict[str, str]]) -> None:
    urls = started("--policy=5.2.1")
    schema = requests.get(urls["apim"] + SCHEMA, auth=("admin", "admin"), timeout=10).json()
    assert "addWwwAuthenticateHeader" not in schema["properties"]
    assert {"mcp", "mcp_2025", "mcp_2026", "mcp_sse"} <= set(urls)


@pytest.mark.parametrize(
    ("given", "policy", "validated", "window"),
    [
        ({}, "5.1.4", True, 0),
        ({"apim": "4.11", "am": "4.11"}, "5.2.1", True, 10),
        ({"apim": "4.12", "am": "4.12", "policy": "5.2.1", "introspection_window": 0.0}, "5.2.1", True, 0),
        ({"no_subscription_validation": True, "introspection_window": 3.0}, "5.1.4", False, 3),
    ],
)
def test_what_the_options_make_of_the_world(given: dict[str, Any], policy: str, validated: bool, window: float) -> None:
    left_out = {"apim": "4.10", "am": "4.10", "sync_delay": 0.0, "policy": None, "introspection_window": None}
    world = world_of(argparse.Namespace(**{**left_out, "no_subscription_validation": False, **given}))
    assert (world.oauth2_policy, world.validate_subscription, world.introspection_window) == (policy, validated, window)
