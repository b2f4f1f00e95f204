#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Resource limits that close in on the running daemon: the size of a file (EFBIG and SIGXFSZ), open files (EMFILE).

It lives, answers 250 or 4yz or not at all where it has no descriptor for a connection, does not work while it waits,
loses nothing, and serves again by itself when the limit is lifted.

Usage: limits_test.py PATH/TO/hikyakud
"""
import contextlib
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
    """Clients come until no descriptor is left for one. The first is told 4yz where a file would have to be opened."""
    with contextlib.ExitStack() as clients:
        first = clients.enter_context(Client(daemon.port, scenario.ledger))
        descriptors = map(int, os.listdir(f"/proc/{daemon.pid}/fd"))
        with limited(daemon, "nofile", max(descriptors) + 1):
            until(lambda: not is_let_in(scenario, daemon, clients), PATIENCE, "the descriptors are used up")
            for size in (SMALL, LARGE):
                try:
                    first.send(f"connected-{size}", size)
                except Refused as refusal:
                    if not 400 <= refusal.code < 500:
                        raise
            watch(daemon)


def is_let_in(scenario, daemon, clients):
    try:
        clients.enter_context(Client(daemon.port, scenario.ledger, seconds=1))
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
            daemon.stop()
            daemon.start()  # a mail that could not be read is tried again after a minute, or now
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
