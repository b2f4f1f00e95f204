#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures an optimised build beside Postfix and by itself, from a clean clone on; README.md says what and how to read it. As root,
# because Postfix wants to be; everything stays on loopback, in a temporary folder under $TMPDIR (/var/tmp), which must lie
# on the disk that is to be measured.
#   tests/bench/run.sh [--rounds N] [--seconds S] [--size BYTES] [--mode perconn|reuse]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ "$(id -u)" = 0 ] || { echo "tests/bench/run.sh: run it as root" >&2; exit 77; }

bash etc/install_packages.sh etc/packages.txt tests/packages.txt
bash tests/interop/fetch_peers.sh
build=${HIKYAKU_BUILD:-build/release}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHIKYAKU_LTO=ON -DHIKYAKU_TESTS=ON > /dev/null
cmake --build "$build" --target hikyakud hikyaku bench_load bench_sink bench_flushes bench_spool sendmail -- --quiet

export HIKYAKU_BIN=$(realpath "$build/bin") TMPDIR=${TMPDIR:-/var/tmp} PYTHONDONTWRITEBYTECODE=1
describe() { # describe WHEN: the machine, so that a figure can be judged later
  echo "# $1: load $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors, $(findmnt -no FSTYPE -T "$TMPDIR")," \
    "Linux $(uname -r), hikyaku $(git describe --always --dirty)"
}
describe begin
status=0
python3 tests/bench/bench.py "$@" || status=$?
python3 tests/bench/sendmail.py || status=$?
"$HIKYAKU_BIN/bench_spool" rates "$TMPDIR"
"$HIKYAKU_BIN/bench_spool" start "$TMPDIR"
python3 tests/bench/memory.py || status=$?
python3 tests/bench/million.py || status=$?
python3 tests/bench/fleet.py || status=$?
describe end
exit $status
