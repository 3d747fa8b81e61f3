#!/usr/bin/env bash
# ansible-test sanity on what git has or would have, below the folder $1.
#
# ansible-test drops PIP_* variables and downloads get-pip: where only package registries are reached, neither works. So it
# gets a HOME of its own with pip's configuration and a get-pip that bootstraps the pip that Python brings along.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
target=$work/ansible_collections/gravitee/mcp
rm -rf "$target"
mkdir -p "$target" "$work/home/.config/pip" "$work/home/.ansible/test/cache"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [ -e "$file" ]; then cp --parents --no-dereference "$file" "$target"; fi
done
python - "$work/home" <<'PY'
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

home = Path(sys.argv[1])
listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
options = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
values = {name.rsplit(".", 1)[-1]: value.strip("'") for name, value in options.items()}
kept = {name: values[name] for name in ("cert", "index-url", "extra-index-url", "find-links") if name in values}
lines = ["[global]", *(f"{name} = {value}" for name, value in kept.items())]
(home / ".config/pip/pip.conf").write_text("\n".join(lines) + "\n")
# ansible-test names the file for the version of pip that it wants.
[where] = importlib.util.find_spec("ansible_test").submodule_search_locations
for pip in re.findall(r"pip='([\d.]+)'", (Path(where) / "_internal/python_requirements.py").read_text()):
    cached = home / f".ansible/test/cache/get_pip_{pip.replace('.', '_')}.py"
    cached.write_text("import ensurepip\n\nensurepip.bootstrap()\n")
PY
cd "$target"
# It wants a repository, to see which files there are.
git init --quiet . && git add --all .
version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
core=$(python -c 'import ansible; print(ansible.__version__)')
newest=$(tail -n 1 "$here/matrix.txt")
echo "ansible-test sanity of ansible-core $core on Python $version"
if [ "$core" != "${newest%% *}" ]; then echo "not of ansible-core ${newest%% *}: it needs Python ${newest#* }, not $version"; fi
HOME=$work/home ansible-test sanity --requirements --color no --python "$version"
