#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several daemons and one spool in a real PostgreSQL: mail through any of them arrives once, whatever becomes of the one
that has taken it."""

import collections
import concurrent.futures
import json
import os
import shutil
import signal
import smtplib
import subprocess
import time

from rig import Case, Catcher, main, until
from rig.control import Control
from rig.hikyakud import UNPRIVILEGED, Hikyakud, binary
from rig.messages import message
from rig.postgresql import Postgresql
from rig.rotating_provider import RotatingProvider
from rig.schemas import Schemas

PORTS = {"left": 2525, "right": 2527}
NOWHERE = 9  # nobody listens there
LARGE = b"".join(b"%07d 0123456789 abcdefghijklmnopqrstuvwxyz 0123456789.\r\n" % line for line in range(20_000))
LEASE = {"lease": "2s", "takeover": "1s"}
PATIENT = {"lease": "10m", "takeover": "1h"}
MANY = 1_000_000 if os.environ.get("HIKYAKU_LONG_TESTS") else 100_000
MEMORY = 100 << 10  # KiB that a list of that many mails may take


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
        tables = ("mail", "piece", "node", "account", "request", "moved", "file")
        self.postgresql.ask("TRUNCATE " + ", ".join(f"hikyaku.{table}" for table in tables))

    def node(self, name, port, times=None, first="1s", **smarthost):
        """A running node whose smarthost is at that port."""
        part = self.place.part()
        settings = {"smarthosts": [self.trusting({"port": port, "tls": "none"} | smarthost)], "node": name,
                    "listen": [f"{self.place.address}:{PORTS[name]}"], "queue": {"retry": {"first": first, "max": first}},
                    "spool": {"directory": part.directory("hikyakud/spool", 0o711, 65534), "url": self.postgresql.url,
                              **(times or LEASE)}}
        daemon = Hikyakud(part, settings)
        daemon.port, daemon.settings = PORTS[name], settings
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

    def hikyaku(self, daemon, *words, code=0):
        done = subprocess.run([binary("hikyaku"), *words, "-c", daemon.config], capture_output=True, text=True, check=False,
                              timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr + daemon.log())
        return done.stdout + done.stderr

    def queue(self, daemon):
        """The mails as `hikyaku queue --json` has them, by id, each held against its schema."""
        lines = self.hikyaku(daemon, "queue", "--json").splitlines()
        return {mail["id"]: mail for mail in (Schemas().check("queue", line) for line in lines)}

    def status(self, daemon):
        return Schemas().check("status", self.hikyaku(daemon, "status", "--json", code=self.attention(daemon)))

    def counted_fleet(self, daemon, free):
        """What status says of the nodes, once it has counted that many mails that are nobody's: some seconds later."""
        fleet = self.status(daemon)["fleet"]
        return fleet if fleet["free"] == free else None

    def attention(self, daemon):
        return subprocess.run([binary("hikyaku"), "status", "-c", daemon.config], stdout=subprocess.DEVNULL, check=False,
                              timeout=60).returncode

    def two_nodes_with_mail(self):
        """left and right, and the ids of two mails of each."""
        nodes = [self.node(name, NOWHERE, PATIENT) for name in PORTS]
        for node in nodes:
            self.submit(node, 2)
        mails = self.queue(nodes[0])
        return (*nodes, *([id for id, mail in mails.items() if mail["node"] == name] for name in PORTS))

    def give_away(self, id, owner="NULL"):
        """What a node has that stops or dies."""
        self.postgresql.ask(f"UPDATE hikyaku.mail SET owner = {owner}, due = now() + interval '1 day' "
                            f"WHERE id = {number_of(id)}")

    def test_every_node_lists_the_mail_of_all(self):
        left, right, lefts, rights = self.two_nodes_with_mail()
        self.assertEqual((len(lefts), len(rights)), (2, 2))
        dead = self.postgresql.ask("INSERT INTO hikyaku.node (name, alive_until) VALUES ('gone', now() - interval '1 minute') "
                                   "RETURNING epoch")
        self.give_away(lefts[0])
        self.give_away(rights[0], dead)
        for daemon in (left, right):
            mails = self.queue(daemon)
            self.assertEqual([mails[id]["node"] for id in lefts + rights], [None, "left", "gone", "right"])
            self.assertEqual((mails[lefts[0]]["waits_for"], mails[rights[0]]["waits_for"]), ("time", "node"))
            self.assertIn("gone, which has it, has not been heard of", mails[rights[0]]["reason"])
            self.assertIsNotNone(mails[rights[0]]["next_attempt"])
            control = Control(f"{daemon.folder}/run/control.sock")
            told = control.lines("/v1/queue?format=lines")
            self.assertEqual({mail["id"]: mail["node"] for mail in told}, {id: mail["node"] for id, mail in mails.items()})
        text = self.hikyaku(left, "queue")
        self.assertIn(" NODE ", text)
        self.assertIn("4 mails", text)
        self.assertIn("nobody has it", self.hikyaku(left, "queue", "show", lefts[0]))
        self.assertIn("gone, which has not been heard of since", self.hikyaku(left, "queue", "show", rights[0]))
        self.assertIn("hello", self.hikyaku(left, "queue", "cat", rights[1]))
        self.assertIn("dest.example", self.hikyaku(left, "queue", "--by", "domain"))
        self.assertEqual(self.hikyaku(left, "queue", "--count", "--to", f"*{PORTS['right']}*"), "2\n")
        fleet = until(lambda: self.counted_fleet(left, 1), 60, lambda: self.hikyaku(left, "status"))
        self.assertEqual(fleet["mails"], 4)
        self.assertEqual({node["name"]: (node["mails"], node["away"], node["this"]) for node in fleet["nodes"]},
                         {"gone": (1, True, False), "left": (1, False, True), "right": (1, False, False)})
        metrics = Control(f"{left.folder}/run/control.sock").ask("GET", "/metrics")[1]
        for line in ('hikyaku_fleet_mails{node="right"} 1', 'hikyaku_fleet_node_away{node="gone"} 1',
                     "hikyaku_fleet_free_mails 1"):
            self.assertIn(line, metrics)
        words = self.hikyaku(left, "queue", "hold", rights[0], code=69)
        self.assertIn("it is gone's, which has not been heard of since", words)
        right.stop()
        right.pid_is_gone = True

    def test_mail_is_steered_from_any_node(self):
        left, right, lefts, rights = self.two_nodes_with_mail()
        self.assertIn("1 mail held", self.hikyaku(left, "queue", "hold", rights[0]))
        self.assertEqual(self.queue(right)[rights[0]]["state"], "held")
        right.wait_for("held", by="root at left")
        self.assertIn("held already", self.hikyaku(left, "queue", "hold", rights[0]))
        self.assertIn("is held", self.hikyaku(left, "queue", "retry", rights[0], code=69))
        self.hikyaku(left, "queue", "release", rights[0])
        self.assertNotEqual(self.queue(right)[rights[0]]["state"], "held")
        self.assertIn("is tried by the node that has it", self.hikyaku(left, "queue", "retry", rights[0]))
        self.hikyaku(left, "queue", "bounce", rights[0])
        self.hikyaku(left, "queue", "remove", rights[1])
        self.assertFalse({*rights} & {*self.queue(left)})
        right.wait_for("removed", by="root at left")
        self.give_away(lefts[0])  # behind the back of left, which finds out when it asks for it
        self.assertIn("1 mail held", self.hikyaku(right, "queue", "hold", lefts[0]))
        self.assertEqual(self.queue(right)[lefts[0]]["state"], "held")
        self.hikyaku(right, "queue", "remove", lefts[0])
        self.assertEqual(self.postgresql.ask("SELECT count(*) FROM hikyaku.request"), "0")
        self.hikyaku(right, "queue", "remove", "--all", "--yes")
        self.assertEqual(self.queue(right), {})

    def test_a_great_queue_is_listed_a_page_at_a_time(self):
        left = self.node("left", NOWHERE, PATIENT)
        self.submit(left, 1)
        self.postgresql.ask(f"""
            INSERT INTO hikyaku.mail (id, origin, due, size, pieces, checksum, envelope, content)
            SELECT 1099511627776 + n, 'right', now() + interval '1 day', size, 0, checksum, envelope, content
              FROM generate_series(1, {MANY}) AS n, (SELECT * FROM hikyaku.mail LIMIT 1) AS one""")
        self.postgresql.ask("VACUUM ANALYZE hikyaku.mail")
        began = time.monotonic()
        counted, memory = self.measured(left, "queue", "--count")
        self.assertEqual(int(counted), MANY + 1)
        self.assertLess(memory, MEMORY)
        self.assertLess(self.measured(left, "queue")[1], MEMORY)
        fleet = self.status(left)["fleet"]
        self.assertTrue(fleet["is_estimate"])
        self.assertGreater(fleet["free"], MANY * 0.9)
        plan = self.postgresql.ask("EXPLAIN SELECT FROM hikyaku.mail WHERE owner IS NULL ORDER BY due LIMIT 100000")
        self.assertIn("mail_free", plan)
        self.assertLess(time.monotonic() - began, 300)
        open_since = self.postgresql.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hikyaku' "
                                         "AND state LIKE 'idle in transaction%'")
        self.assertEqual(open_since, "0")

    def measured(self, daemon, *words):
        """What the command prints, and the most memory that it has had, in KiB."""
        cheap = os.environ | {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=1"}
        with subprocess.Popen([binary("hikyaku"), *words, "-c", daemon.config], stdout=subprocess.PIPE, text=True, env=cheap) as run:
            said = run.stdout.read()
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0, said)
        return said, usage.ru_maxrss

    def test_a_whole_queue_moves_into_the_database_and_back(self):
        left = self.node("left", NOWHERE, PATIENT)
        accepted = self.submit(left, 3)
        left.submit(message("large", LARGE))
        held = next(iter(self.queue(left)))
        self.hikyaku(left, "queue", "hold", held)
        left.stop()
        left.pid_is_gone = True
        self.assertIn("no damage", self.hikyaku(left, "spool", "check", self.postgresql.url))
        Schemas().check("spool-check", self.hikyaku(left, "spool", "check", "--json"))
        before = self.exported(left, "before", self.postgresql.url)
        self.assertEqual(len(before), 4)
        self.assertEqual(sorted(mail["state"] for mail in before), ["held", "queued", "queued", "queued"])
        self.assertIn("moved 4 mails", self.hikyaku(left, "spool", "move", self.postgresql.url, left.spool))
        self.assertEqual(self.queued(), 0)
        self.assertEqual(self.exported(left, "there", left.spool), before)
        words = self.hikyaku(left, "spool", "move", left.spool, self.postgresql.url)
        self.assertIn("moved 4 mails", words)
        self.assertEqual(self.exported(left, "after", self.postgresql.url), before)
        self.hikyaku(left, "queue", "--directory", left.spool, "--count")
        self.damage_one()
        self.assertIn("is damaged", self.hikyaku(left, "spool", "check", self.postgresql.url, code=65))
        self.postgresql.ask("UPDATE hikyaku.mail SET checksum = checksum - 1 WHERE pieces = 0 AND size < 1000")
        self.assertIn("moved 0 mails", self.hikyaku(left, "spool", "move", left.spool, self.postgresql.url))
        self.hikyaku(self.node("right", self.catcher.port, PATIENT), "queue", "release", "--all")
        self.wait_for(accepted + ["you@dest.example"])

    def test_a_move_that_is_killed_is_ended_by_the_next(self):
        left = self.node("left", NOWHERE, PATIENT)
        left.stop()
        left.pid_is_gone = True
        subprocess.run([*UNPRIVILEGED, self.place_program("fill_spool"), left.spool, "300"], check=True, timeout=120)
        there, back = (left.spool, self.postgresql.url), (self.postgresql.url, left.spool)
        for places, arrived in ((there, lambda: self.queued() > 20), (back, lambda: self.queued() < 280)):
            with subprocess.Popen([binary("hikyaku"), "spool", "move", *places], stdout=subprocess.PIPE) as move:
                until(arrived, 60, "some mail has moved")
                move.kill()
            self.assertIn("has not come to its end", self.refusal(left))
            self.assertIn("end that one first", self.hikyaku(left, "spool", "move", *reversed(places), code=69))
            self.assertIn("moved", self.hikyaku(left, "spool", "move", *places))
            self.assertEqual(self.queued(), 300 if places is there else 0)
            self.assertEqual(self.senders(left, places[1]), sorted(f"s{number}@example.com" for number in range(300)))

    def place_program(self, name):
        """A copy where an unprivileged user may go."""
        return shutil.copy(binary(name), self.place.join(name))

    def refusal(self, daemon):
        """Why it does not start."""
        run = subprocess.run(daemon._command(), capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, 78, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def senders(self, daemon, place):
        said = self.hikyaku(daemon, "queue", "--directory", place, "--json")
        return sorted(json.loads(line)["sender"] for line in said.splitlines())

    def damage_one(self):
        self.postgresql.ask("UPDATE hikyaku.mail SET checksum = checksum + 1 WHERE pieces = 0 AND size < 1000")

    def exported(self, daemon, name, place):
        """What is in each mail but for its id, in the order of what it was sent to."""
        target = f"{daemon.folder}/{name}"
        self.hikyaku(daemon, "spool", "--directory", place, "export", target)
        found = []
        for file in sorted(os.listdir(target)):
            if file.endswith(".json"):
                with open(f"{target}/{file}", encoding="utf-8") as envelope:
                    mail = json.load(envelope)
                with open(f"{target}/{file[:-5]}.eml", "rb") as content:
                    mail["content"] = content.read()
                mail["state"] = "held" if mail["state"] == "held" else "queued"  # the rest depends on who looks
                found.append({key: value for key, value in mail.items()
                              if key not in ("id", "node", "reason", "waits_for", "next_attempt")})
        shutil.rmtree(target)
        return sorted(found, key=lambda mail: (mail["recipients"][0]["address"], mail["size"]))

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
        # The tenth may be set aside by a node that has no mail any more.
        until(lambda: len(self.catcher.mails) >= 9, 60, lambda: f"9 mails, not {len(self.catcher.mails)}")
        until(lambda: any("used up by all nodes together" in node.log() for node in nodes), 30, "it is said why mail waits")
        self.kill(nodes[0])
        third = self.node("left", self.catcher.port, rate="10/h", connections=1)
        self.submit(third, 1)
        until(lambda: "`connections: 1` is less than the" in third.log(), 30, third.log)
        until(lambda: "used up by all nodes together" in third.log(), 30, third.log)
        self.assertLessEqual(len(self.catcher.mails), 10)

    def test_nodes_have_one_token_and_one_of_them_asks_for_the_next(self):
        provider = RotatingProvider(ttl=3)
        self.addCleanup(provider.close)
        login = {"user": "me@example.com",
                 "oauth": {"client_id": "client", "token_url": provider.url, "scope": "mail"}}
        nodes = [self.node(name, NOWHERE, **login) for name in PORTS]
        left, right = (Control(f"{node.folder}/run/control.sock") for node in nodes)
        self.assertEqual(left.ask("PUT", "/v1/oauth/main", json.dumps({"refresh_token": "refresh-0"}))[0], 200)
        until(lambda: provider.issued >= 5, 60, lambda: f"tokens are made anew: {provider.issued}")
        with concurrent.futures.ThreadPoolExecutor() as at_once:
            for _ in range(3):
                asked = [at_once.submit(each.ask, "POST", "/v1/oauth/main/refresh", "") for each in (left, right)]
                self.assertEqual([answer.result()[0] for answer in asked], [200, 200])
        nodes[0].stop()
        nodes[0].pid_is_gone = True
        issued = provider.issued
        until(lambda: provider.issued >= issued + 2, 60, "the other goes on")
        self.assertEqual((provider.is_dead, provider.most_at_once), (False, 1))
        told = right.ask("GET", "/v1/oauth")[1]
        self.assertEqual(json.loads(told)["smarthosts"][0]["consented"], True, told)
        for text in (told, nodes[0].log(), nodes[1].log()):
            self.assertNotIn("refresh-", text)
            self.assertNotIn("access-", text)

    def test_after_a_reload_deferred_mail_is_tried_at_once(self):
        busy = Catcher(self.place.address, refuse=lambda stage, recipients: "450 4.2.0 later" if stage == "rcpt" else None)
        self.addCleanup(busy.close)
        left = self.node("left", busy.port, first="1h")
        accepted = self.submit(left, 2)
        until(lambda: self.postgresql.ask("SELECT count(*) FROM hikyaku.mail WHERE owner IS NULL") == "2", 60,
              "what waits for an hour is nobody's")
        self.assertEqual({mail["node"] for mail in self.queue(left).values()}, {None})
        left.configure(left.settings | {"smarthosts": [self.trusting({"port": self.catcher.port, "tls": "none"})]})
        left.reload()
        self.wait_for(accepted)

    def test_while_the_database_is_away_clients_are_told_to_come_back(self):
        left = self.node("left", self.catcher.port)
        accepted = self.submit(left, 2)
        self.wait_for(accepted)
        self.postgresql.stop()
        with smtplib.SMTP(self.place.address, left.port, timeout=60) as client:
            with self.assertRaises(smtplib.SMTPDataError) as refused:
                client.sendmail("me@example.com", ["you@dest.example"], message("refused"))
            self.assertEqual(refused.exception.smtp_code, 451)
            self.assertEqual(client.noop()[0], 250)
        self.postgresql.start()
        until(lambda: left.events(text="the spool accepts new mail again"), 30, lambda: left.log())
        left.submit(message("again"), recipients=["again@dest.example"])
        self.wait_for(accepted + ["again@dest.example"])


def number_of(text):
    """An id as the tables have it: Crockford's base 32."""
    number = 0
    for digit in text:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return number


if __name__ == "__main__":
    main()
