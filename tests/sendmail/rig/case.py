# SPDX-License-Identifier: MIT
"""The frame of these tests: one installation a group, an empty drop directory a test."""

import os
import unittest

from .installed import Installed


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.here = Installed(os.path.join(os.environ["HIKYAKU_BIN"], "sendmail"))
        cls.addClassCleanup(cls.here.remove)

    def setUp(self):
        self.here.clear()

    def shortDescription(self):
        """The name is the sentence."""

    def refused(self, done, *codes):
        """It ended with one of these codes and one line of reasons, and left nothing."""
        self.assertIn(done.returncode, codes, done.stderr)
        self.assertRegex(done.stderr.decode(), r"\A[^\n]+\n\Z")
        self.assertFalse(any(byte < 32 for byte in done.stderr[:-1]), done.stderr)
        names = self.here.names()
        self.here.clear()
        self.assertEqual(names, [])

    def left(self, done):
        """It ended with 0 and not a word, and left one mail."""
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        mails = self.here.take()
        self.assertEqual(len(mails), 1)
        return mails[0]


def main():
    unittest.main(verbosity=2)
