#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that call sendmail(1), unchanged, on a machine where hikyaku is installed: what they send arrives while the
daemon runs, and when it was stopped and is started later."""

import email.utils
import shutil

from rig import main
from rig.callers import DATA, TEXT, Letter, callers
from rig.installed_case import InstalledCase
from rig.place import ROOT

SENDER = r"\A[a-z]+@(app\.interop\.test|example\.com)\Z"


class Callers(InstalledCase):
    @classmethod
    def start_peers(cls):
        super().start_peers()
        cls.callers = callers(shutil.copytree(f"{ROOT}/tests/interop/callers", cls.place.join("callers")))
        cls.attachment = f"{cls.machine.home}/data.bin"
        with open(cls.attachment, "wb") as file:
            file.write(DATA)

    def send(self, caller, number):
        letter = Letter(f"Grüße, 日本語 {number}.", self.attachment)
        self.machine.run(caller.command(letter), TEXT.encode())
        return letter

    def assert_arrives(self, letter, caller):
        arrived = self.wait(letter.subject)
        self.assertEqual(arrived.field("Subject"), letter.subject)
        self.assertEqual((arrived.sender, arrived.recipients), (caller.sender, [letter.to]))
        self.assertEqual(arrived.text().rstrip("\n"), TEXT.rstrip("\n"))
        self.assertEqual(arrived.data(), [DATA] if caller.attaches else [])
        self.assertRegex(email.utils.parseaddr(arrived.field("From"))[1], SENDER)
        self.assertEqual(email.utils.parseaddr(arrived.field("To"))[1], letter.to)
        self.assertIn("(from userid 1001, alice)", arrived.field("Received"))

    def test_every_caller_with_the_daemon_running(self):
        self.daemon.start()
        for number, caller in enumerate(self.callers):
            with self.subTest(caller.name):
                self.assert_arrives(self.send(caller, number), caller)
        self.assert_nothing_waits()

    def test_every_caller_with_the_daemon_stopped_and_started_later(self):
        sent = [(self.send(caller, number), caller) for number, caller in enumerate(self.callers)]
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (len(sent), []))
        self.daemon.start()
        for letter, caller in sent:
            with self.subTest(caller.name):
                self.assert_arrives(letter, caller)
        self.assert_nothing_waits()


if __name__ == "__main__":
    main()
