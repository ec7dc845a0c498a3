#!/usr/bin/env bash
# Formats all C++ files of the repository with the pinned clang-format (--fix), or lists what differs and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run --Werror)
if [ "${1:-}" = --fix ]; then mode=(-i); fi

files=()
while IFS= read -r -d '' file; do
  if [ -f "$file" ]; then files+=("$file"); fi  # a file that is deleted but not yet committed is still listed
done < <(git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp')
[ ${#files[@]} -gt 0 ] || { echo "format: found no C++ files" >&2; exit 1; }
.venv/bin/clang-format --style=file "${mode[@]}" "${files[@]}"
echo "format: ${#files[@]} files"
