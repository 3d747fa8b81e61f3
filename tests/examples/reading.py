"""The examples of the documentation as they stand there: code blocks of pages, EXAMPLES of plugins."""
from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    str(path.relative_to(ROOT)) for pattern in ("*.md", "docs/**/*.md", "roles/*/README.md") for path in ROOT.glob(pattern)
)
PLUGINS = sorted(
    str(path.relative_to(ROOT)) for kind in ("modules", "inventory", "filter") for path in (ROOT / "plugins" / kind).glob("*.py")
)
FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A code block of a page. Its first line may be a comment with nothing but the name of the file that it is."""

    page: str
    language: str
    text: str
    lead: str  # the paragraph before it, in one line

    @property
    def file(self) -> str | None:
        named = FILE.match(self.text)
        return named.group(1) if named else None

    @property
    def data(self) -> Any:
        return yaml.safe_load(self.text)

    @property
    def commands(self) -> list[str]:
        """One a line, without its comment."""
        lines = (re.sub(r"(^|\s+)#.*", "", line) for line in self.text.replace("\\\n", " ").splitlines())
        return [line for line in lines if line]

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0]}"


@cache
def blocks(page: str) -> list[Block]:
    written = (ROOT / page).read_text(encoding="utf-8")
    return [Block(page, *found.group("language", "text"), _lead(written[: found.start()])) for found in FENCED.finditer(written)]


def _lead(before: str) -> str:
    return " ".join(before.rstrip().split("\n\n")[-1].split())


@cache
def examples(plugin: str) -> str:
    """EXAMPLES of a plugin's file."""
    for node in ast.parse((ROOT / plugin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "EXAMPLES":
            return ast.literal_eval(node.value).lstrip("\n")
    raise LookupError(f"{plugin} has no EXAMPLES")


def commands(page: str) -> list[str]:
    return [command for block in blocks(page) if block.language == "console" for command in block.commands]
