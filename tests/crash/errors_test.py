#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An error from each file-related system call between a client's first word and the mail's end.

A scenario is played again and again while strace makes the K-th call of one kind fail, or all from the K-th on; K
grows until nothing is hit any more. A client is told 250 or 4yz, nothing else; the daemon lives; what was acknowledged
arrives unchanged and once; and without any help mail is taken again.

Usage: errors_test.py PATH/TO/hikyakud [SECONDS]
After SECONDS the rest of the list is left out; every third case comes first, so that each kind has its turn.
"""
import time

from rig import Daemon, Failed, Place, Refused, Saboteur, Scenario, main

PATIENCE = 20
MOST_CALLS = 60
ROOM = ("ENOSPC", "EDQUOT")
ERRORS = {
    "pwritev": (*ROOM, "EIO", "EFBIG", "EROFS"),
    "fdatasync": ("EIO", *ROOM),
    "openat": (*ROOM, "EROFS", "EMFILE", "EIO"),
    "fsync": ("EIO", "ENOSPC"),
    "fallocate": (*ROOM, "EFBIG"),
    "renameat": ("ENOSPC", "EIO", "EROFS"),
    "unlinkat": ("EIO", "EROFS"),
    "pread64": ("EIO",),
    "ftruncate": ("EIO",),
    "fstat": ("EIO",),
    "newfstatat": ("EIO",),
    "fstatfs": ("EIO",),
    "close": ("EIO", "ENOSPC"),
}


def all_cases():
    """(syscall, error, K, is_for_good): the first calls with every error, later ones with one after the other."""
    for count in range(1, MOST_CALLS):
        for syscall, errors in ERRORS.items():
            for error in errors if count == 1 else (errors[count % len(errors)],):
                yield syscall, error, count, False
                if count == 1 or count % 5 == 0:
                    yield syscall, error, count, True


class Errors:
    """Plays the cases with one daemon."""

    def __init__(self, scenario, daemon, trace):
        self._scenario, self._daemon, self._trace = scenario, daemon, trace
        self._ends = {}  # (syscall, is_for_good) -> the first K that hit nothing
        self.cases = self.hits = self.refusals = 0

    def strike(self, syscall, error, count, is_for_good):
        if count >= self._ends.get((syscall, is_for_good), MOST_CALLS):
            return  # a smaller K has found no more calls
        when = f"{count}+" if is_for_good else str(count)
        saboteur = Saboteur(self._daemon, self._trace, syscall, f"error={error}", when)
        try:
            self._play(saboteur)
        except (AssertionError, Refused, OSError) as trouble:
            raise Failed(f"{syscall} {error} when={when}: {trouble!r}") from None
        if saboteur.hits == 0:
            self._ends[(syscall, is_for_good)] = count
        self.cases += 1
        self.hits += saboteur.hits

    def _play(self, saboteur):
        with saboteur:
            self.refusals += self._scenario.play(self._daemon).count(False)
            self._scenario.ledger.wait_while_arriving(0.5)
        self._scenario.until_served(self._daemon, PATIENCE)
        self._daemon.check_runs()


def restart(scenario, daemon):
    """What has arrived has ended, on the disk, too; what has not comes now."""
    scenario.until_relayed(daemon, PATIENCE)
    daemon.stop()
    daemon.start()
    scenario.until_relayed(daemon, PATIENCE)
    scenario.ledger.wait_for_all(PATIENCE)
    daemon.stop()
    if scenario.ledger.twice():
        raise Failed(f"arrived twice: {scenario.ledger.twice()[:5]}")


def test(program, seconds="20"):
    deadline = time.monotonic() + float(seconds)
    cases = list(all_cases())
    scenario = Scenario()
    with Place() as place:
        place.tmpfs("disk", "size=2000m")
        with Daemon(program, place, "daemon", place.directory("disk/spool"), scenario.smarthost) as daemon:
            errors = Errors(scenario, daemon.start(UV_THREADPOOL_SIZE="1"), place.join("trace"))
            for case in [*cases[::3], *cases[1::3], *cases[2::3]]:
                if time.monotonic() < deadline:
                    errors.strike(*case)
            restart(scenario, daemon)
    print(f"{errors.cases} cases, {errors.hits} calls failed, {errors.refusals} mails refused, "
          f"{len(scenario.ledger.acknowledged)} acknowledged, all arrived once")
    return 0 if errors.hits > errors.cases / 2 and errors.refusals > 0 else 1


main(test, __doc__)
