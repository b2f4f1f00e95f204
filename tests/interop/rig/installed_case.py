# SPDX-License-Identifier: MIT
"""The frame of tests on a machine where hikyaku is installed; its smarthost is the catcher."""

from .callers import Arrived
from .case import Case
from .installation import InstalledHikyakud, Installation

ALIASES = "postmaster: root\nroot: ops@dest.example\nalice: root\n"
# What `hikyaku dkim` leaves there, if root calls it.
KEYS = 'cp -r "$1" /etc/hikyaku/dkim && cd /etc/hikyaku/dkim && chown root:hikyaku */*.key && chmod 640 */*.key'


class InstalledCase(Case):
    """`machine` is one for all tests, `daemon` a fresh one for each, not started yet."""

    @classmethod
    def start_peers(cls):
        cls.machine = Installation(cls.place)
        cls.addClassCleanup(cls.machine.remove)
        cls.machine.write("/etc/aliases", ALIASES)
        cls.machine.run(["sh", "-c", KEYS, "sh", cls.keys], user=[])
        cls.keys = "/etc/hikyaku/dkim"

    def setUp(self):
        host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none"}
        self.daemon = InstalledHikyakud(self.machine, self.signing({"smarthosts": [host]}))
        self.addCleanup(self.daemon.discard)

    def wait(self, wanted):
        """The first mail whose subject holds the words."""
        return Arrived(self.catcher.wait(wanted=lambda mail: wanted in Arrived(mail).field("Subject")))

    def assert_nothing_waits(self):
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (0, []))
