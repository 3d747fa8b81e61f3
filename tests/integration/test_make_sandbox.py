"""make sandbox: the sandbox as a command."""
from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.runners import ROOT
from tests.sandbox.servers import DEFAULT_PORTS

ANY = [argument for plane in DEFAULT_PORTS for argument in (f"--{plane.replace('_', '-')}-port", "0")]


@pytest.mark.parametrize("plane", DEFAULT_PORTS)
def test_a_taken_port_ends_in_a_sentence(plane: str) -> None:
    option = f"--{plane.replace('_', '-')}-port"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(*ANY, option, port)
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {port} of {plane} cannot be used: Address already in use. End the program that has it, or give another port: "
        f"make sandbox SANDBOX_ARGS='{option} 0'\n"
    )


@pytest.mark.parametrize("number", ["-1", "65536", "soon"])
def test_a_number_that_is_no_port_is_refused(number: str) -> None:
    done = run(*ANY, f"--mcp-port={number}")
    assert done.returncode == 2
    assert f"argument --mcp-port: {number} is no port: give a number from 0 to 65535" in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=30)
