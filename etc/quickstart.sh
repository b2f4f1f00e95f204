#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh clone to a mail's whole journey: installs what is missing, builds into build/, runs `hikyaku demo`, which
# shows a mail on its way from an app through the daemon to a smarthost with TLS and a password.
#   bash etc/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf '\nquickstart: %s\n' "$1" >&2
  exit 1
}

if command -v apt-get > /dev/null; then
  bash etc/install_packages.sh etc/packages.txt ||
    fail "the packages of etc/packages.txt are needed to go on. Nothing else was changed on this machine."
else
  cat >&2 << 'TEXT'
This is no Debian or relative of it, so install these yourself; the names are Debian's:
TEXT
  grep -v '^#' etc/packages.txt | sed 's/^/  /' >&2
  echo "A compiler of C++23 is needed: Clang 19 or GCC 14. Going on with what is there." >&2
fi

echo "Building (a few minutes the first time)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DHIKYAKU_TESTS=OFF > "$log" 2>&1 ||
  { cat "$log"; fail "the build could not be prepared; the lines above say what is missing."; }
cmake --build build > "$log" 2>&1 || { tail -n 40 "$log"; fail "the build failed; the compiler's last words stand above."; }

build/bin/hikyaku demo ||
  fail "the programs are built (build/bin/), but the demonstration did not come to its end; its last line says where."
