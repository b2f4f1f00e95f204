#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 before each file-related system call, while mail goes through and while the spool is recovered.

strace kills the daemon before its K-th call of a kind; then once more before the K-th of the start that follows. A
start without harm must bring everything that was acknowledged, unchanged.

Usage: kill_at_test.py PATH/TO/hikyakud [SECONDS]
K grows until the calls of a kind are used up, or SECONDS are over.
"""
import itertools
import time

from rig import CONNECTIONS, Daemon, Failed, Place, Refused, Saboteur, Scenario, inject, main

PATIENCE = 20
ONE_WORKER = {"UV_THREADPOOL_SIZE": "1"}  # so that K means the same every time
SERVING = {"pwritev", "fdatasync", "openat", "fsync", "fallocate", "renameat", "unlinkat", "ftruncate", "pread64"}
STARTING = {"pwritev", "fdatasync", "fsync", "fallocate", "renameat", "unlinkat", "ftruncate", "flock", "mkdirat",
            "getdents64"}


class Kills:
    """Of one daemon on one spool."""

    def __init__(self, scenario, daemon, trace):
        self._scenario, self._daemon, self._trace = scenario, daemon, trace
        self.while_serving = self.while_starting = 0

    def strike_serving(self, syscall, count):
        """False: there are fewer calls, and it lives."""
        with Saboteur(self._daemon, self._trace, syscall, "signal=KILL", count):
            try:
                self._scenario.play(self._daemon)
                self._scenario.ledger.wait_while_arriving(0.5)
            except (Refused, OSError):
                self._daemon.wait_for_end()
        is_dead = not self._daemon.runs()
        self.while_serving += is_dead
        return is_dead

    def strike_starting(self, syscall, count):
        """False: there are fewer calls. In any case the daemon is dead then, as it may be before."""
        self._daemon.kill()
        wrapper = [*inject(syscall, "signal=KILL", count), "-D", "-o", self._trace]
        is_dead = not self._daemon.start_or_die(wrapper, **ONE_WORKER)
        self.while_starting += is_dead
        self._daemon.kill()
        return is_dead

    def recover(self):
        self._daemon.kill()
        self._daemon.start(**ONE_WORKER)
        self._scenario.ledger.wait_for_all(PATIENCE)


def strike(kills, serving, starting, syscall, count):
    if syscall in serving and not kills.strike_serving(syscall, count):
        serving.discard(syscall)
    if syscall in starting and not kills.strike_starting(syscall, count):
        starting.discard(syscall)
    kills.recover()


def sweep(kills, deadline):
    serving, starting = set(SERVING), set(STARTING)
    for count in itertools.count(1):
        for syscall in sorted(serving | starting):
            if time.monotonic() > deadline:
                return
            try:
                strike(kills, serving, starting, syscall, count)
            except (AssertionError, OSError) as trouble:
                raise Failed(f"killed before {syscall} {count}: {trouble!r}") from None
        if not serving | starting:
            return


def test(program, seconds="20"):
    deadline = time.monotonic() + float(seconds)
    scenario = Scenario()
    with Place() as place:
        place.tmpfs("disk", "size=200m")
        with Daemon(program, place, "daemon", place.directory("disk/spool"), scenario.smarthost) as daemon:
            kills = Kills(scenario, daemon.start(**ONE_WORKER), place.join("trace"))
            sweep(kills, deadline)
            scenario.until_relayed(daemon, PATIENCE)
            daemon.stop()
    count, twice = kills.while_serving + kills.while_starting, len(scenario.ledger.twice())
    print(f"{kills.while_serving} kills at work, {kills.while_starting} at the start, "
          f"{len(scenario.ledger.acknowledged)} mails acknowledged, all arrived, {twice} twice")
    return 0 if kills.while_serving > 0 and kills.while_starting > 0 and twice <= count * CONNECTIONS else 1


main(test, __doc__)
