#!/usr/bin/env bash
# All checks that need no test run: tools/check.sh BUILD_FOLDER. Every check runs; the exit status tells of any failure.
# clang-tidy looks at the C++ files changed since CHECK_BASE (default: the branch point from origin/main).
set -uo pipefail
cd "$(dirname "$0")/.." || exit
tree=$1
failed=()
run() {  # run NAME COMMAND…
  local name=$1
  shift
  "$@" || failed+=("$name")
}

changed_sources() {
  local base=${CHECK_BASE:-}
  [ -n "$base" ] || base=$(git merge-base HEAD origin/main 2>/dev/null) || base=HEAD
  # On the main branch itself the last commit is what is new.
  [ "$(git rev-parse "$base")" != "$(git rev-parse HEAD)" ] || base=$(git rev-parse -q --verify HEAD~1) || base=HEAD
  { git diff --name-only --diff-filter=d "$base" -- 'hwaro/*.cpp' 'python/src/*.cpp'
    git ls-files --others --exclude-standard -- 'hwaro/*.cpp' 'python/src/*.cpp'; } | sort -u
}

tidy() {
  local files
  if ! command -v clang-tidy >/dev/null 2>&1; then
    echo "clang-tidy: not installed, so not run"
    return 0
  fi
  mapfile -t files < <(changed_sources)
  [ ${#files[@]} -eq 0 ] || clang-tidy --quiet -p "$tree" "${files[@]}" || return 1
  echo "clang-tidy: ${#files[@]} changed files"
}

run format tools/format.sh
run includes .venv/bin/python tools/check_includes.py
run door .venv/bin/python tools/check_door.py
run weak-symbols .venv/bin/python tools/check_weak_symbols.py "$tree"
run stubs .venv/bin/python tools/check_stubs.py "$tree"
run calls .venv/bin/python tools/check_calls.py "$tree"
run clang-tidy tidy

if [ ${#failed[@]} -gt 0 ]; then
  echo "check: failed: ${failed[*]}" >&2
  exit 1
fi
echo "check: all passed"
