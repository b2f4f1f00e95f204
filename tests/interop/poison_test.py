#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mails that a smarthost refuses in words that seem to be about all of ours, in real time: the others leave, these wait
and bounce nowhere, and the log says of each why it waits."""

from rig import Case, Catcher, main, until
from rig.messages import message

REFUSALS = {
    "address": ("rcpt", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked"),
    "ip": ("rcpt", '550 5.7.0 <"your ip "@x.test> rejected'),
    "limit": ("rcpt", "550 5.2.0 Sending quota exceeded"),
    "filter": ("message", "550 5.7.0 rejected as spam"),
    "password": ("message", "550 5.7.8 authentication failed"),
}
POISONED, ORDINARY = 20, 100


def refuse(stage, recipients):
    for name, (at, reply) in REFUSALS.items():
        if at == stage and recipients[0].startswith(name):
            return reply
    return None


class Poison(Case):
    def setUp(self):
        self.hikyakud({"port": self.catcher.port, "tls": "none"})
        self.daemon.submit(message("first"))
        self.daemon.wait_for("delivered")
        self.catcher.mails.clear()

    @classmethod
    def start_peers(cls):
        cls.catcher.refuse = refuse

    def check(self, name):
        """Poisoned mails before the others and among them."""
        mine = []
        for number in range(POISONED // 2):
            self.daemon.submit(message("poison"), f"p{number}@example.com", [f"{name}{number}@dest.example"])
        for number in range(ORDINARY):
            mine.append(f"you{number}@dest.example")
            self.daemon.submit(message("m"), f"s{number}@example.com", [mine[-1]])
            if number % 10 == 5:
                self.daemon.submit(message("poison"), f"q{number}@example.com", [f"{name}x{number}@dest.example"])
        until(lambda: len(self.catcher.mails) >= ORDINARY, 60, lambda: f"{len(self.catcher.mails)} have arrived")
        self.assertEqual(sorted(mail.recipients[0] for mail in self.catcher.mails), sorted(mine))
        refused = until(lambda: {event["to"] for event in self.daemon.events("deferred")}, 60, "deferred mail")
        until(lambda: len({event["to"] for event in self.daemon.events("deferred")}) == POISONED, 60, refused)
        for event in self.daemon.events("deferred"):
            self.assertIn("may concern all mail from here", event["diagnosis"])
            self.assertEqual(event["reply"], REFUSALS[name][1])
        self.assertEqual((self.daemon.events("failed"), self.daemon.events("notice")), ([], []))


def add_tests():
    for name in REFUSALS:
        setattr(Poison, f"test_mail_refused_for_an_alleged_{name}_does_not_keep_others", lambda self, name=name: self.check(name))


add_tests()
if __name__ == "__main__":
    main()
