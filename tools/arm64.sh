#!/usr/bin/env bash
# Cross-compiles the C++ library and its tests for 64-bit ARM and runs the tests under qemu. Debian's packages:
# g++-aarch64-linux-gnu and qemu-user-static. Arguments go to the test program: tools/arm64.sh -tc='*gemm*'
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v aarch64-linux-gnu-g++ >/dev/null 2>&1 || missing+=(g++-aarch64-linux-gnu)
command -v qemu-aarch64-static >/dev/null 2>&1 || missing+=(qemu-user-static)
if [ ${#missing[@]} -gt 0 ]; then
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
tools/build.sh arm64
exec qemu-aarch64-static -L /usr/aarch64-linux-gnu build/arm64/hwaro_tests "$@"
