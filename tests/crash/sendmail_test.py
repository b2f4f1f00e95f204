#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail(1) against the real daemon that is stopped, started, and killed in the middle: a ledger of exit codes against
what arrived.

Exit 0 means that the mail arrives, 75 that it does not; there is no other. Nothing arrives twice but what was being
submitted at the moment of a kill (stored, and its 250 not heard), or sent to the smarthost then (one a connection).

Usage: sendmail_test.py PATH/TO/hikyakud PATH/TO/sendmail [HOW-MANY-AT-ONCE]
"""
import random
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rig import CONNECTIONS, Daemon, Failed, Place, Smarthost, main, until
from rig.copies import Copies
from rig.drops import drop_name, drop_of, leave
from rig.sendmail_program import SPOOL, Sendmail, left_in

PATIENCE = 60  # without any arrival
SIZES = (300, 2_000, 20_000, 3_000_000)  # the last goes through a draft
SHARES = (40, 40, 18, 2)
LEAST_KILLS, MOST_WAVES = 5, 20


class Submission:
    """One run of sendmail; its mail's only recipient is its name."""

    def __init__(self, sendmail, ledger, name, size):
        self.name, self._ledger = name, ledger
        content = ledger.write(name, size).replace(b"\r\n", b"\n")
        self.begun = time.monotonic()
        self._process = sendmail.start(content, "-i", "-f", "app@example.com", f"{name}@example.net")

    def wait(self):
        text, _ = self._process.communicate(timeout=300)
        self.ended, self.code = time.monotonic(), self._process.returncode
        if self.code == 0:
            self._ledger.acknowledge(self.name)
        elif self.code != 75:
            raise Failed(f"{self.name} ended with {self.code}: {text.strip()}")
        return self


class Story:
    def __init__(self, daemon, sendmail, ledger):
        self.daemon, self.sendmail, self.ledger = daemon, sendmail, ledger
        self.dice = random.Random(1)
        self.submissions, self.kills = [], []

    def submit(self, label, count):
        """All of them at once."""
        sizes = self.dice.choices(SIZES, SHARES, k=count)
        begun = [Submission(self.sendmail, self.ledger, f"{label}-{i}", size) for i, size in enumerate(sizes)]
        with ThreadPoolExecutor(max_workers=count) as threads:  # each sees its own end the moment it comes
            self.submissions += threads.map(Submission.wait, begun)

    def submit_safely(self, label, count):
        before = len(self.submissions)
        self.submit(label, count)
        unsafe = [one.name for one in self.submissions[before:] if one.code != 0]
        if unsafe:
            raise Failed(f"{len(unsafe)} mails were not taken: {unsafe[:5]}")

    def until_picked_up(self, seconds):
        until(lambda: not left_in("drop") and not left_in("taken"), seconds, lambda: f"left: {left_in('drop')[:5]}")

    def stopped_and_started(self):
        self.daemon.start()
        self.submit_safely("running", 10)
        self.daemon.stop()
        self.submit_safely("stopped", 30)
        if len(left_in("drop")) != 30:
            raise Failed(f"{len(left_in('drop'))} drops, 30 were left")
        self.daemon.start()
        self.until_picked_up(PATIENCE)
        self.ledger.wait_for_all(PATIENCE)
        if self.ledger.twice():
            raise Failed(f"arrived twice without any kill: {self.ledger.twice()[:5]}")

    def noticed_while_running(self):
        """What somebody leaves who has no socket, as in a container."""
        self.daemon.stop()
        name, content = drop_of(self.sendmail, self.ledger, "unwatched")
        self.daemon.start()
        leave(drop_name(1), content)
        until(lambda: name in self.ledger.names(), PATIENCE, "the drop is seen")
        self.until_picked_up(PATIENCE)

    def killed_in_the_middle(self, count):
        stop = threading.Event()
        killer = threading.Thread(target=self._kill_until, args=(stop,))
        killer.start()
        try:
            for wave in range(MOST_WAVES):
                self.submit(f"killed-{wave}", count)
                if len(self.kills) >= LEAST_KILLS:
                    break
        finally:
            stop.set()
            killer.join()
        self.until_picked_up(PATIENCE)
        self.ledger.wait_for_all(PATIENCE)

    def _kill_until(self, stop):
        while not stop.is_set():
            stop.wait(self.dice.uniform(0.1, 0.8))
            self.kills.append(time.monotonic())
            self.daemon.kill()
            stop.wait(self.dice.uniform(0, 0.3))
            self.daemon.start()

    def judge(self):
        unwanted = {one.name for one in self.submissions if one.code == 75} & self.ledger.names()
        if unwanted:
            raise Failed(f"exit 75, and yet it arrived: {sorted(unwanted)[:5]}")
        if left_in("refused"):
            raise Failed(f"refused: {left_in('refused')}")
        relayed = self.ledger.relayed_twice()
        if relayed > len(self.kills) * CONNECTIONS:
            raise Failed(f"{relayed} mails were relayed twice, {len(self.kills)} kills")
        twice = self.ledger.stored_twice()
        stored = [one for one in self.submissions if f"{one.name}@example.net" in twice]
        for one in stored:
            if not any(one.begun < kill < one.ended for kill in self.kills):
                raise Failed(f"{one.name} was stored twice, and no kill came between")
        self._tell(relayed, stored)

    def _tell(self, relayed, stored):
        taken = sum(one.code == 0 for one in self.submissions)
        print(f"{len(self.kills)} kills, {taken} runs of sendmail ended with 0 and all of their mails arrived unchanged, "
              f"{len(self.submissions) - taken} with 75 and none did; {len(stored)} stored twice, {relayed} relayed twice")


def test(hikyakud, sendmail_program, at_once="1000"):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    ledger = Copies()
    with Place() as place:
        sendmail = Sendmail(place, sendmail_program)
        with Daemon(hikyakud, place, "daemon", SPOOL, Smarthost(ledger)) as daemon:
            story = Story(daemon, sendmail, ledger)
            story.stopped_and_started()
            story.noticed_while_running()
            story.killed_in_the_middle(int(at_once))
            daemon.stop()
            story.judge()
    return 0


main(test, __doc__)
