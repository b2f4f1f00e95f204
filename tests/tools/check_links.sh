#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fails if a program links a library that links.txt does not allow it, or can do without one of its hardenings.
#   check_links.sh [--sanitizers | --commands FILE] PROGRAM…
# FILE is the build's compile_commands.json: how its programs were compiled, which sanitizers come in the way of.
set -euo pipefail
list=$(dirname "${BASH_SOURCE[0]}")/links.txt
extra= commands=
case ${1-} in
  --sanitizers) extra=$(sed -n 's/^sanitizers: //p' "$list"); shift ;;
  --commands) commands=$2; shift 2 ;;
esac
[ $# -gt 0 ] || { echo "usage: check_links.sh [--sanitizers | --commands FILE] PROGRAM…" >&2; exit 64; }
readelf=$(command -v readelf || command -v llvm-readelf-19)

check_program() {
  local name allowed library found=0
  name=$(basename "$1")
  allowed=" $(sed -n "s/^$name: //p" "$list") $extra "
  [ "$allowed" != "  $extra " ] || { echo "$name: has no line in links.txt"; return 1; }
  for library in $("$readelf" -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so[.0-9]*\]/\1/p'); do
    found=1
    case $allowed in
      *" $library "*) ;;
      *) echo "$name: may not link $library"; return 1 ;;
    esac
  done
  [ $found = 1 ] || { echo "$name: is not dynamically linked, or cannot be read"; return 1; }
  "$readelf" -hW "$1" | grep -q 'Type: *DYN' || { echo "$name: is not position independent"; return 1; }
  "$readelf" -lW "$1" | grep -q GNU_RELRO || { echo "$name: has no RELRO segment"; return 1; }
  "$readelf" -dW "$1" | grep -q 'FLAGS.*NOW' || { echo "$name: binds lazily"; return 1; }
  ! "$readelf" -lW "$1" | grep -q 'GNU_STACK.*RWE' || { echo "$name: has an executable stack"; return 1; }
}

# Nothing in a program tells of the flag for the stack, so the commands have to; of the other there are marks (endbr64).
check_commands() {
  local flag flags=-fstack-clash-protection
  [ "$(uname -m)" != x86_64 ] || flags+=" -fcf-protection"
  for flag in $flags; do
    ! grep -E '"command":.* -c [^ ]*/(daemon|smtpd|smtpc|spool)/' "$commands" | grep -v -e " $flag " || { echo "compiled without $flag: see above"; return 1; }
  done
}

check_marks() {
  local marks
  marks=$(LC_ALL=C grep -aoP '\xf3\x0f\x1e\xfa' "$1" | wc -l)
  [ "$marks" -ge 50 ] || { echo "$(basename "$1"): jumps may go anywhere ($marks marks of -fcf-protection)"; return 1; }
}

failed=0
[ -z "$commands" ] || check_commands || failed=1
for program in "$@"; do
  check_program "$program" || failed=1
  [ -z "$commands" ] || [ "$(uname -m)" != x86_64 ] || check_marks "$program" || failed=1
done
exit $failed
