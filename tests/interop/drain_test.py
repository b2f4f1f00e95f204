#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hikyaku drain`: two real daemons, one of which goes away. What clients and probes hear meanwhile; what the other knows
of a mail that has changed hands; and many mails that do while both daemons are killed again and again: each arrives once,
but for what was under way at a kill, whose 250 nobody has read."""

import collections
import itertools
import json
import os
import random
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time

from rig import Case, Catcher, Hikyakud, main, until
from rig.hikyakud import binary
from rig.messages import message

MANY = 100_000 if "HIKYAKU_LONG_TESTS" in os.environ else 1000
PATIENCE = 240 * MANY / 1000
KILLS = 5
CONNECTIONS = 4  # to the peer, and from the peer, as by default
# Mails that a kill may repeat: on each connection to a daemon or from it, one whose outcome is not written yet, and the next.
UNDER_WAY = 2 * 2 * CONNECTIONS
SENDERS = 4


def subject(mail):
    return re.search(rb"^Subject: (.*)\r$", mail.content, re.MULTILINE)[1].decode()


def recipients(mail):
    return [recipient["address"] for recipient in mail["recipients"]]


class Frame(Case):
    def begin(self, port, **settings):
        """The one to be drained; its smarthost is `port` of our address, where 1 is nobody's."""
        self.run_hikyakud({"smarthosts": [self.smarthost_at(port)], **settings})

    def smarthost_at(self, port):
        return {"name": "main", "host": self.place.address, "port": port, "tls": "none", "auth": "none"}

    def begin_peer(self, port=None, **settings):
        """The other one; its smarthost is the catcher, unless another port is given."""
        peer = Hikyakud(self.place.part(), self.signing({"smarthosts": [self.smarthost_at(port or self.catcher.port)],
                                                         "listen": [f"{self.place.address}:2526"], **settings}))
        peer.port = 2526
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
        self.assertIn("1 mail is left besides what is held (`hikyaku queue` says what for); the daemon takes mail again", left.stderr)
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


class Times(Frame):
    """What the peer's queue says of a mail that was tried in vain, and was handed over."""

    def move(self, **settings):
        """The mail as the one that was drained had it, and as the peer has it, whose smarthost is nobody's."""
        busy = Catcher(self.place.address, refuse=lambda stage, recipients: "450 4.2.0 later" if stage == "rcpt" else None)
        self.addCleanup(busy.close)
        self.begin(busy.port)
        peer = self.begin_peer(1, **settings)
        self.daemon.submit(message("moves"), recipients=["root@app.interop.test"])
        self.daemon.wait_for("deferred")
        before = self.the_mail_of(self.daemon)
        until(lambda: before["arrival_time"] != self.now(), 60, "the clock to go on")
        drained = self.hikyaku("drain", "--to", self.peer)
        self.assertEqual(drained.returncode, 0, drained.stderr)
        after = self.the_mail_of(peer)
        peer.submit(message("its own"), recipients=["root@app.interop.test"])
        queue = [json.loads(line) for line in peer.hikyaku("queue", "--json").splitlines()]
        own = next(mail for mail in queue if mail["id"] != after["id"])
        self.daemon.stop()
        return before, after, own

    @staticmethod
    def now():
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    @staticmethod
    def the_mail_of(daemon):
        return json.loads(daemon.hikyaku("queue", "--json"))

    def rewriting(self):
        aliases = self.place.file("aliases", "root: ops@dest.example\n")
        return {"aliases": aliases, "copy_to": "archive@dest.example", "masquerade": ["example.com"],
                "domain": "rewritten.example"}

    def test_a_peer_goes_on_with_arrival_and_attempts_and_changes_nothing(self):
        before, after, own = self.move(allow=[{"network": "127.0.0.0/8", "peer": True}], **self.rewriting())
        self.assertEqual(after["arrival_time"], before["arrival_time"])
        self.assertGreaterEqual(after["attempts"], 2)  # the first, and the drain's own round
        self.assertEqual((after["sender"], recipients(after)), ("me@example.com", ["root@app.interop.test"]))
        self.assertEqual(own["attempts"], 0)
        self.assertEqual((own["sender"], recipients(own)),
                         ("me@rewritten.example", ["ops@dest.example", "archive@dest.example"]))

    def test_to_a_daemon_that_does_not_name_it_the_mail_is_new(self):
        before, after, own = self.move(allow=["127.0.0.0/8"], **self.rewriting())
        self.assertGreater(after["arrival_time"], before["arrival_time"])
        self.assertEqual(after["attempts"], 0)
        self.assertEqual((after["sender"], recipients(after)), (own["sender"], recipients(own)))


class Handover(Frame):
    def test_many_mails_change_hands_while_both_daemons_are_killed(self):
        self.begin(1)
        peer = self.begin_peer(allow=[{"network": "127.0.0.0/8", "peer": True}])
        self.send_all()
        arrived = self.catcher.mails
        moments = sorted(random.Random(17).sample(range(MANY // 20, MANY * 3 // 4), KILLS))
        drain = self.drain("--to", self.peer)
        for moment, node in zip(moments, itertools.cycle((self.daemon, peer))):
            until(lambda moment=moment: len(arrived) >= moment, PATIENCE, lambda: f"{moment} mails; here are {len(arrived)}")
            node.crash()
            if node is self.daemon:
                said = drain.communicate(timeout=120)
                self.assertIn(drain.returncode, (0, 69, 75), said)  # 0: it was done before
            node.start()
            if node is self.daemon:
                drain = self.drain("--to", self.peer)
        said = drain.communicate(timeout=PATIENCE)
        self.assertEqual(drain.returncode, 0, said)
        until(lambda: len(set(map(subject, list(arrived)))) == MANY, PATIENCE, lambda: f"{len(arrived)} mails arrive")
        until(lambda: peer.hikyaku("queue", "--json") == "", PATIENCE, "the peer's queue is empty")
        self.assertEqual(self.hikyaku("queue", "--json").stdout, "")
        twice = sum(collections.Counter(map(subject, list(arrived))).values()) - MANY
        print(f"    {twice} of {MANY} mails came once more, after {KILLS} kills", file=sys.stderr)
        self.assertLessEqual(twice, KILLS * UNDER_WAY)
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
