#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several daemons and one spool in a real PostgreSQL: mail through any of them arrives once, whatever becomes of the one
that has taken it."""

import collections
import os
import signal
import smtplib
import subprocess

from rig import Case, main, until
from rig.hikyakud import Hikyakud, binary
from rig.messages import message
from rig.postgresql import Postgresql

PORTS = {"left": 2525, "right": 2527}
NOWHERE = 9  # nobody listens there
LARGE = b"".join(b"%07d 0123456789 abcdefghijklmnopqrstuvwxyz 0123456789.\r\n" % line for line in range(20_000))
LEASE = {"lease": "2s", "takeover": "1s"}


class Fleet(Case):
    """Each test has a database without mail, and two nodes."""

    @classmethod
    def start_peers(cls):
        cls.postgresql = Postgresql(cls.place)
        cls.addClassCleanup(lambda: cls.postgresql.end())
        cls.first_words, cls.second_words = cls.init(), cls.init()

    @classmethod
    def init(cls):
        return subprocess.run([binary("hikyaku"), "spool", "init", cls.postgresql.url], stdout=subprocess.PIPE, text=True,
                              timeout=120, check=True).stdout

    def setUp(self):
        self.postgresql.ask("TRUNCATE hikyaku.mail, hikyaku.piece, hikyaku.node, hikyaku.account")

    def node(self, name, port, times=None, **smarthost):
        """A running node whose smarthost is at that port."""
        part = self.place.part()
        settings = {"smarthosts": [self.trusting({"port": port, "tls": "none"} | smarthost)], "node": name,
                    "listen": [f"{self.place.address}:{PORTS[name]}"], "queue": {"retry": {"first": "1s", "max": "1s"}},
                    "spool": {"directory": part.directory("hikyakud/spool", 0o711, 65534), "url": self.postgresql.url,
                              **(times or LEASE)}}
        daemon = Hikyakud(part, settings)
        daemon.port = PORTS[name]
        self.addCleanup(lambda: daemon.pid_is_gone or daemon.discard())
        daemon.pid_is_gone = False
        self.daemon = daemon  # whose log is shown if the test fails
        return daemon.start()

    def kill(self, daemon):
        daemon.signal(signal.SIGKILL)
        daemon._process.kill()
        daemon.pid_is_gone = True

    def submit(self, daemon, count, body=b"hello\r\n"):
        """The recipients that are acknowledged."""
        recipients = [f"you{daemon.port}-{number}@dest.example" for number in range(count)]
        for recipient in recipients:
            daemon.submit(message(recipient, body), recipients=[recipient])
        return recipients

    def wait_for(self, recipients):
        """Until each has got its mail, and nothing is left; then: once."""
        until(lambda: {to for mail in self.catcher.mails for to in mail.recipients} >= set(recipients), 60,
              lambda: f"mail for all of {recipients} in:\n{self.daemon.log()}")
        until(lambda: self.queued() == 0, 60, "the database has no mail left")
        came = collections.Counter(to for mail in self.catcher.mails for to in mail.recipients)
        self.assertEqual(came, collections.Counter(recipients))

    def queued(self):
        return int(self.postgresql.ask("SELECT count(*) FROM hikyaku.mail"))

    def test_a_database_is_made_ready_once(self):
        self.assertIn("is ready for a shared spool", self.first_words)
        self.assertIn("already", self.second_words)

    def test_each_statement_does_what_the_simulated_database_takes_for_granted(self):
        run = subprocess.run([binary("database_cases")], env=os.environ | {"HIKYAKU_DATABASE": self.postgresql.url},
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_mail_through_either_node_arrives_once(self):
        nodes = [self.node(name, self.catcher.port) for name in PORTS]
        self.wait_for([to for node in nodes for to in self.submit(node, 10)])

    def test_a_large_body_arrives_as_it_was_sent(self):
        left = self.node("left", self.catcher.port)
        left.submit(message("large", LARGE))
        self.assertTrue(self.catcher.wait(60).content.endswith(LARGE))
        until(lambda: self.queued() == 0, 60, "the mail has ended")
        self.assertEqual(self.postgresql.ask("SELECT count(*) FROM hikyaku.piece"), "0")

    def test_the_mail_of_a_killed_node_goes_out_by_the_other(self):
        left = self.node("left", NOWHERE)
        accepted = self.submit(left, 20)
        self.node("right", self.catcher.port)
        self.kill(left)
        self.wait_for(accepted)

    def test_a_node_that_stops_hands_its_mail_over_at_once(self):
        hour = {"lease": "10m", "takeover": "1h"}
        left = self.node("left", NOWHERE, hour)
        self.node("right", self.catcher.port, hour)
        accepted = self.submit(left, 5)
        left.stop()
        left.pid_is_gone = True
        self.wait_for(accepted)

    def test_a_node_that_was_asleep_sends_nothing_that_others_have_sent(self):
        left = self.node("left", NOWHERE)
        accepted = self.submit(left, 5)
        left.signal(signal.SIGSTOP)
        right = self.node("right", self.catcher.port)
        self.wait_for(accepted)
        left.configure({"smarthosts": [self.trusting({"port": self.catcher.port, "tls": "none"})], "node": "left",
                        "listen": [f"{self.place.address}:{PORTS['left']}"],
                        "spool": {"directory": left.spool, "url": self.postgresql.url, **LEASE}})
        left.signal(signal.SIGCONT)
        left.reload()
        until(lambda: self.postgresql.ask("SELECT count(*) FROM hikyaku.node WHERE name = 'left'") == "1", 30,
              "the node is back")
        more = [to for node in (left, right) for to in self.submit(node, 3)]
        self.wait_for(accepted + more)

    def test_nodes_use_up_one_quota_and_divide_the_connections(self):
        nodes = [self.node(name, self.catcher.port, rate="10/h", connections=3) for name in PORTS]
        for node in nodes:
            until(lambda node=node: node.events(text="2 nodes share the spool: each has its part of `connections` and `rate`"), 30,
                  node.log)
            self.submit(node, 8)
        until(lambda: len(self.catcher.mails) == 10, 60, lambda: f"10 mails, not {len(self.catcher.mails)}")
        until(lambda: any("used up by all nodes together" in node.log() for node in nodes), 30, "it is said why mail waits")
        self.kill(nodes[0])
        third = self.node("left", self.catcher.port, rate="10/h", connections=1)
        self.submit(third, 1)
        until(lambda: "`connections: 1` is less than the" in third.log(), 30, third.log)
        until(lambda: "used up by all nodes together" in third.log(), 30, third.log)
        self.assertEqual(len(self.catcher.mails), 10)

    def test_while_the_database_is_away_clients_are_told_to_come_back(self):
        left = self.node("left", self.catcher.port)
        accepted = self.submit(left, 2)
        self.wait_for(accepted)
        self.postgresql.stop()
        with self.assertRaises(smtplib.SMTPException) as refused:
            self.submit(left, 1)
        self.assertIn("451", str(refused.exception))
        self.postgresql.start()
        until(lambda: left.events(text="the spool accepts new mail again"), 30, lambda: left.log())
        left.submit(message("again"), recipients=["again@dest.example"])
        self.wait_for(accepted + ["again@dest.example"])


if __name__ == "__main__":
    main()
