#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves the crash harness: every fault switch of spool/faults.h omits one thing that a promise rests on, and the
# suite must fail for each; without a fault it must pass. Usage: mutants.sh PATH/TO/crash_histories (of a build with
# HIKYAKU_FAULTS=ON).
set -u
histories=${1:?usage: mutants.sh PATH/TO/crash_histories}
header=$(dirname "$0")/../../spool/faults.h
survivors=0

# The enumerators but `none`.
faults=$(sed -n '/enum class Fault/,/};/p' "$header" | sed 's,//.*,,' | grep -oE '^ +[a-z_0-9]+' | grep -v '^ *none$')
[ "$(wc -w <<<"$faults")" -ge 7 ] || { echo "mutants: no fault switches found in $header" >&2; exit 1; }

if output=$("$histories" --seeds 3 --seed 1 2>&1); then
  echo "no fault: passes, as it must"
else
  printf '%s\n' "$output" | head -n 40
  echo "no fault: FAILS"
  exit 1
fi

for fault in $faults; do
  HIKYAKU_FAULT=$fault "$histories" --seeds 9 --seconds 20 --seed 1 --failures 1 >/dev/null 2>&1
  case $? in
    1) echo "$fault: noticed" ;;
    0) echo "$fault: SURVIVED"; survivors=$((survivors + 1)) ;;
    *) echo "$fault: the suite itself broke down"; survivors=$((survivors + 1)) ;;
  esac
done
exit $((survivors > 0))
