"""make release-check: version, changelog and, if one is given, the tag agree."""
from __future__ import annotations

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def main(tags: list[str]) -> int:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    releases = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    others = [tag for tag in tags if tag != f"v{version}"]
    problems = [f"the tag is {tag}, and galaxy.yml says {version}: it has to be v{version}" for tag in others]
    if version not in releases:
        problems.append(f"galaxy.yml says {version}, of which the changelog knows nothing: antsibull-changelog release")
    left = sorted(path.name for path in (ROOT / "changelogs/fragments").glob("*.yml"))
    if left:
        problems.append(f"fragments of no release: {', '.join(left)}: raise the version, then antsibull-changelog release")
    told = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
    if f"v{version}" not in told:
        problems.append(f"CHANGELOG.rst has no v{version}")
    untold = [path.stem for path in (ROOT / "plugins/modules").glob("*.py") if f"gravitee.mcp.{path.stem} " not in told]
    if untold:
        problems.append(f"CHANGELOG.rst does not tell of {', '.join(untold)}")
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{version} is ready")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
