# SPDX-License-Identifier: MIT
"""The truth that the daemon is held to: what was sent, what was acknowledged, what arrived and how often."""

import hashlib
import random
import threading
from collections import Counter

from rig_common.waiting import until

from .running import Failed

HEADER = b"X-Crash-Test: "


def mail_named(name, size):
    """A message that needs nothing added: what arrives must end with exactly these bytes."""
    lines = [f"X-Crash-Test: {name}", "From: <app@example.com>", "To: <you@example.net>",
             "Date: Sun, 22 Nov 2026 03:14:04 +0000", f"Message-ID: <{name}@crash-test.example.com>",
             "Subject: crash test", ""]
    noise = random.Random(name).randbytes(size // 2).hex()
    lines += [("." if at % 3 == 0 else "") + noise[at:at + 72] for at in range(0, len(noise), 72)]
    return "\r\n".join(lines).encode() + b"\r\n"


class Ledger:
    """One name for each mail. Used by the clients' and the smarthosts' threads."""

    def __init__(self, sent=None, acknowledged=()):
        self._lock = threading.Lock()
        self._sent = {} if sent is None else sent  # name -> (length, hash)
        self.acknowledged = set(acknowledged)
        self.arrived = Counter()  # (name, recipient) -> how often
        self.changed = []

    def write(self, name, size):
        content = mail_named(name, size)
        with self._lock:
            self._sent[name] = (len(content), hashlib.sha256(content).digest())
        return content

    def acknowledge(self, name):
        with self._lock:
            self.acknowledged.add(name)

    def arrive(self, content, recipients):
        name = next((line[len(HEADER):].decode() for line in content[:8192].split(b"\r\n") if line.startswith(HEADER)),
                    None)
        with self._lock:
            length, digest = self._sent.get(name, (0, b""))
            if length == 0 or hashlib.sha256(content[-length:]).digest() != digest:
                self.changed.append((name, content[:300]))
            self.arrived.update((name, recipient) for recipient in recipients)

    def names(self):
        """Of what has arrived."""
        with self._lock:
            return {name for name, _ in self.arrived}

    def missing(self):
        with self._lock:
            return self.acknowledged - {name for name, _ in self.arrived}

    def twice(self):
        with self._lock:
            return sorted(key for key, times in self.arrived.items() if times > 1)

    def fork(self):
        """What a power cut at this moment must leave: a ledger in which nothing has arrived yet."""
        return Ledger(self._sent, self.missing())

    def wait_for_all(self, patience):
        """Until everything acknowledged has arrived. Gives up when nothing has come for `patience` seconds."""
        while self.missing():
            before = self.arrived.total()
            until(lambda: self.arrived.total() > before or not self.missing(), patience,
                  lambda: f"{len(self.missing())} acknowledged mails are lost: {sorted(self.missing())[:5]}")
        self.judge()

    def wait_while_arriving(self, patience):
        """Like wait_for_all, but what has not come may come later."""
        try:
            self.wait_for_all(patience)
        except AssertionError:
            self.judge()

    def judge(self):
        if self.changed:
            raise Failed(f"{len(self.changed)} mails arrived changed: {self.changed[:2]}")
