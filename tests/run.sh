#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All tests, from a bare Debian 12 on, as root: installs what is missing, fetches the peers, builds with sanitizers and
# optimised, and runs everything in the one and what depends on timing and layout again in the other. A failed test does
# not keep the rest from running; the exit code and the last line tell.
#   bash tests/run.sh [--long]
# --long plays all of the crash and chaos histories and not a part of them, has 10,000 mails share a load, and builds the
# optimised programs as packages are, with link-time optimisation, and each file by itself and without precompiled headers,
# so that it is seen to include what it uses (as the preset `plain` does); and makes the packages twice, to see that they are
# the same; Debian's piuparts installs and purges them.
# Caches: .cache/peers (or $HIKYAKU_PEERS), and ccache's own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ "$(id -u)" = 0 ] || { echo "tests/run.sh: run it as root: real mail servers need it, on loopback only" >&2; exit 77; }

optimised=(-DCMAKE_BUILD_TYPE=Release -DHIKYAKU_TESTS=ON)
case ${1:-} in
  '') long=OFF; optimised+=(-DHIKYAKU_PCH=ON -DHIKYAKU_LTO=OFF -DHIKYAKU_UNITY=ON -DHIKYAKU_REPLAYS=OFF) ;;
  --long) long=ON; optimised+=(-DHIKYAKU_PCH=OFF -DHIKYAKU_LTO=ON -DHIKYAKU_UNITY=OFF) ;;
  *) echo "usage: bash tests/run.sh [--long]" >&2; exit 64 ;;
esac

export HIKYAKU_PEERS=${HIKYAKU_PEERS:-$root/.cache/peers}
# The same source in another checkout is the same to ccache.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
reports=$root/build/reports
mkdir -p "$reports"
# Most tests wait for most of their time: for servers, restarts and systemd.
jobs=$(($(nproc) * 3))
times=()
failed=0

part() { # part NAME COMMAND…: says how long it took
  local name=$1 start=$EPOCHSECONDS status=0
  shift
  printf '\n=== %s\n' "$name"
  "$@" || status=$?
  times+=("$(printf '%6d s  %s' $((EPOCHSECONDS - start)) "$name")")
  return $status
}

build() { # build FOLDER CMAKE_OPTION…
  local folder=$1
  shift
  cmake -S . -B "$folder" -G Ninja -DHIKYAKU_LONG_TESTS="$long" "$@" > "$folder.configure.log" 2>&1 || { cat "$folder.configure.log"; return 1; }
  cmake --build "$folder" --parallel "$(nproc)" -- --quiet
}

aside() { # aside NICENESS COMMAND…: beside what follows; wait for it with aside_ended
  local niceness=$1
  shift
  set -m  # a process group of its own, which ends with us
  (renice -n "$niceness" "$BASHPID" > /dev/null && "$@") > build/aside.log 2>&1 &
  set +m
  aside=$!
  trap 'kill -- -"$aside" 2> /dev/null || true' EXIT  # it may have ended
}

aside_ended() {
  renice -n 0 -g "$aside" > /dev/null 2>&1 || true  # it may have ended; beside other work it never would
  trap - EXIT
  wait "$aside" || { cat build/aside.log; return 1; }
}

run_tests() { # run_tests NAME FOLDER CTEST_OPTION…
  local name=$1 folder=$2
  shift 2
  rm -f "$reports/$name.xml"
  ctest --test-dir "$folder" --output-on-failure --no-tests=error --output-junit "$reports/$name.xml" "$@" || failed=1
}

count() { # count ATTRIBUTE: summed over this run's reports
  sed -n "s/^[[:space:]]*$1=\"\([0-9]*\)\".*/\1/p" "$reports"/*.xml | awk '{ sum += $1 } END { print sum + 0 }'
}

rm -f "$reports"/*.xml
part "packages" bash etc/install_packages.sh etc/packages.txt tests/packages.txt
aside 0 bash tests/interop/fetch_peers.sh  # waits for the network
part "build with sanitizers" build build/san -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" \
  -DHIKYAKU_SANITIZE=ON -DHIKYAKU_FAULTS=ON -DHIKYAKU_UNITY=ON
part "rest of the peers" aside_ended
# These tests wait for most of their time.
aside 19 build build/release "${optimised[@]}"
part "tests with sanitizers" run_tests san build/san -j"$jobs"
part "rest of the optimised build" aside_ended
part "tests optimised" run_tests release build/release -j"$jobs" -L 'unit|dialogue|crash|fuzz|links|abuse|package'
[ "$long" = OFF ] || part "piuparts" bash tests/interop/piuparts.sh || failed=1
[ "$long" = OFF ] || part "packages made twice" bash tests/tools/reproducible.sh || failed=1
part "memory" run_tests memory build/release -L memory

tests=$(count tests)
failures=$(count failures)
printf '\n'
printf '%s\n' "${times[@]}"
# For reading only; where the histories did not run at all, a test has failed above.
for report in san release; do
  grep -ohE '[0-9]+ (scripted|random) histories.*|[0-9]+ of [0-9]+ histories' "$reports/$report.xml" | sed "s/^/$report: /" || true
done
[ "$failed" = 0 ] || [ "$failures" != 0 ] || failures=1
printf '\n%d passed, %d failed\n' $((tests - failures)) "$failures"
exit $failed
