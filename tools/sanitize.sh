#!/usr/bin/env bash
# Runs the tests of a sanitizer build: tools/sanitize.sh asan|tsan [PYTEST ARGUMENT …]
#   asan  C++ tests, Python tests, 2,000 random programs beside PyTorch (half of them cut into chunks for three threads)
#   tsan  C++ tests, Python tests of threads
# Python and PyTorch are not instrumented, so the sanitizer's runtime is loaded before them, and leaks of theirs do not
# count. There are no suppressions.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=$1
shift
tree=build/$kind

# UBSan's symbolizer and the death of a child must not hide behind exit status 0.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
step() { printf '\n==== %s, after %d s\n' "$1" "$SECONDS"; }

step 'C++ tests'
"$tree/hwaro_tests"

compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[^=]*=//p' "$tree/CMakeCache.txt")
library() {  # library NAME: the shared runtime of the compiler's sanitizer, by g++'s or by clang's name
  local gnu clang
  gnu=$("$compiler" "-print-file-name=lib$1.so")
  clang=$("$compiler" "-print-file-name=libclang_rt.$1-$(uname -m).so")
  if [ -e "$gnu" ]; then readlink -f "$gnu"; elif [ -e "$clang" ]; then readlink -f "$clang"; else
    echo "sanitize: $compiler has no shared lib$1" >&2
    return 1
  fi
}

tests=(tests/python)
if [ "$kind" = tsan ]; then
  mapfile -t tests < <(find tests/python -name 'test_*thread*.py' -o -name 'test_*parallel*.py' | sort)
  if [ ${#tests[@]} -eq 0 ]; then
    echo "sanitize: there are no threading tests of Python"
    exit 0
  fi
fi
runtime=$(library "${kind}")
# libstdc++ goes with it: an exception thrown before the runtime finds it would end the process.
preload="$runtime $("$compiler" -print-file-name=libstdc++.so.6)"
instrumented() {
  LD_PRELOAD=$preload ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 PYTHONMALLOC=malloc \
    HWARO_PRESET=$kind PYTHONPATH=$PWD/$tree/python .venv/bin/python "$@"
}

step 'Python tests'
instrumented -m pytest "$@" "${tests[@]}"

if [ "$kind" = asan ]; then
  step 'random programs'
  instrumented tests/fuzz/fuzz.py --count 1000 --jobs "$(nproc)"
  instrumented tests/fuzz/fuzz.py --count 1000 --seed 1001 --jobs "$(nproc)" --pool
fi
step 'all passed'
