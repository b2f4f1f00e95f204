#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A full disk empties by itself: what is queued leaves, also what bounces, and then there is room again.

On a tmpfs without a free block, and on one with less than min_free, 49 mails can be delivered and some are refused. New
mail is refused all the while; all of it leaves, each mail once, each refused one as a bounce; a restart on the disk that
is still full brings nothing back.

Usage: drain_test.py PATH/TO/hikyakud PATH/TO/hikyaku
"""
import json

from rig import FOREVER, SMALL, Client, Daemon, Failed, Place, Scenario, main, until
from rig.troubles import few_blocks, no_blocks

PATIENCE = 60
DELIVERABLE, REFUSED = 49, 8


class Story:
    """One daemon on one full tmpfs."""

    def __init__(self, program, hikyaku, place, directory, size, **spool):
        self._hikyaku, self._size = hikyaku, size
        self._scenario = Scenario({"yes": FOREVER, "no": FOREVER})
        self._ledger, self._smarthost = self._scenario.ledger, self._scenario.smarthost
        self._daemon = Daemon(program, place, "daemon", directory + "/spool", self._smarthost, **spool)

    def tell(self, trouble):
        with self._daemon as daemon:
            daemon.start()
            self._queue()
            with trouble:
                until(lambda: not self._scenario.submit(daemon, SMALL), PATIENCE, "new mail is refused")
                self._smarthost.refused = ("no",)
                self._smarthost.deferred.clear()
                self._drain()
                daemon.stop()
                daemon.start()
                self._check_empty()
            self._scenario.until_relayed(daemon, PATIENCE)
            daemon.stop()
        self._smarthost.close()
        self._judge()

    def _queue(self):
        with Client(self._daemon.port, self._ledger) as client:
            for count in range(DELIVERABLE):
                client.send(f"yes-{count}", self._size)
                if count < REFUSED:
                    self._send_refused(client, count)

    def _send_refused(self, client, count):
        """Every other one has a recipient who exists, too."""
        name = f"no-{count}"
        recipients = [f"{name}@example.net"] + ([f"yes-{name}@example.net"] if count % 2 else [])
        client.send(name, self._size, recipients)
        if count % 2 == 0:
            self._ledger.acknowledged.discard(name)  # it comes back instead

    def _drain(self):
        self._ledger.wait_for_all(PATIENCE)
        until(lambda: len(self._smarthost.notices) == REFUSED, PATIENCE,
              lambda: f"all bounce, and not {len(self._smarthost.notices)}")
        until(self._is_empty, PATIENCE, "nothing is queued")

    def _is_empty(self):
        queue = json.loads(self._daemon.ask(self._hikyaku, "status", "--json"))["queue"]
        return sum(number for number in queue.values() if isinstance(number, int)) == 0

    def _check_empty(self):
        if not self._is_empty():
            raise Failed("something is queued again after a restart")

    def _judge(self):
        self._ledger.judge()
        if self._ledger.twice() or len(self._smarthost.notices) != REFUSED:
            raise Failed(f"came twice: {self._ledger.twice()[:5]}, {len(self._smarthost.notices)} bounces")


def test(program, hikyaku, only=""):
    cases = {"a full tmpfs of 8 MiB": ("8m", 30_000, no_blocks, {}),
             "a full tmpfs of 64 MiB": ("64m", 60_000, no_blocks, {"segment_size": "4MiB", "min_free": "8MiB"}),
             "a tmpfs of 64 MiB below min_free": ("64m", 60_000, lambda path: few_blocks(path, 6 << 20),
                                                  {"segment_size": "4MiB", "min_free": "8MiB"})}
    for name, (size, mail, trouble, spool) in cases.items():
        if only not in name:
            continue
        print(name, flush=True)
        with Place() as place:
            directory = place.tmpfs("tmpfs", f"size={size}")
            place.directory(directory + "/spool")
            story = Story(program, place.program(hikyaku), place, directory, mail, **spool)
            story.tell(trouble(directory))
    return 0


main(test, __doc__)
