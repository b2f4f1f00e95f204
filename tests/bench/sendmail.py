#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendmail(1) of hikyaku beside Postfix's: from its start to its exit 0, which both give once the message is durable; in
turns, one line a result. README.md says how to read them.

Exit code 1 if a run failed, or the median is more than half of Postfix's."""

import argparse
import os
import statistics
import sys
import time
from contextlib import closing

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from measuring import Sink, place_for_a_run, running
from relays import Hikyakud, Postfix
from rig import until
from rig.hikyakud import binary

GOAL = 0.5
WARM_UP = 10  # runs of each before the first that counts


class Sender:
    """Runs one command again and again, with the same message as its input."""

    def __init__(self, name, command, environment, message):
        self.name, self._command, self._environment, self._message = name, command, environment, message
        self.seconds = []

    def run(self):
        """posix_spawn: nothing of this interpreter is in the time but a system call or two."""
        with open(self._message, "rb") as message:
            begun = time.perf_counter()
            child = os.posix_spawn(self._command[0], self._command, self._environment,
                                   file_actions=[(os.POSIX_SPAWN_DUP2, message.fileno(), 0)])
            _, status = os.waitpid(child, 0)
            ended = time.perf_counter()
        if status != 0:
            sys.exit(f"{' '.join(self._command)}: ended with {os.waitstatus_to_exitcode(status)}")
        self.seconds.append(ended - begun)

    def line(self):
        parts = statistics.quantiles(self.seconds, n=10)
        return (f"sendmail relay={self.name} runs={len(self.seconds)} median_ms={self.median() * 1000:.2f}"
                f"[{parts[0] * 1000:.2f}-{parts[-1] * 1000:.2f}]")

    def median(self):
        return statistics.median(self.seconds)


def ours(place, message, relay):
    settings = place.join("spool/sendmail.conf")
    until(lambda: os.path.exists(settings), 10, "hikyakud tells sendmail where it is")
    command = [binary("sendmail"), "-C", settings, "-i", "-f", "app@relay.example", "you@example.net"]
    return Sender(relay.name, command, {"PATH": "/usr/bin:/bin"}, message)


def theirs(message, relay):
    command = [relay.sendmail, "-C", f"{relay.here}/etc", "-i", "-f", "app@relay.example", "you@example.net"]
    return Sender(relay.name, command, {"PATH": "/usr/bin:/bin", **relay.environment}, message)


def measure(options):
    with place_for_a_run() as place, place_for_a_run() as other, closing(Sink(place.address, 0)):
        header = "From: <app@relay.example>\nTo: <you@example.net>\nSubject: bench\n\n"
        message = place.file("message", header + ("x" * 63 + "\n") * (options.size // 64))
        with running(Hikyakud, place) as hikyaku:
            own = ours(place, message, hikyaku)
            with running(lambda at: Postfix(at, port=2527), other) as postfix:
                senders = own, theirs(message, postfix)
                for _ in range(options.runs + WARM_UP):
                    for sender in senders:
                        sender.run()
    for sender in senders:
        del sender.seconds[:WARM_UP]
    return senders


def main():
    parser = argparse.ArgumentParser(description="hikyaku's sendmail beside Postfix's")
    parser.add_argument("--runs", type=int, default=200, help="of each (200)")
    parser.add_argument("--size", type=int, default=2048, help="of a message in bytes (2048)")
    own, other = measure(parser.parse_args())
    ratio = own.median() / other.median()
    print(other.line())
    print(own.line(), f"ratio={ratio:.2f}")
    if ratio > GOAL:
        print(f"FAILED sendmail takes {ratio:.2f} of Postfix's time; the goal is {GOAL}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
