#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Postfix's smtp-sink with each of its faults as the smarthost, and then without: nothing is lost, nothing comes twice
but where the reply to the final dot was lost, and the log says in plain words what was wrong."""

import collections

from rig import Case, main, until
from rig.messages import message
from rig.smtp_sink import SmtpSink

LARGE = b"".join(b"%05d 0123456789 abcdefghijklmnopqrstuvwxyz .\r\n" % line for line in range(5000))
BODIES = [b"hello\r\n", b".\r\n..\r\n.a\r\n\r\n.\r\n", "grüße\r\n".encode(), LARGE]
BEFORE_LOG_IN = ["CONNECT", "EHLO"]
IN_TRANSACTION = ["MAIL", "RCPT", "DATA"]
NO_SUCH_USER, BUSY = "550 5.1.1 nobody of that name", "451 4.3.2 busy"


def recipients_of(number):
    return [f"{name}{number}@dest.example" for name in ("you", "her")]


CONTENT = {(recipient, body) for number, body in enumerate(BODIES) for recipient in recipients_of(number)}
RECIPIENTS = {recipient for recipient, _ in CONTENT}


class Faults(Case):
    """Each test has delivered a mail before, so that the smarthost is not suspected of being misconfigured."""

    def setUp(self):
        self.sink = SmtpSink(self.place)
        self.addCleanup(lambda: self.sink.stop())
        self.hikyakud({"port": SmtpSink.port, "tls": "none"}, queue={"retry": {"first": "1s", "max": "1s"}})
        self.daemon.submit(message("first"))
        self.daemon.wait_for("delivered")

    def exchange(self, *options):
        self.sink.stop()
        self.sink = SmtpSink(self.place, *options)

    def submit(self):
        for number, body in enumerate(BODIES):
            self.daemon.submit(message(f"m{number}", body), recipients=recipients_of(number))

    def events(self, name):
        """Those about our mails, not about notices of them."""
        return [event for event in self.daemon.events(name) if event["to"] in RECIPIENTS]

    def recipients(self, name):
        return {event["to"] for event in self.events(name)}

    def wait_for_all(self, name):
        until(lambda: self.recipients(name) == RECIPIENTS, 20, lambda: f"{name} for all recipients")
        return self.events(name)

    def fails_and_recovers(self, options, words, event="deferred"):
        """With the fault there is a line with these words; without it everything arrives."""
        self.exchange(*options)
        self.submit()
        line = self.daemon.wait_for(event)
        for word in words:
            self.assertIn(word, line.get("diagnosis", "") + line.get("text", ""))
        if event == "deferred":
            until(lambda: self.daemon.events("smarthost paused") or self.recipients(event) == RECIPIENTS, 20, event)
        self.assertEqual((self.events("delivered"), self.events("failed"), self.daemon.events("notice")), ([], [], []))
        self.recovers()

    def recovers(self):
        self.exchange()
        self.daemon.reload()
        self.wait_for_all("delivered")
        self.daemon.stop()
        self.assertEqual(self.sink.kept(), collections.Counter(CONTENT))
        self.assertEqual((len(self.events("delivered")), self.events("failed")), (len(CONTENT), []))
        self.assertEqual(self.daemon.events("notice"), [])

    def is_delivered(self, options):
        """No fault at all to us."""
        self.exchange(*options)
        self.submit()
        self.wait_for_all("delivered")
        self.daemon.stop()
        self.assertEqual(self.sink.kept(), collections.Counter(CONTENT))
        self.assertEqual((self.daemon.troubles(), len(self.events("delivered"))), ([], len(CONTENT)))

    def bounces(self, options, words):
        """Each recipient is given up once, its sender is told once a mail, and nothing is tried again."""
        self.exchange(*options)
        self.submit()
        for event in self.wait_for_all("failed"):
            self.assertIn(words, event["reply"])
        until(lambda: len(self.daemon.events("notice")) == len(BODIES), 20, "the notices")
        self.exchange()
        self.daemon.reload()
        self.daemon.submit(message("last"), recipients=["last@dest.example"])
        self.daemon.wait_for("delivered", to="last@dest.example")
        self.daemon.stop()
        self.assertEqual(len(self.events("failed")), len(CONTENT))
        self.assertEqual((self.events("delivered"), self.events("deferred")), ([], []))
        self.assertEqual(len(self.daemon.events("notice")), len(BODIES))

    def test_a_hang_up_after_the_dot_is_announced_as_a_possible_duplicate(self):
        self.fails_and_recovers(["-q", "."], ["it may have arrived, and may come twice"])

    def test_a_hang_up_at_quit_is_nothing(self):
        self.is_delivered(["-q", "QUIT"])


def add_tests():
    def add(name, method, *arguments):
        setattr(Faults, "test_" + name, lambda self: method(self, *arguments))

    now = ["takes no mail from here now", "it is tried again by itself"]
    for command in BEFORE_LOG_IN:
        add(f"a_soft_refusal_of_{command}", Faults.fails_and_recovers, ["-r", command], now, "smarthost paused")
        add(f"a_421_to_{command}", Faults.fails_and_recovers, ["-Q", command], now, "smarthost paused")
        add(f"a_hang_up_at_{command}", Faults.fails_and_recovers, ["-q", command], ["hung up"], "smarthost paused")
    add("a_hard_refusal_of_CONNECT", Faults.fails_and_recovers, ["-f", "CONNECT"], now, "smarthost paused")
    add("a_hard_refusal_of_EHLO_leaves_HELO", Faults.is_delivered, ["-f", "EHLO"])
    for command in IN_TRANSACTION:
        add(f"a_421_to_{command}", Faults.fails_and_recovers, ["-Q", command], now)
        add(f"a_hang_up_at_{command}", Faults.fails_and_recovers, ["-q", command], ["hung up without a reply", command])
    add("a_421_to_the_dot", Faults.fails_and_recovers, ["-Q", "."], now)
    for command in [*IN_TRANSACTION, "."]:
        name = "the_dot" if command == "." else command
        add(f"a_soft_refusal_of_{name}", Faults.fails_and_recovers, ["-r", command, "-b", BUSY], ["now", BUSY])
        add(f"a_hard_refusal_of_{name}", Faults.bounces, ["-f", command, "-B", NO_SUCH_USER], NO_SUCH_USER)
    add("a_refusal_amid_the_message", Faults.bounces, ["-A", "0"], "550 This violates SMTP")
    for name, options in {"without_esmtp": ["-e"], "behind_a_pix": ["-P"], "without_pipelining": ["-p"],
                          "without_8bitmime": ["-8"], "without_status_codes": ["-E"], "without_dsn": ["-N"],
                          "without_auth_and_the_rest": ["-a", "-C", "-F"], "one_connection_at_a_time": ["-m", "1"],
                          "with_a_small_window": ["-T", "1000"], "slow_to_read": ["-H", "1", "-T", "1000"],
                          "slow_to_answer_DATA": ["-w", "1"],
                          # Without -p it would answer what has come along with the dot before the dot.
                          "slow_to_answer_the_dot": ["-W", ".:1", "-p"]}.items():
        add(f"a_smarthost_{name}", Faults.is_delivered, options)


add_tests()
if __name__ == "__main__":
    main()
