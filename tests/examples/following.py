"""A reader who follows the documentation on the sandbox: files are written, commands run, as they stand there.

Replaced are addresses, paths and credentials alone.
"""
from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from tests.clients import subscribe
from tests.examples.reading import INSTALLS, ROOT, Block, blocks, installing
from tests.runners import BIN
from tests.sandbox.am_domain import Domain
from tests.sandbox.world import World
from tests.sdk.python_client import FileStorage, Person

# Address in the documentation → the sandbox's plane there.
ADDRESSES = {
    "https://apim.example.com:8083": "apim",
    "https://am.example.com:8093": "am",
    "https://gateway.example.com": "gateway",
    "https://auth.example.com": "am_gateway",
    "http://weather.internal:9000/mcp": "mcp",
    "http://news.internal:9000/mcp": "mcp",
    "https://apim.dev.example.com:8083": "apim",
    "https://am.dev.example.com:8093": "am",
    "https://gateway.dev.example.com": "gateway",
    "https://auth.dev.example.com": "am_gateway",
    "http://weather.dev.internal:9000/mcp": "mcp",
    "https://gateway-1.internal:8082": "gateway",
    "https://gateway-2.internal:8082": "gateway",
}
DOMAIN = "mcp"
NEVER_CALLED = {"reporting.example.com", "proxy.example.com"}  # a redirect URI; a proxy for https, which the sandbox is not
FOLDERS = ("/srv/mcp", "/srv/secrets", "/srv/www")
SECURE = "ansible-playbook -i inventory.yml gravitee.mcp.secure_mcp"
# What GitHub's expressions are here.
GITHUB = {"github.token": "ghs_token", "github.event.number": "7"}
# GitHub's command line: keeps the comment.
GH = "#!/bin/sh\ntest \"$*\" = 'pr comment 7 --edit-last --create-if-none --body-file drift.md' && cp drift.md comment.md\n"
# What a reader types into a password prompt, once or twice.
TYPED = "vault password\n" * 2
RULEBOOKS = "needs Java 17; tests/e2e/test_rulebook.py runs it"
# Why a block is not run, or a command not run here; the text is what the block or the command begins with.
NOT_RUN = {
    "mermaid": "a drawing",
    "modules/NAME.py": "a table of the source's folders",
    " servers run": "figures of one run of make bench",
    "claude ": "needs Claude Code and a person; the tests run the same steps with the official SDKs",
    "ansible-rulebook ": RULEBOOKS,
    "# connection.yml": RULEBOOKS,
    "# rulebook.yml": RULEBOOKS,
    "ansible-builder ": "needs a container engine and AWX; tests/unit/test_awx.py holds the playbook to the modules",
    "make ": "a target of the Makefile, run by a person or by CI",
}


@dataclass(frozen=True)
class Done:
    command: str
    code: int
    output: str


class Reader:
    """In `folder`, with the programs of `bin` first in the PATH; `replaced` are more texts to replace.

    situations: the sentence that leads to a block → what makes it true. The commands of that block find drift.
    before, after: a command → what is done before it, or asserted after it.
    """

    def __init__(self, world: World, folder: Path, bin: Path = BIN, replaced: Mapping[str, str] | None = None):
        self.world, self.folder = world, folder
        world.apim_version = world.am_version = "4.12"
        world.introspection_window = 0  # as docs/compatibility.md tells operators of AM
        self.domain = made = Domain(world, {"name": DOMAIN})
        made.update({**made.wire, "enabled": True})
        for name in ("test", "alice"):
            password = f"{name.title()}-Passw0rd!"
            made.new_user({"username": name, "password": password, "email": f"{name}@example.com"})
        world.domains[made.id] = made
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.situations: dict[str, Callable[[], None]] = {}
        self.last = Done("", 0, "")
        self.has_checkout = False
        self.credentials = {
            "GRAVITEE_APIM_TOKEN": world.new_token("apim"),
            "GRAVITEE_AM_TOKEN": world.new_token("am"),
            "MCP_TEST_PASSWORD": "Test-Passw0rd!",
            "REPORTING_SECRET": "Reporting-Passw0rd!",
            "KEYCLOAK_SECRET": "Keycloak-Passw0rd!",
        }
        self.replaced = {
            **{documented: world.urls[plane] for documented, plane in ADDRESSES.items()},
            **{path: f"{folder}{path}" for path in FOLDERS},
            **(replaced or {}),
        }
        for path in FOLDERS:
            (folder / path.strip("/")).mkdir(parents=True)
        self.write("group_vars/mcp_servers/sandbox.yml", "secure_mcp_rotate_wait: 1  # its gateways follow at once")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GRAVITEE_"))}
        self.environment = {
            **kept,
            "PATH": f"{bin}:{os.environ['PATH']}",
            "HOME": str(folder),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_NOCOLOR": "true",
            "XDG_RUNTIME_DIR": str(folder),
        }

    def use_checkout(self) -> None:
        """The collection of this checkout instead of an installed one, and the credentials without typing them."""
        self.has_checkout = True
        self.environment |= {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"), **self.credentials}

    def replace(self, text: str) -> str:
        for documented, actual in self.replaced.items():
            text = text.replace(documented, actual)
        text = re.sub(r"\$\{\{ (?:secrets\.)?([\w.]+) \}\}", lambda found: {**self.credentials, **GITHUB}[found[1]], text)
        text = re.sub(r"\b(secure_mcp_)?(\w+)(: |=)…", self._credential, text)
        left = set(re.findall(r"[\w.-]+\.(?:example\.com|internal)\b", text)) - NEVER_CALLED
        assert not left, f"no address is known for {left}"
        return text

    def _credential(self, found: re.Match[str]) -> str:
        name = f"GRAVITEE_{found[2].upper()}" if found[1] else found[2]
        return f"{found[1] or ''}{found[2]}{found[3]}{self.credentials[name]}"

    def begin(self) -> None:
        """README's files are there, and its command has secured the server."""
        self.use_checkout()
        self.write_files_of("README.md")
        self.write_files_of("README.md", "srv/mcp/")
        self.write("srv/mcp/corporate-ca.pem", trustme.CA().cert_pem.bytes().decode())
        self.write("srv/mcp/environment", "".join(f"export {name}={value}\n" for name, value in self.credentials.items()))
        self.run(SECURE)

    def write_files_of(self, page: str, folder: str = "") -> None:
        for block in blocks(page):
            if block.file:
                self.write(folder + block.file, block.text)

    # Blocks

    def follow(self, block: Block) -> None:
        if reason(block):
            return
        how = getattr(self, f"_{block.language}", None)
        assert how, f"{block}: nobody knows how to run a block of the language {block.language!r}"
        how(block)

    def _console(self, block: Block) -> None:
        sentence = re.search(r"(After [^.]*:)$", block.lead)
        if sentence:
            assert sentence[1] in self.situations, f"{block}: nobody knows how it comes about: {sentence[1]}"
            self.situations[sentence[1]]()
        for command in block.commands:
            self.run(command, 2 if sentence else 0)
        if sentence:
            shown = self.last
            self.run(SECURE)
            self.last = shown

    def _text(self, block: Block) -> None:
        """What the last command prints."""
        for line in block.text.splitlines():
            assert line in self.last.output, f"{block}: {self.last.command} does not print: {line}\n{self.last.output}"

    def _json(self, block: Block) -> None:
        """A client's file: it names the server's URL."""
        assert self.replaced["https://gateway.example.com"] + "/weather-mcp" in self.replace(json.dumps(json.loads(block.text)))

    def _python(self, block: Block) -> None:
        """A coroutine made with the official SDK. It registers itself, and gets in once it has a subscription."""
        names: dict[str, Any] = {}
        exec(compile(self.replace(block.text), str(block), "exec"), names)
        [weather] = filter(inspect.iscoroutinefunction, names.values())
        storage, person = FileStorage(self.folder / "client.json"), Person()

        def call() -> str:
            called = asyncio.run(asyncio.wait_for(weather(storage, person.open, person.come_back), 30))
            return called.content[0].text

        try:
            told = call()
        except Exception:
            told = "refused"
        assert told == "refused"
        subscribe(self.world, storage.kept["client"]["client_id"])
        assert call() == "It is sunny in Paris"

    def _yaml(self, block: Block) -> None:
        data = block.data
        if block.file:
            self.write(block.file, block.text)
        if isinstance(data, list) and all("hosts" in play for play in data):
            self.write("play.yml", block.text)
            self.run("ansible-playbook -i inventory.yml play.yml")
        elif isinstance(data, dict) and "jobs" in data:
            self._workflow(data)
        elif isinstance(data, dict) and all(name.startswith("secure_mcp_") for name in data):
            if not block.file:  # for the commands that follow, too, until the next block of variables
                self.write("group_vars/mcp_servers/example.yml", block.text)
                self.run(SECURE)
        else:
            assert block.file, f"{block}: neither plays, nor variables of the role, nor a workflow, and no comment names its file"

    def _workflow(self, workflow: dict[str, Any]) -> None:
        """GitHub's: what its jobs run, each step with its environment; of the actions, checkout finds this folder as it is."""
        self.write("bin/gh", GH)
        (self.folder / "bin/gh").chmod(0o755)
        before = self.environment
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                given = {name: self.replace(value) for name, value in step.get("env", {}).items()}
                kept = {name: value for name, value in before.items() if name not in self.credentials}
                self.environment = {**kept, **given, "PATH": f"{self.folder}/bin:{before['PATH']}"}
                if "run" in step:
                    self.run(step["run"], None if step.get("continue-on-error") else 0)
                elif step["uses"].startswith("actions/upload-artifact@"):
                    assert list(self.folder.glob(step["with"]["path"])), step
                elif step["uses"].startswith("github/codeql-action/upload-sarif@"):
                    assert (self.folder / step["with"]["sarif_file"]).exists(), step
                else:
                    assert step["uses"].startswith("actions/checkout@"), step
        self.environment = before

    def _markdown(self, block: Block) -> None:
        """The comment of a workflow."""
        assert (self.folder / "comment.md").read_text(encoding="utf-8") == block.text

    # Commands

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.replace(text), encoding="utf-8")

    def run(self, command: str, code: int | None = 0) -> Done:
        """What a crontab's line runs, too. code: None for any."""
        command = re.sub(r"^([\d*/,-]+ ){5}", "", command)
        exported = re.fullmatch(r"export (\w+)=…", command)
        if exported:
            self.environment[exported[1]] = self.credentials[exported[1]]
            return self.last
        if why_not(command) or self._has_installed(command):
            return self.last
        self.before.get(command, _nothing)()
        done = subprocess.run(
            ["bash", "-c", self.replace(command)],
            input=TYPED,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment,
            start_new_session=True,
            timeout=300,
        )
        self.last = Done(command, done.returncode, done.stdout)
        assert code in (None, self.last.code), f"{command} ended with {self.last.code}, not {code}:\n{self.last.output}"
        self.after.get(command, _nothing)()
        return self.last

    def _has_installed(self, command: str) -> bool:
        """Whether it installs what the checkout has: README's commands, which tests/package/test_first_minutes.py runs."""
        if not self.has_checkout or not INSTALLS.match(command):
            return False
        assert command in installing("README.md"), f"README installs otherwise than {command}"
        return True


def reason(block: Block) -> str | None:
    """Why a block is not run."""
    return why_not(block.language) or why_not(block.text)


def why_not(text: str) -> str | None:
    return next((why for beginning, why in NOT_RUN.items() if text.startswith(beginning)), None)


def _nothing() -> None:
    pass
