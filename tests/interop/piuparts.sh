#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's own test of installing and removing, piuparts, with the packages in build/packages, on the bare Debian that
# fetch_peers.sh has made: what a purge leaves behind fails it. It asks the package mirror: for tests/run.sh --long.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peers=${HIKYAKU_PEERS:-$root/.cache/peers}
bash "$root/etc/install_packages.sh" <(echo piuparts)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$peers/bare" --exclude='./var/cache/apt/archives/*.deb' -czf "$work/bare.tar.gz" .
mirror=$(awk '$1 == "deb" { print $2; exit }' "$peers/bare/etc/apt/sources.list")
piuparts --basetgz "$work/bare.tar.gz" --distribution bookworm --mirror "$mirror" --skip-logrotatefiles-test \
  "$root"/build/packages/hikyaku_*.deb "$root"/build/packages/hikyaku-mta_*.deb > "$work/log" 2>&1 ||
  { grep -A 20 'ERROR: FAIL' "$work/log" || tail -n 40 "$work/log"; exit 1; }
