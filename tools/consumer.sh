#!/usr/bin/env bash
# Installs a build into a temporary prefix and builds and runs what users of the C++ library would write, once for each
# way to it: find_package and pkg-config, shared and static, bundled and system OpenBLAS, and the wheel's files.
# tools/consumer.sh BUILD_FOLDER. Prints how long one consumer file takes to compile, and fails above two seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$1
cmake=$PWD/.venv/bin/cmake
compiler=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "consumer: $*" >&2; exit 1; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }
build() {  # build FOLDER NAME PREFIX [OPTION…]: configures and compiles a project against an installed library alone
  local folder=$1 name=$2 prefix=$3 start=$EPOCHREALTIME
  shift 3
  quietly "$cmake" -S "$folder" -B "$work/$name" -G Ninja -DCMAKE_MAKE_PROGRAM="$PWD/.venv/bin/ninja" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" "$@"
  quietly "$cmake" --build "$work/$name"
  awk -v name="$name" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "consumer: %s built in %.1f s\n", name, b - a }'
}
quietly "$cmake" --build "$tree" --target hwaro_static
quietly "$cmake" --install "$tree" --prefix "$work/prefix"
lib=$(dirname "$(find "$work/prefix" -name libhwaro.so)")

# ---- find_package, shared and static ----
build tests/consumer shared "$work/prefix"
"$work/shared/consumer" "$lib/libscipy_openblas.so"
build tests/consumer static "$work/prefix" -DKIND=static
"$work/static/consumer" libscipy_openblas.so
if ldd "$work/static/consumer" | grep -q libhwaro; then fail "the static program needs libhwaro.so"; fi

# ---- pkg-config ----
command -v pkg-config >/dev/null || fail "pkg-config is missing (tools/setup.sh test installs it)"
for kind in hwaro hwaro-static; do
  read -ra flags < <(PKG_CONFIG_PATH="$lib/pkgconfig" pkg-config --cflags --libs "$kind")
  quietly "$compiler" -O1 tests/consumer/main.cpp "${flags[@]}" -o "$work/$kind"
  "$work/$kind" libscipy_openblas.so >"$work/log" || fail "the program of pkg-config $kind fails: $(cat "$work/log")"
  echo "consumer: pkg-config $kind passed"
done

# ---- the system's OpenBLAS: what HWARO_OPENBLAS=system installs is the same without the bundled one ----
mv "$lib/libscipy_openblas.so" "$work/bundled.so"
"$work/shared/consumer" libopenblas.so.0
"$work/static/consumer" libopenblas.so.0 >/dev/null || fail "the static program does not find the system's OpenBLAS"
mv "$work/bundled.so" "$lib/libscipy_openblas.so"

# ---- the wheel: its files, laid out by the same rules ----
quietly "$cmake" --install "$tree" --component wheel --prefix "$work/site"
cp -r python/hwaro/. "$work/site/hwaro/"
prefix=$(cd "$work" && PYTHONPATH="$work/site" "$OLDPWD/.venv/bin/python" -m hwaro --cmake-prefix)
build tests/consumer wheel "$prefix"
"$work/wheel/consumer" "$work/site/hwaro/libscipy_openblas.so"

# ---- how long a file that includes everything compiles: processor time, so that other work does not count ----
TIMEFORMAT=%U
read -ra flags < <(PKG_CONFIG_PATH="$lib/pkgconfig" pkg-config --cflags hwaro)
seconds=$({ time "$compiler" "${flags[@]}" -O2 -c tests/consumer/main.cpp -o "$work/main.o"; } 2>&1)
awk -v s="$seconds" 'BEGIN { printf "consumer: one file compiles in %.2f s\n", s; exit s >= 2 }' ||
  fail "one file must compile in less than 2 s"

# ---- what the README shows: it prints what stands in the comment behind it ----
mkdir "$work/readme"
sed -n '/^```cpp$/,/^```$/p' README.md | sed '1d;$d' >"$work/readme/main.cpp"
{ printf 'cmake_minimum_required(VERSION 3.22)\nproject(readme CXX)\nadd_executable(program main.cpp)\n'
  sed -n '/^```cmake$/,/^```$/p' README.md | sed '1d;$d'; } >"$work/readme/CMakeLists.txt"
build "$work/readme" readme-build "$work/prefix"
promised=$(sed -n "s|.*std::cout.*// ||p" "$work/readme/main.cpp")
printed=$("$work/readme-build/program")
if [ -z "$promised" ] || [ "$printed" != "$promised" ]; then
  fail "the program of README.md printed '$printed', not '$promised'"
fi
echo "consumer: the program of README.md prints $printed"

# ---- the examples ----
build examples/cpp tour "$work/prefix"
"$work/tour/tour" >"$work/tour.txt"
diff -u tests/python/test_tour.txt "$work/tour.txt" >&2 || fail "tour.cpp does not print what tour.py prints"
echo "consumer: tour.cpp prints what tour.py prints ($(wc -l <"$work/tour.txt") lines)"

build examples/cpp/first_steps first_steps "$work/prefix"
steps=$(cd "$work" && first_steps/first_steps)
fitted=$(sed -n 's/^fitted: //p' <<<"$steps")
if [ -z "$fitted" ] || [ "$fitted" != "$(sed -n 's/^loaded: //p' <<<"$steps")" ]; then
  fail "first_steps did not load what it saved: $steps"
fi

# Reading from a folder without data must end with one line and status 2.
build examples/cpp/fashion_mnist fashion_mnist "$work/prefix"
status=0
"$work/fashion_mnist/fashion_mnist" --data "$work" 2>"$work/log" || status=$?
if [ "$status" -ne 2 ] || [ "$(wc -l <"$work/log")" -ne 1 ]; then
  fail "fashion_mnist without data: status $status (expected 2), and on stderr (expected one line): $(cat "$work/log")"
fi
echo "consumer: fashion_mnist without data: status 2 and one line"
