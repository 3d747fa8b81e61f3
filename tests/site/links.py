"""Every link within the built website leads to a page that is there, and to an anchor that is on it."""
from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page, and what they may point to."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")


def broken(site: Path) -> tuple[list[str], int]:
    """Links that lead nowhere, and how many were followed. Those out of the site are not."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    wrong, followed = [], 0
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors):
                wrong.append(f"{path.relative_to(site)}: {link}")
    return wrong, followed


def main() -> int:
    wrong, followed = broken(Path(sys.argv[1]).resolve())
    for link in wrong:
        print(f"leads nowhere: {link}")
    print(f"{followed} links within the site, {len(wrong)} lead nowhere")
    return 1 if wrong or not followed else 0


if __name__ == "__main__":
    raise SystemExit(main())
