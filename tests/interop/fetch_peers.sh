#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Brings the real mail servers and npm clients that the interop tests run against into a cache folder. The servers are
# unpacked, never installed: no service starts, no user is made, and a machine's own mail system stays as it is.
#   tests/interop/fetch_peers.sh [FOLDER]     default: $HIKYAKU_PEERS, else .cache/peers in the checkout
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${1:-${HIKYAKU_PEERS:-$root/.cache/peers}}
mkdir -p "$cache/npm"

fetch_package() {
  local name=$1 work
  [ -e "$cache/$name.done" ] && return
  echo "fetching $name"
  work=$(mktemp -d)
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$name")
  dpkg -x "$work/$name"_*.deb "$cache/root"
  rm -r "$work"
  touch "$cache/$name.done"
}

fetch_npm() {
  local wanted=$root/tests/interop/clients/package.json
  cmp -s "$wanted" "$cache/npm/installed.json" && return
  echo "fetching npm clients"
  cp "$wanted" "$cache/npm/package.json"
  npm install --prefix "$cache/npm" --no-audit --no-fund --ignore-scripts --loglevel=error
  cp "$wanted" "$cache/npm/installed.json"
}

fetch_package postfix
fetch_package dovecot-core
fetch_npm
