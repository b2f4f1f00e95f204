#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From a fresh clone to a mail's whole journey: installs what is missing, builds into build/quick, runs `hikyaku demo`,
# which shows a mail on its way from an app through the daemon to a smarthost with TLS and a password.
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

echo "Building (about two minutes on two processors, the first time)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --preset quick > "$log" 2>&1 ||
  { cat "$log"; fail "the build could not be prepared; the lines above say what is missing."; }
# ninja says on one line of a terminal how far it is, and what a compiler complains of.
NINJA_STATUS='[%f of %t, %es] ' cmake --build --preset quick ||
  fail "the build failed; the compiler's last words stand above."

build/quick/bin/hikyaku demo ||
  fail "the programs are built (build/quick/bin/), but the demonstration did not come to its end; its last line says where."

cat << 'TEXT'

What comes next
  Try it more       build/quick/bin/hikyaku sink --help    a smarthost that keeps what it is sent
  Install it        cmake --preset release && cmake --build --preset release && cmake --install build/release
                    then README.md, "Set it up": name your provider, check, start
  Change it         CONTRIBUTING.md; cmake --preset dev && cmake --build --preset dev && ctest --preset unit
TEXT
