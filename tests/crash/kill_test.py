#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the real daemon under load, in rounds, at moments that nobody has chosen.

Everything acknowledged with 250 must reach the smarthost after a restart, byte for byte below our own header lines;
nothing that arrives may be changed; a kill may duplicate at most one mail a connection to the smarthost.

Usage: kill_test.py PATH/TO/hikyakud [SEED]
"""
import random
import threading
import time

from rig import CONNECTIONS, Client, Daemon, Failed, Ledger, Place, Refused, Smarthost, main

ROUNDS = 5
CLIENTS = 6
LOAD_SECONDS = 24  # of all rounds together
PATIENCE = 25  # without any arrival
SIZES = (300, 2_000, 20_000)
LARGE, LARGE_SHARE = 1_500_000, 0.02


class Sender(threading.Thread):
    """Sends mail after mail, some on one connection, until the daemon is gone."""

    def __init__(self, port, label, ledger, seed):
        super().__init__(daemon=True)
        self._port, self._label, self._ledger = port, label, ledger
        self._dice = random.Random(f"{seed} {label}")
        self._count = 0
        self.problem = None

    def run(self):
        try:
            while True:
                with Client(self._port, self._ledger) as client:
                    for _ in range(self._dice.randint(1, 20)):
                        self._count += 1
                        client.send(f"{self._label}-{self._count}", self._size())
        except OSError:
            pass  # killed
        except Refused as refusal:
            self.problem = refusal if refusal.code else None  # without a code: killed

    def _size(self):
        return LARGE if self._dice.random() < LARGE_SHARE else self._dice.choice(SIZES)


def load_and_kill(daemon, ledger, number, seed):
    """One round: a daemon, clients, and a kill at a random moment."""
    daemon.start()
    senders = [Sender(daemon.port, f"r{number}c{i}", ledger, seed) for i in range(CLIENTS)]
    for sender in senders:
        sender.start()
    moment = random.Random(f"{seed} {number}").uniform(0.3, LOAD_SECONDS / ROUNDS)
    time.sleep(moment)
    daemon.kill()
    for sender in senders:
        sender.join(timeout=35)
        if sender.is_alive() or sender.problem:
            raise Failed(f"a client hangs, or was refused: {sender.problem}")


def judge(ledger):
    if not ledger.acknowledged:
        raise Failed("nothing was acknowledged")
    twice, most = len(ledger.twice()), ROUNDS * CONNECTIONS
    if twice > most:
        raise Failed(f"{twice} mails arrived twice, {most} at most may")
    print(f"{ROUNDS} kills, {len(ledger.acknowledged)} mails acknowledged, all arrived unchanged, "
          f"{len(ledger.names() - ledger.acknowledged)} more, {twice} twice")


def test(program, seed=""):
    seed = seed or str(random.randrange(10**9))
    print(f"seed {seed}", flush=True)
    ledger = Ledger()
    smarthost = Smarthost(ledger)
    with Place() as place, Daemon(program, place, "daemon", place.directory("spool"), smarthost) as daemon:
        for number in range(ROUNDS):
            load_and_kill(daemon, ledger, number, seed)
        daemon.start()
        ledger.wait_for_all(PATIENCE)
        daemon.stop()
    judge(ledger)
    return 0


main(test, __doc__)
