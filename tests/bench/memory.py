#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A great many queued messages: the daemon's memory with them, and how soon after a start the first one goes out.

One line a result; README.md says how to read them. As root. Exit code 1 if a goal is missed."""

import argparse
import os
import sys
import time
from contextlib import closing

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from measuring import Sink, place_for_a_run, running
from relays import Hikyakud

MEGA = 1e6
GOAL_BYTES = 160 * MEGA
GOAL_SECONDS = 5
HOUR = 3600
SETTLED = 3  # seconds after which a daemon that has nothing to do has done what it does at its start


def memory(queued, deferred_for=None):
    """VmRSS and VmHWM of a daemon whose smarthost is absent, or to which nothing is due."""
    with place_for_a_run() as place, running(lambda place: Hikyakud(place, queued, deferred_for), place) as relay:
        time.sleep(SETTLED)
        return relay.memory("VmRSS"), relay.memory("VmHWM")


def first_delivery(queued):
    """Seconds from the start of the daemon to the first arrival at the smarthost."""
    with place_for_a_run() as place, running(lambda place: Hikyakud(place, queued), place) as relay:
        relay.kill()
        with closing(Sink(place.address, 0)) as sink:
            began = time.monotonic()
            relay.start()
            while not sink.counts()["arrived"]:
                time.sleep(0.01)
            return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description="hikyakud with a great many queued messages")
    parser.add_argument("--queued", type=int, default=1_000_000, help="messages of 2 KiB (1000000)")
    queued = parser.parse_args().queued
    missed = False
    empty, _ = memory(0)
    for state, deferred_for in (("due", None), ("deferred", HOUR)):
        resident, peak = memory(queued, deferred_for)
        print(f"memory queued={queued} state={state} resident_mb={resident / MEGA:.1f} empty_mb={empty / MEGA:.1f}",
              f"difference_mb={(resident - empty) / MEGA:.1f} peak_mb={peak / MEGA:.1f}", flush=True)
        missed |= resident - empty > GOAL_BYTES
    seconds = first_delivery(queued)
    print(f"first_delivery queued={queued} seconds={seconds:.2f}")
    missed |= seconds > GOAL_SECONDS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
