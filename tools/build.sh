#!/usr/bin/env bash
# Configures (when needed) and compiles one preset: tools/build.sh PRESET [-DNAME=VALUE …]. JOBS limits the compilers.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
cache=build/$preset/CMakeCache.txt
rules=build/$preset/build.ninja

# A new `.venv` may hold another Python, whose paths an old cache would not notice.
fresh=()
if [ -f "$cache" ] && [ .venv/pyvenv.cfg -nt "$cache" ]; then fresh=(--fresh); fi
# Nor does CMake look at CXX a second time. Without CXX the compiler stays the one that the folder knows.
if [ -n "${CXX:-}" ] && [ "$preset" != arm64 ] && [ -f "$cache" ] &&
   [ "$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$cache")" != "$(command -v "$CXX")" ]; then
  fresh=(--fresh)
fi
if [ ! -f "$rules" ] || [ CMakePresets.json -nt "$rules" ] || [ $# -gt 0 ] || [ ${#fresh[@]} -gt 0 ]; then
  .venv/bin/cmake ${fresh[@]+"${fresh[@]}"} --preset "$preset" "-DPython_EXECUTABLE=$PWD/.venv/bin/python" "$@"
fi
exec .venv/bin/cmake --build "build/$preset" --parallel "${JOBS:-$(nproc)}"
