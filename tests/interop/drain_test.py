#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hikyaku drain`: two real daemons, one of which goes away. What clients and probes hear meanwhile; and many
mails that change hands while the one that is drained is killed again and again: each arrives once, but for what was under
way at a kill."""

import collections
import os
import random
import re
import signal
import smtplib
import subprocess
import threading

from rig import Case, Hikyakud, main, until
from rig.hikyakud import binary
from rig.messages import message

MANY = 100_000 if "HIKYAKU_LONG_TESTS" in os.environ else 1000
PATIENCE = 240 * MANY / 1000
KILLS = 5
CONNECTIONS = 4  # to the peer, as by default
UNDER_WAY = 2 * CONNECTIONS  # on each, one whose outcome is being written, and the next
SENDERS = 4


def subject(mail):
    return re.search(rb"^Subject: (.*)\r$", mail.content, re.MULTILINE)[1].decode()


class Frame(Case):
    def begin(self, port, **settings):
        """The one to be drained; its smarthost is `port` of our address, where 1 is nobody's."""
        self.run_hikyakud({"smarthosts": [self.smarthost_at(port)], **settings})

    def smarthost_at(self, port):
        return {"name": "main", "host": self.place.address, "port": port, "tls": "none", "auth": "none"}

    def begin_peer(self):
        """The other one, whose smarthost is the catcher."""
        peer = Hikyakud(self.place.part(), {"smarthosts": [self.smarthost_at(self.catcher.port)],
                                            "listen": [f"{self.place.address}:2526"]})
        self.addCleanup(peer.discard)
        self.peer = f"smtp://{self.place.address}:2526"
        return peer.start()

    def drain(self, *words):
        return subprocess.Popen([binary("hikyaku"), "drain", *words, "-c", self.daemon.config], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def hikyaku(self, *words):
        return subprocess.run([binary("hikyaku"), *words, "-c", self.daemon.config], capture_output=True, text=True,
                              check=False, timeout=120)

    def assert_refused(self):
        with self.assertRaises(smtplib.SMTPConnectError) as refused:
            self.daemon.submit(message("refused"))
        self.assertEqual(refused.exception.smtp_code, 421)


class Intake(Frame):
    def test_while_it_is_drained_nothing_is_taken_until_that_is_undone(self):
        self.begin(self.catcher.port)
        self.daemon.submit(message("before"))
        drained = self.drain()
        said = drained.communicate(timeout=120)
        self.assertEqual((drained.returncode, said[1]), (0, ""), said)
        self.assertIn("the queue is empty; no mail is taken until", said[0])
        self.assertEqual(subject(self.catcher.wait()), "before")
        self.assert_refused()
        ready = self.hikyaku("health", "--ready")
        self.assertEqual((ready.returncode, ready.stdout),
                         (1, "the daemon is being drained, and takes no mail; `hikyaku status` says why\n"))
        self.assertEqual(self.hikyaku("health", "--live").returncode, 0)
        self.assertIn("\ndrain          the queue is empty, and no mail is taken\n", self.hikyaku("status").stdout)
        self.assertEqual(self.hikyaku("drain", "--undo").returncode, 0)
        self.daemon.submit(message("after"))
        self.assertEqual(subject(self.catcher.wait()), "after")
        self.daemon.stop()

    def test_what_is_left_is_told_and_mail_is_taken_again(self):
        self.begin(1)
        self.daemon.submit(message("stays"))
        left = self.hikyaku("drain")
        self.assertEqual(left.returncode, 75, left.stderr)
        self.assertIn("1 mail is left besides what is held; the daemon takes mail again", left.stderr)
        self.daemon.submit(message("too"))
        self.assertEqual(self.hikyaku("queue", "hold", "--all").returncode, 0)
        held = self.hikyaku("drain")
        self.assertEqual(held.returncode, 75)
        self.assertEqual(len(re.findall(r"^hikyaku drain: [0-9a-z]{13} is held: release or remove it$", held.stderr, re.M)), 2,
                         held.stderr)
        self.daemon.stop()

    def test_ctrl_c_ends_it(self):
        self.begin(1)
        self.daemon.submit(message("stays"))
        drain = self.drain("--to", f"smtp://{self.place.address}:1")
        until(lambda: "handing over to" in self.hikyaku("status").stdout, 60, "the drain hands over")
        self.assert_refused()
        drain.send_signal(signal.SIGINT)
        said = drain.communicate(timeout=60)
        self.assertEqual(drain.returncode, 75, said)
        self.assertIn("interrupted: 1 mail is left", said[1])
        self.daemon.submit(message("again"))
        self.daemon.stop()


class Handover(Frame):
    def test_many_mails_change_hands_while_the_one_that_is_drained_is_killed(self):
        self.begin(1)
        self.begin_peer()
        self.send_all()
        arrived = self.catcher.mails
        moments = sorted(random.Random(17).sample(range(MANY // 20, MANY * 9 // 10), KILLS))
        for moment in moments:
            drain = self.drain("--to", self.peer)
            until(lambda moment=moment: len(arrived) >= moment, PATIENCE, lambda: f"{moment} mails; here are {len(arrived)}")
            self.daemon.crash()
            said = drain.communicate(timeout=120)
            self.assertIn(drain.returncode, (75, 69), said)
            self.daemon.start()
        drain = self.drain("--to", self.peer)
        said = drain.communicate(timeout=PATIENCE)
        self.assertEqual(drain.returncode, 0, said)
        until(lambda: len(set(map(subject, list(arrived)))) == MANY, PATIENCE, lambda: f"{len(arrived)} mails arrive")
        copies = collections.Counter(map(subject, list(arrived)))
        twice = sum(copies.values()) - MANY
        self.assertLessEqual(twice, KILLS * UNDER_WAY)
        self.assertEqual(self.hikyaku("queue", "--json").stdout, "")
        self.daemon.stop()

    def send_all(self):
        """In a few sessions at a time; all of it has been acknowledged when this returns."""
        senders = [threading.Thread(target=self.send_some, args=(first,)) for first in range(SENDERS)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        self.assertEqual(len(self.daemon.events("accepted")), MANY)

    def send_some(self, first):
        with smtplib.SMTP(self.place.address, self.daemon.port, "client.interop.test", timeout=60) as client:
            for number in range(first, MANY, SENDERS):
                client.sendmail("me@example.com", ["you@dest.example"], message(str(number)))


if __name__ == "__main__":
    main()
