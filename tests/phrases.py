"""make lint: words that pages, messages, docstrings and task names leave out, and what to write instead."""
from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PHRASES = {
    r"strangers?": "anyone, or an unauthenticated caller",
    r"foretell|foretells|foretold": "predict, predicts, predicted",
    r"mend|mends|mended": "fix, fixes, fixed",
    r"doors?": "what it is: a plan, an API that is publicly open",
    r"a request (each|apiece)": "per request",
    r"simply|obviously|of course|just works": "nothing: leave it out",
    r"utili[sz]es?|leverages?": "use, uses",
    r"seamless(ly)?|powerful|robust|blazing(ly)?": "what it does, with a figure",
    r"master/slave|white-?list|black-?list": "primary and replica, allow list, deny list",
    r"sanity check": "check",
    r"e\.g\.|i\.e\.": "for example, that is",
    r"should be able to": "can",
}
BANNED = re.compile("|".join(rf"(?<![\w./-])({phrase})(?![\w/-])" for phrase in PHRASES), re.IGNORECASE)
READ = {
    "": ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md"),
    "docs": ("*.md",),
    "changelogs/fragments": ("*.yml",),
    "extensions": ("**/*.py", "**/*.yml"),
    "playbooks": ("**/*.yml", "**/*.j2"),
    "plugins": ("**/*.py",),
    "roles": ("**/*.md", "**/*.yml"),
}


def found(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, phrase, and what to write instead."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in BANNED.finditer(line):
            fitting = [words for phrase, words in PHRASES.items() if re.fullmatch(phrase, match.group(), re.IGNORECASE)]
            yield number, match.group(), fitting[0]


def main() -> None:
    paths = [path for folder, patterns in READ.items() for pattern in patterns for path in sorted((ROOT / folder).glob(pattern))]
    told = [
        f"{path.relative_to(ROOT)}:{number}: {phrase!r}: write {instead}"
        for path in paths
        for number, phrase, instead in found(path.read_text(encoding="utf-8"))
    ]
    print("\n".join(told) or f"{len(paths)} files without a word of tests/phrases.py")
    sys.exit(bool(told))


if __name__ == "__main__":
    main()
