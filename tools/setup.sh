#!/usr/bin/env bash
# Makes a bare Debian or Ubuntu machine ready: system packages, `.venv`, pinned Python packages.
#
#   tools/setup.sh [build] [test] [demo] [conformance] [check] [coverage] [docs]
#
# Each name stands for tools/requirements-NAME.txt. Running it again costs a few milliseconds: a stamp inside `.venv`
# remembers what is installed, so removing `.venv` forgets it. PYTHON chooses the interpreter of a new `.venv`.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then set -- build; fi
for group in "$@"; do
  if [ ! -f "tools/requirements-$group.txt" ]; then
    echo "setup: no tools/requirements-$group.txt" >&2
    exit 2
  fi
done

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# pip and ccache want a home directory to keep their caches in; without one they get a folder of the build.
if [ -z "${HOME:-}" ]; then export HOME="$PWD/build/home"; fi
if [ ! -d "$HOME" ]; then mkdir -p "$HOME"; fi
# The interpreter for a new `.venv` must not be the one inside the old.
PATH=${PATH//"$PWD/.venv/bin:"/}

# ---- Is there anything to do? -------------------------------------------------------------------------------------

stamp_text() {  # stamp_text GROUP: what the stamp of that group holds while it is up to date
  echo "$PWD"
  cksum tools/setup.sh "tools/requirements-$1.txt"
}

missing=()
for group in "$@"; do
  stamp=".venv/.setup-$group"
  if [ ! -x .venv/bin/python ] || [ ! -f "$stamp" ] || [ "$(stamp_text "$group")" != "$(cat "$stamp")" ]; then
    missing+=("$group")
  fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

# ---- System packages: asked for by what they provide, so that a compiler from elsewhere counts too ------------------

good_python() {  # good_python COMMAND: CPython 3.10 to 3.14 that can make a venv and compile extensions
  command -v "$1" >/dev/null 2>&1 && "$1" - >/dev/null 2>&1 <<'PY'
import ensurepip, os, sys, sysconfig, venv
assert sys.implementation.name == "cpython" and (3, 10) <= sys.version_info[:2] <= (3, 14)
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
PY
}

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    if good_python "$PYTHON"; then echo "$PYTHON"; return 0; fi
    return 1
  fi
  for candidate in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
    if good_python "$candidate"; then echo "$candidate"; return 0; fi
  done
  return 1
}

has_header() { printf '#include <%s>\n' "$1" | "${CXX:-c++}" -x c++ -E - >/dev/null 2>&1; }

packages=()
need() {  # need PACKAGE: adds it to the list once
  local package
  for package in ${packages[@]+"${packages[@]}"}; do
    if [ "$package" = "$1" ]; then return 0; fi
  done
  packages+=("$1")
}

wanted() {  # wanted GROUP: is that group to be installed now?
  local group
  for group in "${missing[@]}"; do
    if [ "$group" = "$1" ]; then return 0; fi
  done
  return 1
}

command -v make >/dev/null 2>&1 || need make
command -v git >/dev/null 2>&1 || need git
[ -e /etc/ssl/certs/ca-certificates.crt ] || need ca-certificates
if [ -n "${CXX:-}" ]; then
  command -v "$CXX" >/dev/null 2>&1 || die "the compiler of CXX, $CXX, is not there"
elif ! command -v c++ >/dev/null 2>&1 || ! has_header cstdio; then
  need g++
fi
command -v nm >/dev/null 2>&1 || need binutils
if [ ! -x .venv/bin/python ] && ! find_python >/dev/null; then
  [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a CPython 3.10 to 3.14 with venv and Python.h"
  need python3-dev
  need python3-venv
fi
has_header doctest/doctest.h || need doctest-dev
if wanted test; then
  has_header zlib.h || need zlib1g-dev
  command -v pkg-config >/dev/null 2>&1 || need pkgconf
  /sbin/ldconfig -p 2>/dev/null | grep -q 'libopenblas\.so\.0' || need libopenblas0
fi
if wanted demo; then
  [ -n "$(find /usr/share/datasets/fashion-mnist -name '*.gz' -print -quit 2>/dev/null)" ] || need dataset-fashion-mnist
fi

if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 || die "please install ${packages[*]} (there is no apt-get here)"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "please let an administrator install ${packages[*]} (no root, no sudo)"
    as_root=(sudo)
  fi
  say "installing ${packages[*]}"
  ${as_root[@]+"${as_root[@]}"} apt-get -qq update </dev/null
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install "${packages[@]}" </dev/null >&2
fi

# ---- Python packages ------------------------------------------------------------------------------------------------

# Two `make` in one tree take turns; the later one then finds most of its work done.
mkdir -p build
exec 9>build/.setup.lock
flock 9

# A `.venv` whose interpreter is gone (a moved pyenv, an upgraded system) is made anew.
if ! .venv/bin/python -c "import pip" >/dev/null 2>&1; then
  python=$(find_python) || die "found no CPython 3.10 to 3.14 with venv and Python.h; set PYTHON to one"
  say "creating .venv with $("$python" --version) ($(command -v "$python"))"
  rm -rf .venv
  "$python" -m venv .venv
fi

arguments=()
for group in "${missing[@]}"; do arguments+=(-r "tools/requirements-$group.txt"); done
say "installing Python packages for: ${missing[*]}"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "${arguments[@]}" </dev/null >&2
for group in "${missing[@]}"; do stamp_text "$group" >".venv/.setup-$group"; done
