#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves the crash harness: every fault switch of spool/faults.h omits one thing that a promise rests on, and what the
# test crash_histories plays, which passes without a fault, must fail for each.
# Usage: mutants.sh PATH/TO/crash_histories OPTION… (of a build with HIKYAKU_FAULTS=ON; the options of that test).
set -u
histories=${1:?usage: mutants.sh PATH/TO/crash_histories OPTION…}
shift
header=$(dirname "$0")/../../spool/faults.h
survivors=0

# The enumerators but `none`.
faults=$(sed -n '/enum class Fault/,/};/p' "$header" | sed 's,//.*,,' | grep -oE '^ +[a-z_0-9]+' | grep -v '^ *none$')
[ "$(wc -w <<<"$faults")" -ge 11 ] || { echo "mutants: no fault switches found in $header" >&2; exit 1; }

# A sanitizer's report is no notice: it must not look like exit code 1.
export ASAN_OPTIONS=exitcode=99:malloc_context_size=2:quarantine_size_mb=1:thread_local_quarantine_size_kb=64 UBSAN_OPTIONS=exitcode=99
for fault in $faults; do
  start=$SECONDS
  output=$(HIKYAKU_FAULT=$fault "$histories" "$@" --failures 1 2>&1)
  code=$?
  if [ $code -eq 1 ] && complaint=$(grep -m1 -A1 '^FAILED ' <<<"$output" | tail -n 1); then
    echo "$fault: noticed after $((SECONDS - start)) s:$complaint"
  else
    [ $code -eq 0 ] && echo "$fault: SURVIVED" || echo "$fault: the suite itself broke down (exit code $code)"
    survivors=$((survivors + 1))
  fi
done
exit $((survivors > 0))
