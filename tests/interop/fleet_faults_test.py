#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three daemons, a PostgreSQL and its synchronous standby, each on a machine of its own, while one after another is killed,
frozen, cut off, filled up or lost for good, in an order that a seed ($HIKYAKU_SEED) gives: whatever was acknowledged
arrives, or its bounce does; and little comes more than once."""

import contextlib
import os
import random
import signal
import smtplib
import sys
import threading
import time
import unittest

from rig import Case, main, until
from rig.fleet import Crowd, Fleet, Ledger
from rig.messages import message
from rig_common.network import PROCESSES

IS_LONG = "HIKYAKU_LONG_TESTS" in os.environ
MAILS, FAULTS = (100_000, 200) if IS_LONG else (5000, 12)
SEED = int(os.environ.get("HIKYAKU_SEED", "18"))
TIMES = {"lease": "1s", "takeover": "1s"}
CLIENTS = 6
PATIENCE = 600  # seconds, for each single thing that is waited for
SOME = 30  # mails that pass while a fault lasts
CONNECTIONS = 4  # of each node to the smarthost, as by default
# Mails that may come again when a node loses its outcomes: on each connection one whose outcome is not written yet, and the next.
UNDER_WAY = 2 * CONNECTIONS


class FleetFaults(Case):
    signs = ()  # what is sent is looked at by its number

    @classmethod
    def start_peers(cls):
        cls.fleet = Fleet(cls.place, TIMES)
        cls.addClassCleanup(cls.fleet.kill)

    def setUp(self):
        self.daemon = self.fleet  # whose log is shown if the test fails

    def test_a_commit_that_only_the_primary_has_is_not_acknowledged(self):
        """Neither the first time nor when it is asked for again, since its session was ended."""
        database, cable = self.fleet.database, self.fleet.switches["database"]
        waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%INTO hikyaku.mail %'"
        answers = []
        self.fleet.standby.machine.pull(cable)
        client = threading.Thread(target=lambda: answers.append(self.hand_in(self.fleet.nodes[0])))
        client.start()
        until(lambda: database.ask(f"SELECT count(*) {waiting}") == "1", PATIENCE, "the commit waits for the standby")
        database.ask(f"SELECT pg_terminate_backend(pid) {waiting}")
        until(lambda: answers or database.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND "
                                              "query LIKE '%logical_emit_message%'") == "1", PATIENCE, "it waits again")
        self.assertNotEqual(answers, [250])
        self.fleet.standby.machine.plug(cable)
        client.join()
        until(lambda: self.fleet.queued() == 0, PATIENCE, "it is delivered")
        self.fleet.catcher.mails.clear()

    @unittest.skipUnless(IS_LONG, "connections must time out")
    def test_a_primary_that_is_silent_is_left_for_its_standby(self):
        """As a machine that has lost its power, in another network: nothing says that it is gone."""
        lost, cable = self.fleet.database, self.fleet.switches["database"]
        lost.machine.pull(cable)
        for node in self.fleet.nodes:
            node.machine.run("ip", "neighbour", "replace", lost.address, "lladdr", "02:00:00:00:00:01", "dev", cable.name, "nud",
                             "permanent")
        self.fleet.fail_over()
        for node in self.fleet.nodes:
            until(lambda node=node: self.hand_in(node) == 250, PATIENCE, node.log)
        until(lambda: self.fleet.queued() == 0, PATIENCE, "all is delivered")
        for node in self.fleet.nodes:
            node.machine.run("ip", "neighbour", "delete", lost.address, "dev", cable.name)
        self.fleet.catcher.mails.clear()

    @staticmethod
    def hand_in(node):
        try:
            node.submit(message("once"))
            return 250
        except smtplib.SMTPException:
            return 451

    def test_nothing_is_lost_and_little_comes_twice_whatever_fails(self):
        self.begun = time.monotonic()
        print(f"    HIKYAKU_SEED={SEED}", file=sys.stderr)
        self.dice, self.cut_off = random.Random(SEED), 0
        self.crowd = Crowd(self.fleet.nodes, CLIENTS, self.dice)
        for moment, fault in zip(self.moments(), self.faults()):
            self.pass_mails(moment)
            self.crowd.allow(moment + SOME)
            self.say(f"{fault.__name__} begins")
            fault()
        self.pass_mails(MAILS)
        self.crowd.end()
        self.say("all is acknowledged")
        until(lambda: self.fleet.queued() == 0, PATIENCE, lambda: f"{self.fleet.queued()} mails leave the database")
        self.say("all is delivered")
        self.fleet.end()
        self.judge(Ledger(self.fleet.catcher.mails))

    def say(self, what):
        print(f"    {time.monotonic() - self.begun:5.1f} s, {len(self.crowd.acknowledged)} mails: {what}", file=sys.stderr)

    def moments(self):
        """How many mails are acknowledged when the next fault comes: one in each part of the whole."""
        return [int((part + self.dice.random()) * MAILS / FAULTS) for part in range(FAULTS)]

    def faults(self):
        """Each kind once at least."""
        kinds = [self.kill_a_node, self.freeze_a_node, self.cut_off_from_the_database, self.cut_off_from_the_smarthost,
                 self.crash_the_database, self.end_all_sessions, self.fill_a_disk, self.fail_over, self.restart_everything]
        faults = [*kinds, *self.dice.choices(kinds, k=FAULTS - len(kinds))]
        self.dice.shuffle(faults)
        return faults

    def pass_mails(self, count):
        self.crowd.allow(count)
        until(lambda: len(self.crowd.acknowledged) >= count, PATIENCE, lambda: f"{count} mails are acknowledged")

    def while_mails_pass(self, condition, what):
        """Until it holds, with as many mails as that takes."""
        def holds():
            self.crowd.allow(len(self.crowd.acknowledged) + SOME)
            return condition()
        until(holds, PATIENCE, what)

    # ---- the faults; each ends when all is well again, or will be by itself

    def any_node(self):
        self.cut_off += 1
        return self.dice.choice(self.fleet.nodes)

    def kill_a_node(self):
        node = self.any_node()
        node.crash()
        node.start()

    def freeze_a_node(self):
        node = self.any_node()
        node.signal(signal.SIGSTOP)
        self.wait_until_taken_over(node)
        node.signal(signal.SIGCONT)

    def cut_off_from_the_database(self):
        node = self.any_node()
        with self.cable_pulled(node, "database"):
            self.wait_until_taken_over(node)

    def cut_off_from_the_smarthost(self):
        node = self.any_node()
        with self.cable_pulled(node, "smarthost"):
            before = self.crowd.acknowledged_by[node]
            self.while_mails_pass(lambda: self.crowd.acknowledged_by[node] >= before + SOME, f"{node.name} takes mail")

    def crash_the_database(self):
        """Shorter than a lease, or longer than all."""
        self.cut_off += len(self.fleet.nodes)
        self.fleet.database.stop()
        time.sleep(self.dice.choice((0, 2)))
        self.fleet.database.start()

    def end_all_sessions(self):
        """The standby's, too."""
        self.fleet.database.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                                "AND backend_type IN ('client backend', 'walsender')")

    def fill_a_disk(self):
        database, disk = self.fleet.database, self.dice.choice(("data", "wal"))
        self.cut_off += len(self.fleet.nodes)
        before = self.crowd.refused
        database.fill(disk)
        self.while_mails_pass(lambda: self.crowd.refused > before or not database.runs(), "a full disk is noticed")
        database.empty(disk)
        if not database.is_well():
            database.stop()
            database.start()

    def fail_over(self):
        self.cut_off += len(self.fleet.nodes)
        self.fleet.fail_over()

    def restart_everything(self):
        self.cut_off += len(self.fleet.nodes)
        for node in self.fleet.nodes:
            node.crash()
        self.fleet.database.stop()
        self.fleet.database.start()
        for node in self.fleet.nodes:
            node.start()

    @contextlib.contextmanager
    def cable_pulled(self, node, switch):
        node.machine.pull(self.fleet.switches[switch])
        yield
        node.machine.plug(self.fleet.switches[switch])

    def wait_until_taken_over(self, node):
        """Until the node is declared dead, and what it had is others' or has left."""
        ask = self.fleet.database.ask
        epoch = ask(f"SELECT coalesce(max(epoch), 0) FROM hikyaku.node WHERE name = '{node.name}'")  # 0: it is dead already
        had = ask(f"SELECT coalesce(array_agg(id), ARRAY[]::bigint[]) FROM hikyaku.mail WHERE owner = {epoch}")
        left = (f"SELECT (SELECT count(*) FROM hikyaku.node WHERE epoch = {epoch}) + (SELECT count(*) FROM hikyaku.mail "
                f"WHERE id = ANY('{had}') AND coalesce(owner, {epoch}) = {epoch})")
        self.while_mails_pass(lambda: ask(left) == "0", f"the mail of {node.name} is taken over")

    # ---- what has become of it all

    def judge(self, ledger):
        lost = self.crowd.acknowledged - ledger.accounted_for()
        self.assertEqual(lost, set())
        twice = sum(ledger.came.values()) - len(ledger.came)
        notices = sum(sum(each.values()) - len(each) for each in ledger.notices.values())
        different = {number: each for number, each in ledger.notices.items() if len(each) > 1}
        print(f"    {len(self.crowd.acknowledged)} mails acknowledged, {self.crowd.refused} not; {twice} came twice, {notices} "
              f"notices, too; {len(different)} had two notices; nodes were cut off {self.cut_off} times", file=sys.stderr)
        self.assertLessEqual(twice + notices, self.cut_off * UNDER_WAY)
        self.assertEqual(different, {})  # a notice and the end of its mail are one transaction
        self.assertFalse(ledger.came.keys() & ledger.notices.keys())


if __name__ == "__main__":
    main(*PROCESSES)
