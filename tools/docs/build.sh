#!/usr/bin/env bash
# Builds the web site in site/: the documents of the repository, their snippets run, and a reference page for every
# operator in BUILD_FOLDER. Fails where a snippet or an example fails, or a link leads nowhere.
# tools/docs/build.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$1
source=build/docs

# The documents keep their places, so that links between them work here and on the site.
rm -rf "$source" site
mkdir -p "$source"
git ls-files -z --cached --others --exclude-standard -- '*.md' LICENSE NOTICE 'docs/*' |
  xargs -0 cp --parents -t "$source"
.venv/bin/python tools/docs/snippets.py "$tree/python" docs/tour/*.md "$source/docs/tour"
.venv/bin/python tools/docs/snippets.py "$tree/python" docs/coming_from_pytorch.md "$source/docs"
.venv/bin/python tools/docs/reference.py "$tree/python" "$source/docs/reference"
.venv/bin/mkdocs build --strict --quiet --config-file tools/docs/mkdocs.yml
echo "docs: site/index.html, $(find site -name '*.html' | wc -l) pages"
