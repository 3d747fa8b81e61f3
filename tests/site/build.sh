#!/usr/bin/env bash
# Builds the website of the manual in the folder given; fails on any warning, and on a link within it that leads nowhere.
set -eu
site=$1
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$site"
mkdir -p "$site/source/reference"
cp -r "$here/conf.py" "$here/../../docs/." "$site/source"
antsibull-docs --config-file "$here/antsibull-docs.cfg" collection --use-current --squash-hierarchy --fail-on-error \
    --no-breadcrumbs --dest-dir "$site/source/reference" gravitee.mcp
sphinx-build --quiet --fail-on-warning --keep-going --jobs 2 "$site/source" "$site/html"
python -m tests.site.links "$site/html"
