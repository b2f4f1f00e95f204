#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails unless two builds of the commit that is checked out, in different folders and at different times, give the same
# packages, byte for byte. Each compiles everything: for tests/run.sh --long.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # build FOLDER: prints the packages' checksums; nothing comes from a cache
  git clone -q "$root" "$1"
  (cd "$1" && CCACHE_DISABLE=1 bash etc/package.sh deb > "$work/log" 2>&1) || { cat "$work/log" >&2; return 1; }
  (cd "$1/build/packages" && sha256sum -- *.deb)
}

build "$work/one" > "$work/first"
build "$work/another/and/deeper" > "$work/second"
cat "$work/first"
diff "$work/first" "$work/second" || { echo "two builds of the same commit differ" >&2; exit 1; }
