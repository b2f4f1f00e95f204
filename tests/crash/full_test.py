#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A file system without room: blocks on a tmpfs and on an ext4, inodes on an ext4.

Clients are told 4yz; what is queued is still delivered and that is written down, so that it does not come again after a
start on the full disk, which works as well; the daemon waits without working; and as soon as there is room again, mail
is taken again without any help.

Usage: full_test.py PATH/TO/hikyakud
"""
import time

from rig import FOREVER, LARGE, SMALL, Client, Daemon, Failed, Place, Scenario, main, until
from rig.troubles import no_blocks, no_inodes

PATIENCE = 20
RESUMED = 10  # "within seconds"
WATCHED = 2  # seconds for which its CPU time is taken
IDLE = 0.3  # of a CPU at most; a sanitizer build tries a mail five times a second and refuses ten


def tmpfs(place):
    return place.tmpfs("tmpfs", "size=24m")


def ext4(place):
    return place.ext4("ext4", 24 << 20)


def ext4_few_inodes(place):
    return place.ext4("few", 24 << 20, ("-N", "48"))


class Story:
    """One daemon, one file system, one trouble."""

    def __init__(self, program, place, directory, trouble):
        self._scenario = Scenario({"stay": FOREVER, "wait": FOREVER})
        self._ledger, self._smarthost = self._scenario.ledger, self._scenario.smarthost
        self._trouble = trouble(directory)
        self._daemon = Daemon(program, place, "daemon", directory + "/spool", self._smarthost)

    def tell(self):
        with self._daemon as daemon:
            daemon.start()
            self._queue()
            with self._trouble:
                self._refuse()
                self._deliver()
                self._rest()
                daemon.stop()
                daemon.start()
                self._try_the_rest()
            self._scenario.until_served(daemon, RESUMED)
            self._end()
        self._smarthost.close()

    def _queue(self):
        for _ in range(8):
            if not self._scenario.submit(self._daemon, 20_000, "wait"):
                raise Failed("refused while there is room")
        with Client(self._daemon.port, self._ledger) as client:
            client.send("stayer", recipients=["now@example.net", "stay@example.net"])
        until(lambda: self._smarthost.deferrals["stay@example.net"] > 1, PATIENCE, "the stayer is deferred")

    def _refuse(self):
        """Small and large alike, in the end; none of them leaves the spool before it is full."""
        for size in (LARGE, SMALL):
            until(lambda size=size: not self._scenario.submit(self._daemon, size, "wait"), PATIENCE, "mail is refused")

    def _deliver(self):
        self._smarthost.deferred.pop("wait")
        self._ledger.wait_for_all(PATIENCE)

    def _rest(self):
        before, until_then = self._daemon.cpu_seconds(), time.monotonic() + WATCHED
        while time.monotonic() < until_then:
            self._scenario.submit(self._daemon, SMALL)
            time.sleep(0.1)
        used = self._daemon.cpu_seconds() - before
        print(f"{used:.2f} s of CPU in {WATCHED} s", flush=True)
        if used > IDLE * WATCHED:
            raise Failed("it works although it can do nothing")

    def _try_the_rest(self):
        """Whatever would come again comes before the stayer has been tried a few times."""
        before = self._smarthost.deferrals["stay@example.net"]
        until(lambda: self._smarthost.deferrals["stay@example.net"] > before + 3, PATIENCE, "the stayer is tried again")
        self._judge()

    def _end(self):
        self._smarthost.deferred.clear()
        until(lambda: self._ledger.arrived[("stayer", "stay@example.net")], PATIENCE, "the stayer is delivered")
        self._scenario.until_relayed(self._daemon, PATIENCE)
        self._daemon.stop()
        self._daemon.start()
        self._scenario.until_relayed(self._daemon, PATIENCE)
        self._ledger.wait_for_all(PATIENCE)
        self._daemon.stop()
        self._judge()

    def _judge(self):
        self._ledger.judge()
        if self._ledger.twice():
            raise Failed(f"arrived twice: {self._ledger.twice()[:5]}")


def test(program, only=""):
    for make, trouble in (tmpfs, no_blocks), (ext4, no_blocks), (ext4_few_inodes, no_inodes):
        name = f"{make.__name__} with {trouble.__name__}"
        if only not in name:
            continue
        print(name, flush=True)
        with Place() as place:
            directory = make(place)
            place.directory(directory + "/spool")
            Story(program, place, directory, trouble).tell()
    return 0


main(test, __doc__)
