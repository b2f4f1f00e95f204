#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that call sendmail(1), unchanged, on a machine where hikyaku is installed: what they send arrives while the
daemon runs, and when it was stopped and is started later."""

import email.utils
import subprocess

from rig import Case, main, until
from rig.callers import DATA, TEXT, Arrived, Letter, callers
from rig.installation import NAME, InstalledHikyakud, Installation
from rig.process import Process

ALIASES = "postmaster: root\nroot: ops@dest.example\nalice: root\n"


class Callers(Case):
    @classmethod
    def start_peers(cls):
        cls.machine = Installation(cls.place)
        cls.addClassCleanup(cls.machine.remove)
        cls.machine.write("/etc/aliases", ALIASES)
        cls.scripts = cls.place.directory("callers")
        subprocess.run(["cp", "-r", f"{cls.place.clients}/../callers/.", cls.scripts], check=True)
        cls.attachment = f"{cls.machine.home}/data.bin"
        with open(cls.attachment, "wb") as file:
            file.write(DATA)

    def setUp(self):
        host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none"}
        self.daemon = InstalledHikyakud(self.machine, {"smarthosts": [host]})
        self.addCleanup(self.daemon.discard)

    def wait(self, wanted):
        """The first mail whose subject holds the word."""
        return Arrived(self.catcher.wait(wanted=lambda mail: wanted in Arrived(mail).field("Subject")))

    def assert_is(self, letter, caller):
        arrived = self.wait(letter.subject)
        self.assertEqual(arrived.field("Subject"), letter.subject)
        self.assertEqual((arrived.sender, arrived.recipients), (caller.sender, [letter.to]))
        self.assertEqual(arrived.text().rstrip("\n"), TEXT.rstrip("\n"))
        if caller.attaches:
            self.assertEqual(arrived.data(), DATA)
        self.assertRegex(email.utils.parseaddr(arrived.field("From"))[1], r"\A[a-z]+@(app\.interop\.test|example\.com)\Z")
        self.assertEqual(email.utils.parseaddr(arrived.field("To"))[1], letter.to)

    def send(self, caller, number):
        letter = Letter(f"Grüße, 日本語 {number}", self.attachment)
        self.machine.run(caller.command(letter), TEXT.encode())
        return letter

    def test_every_caller_with_the_daemon_running(self):
        self.daemon.start()
        for number, caller in enumerate(callers(self.scripts)):
            with self.subTest(caller.name):
                self.assert_is(self.send(caller, number), caller)
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (0, []))

    def test_every_caller_with_the_daemon_stopped_and_started_later(self):
        sent = [(self.send(caller, number), caller) for number, caller in enumerate(callers(self.scripts))]
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (len(sent), []))
        self.daemon.start()
        for letter, caller in sent:
            with self.subTest(caller.name):
                self.assert_is(letter, caller)
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (0, []))


if __name__ == "__main__":
    main()
