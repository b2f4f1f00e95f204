# SPDX-License-Identifier: MIT
"""Mails that take a spool through all that it does: a small one, a large one, and enough to fill a segment."""

from rig_common.waiting import until

from .client import Client, Refused
from .ledger import Ledger
from .smarthost import Smarthost

SMALL, LARGE, FILLING = 2_000, 1_100_000, 240_000


class Scenario:
    """With the ledger and the smarthost of its mails, which have names of their own at every playing."""

    def __init__(self, deferred=None):
        self.ledger = Ledger()
        self.smarthost = Smarthost(self.ledger, deferred)
        self._count = 0

    def play(self, daemon):
        """What clients were told: True for 250, False for 4yz. Raises Refused and OSError for anything else."""
        return [self.submit(daemon, size) for size in (SMALL, LARGE, FILLING, FILLING, FILLING, FILLING)]

    def submit(self, daemon, size, prefix="mail"):
        self._count += 1
        self.last = f"{prefix}-{self._count}"
        try:
            with Client(daemon.port, self.ledger) as client:
                client.send(self.last, size)
            return True
        except Refused as refusal:
            if 400 <= refusal.code < 500:
                return False
            raise

    def until_served(self, daemon, seconds):
        until(lambda: self.submit(daemon, SMALL) and self.submit(daemon, LARGE), seconds, "mail is taken again")

    def until_relayed(self, daemon, seconds):
        """Also a sign that every outcome has been written down: no more is sent until then."""
        self.until_served(daemon, seconds)
        last = self.last
        until(lambda: last in self.ledger.names(), seconds, "mail is relayed again")
