#!/bin/bash
# SPDX-License-Identifier: MIT
# Ten million messages pass by one that stays, and the log must keep within its bound. Then random histories on the
# simulated disk, new ones each time, on all processors: for ever, or for so many seconds. One line a minute and
# processor; the first promise that is broken ends it with what to type to see it again.
#   soak.sh [SECONDS [MESSAGES]]
# Takes $HISTORIES, or what tests/run.sh has built (optimised before sanitized), and its crash_passing beside it.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
for program in "${HISTORIES:-}" "$root"/build/{release,san}/bin/crash_histories; do
  [ -x "$program" ] && break
done
[ -x "$program" ] || { echo "soak: no crash_histories; set HISTORIES or run tests/run.sh first" >&2; exit 64; }
messages=${2:-10000000}
if [ "$messages" -gt 0 ]; then
  "$(dirname "$program")/crash_passing" --messages "$messages" || { echo "soak: FAILED; see above"; exit 1; }
fi
deadline=${1:+$((SECONDS + $1))}
reports=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$reports"' EXIT

soak() { # soak WORKER: a range of seeds of its own
  local report=$reports/$1 seed=$(((RANDOM << 15 | RANDOM) * 1000000)) slice=60
  while [ -z "$deadline" ] || [ "$SECONDS" -lt "$deadline" ]; do
    [ -n "$deadline" ] && [ $((deadline - SECONDS)) -lt $slice ] && slice=$((deadline - SECONDS))
    "$program" --seeds 0 --seed "$seed" --seconds "$slice" --failures 1 > "$report" 2>&1 || return 1
    echo "$(date -u +%H:%M:%S) worker $1: $(grep 'random histories' "$report")"
    seed=$((seed + $(sed -n 's/^\([0-9]*\) random histories.*/\1/p' "$report")))
  done
}

for worker in $(seq "$(nproc)"); do
  soak "$worker" || { cat "$reports/$worker"; exit 1; } &
done
for worker in $(seq "$(nproc)"); do
  wait -n || { echo "soak: FAILED; see above"; exit 1; }
done
echo "soak: passed"
