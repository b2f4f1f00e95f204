#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mail server programs as the smarthost, each with a thousand mails in the queue when it lets the daemon in: it takes
what travels together without a word of complaint, every mail once, as it was sent. Some that offer CHUNKING do so a second
time with it hidden from the daemon, and get the next mail's commands with the final dot."""

import collections
import functools
import re
import smtplib
import threading

from rig import Case, main, until
from rig.case import SMARTHOST
from rig.credentials import netrc
from rig.exim import Exim
from rig.gate import Gate
from rig.haraka import Haraka
from rig.messages import message
from rig.opensmtpd import OpenSmtpd
from rig.postfix_smarthost import PostfixSmarthost
from rig.probe import Prober
from rig.sendmail_server import Sendmail
from rig.submission import Submission

REFUSAL = "command pipelined after end of DATA - refused"
FAILS_WITH_IT = "the smarthost offers PIPELINING but fails with it; until the next reload it gets one command at a time"
COUNT, CLIENTS, CONNECTIONS = 1000, 4, 4
BODIES = [b"hello\r\n", b".\r\n..\r\n...\r\n.a\r\n\r\n.\r\nQUIT\r\n",
          "grüße, 日本語\r\n".encode() + bytes(range(128, 256)) + b"\r\n", b"x" * 998 + b"\r\n." + b"y" * 997 + b"\r\n",
          b"".join(b"%05d 0123456789 abcdefghijklmnopqrstuvwxyz .\r\n" % line for line in range(2000)), b""]


class Sent:
    """The mail with this number. Every third has several recipients."""

    def __init__(self, number):
        self.body = BODIES[number % len(BODIES)]
        self.recipients = [f"{name}{number}@dest.example" for name in ("you", "her", "him")[:1 + 2 * (number % 3 == 0)]]
        self.content = message(f"m{number}", self.body)


class Pipelining(Case):
    def relay(self, server, hide_chunking=False):
        self.smarthost = server(self.place, self.catcher)
        self.addCleanup(self.smarthost.stop)
        gate = Gate(self.place.address, self.smarthost.port, hide_chunking)
        self.addCleanup(gate.close)
        daemon = self.hikyakud({"port": gate.port, "tls": "none", "allow_plaintext_auth": True,
                                "connections": CONNECTIONS}, netrc(SMARTHOST) if server is Submission else "")
        sent = [Sent(number) for number in range(COUNT)]
        self.submit_all(sent)
        gate.open()
        self.check_mails(sent)
        until(lambda: self.smarthost.accepted() >= COUNT, 20, "the last line of the smarthost's log")
        self.assertRegex(daemon.check(), r"addresses +mail from <root@app\.interop\.test> .* is accepted\n")
        self.probe(server)
        daemon.stop()
        self.smarthost.stop()
        self.assertEqual((self.smarthost.accepted(), self.catcher.mails), (COUNT, []))
        self.assertGreater(gate.connections, 1)
        return gate

    def probe(self, server):
        """All of them speak clear text; where one offers a log-in in it, that is no way in."""
        offers_login = server in (Submission, Sendmail)
        found = Prober(self.place, self.authority).finds(f"{SMARTHOST}:{self.smarthost.port}", returncode=int(offers_login))
        port = found["hosts"][0]["ports"][0]
        self.assertEqual((port["opening"], port["tls"], bool(port["greeting"])), ("clear", None, True))
        self.assertEqual(bool(port["in_clear"]["mechanisms"]), offers_login)
        if offers_login:
            self.assertEqual(port["trouble"]["kind"], "plaintext_auth_not_allowed")
        else:
            self.assertEqual(found["recommended"]["yaml"], f"smarthost: smtp://{SMARTHOST}:{self.smarthost.port}\n")

    def submit_all(self, sent):
        def submit(part):
            with smtplib.SMTP(self.place.address, self.daemon.port, "client.interop.test", timeout=60) as client:
                for mail in part:
                    client.sendmail("me@example.com", mail.recipients, mail.content)
        clients = [threading.Thread(target=submit, args=(sent[number::CLIENTS],)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(len(self.daemon.events("accepted")), len(sent))

    def check_mails(self, sent):
        """A smarthost may hand a mail's recipients on apart."""
        expected = {recipient: mail for mail in sent for recipient in mail.recipients}
        arrived = collections.Counter()
        while arrived.total() < len(expected):
            mail = self.catcher.wait()
            arrived.update(mail.recipients)
            for recipient in mail.recipients:
                self.assertEqual(mail.content.partition(b"\r\n\r\n")[2], expected[recipient].body, recipient)
        self.assertEqual(arrived, collections.Counter(expected.keys()))

    def test_haraka_takes_nothing_with_the_dot_and_is_asked_no_more(self):
        """It answers 503 to whatever has come along, on purpose, though it offers PIPELINING. No mail waits for that."""
        self.relay(Haraka)
        refusals = [line for line in self.smarthost.complaints() if re.search(REFUSAL, line)]
        self.assertIn(len(refusals), range(1, CONNECTIONS + 1))
        self.assertEqual(self.smarthost.complaints(), refusals)
        self.assertEqual([event.get("text") for event in self.daemon.troubles()], [FAILS_WITH_IT])

    def test_opensmtpd_offers_nothing_and_gets_one_command_at_a_time(self):
        gate = self.relay(OpenSmtpd)
        self.check_logs()
        self.assertEqual((gate.pipelined, gate.chunked), (0, 0))

    def takes_chunks(self, server):
        gate = self.relay(server)
        self.check_logs()
        self.assertGreater(gate.chunked, COUNT / 2)

    def takes_commands_with_the_dot(self, server):
        gate = self.relay(server, hide_chunking=True)
        self.check_logs()
        self.assertGreater(gate.pipelined, COUNT / 2)

    def check_logs(self):
        self.assertEqual(self.smarthost.complaints(), [])
        self.assertEqual(self.daemon.troubles(), [])


def add_tests():
    for server in (PostfixSmarthost, Exim, Submission):
        setattr(Pipelining, f"test_{server.__name__.lower()}_takes_chunks", functools.partialmethod(
            Pipelining.takes_chunks, server))
    for server in (PostfixSmarthost, Exim, Sendmail):
        setattr(Pipelining, f"test_{server.__name__.lower()}_takes_commands_with_the_dot", functools.partialmethod(
            Pipelining.takes_commands_with_the_dot, server))


add_tests()
if __name__ == "__main__":
    main()
