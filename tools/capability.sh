#!/usr/bin/env bash
# The instruction sets that the kernels can use here: tools/capability.sh BUILD_FOLDER all|one
# `one` is the variant of this commit: it goes round from one commit to the next, so that each has its turn.
set -euo pipefail
cd "$(dirname "$0")/.."
best=$(env -u HWARO_CPU_CAPABILITY PYTHONPATH="$1/python" .venv/bin/python -c \
  'import hwaro; print(hwaro._C._cpu_capability())')
names=()
for name in base avx2 avx512 neon; do
  if [ "$name" != neon ] && [ "$best" = neon ]; then continue; fi
  names+=("$name")
  if [ "$name" = "$best" ]; then break; fi
done
if [ "$2" = all ]; then
  echo "${names[@]}"
else
  echo "${names[$(($(git rev-list --count HEAD 2>/dev/null || echo 0) % ${#names[@]}))]}"
fi
