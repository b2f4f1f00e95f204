#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Resource limits that close in on the running daemon: the size of a file (EFBIG and SIGXFSZ), open files (EMFILE).

It lives, answers 250 or 4yz or not at all where it has no descriptor for a connection, does not work while it waits,
loses nothing, and serves again by itself when the limit is lifted.

Usage: limits_test.py PATH/TO/hikyakud
"""
import os
import time

from rig import LARGE, SMALL, Client, Daemon, Failed, Place, Refused, Scenario, main, until
from rig.troubles import limited

PATIENCE = 40  # a smarthost that could not be connected to is left alone for a while
WATCHED = 2
IDLE = 0.3  # of a CPU at most


def watch(daemon):
    """That it does next to nothing."""
    before, wall = daemon.cpu_seconds(), time.monotonic()
    time.sleep(WATCHED)
    used, wall = daemon.cpu_seconds() - before, time.monotonic() - wall
    print(f"{used:.2f} s of CPU in {wall:.1f} s", flush=True)
    if used > IDLE * wall:
        raise Failed("it works although it can do nothing")


def file_size(scenario, daemon):
    """No write behind the first 300 KB of a file succeeds: neither a full segment nor a large body can be written."""
    with limited(daemon, "fsize", 300_000):
        for size in (LARGE, SMALL):
            until(lambda size=size: not scenario.submit(daemon, size), PATIENCE, "mail is refused")
        watch(daemon)


def open_files(scenario, daemon):
    """Not one descriptor more. A client that is connected is told 4yz where a file would have to be opened."""
    with Client(daemon.port, scenario.ledger) as client:
        descriptors = os.listdir(f"/proc/{daemon.pid}/fd")
        with limited(daemon, "nofile", max(map(int, descriptors)) + 1):
            for size in (SMALL, LARGE):
                try:
                    client.send(f"connected-{size}", size)
                except Refused as refusal:
                    if not 400 <= refusal.code < 500:
                        raise
            refused = [not served(scenario, daemon) for _ in range(3)]
            watch(daemon)
    if not any(refused):
        raise Failed("the limit was none")


def served(scenario, daemon):
    try:
        with Client(daemon.port, scenario.ledger, seconds=1) as client:
            client.send(f"unlikely-{time.monotonic_ns()}")
        return True
    except (OSError, Refused):
        return False


def story(program, trouble):
    scenario = Scenario()
    with Place() as place:
        place.tmpfs("disk", "size=200m")
        with Daemon(program, place, "daemon", place.directory("disk/spool"), scenario.smarthost) as daemon:
            daemon.start()
            scenario.play(daemon)
            trouble(scenario, daemon)
            daemon.check_runs()
            scenario.until_relayed(daemon, PATIENCE)
            scenario.ledger.wait_for_all(PATIENCE)
            daemon.stop()
    scenario.smarthost.close()
    if scenario.ledger.twice():
        raise Failed(f"arrived twice: {scenario.ledger.twice()[:5]}")


def test(program, only=""):
    for trouble in file_size, open_files:
        if only in trouble.__name__:
            print(trouble.__name__, flush=True)
            story(program, trouble)
    return 0


main(test, __doc__)
