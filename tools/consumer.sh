#!/usr/bin/env bash
# Installs a build into a temporary prefix and builds and runs what a user of the C++ library would write:
# tools/consumer.sh BUILD_FOLDER. Prints how long one consumer file takes to compile.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$1
cmake=.venv/bin/cmake
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$tree" --prefix "$work/prefix" >/dev/null
build() {  # build FOLDER NAME: configures and compiles a project against the installed library alone
  "$cmake" -S "$1" -B "$work/$2" -G Ninja -DCMAKE_MAKE_PROGRAM="$PWD/.venv/bin/ninja" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  local start=$EPOCHREALTIME
  "$cmake" --build "$work/$2" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  awk -v name="$2" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "consumer: %s built in %.1f s\n", name, b - a }'
}

build tests/consumer consumer
"$work/consumer/consumer"

# What the README shows: it prints what stands in the comment behind it.
mkdir "$work/readme"
sed -n '/^```cpp$/,/^```$/p' README.md | sed '1d;$d' >"$work/readme/main.cpp"
{ printf 'cmake_minimum_required(VERSION 3.22)\nproject(readme CXX)\nadd_executable(program main.cpp)\n'
  sed -n '/^```cmake$/,/^```$/p' README.md | sed '1d;$d'; } >"$work/readme/CMakeLists.txt"
build "$work/readme" readme-build
promised=$(sed -n "s|.*std::cout.*// ||p" "$work/readme/main.cpp")
printed=$("$work/readme-build/program")
if [ -z "$promised" ] || [ "$printed" != "$promised" ]; then
  echo "consumer: the program of README.md printed '$printed', not '$promised'" >&2
  exit 1
fi
echo "consumer: the program of README.md prints $printed"

# The example needs the C++ front end; reading from a folder without data must end with one line and status 2.
if [ ! -d "$work/prefix/include/hwaro/nn" ]; then
  echo "consumer: no hwaro/nn is installed, so examples/cpp is not built"
  exit 0
fi
build examples/cpp/first_steps first_steps
steps=$(cd "$work" && first_steps/first_steps)
fitted=$(sed -n 's/^fitted: //p' <<<"$steps")
if [ -z "$fitted" ] || [ "$fitted" != "$(sed -n 's/^loaded: //p' <<<"$steps")" ]; then
  printf 'consumer: first_steps did not load what it saved:\n%s\n' "$steps" >&2
  exit 1
fi
build examples/cpp/fashion_mnist fashion_mnist
status=0
"$work/fashion_mnist/fashion_mnist" --data "$work" 2>"$work/log" || status=$?
if [ "$status" -ne 2 ] || [ "$(wc -l <"$work/log")" -ne 1 ]; then
  echo "consumer: fashion_mnist without data: status $status (expected 2), and on stderr (expected one line):" >&2
  cat "$work/log" >&2
  exit 1
fi
echo "consumer: fashion_mnist without data: status 2 and one line"
