"""make matrix: the tests that ansible-core can break, on every version of matrix.txt for which this machine has a Python.

The oldest and the newest must run. With --newest: prints which of them the development environment gets.
"""
from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "tests/package/test_tarball.py"  # both flows, predicted, run, and run again
IN_CONTROLLER = "tests/integration/test_in_controller.py"
README = "tests/package/test_first_minutes.py"
TEARDOWN = "tests/integration/test_teardown.py::test_everything_that_was_made_goes[sealed]"
ROTATION = "tests/integration/test_rotation.py::test_as_a_part_of_the_role"


@dataclass(frozen=True)
class Version:
    core: str
    pythons: list[str]

    @property
    def series(self) -> str:
        return ".".join(self.core.split(".")[:2])


def versions() -> list[Version]:
    lines = (ROOT / "tests/matrix.txt").read_text(encoding="utf-8").splitlines()
    return [Version(core, pythons) for core, *pythons in (line.split() for line in lines if not line.startswith("#"))]


def newest() -> str:
    """The newest ansible-core that this Python can run, as a requirement; the newest of all for a Python of no version's."""
    python = ".".join(map(str, sys.version_info[:2]))
    fitting = [version for version in versions() if python in version.pythons]
    return f"ansible-core=={(fitting or versions())[-1].core}"


def installed(version: Version) -> Path | None:
    """The programs of an environment with this version; None if this machine has no Python for it."""
    found = subprocess.run([ROOT / "tests/python.sh", *version.pythons], capture_output=True, text=True, check=False)
    if found.returncode:
        return None
    where = ROOT / "build/matrix" / version.core
    requirements = ROOT / "requirements.txt"
    stamp, wanted = where / ".installed", f"{found.stdout}{requirements.read_text(encoding='utf-8')}"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        subprocess.run([found.stdout.strip(), "-m", "venv", "--clear", where], check=True)
        pip = [where / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", requirements, f"ansible-core=={version.core}"], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return where / "bin"


def tested(version: Version, programs: Path, arguments: list[str]) -> bool:
    """Whether its tests pass: most on the oldest; on the newest, which has passed make integration, what that has not."""
    python = subprocess.run([programs / "python", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"ansible-core {version.core} on {python}", flush=True)
    oldest, *_between, newest_one = versions()
    more = [README] if version in (oldest, newest_one) else []
    more += [IN_CONTROLLER] if version != newest_one else []
    more += [TEARDOWN, ROTATION] if version == oldest else []
    command = [sys.executable, "-m", "pytest", PACKAGE, *more, *arguments]
    environment = {**os.environ, "GRAVITEE_TEST_ANSIBLE": str(programs)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    outcomes: dict[str, str] = {}
    for version in versions():
        begun, programs = time.monotonic(), installed(version)
        if programs is None:
            outcomes[version.core] = f"not tested, as this machine has no Python {' or '.join(version.pythons)}"
        else:
            outcome = "passed" if tested(version, programs, arguments) else "failed"
            outcomes[version.core] = f"{outcome} in {time.monotonic() - begun:.0f} s"
    for core, outcome in outcomes.items():
        print(f"ansible-core {core}: {outcome}")
    _oldest, *between, _newest = outcomes
    may_be_left_out = [core for core in between if outcomes[core].startswith("not tested")]
    return 0 if all(outcome.startswith("passed") for core, outcome in outcomes.items() if core not in may_be_left_out) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--newest"]:
        print(newest())
    else:
        raise SystemExit(main(sys.argv[1:]))
