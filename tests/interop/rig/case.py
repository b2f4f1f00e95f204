# SPDX-License-Identifier: MIT
"""The frame of a group of tests: one place, one authority, one catcher, one Postfix, and a fresh daemon a test."""

import sys
import unittest

from .catcher import Catcher
from .certificates import Authority
from .hikyakud import Hikyakud
from .place import Place

SMARTHOST = "smtp.interop.test"


class Case(unittest.TestCase):
    """A subclass puts its peers into `start_peers` and ends them by `cls.addClassCleanup`."""

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        cls.authority = Authority(cls.place, "authority")
        cls.catcher = Catcher(cls.place.address)
        cls.addClassCleanup(cls.catcher.close)
        cls.place.name_host(SMARTHOST)
        cls.start_peers()

    @classmethod
    def start_peers(cls):
        pass

    def setUp(self):
        self.daemon = None

    def run(self, result=None):
        """Shows the daemon's log after a test that has failed."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if self.daemon and len(result.failures) + len(result.errors) > before:
            print(f"--- log of hikyakud in {self._testMethodName}\n{self.daemon.log()}---", file=sys.stderr)
        self.catcher.mails.clear()

    def hikyakud(self, smarthost, authinfo="", **settings):
        """A running daemon with an empty spool that knows this smarthost."""
        self.place.directory("hikyakud")
        self.daemon = Hikyakud(self.place, {"smarthosts": [self.trusting(smarthost)], **settings}, authinfo)
        self.addCleanup(self.daemon.discard)
        return self.daemon.start()

    def trusting(self, smarthost):
        return {"name": "main", "host": SMARTHOST, "tls_ca_file": self.authority.cert, **smarthost}


def main():
    unittest.main(verbosity=2)
