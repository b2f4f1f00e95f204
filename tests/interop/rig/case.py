# SPDX-License-Identifier: MIT
"""The frame of a group of tests: one place, one authority, one catcher, one Postfix, and a fresh daemon a test."""

import os
import pwd
import re
import sys
import time
import unittest

from rig_common.network import enter_own_network

from .catcher import ARRIVED, Catcher
from .certificates import Authority
from .hikyakud import USER_ID, Hikyakud
from .place import Place
from .verifiers import Verifiers, without_signatures

SMARTHOST = "smtp.interop.test"
TWO_RECEIVED = re.compile(rb"\A(?:Received: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*){2}\Z")


class Case(unittest.TestCase):
    """A subclass puts its peers into `start_peers` and ends them by `cls.addClassCleanup`. The daemons of run_hikyakud() sign
    mail from the domains `signs`, and dkimpy verifies all that arrives. A subclass that has no use for it says why."""

    daemon = postfix = smarthost = None
    signs = ("example.com", "interop.test")
    owner = None  # a user whom the daemon, started as root, becomes; None: it is started as nobody, who is no operator
    is_signed = False

    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        cls.authority = Authority(cls.place, "authority")
        cls.catcher = Catcher(cls.place.address)
        cls.addClassCleanup(cls.catcher.close)
        cls.place.name_host(SMARTHOST)
        if cls.signs:
            cls.verifiers = Verifiers(cls.place)
            cls.keys = cls.verifiers.make_key(*cls.signs, owner=cls.owner_id())
        cls.start_peers()

    @classmethod
    def start_peers(cls):
        pass

    def shortDescription(self):
        """The name is the sentence."""

    def run(self, result=None):
        """Tells how long the test took, and shows the logs if it has failed."""
        before, start = len(result.failures) + len(result.errors), time.monotonic()
        ARRIVED.clear()
        super().run(result)
        print(f"    {time.monotonic() - start:.1f} s", file=sys.stderr)
        if self.daemon and len(result.failures) + len(result.errors) > before:
            print(f"--- hikyakud in {self._testMethodName}\n{self.daemon.log()[-20000:]}", file=sys.stderr)
            for peer in filter(None, (self.postfix, self.smarthost)):
                print(f"--- {type(peer).__name__}\n{peer.log()[-4000:]}---", file=sys.stderr)
        self.catcher.mails.clear()

    def assert_arrived(self, mail, sent):
        """Below the two Received fields, Postfix's and ours, is what was sent, byte for byte; between these two stands our
        signature, if there is one."""
        top = len(mail.content) - len(sent)
        if self.is_signed:
            self.assertEqual(self.verifiers.signatures(mail.content), [("example.com", "interop")])
        self.assertEqual(mail.content[top:], sent)
        self.assertRegex(without_signatures(mail.content[:top]), TWO_RECEIVED)

    def hikyakud(self, smarthost, authinfo="", **settings):
        """A running daemon with an empty spool that knows this smarthost."""
        return self.run_hikyakud({"smarthosts": [self.trusting(smarthost)], **settings}, authinfo)

    def run_hikyakud(self, settings, authinfo="", env=None):
        user = {"user": self.owner} if self.owner else {}
        self.daemon = Hikyakud(self.place, self.signing(user | settings), authinfo, env)
        self.addCleanup(self.daemon.discard)
        self.daemon.as_root = bool(self.owner)
        for name in ("authinfo", "spool", "run"):
            os.chown(f"{self.daemon.folder}/{name}", self.owner_id(), self.owner_id())
        return self.daemon.start()

    @classmethod
    def owner_id(cls):
        return pwd.getpwnam(cls.owner).pw_uid if cls.owner else USER_ID

    def signing(self, settings):
        """These settings with the keys, and from now on all that arrives is verified: at the end, to take no test's time."""
        self.is_signed = bool(self.signs)
        if self.is_signed:
            self.addCleanup(lambda: self.verifiers.check_all(ARRIVED))
        return ({"dkim": {"directory": self.keys}} if self.is_signed else {}) | settings

    def trusting(self, smarthost):
        return {"name": "main", "host": SMARTHOST, "tls_ca_file": self.authority.cert, **smarthost}


def main(*options):
    """In a network of its own, where this machine has no servers; `options` are enter_own_network's."""
    enter_own_network(*options)
    unittest.main(verbosity=2)
