#!/usr/bin/env bash
# Builds with counters in build/coverage, runs all tests, and writes a report of the lines they reached.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=build/coverage

.venv/bin/cmake --preset dev -B "$tree" "-DPython_EXECUTABLE=$PWD/.venv/bin/python" \
  -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS=--coverage -O1 -fprofile-update=atomic" >/dev/null
.venv/bin/cmake --build "$tree" --parallel "${JOBS:-$(nproc)}"
find "$tree" -name '*.gcda' -delete

"$tree/hwaro_tests"
HWARO_PRESET=coverage PYTHONPATH=$PWD/$tree/python .venv/bin/python -m pytest tests/python
mkdir -p "$tree/report"
.venv/bin/gcovr --root . --filter 'hwaro/' --filter 'python/src/' --gcov-ignore-errors no_working_dir_found \
  --html-details "$tree/report/index.html" --txt-summary "$tree"
echo "coverage: $tree/report/index.html"
