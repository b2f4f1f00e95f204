#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One, two and four nodes that share a spool in one PostgreSQL, beside a spool on the disk and Postfix, by turns; how soon
the mail of a node that was killed goes on; and a great queue in the database. One line a result; README.md says how to read
them.

Exit code 1 if a message was lost or a goal is missed."""

import argparse
import functools
import os
import statistics
import sys
import time
from contextlib import closing

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import measuring
from bench import spread
from fleet_relay import Nodes
from measuring import Sink, place_for_a_run, run_load, running
from relays import RELAY_PORT, Hikyakud, Postfix
from rig import until
from rig_common.network import PROCESSES, enter_own_network

CONNECTIONS, MODE = 50, "reuse"
COUNTS = (1, 2, 4)
GOAL = 3  # times Postfix's rate of accepting, one node
GOAL_FOUR = 1  # of one node's rate
TAKEN_OVER_WITHIN = 5  # seconds, on top of lease and take-over
MEGA = 1e6
GOAL_MEMORY = 10 * MEGA  # bytes more with a great queue than with none
GOAL_CLAIM, ENOUGH_MS = 2, 10  # times as long, or so short for its 200 mails that it does not matter
SETTLED = 10  # seconds after which a node that was started has claimed what it wants
SUBJECTS = ("accept", "relay", "kill", "queue")


class Bench:
    def __init__(self, options):
        self.options, self.complaints = options, []

    def run(self):
        for subject in self.options.only:
            getattr(self, subject)()
        return self.complaints

    def accept(self):
        rates = self.compare("accept", measuring.accept, "recovered", "flushes")
        ratios = [one / theirs for one, theirs in zip(rates["nodes-1"], rates["postfix"])]
        self.note(statistics.median(ratios) >= GOAL, f"one node accepts {statistics.median(ratios):.1f} times as many messages "
                                                    f"a second as Postfix; the goal is {GOAL}")
        four = statistics.median(four / one for four, one in zip(rates["nodes-4"], rates["nodes-1"]))
        self.note(four >= GOAL_FOUR, f"four nodes accept {four:.2f} of what one does")

    def relay(self):
        self.compare("relay", measuring.relay, "arrived", "twice", 0)

    def compare(self, subject, measure, *sums_and_more):
        """Prints a line for each, and returns the rates by their names."""
        more = [word for word in sums_and_more if not isinstance(word, str)]
        sums = ["acknowledged", *(word for word in sums_and_more if isinstance(word, str))]
        makes = {"postfix": Postfix, "hikyaku": Hikyakud, **{f"nodes-{count}": functools.partial(Nodes, count=count)
                                                            for count in COUNTS}}
        runs = {name: [] for name in makes}
        for _ in range(self.options.rounds):
            for name, make in makes.items():
                runs[name].append(measure(make, CONNECTIONS, self.options.seconds, self.options.size, MODE, *more))
        for name, results in runs.items():
            ratios = [ours["rate"] / theirs["rate"] for ours, theirs in zip(results, runs["postfix"])]
            print(f"{subject} connections={CONNECTIONS} mode={MODE} relay={name}",
                  spread("msgs_per_s", [run["rate"] for run in results], 0),
                  *(f"{word}={sum(run[word] for run in results)}" for word in sums),
                  *([spread("ratio", ratios, 1)] if name != "postfix" else []), flush=True)
            out = sum(run.get("recovered", run.get("arrived")) for run in results)
            acknowledged = sum(run["acknowledged"] for run in results)
            self.note(out == acknowledged, f"{subject}: {name} acknowledged {acknowledged}, and {out} came out")
        return {name: [run["rate"] for run in results] for name, results in runs.items()}

    def kill(self):
        """Seconds from kill -9 of the node that has all the mail to the first and the last arrival by the other."""
        firsts, lasts = [], []
        for _ in range(self.options.rounds):
            with place_for_a_run() as place, running(Nodes, place, count=2) as nodes:
                first, other = nodes.nodes
                acknowledged = run_load(first.addresses, RELAY_PORT, 1, 1, self.options.size, MODE)["acknowledged"]
                with closing(Sink(place.address, 0)) as sink:
                    began = time.monotonic()
                    first.kill()
                    until(lambda: sink.counts()["different"], 120, other.log)
                    firsts.append(time.monotonic() - began)
                    arrived = sink.wait_for(acknowledged)
                    lasts.append(arrived["last"] - began)
                self.note(arrived["different"] >= acknowledged, f"kill: {acknowledged} acknowledged, and {arrived} came out")
        print(f"kill lease_s={Nodes.LEASE} takeover_s={Nodes.TAKEOVER} messages={acknowledged:.0f}",
              spread("first_s", firsts, 1), spread("last_s", lasts, 1), flush=True)
        self.note(max(firsts) <= Nodes.LEASE + Nodes.TAKEOVER + TAKEN_OVER_WITHIN, f"kill: the first after {max(firsts):.1f} s")

    def queue(self):
        """A node with a great queue in the database and with none: its memory, and how long a claim takes."""
        for state in ("due", "deferred"):
            (bare, quick), (great, slow) = [self.with_queue(queued, state) for queued in (0, self.options.queued)]
            print(f"queue queued={self.options.queued} state={state} resident_mb={great / MEGA:.1f} empty_mb={bare / MEGA:.1f}",
                  f"claim_ms={slow:.2f} empty_claim_ms={quick:.2f}", flush=True)
            self.note(great - bare <= GOAL_MEMORY, f"queue: {(great - bare) / MEGA:.1f} MB more with it")
            self.note(slow <= max(GOAL_CLAIM * quick, ENOUGH_MS), f"queue: a claim takes {slow:.2f} ms, not {quick:.2f}")

    def with_queue(self, queued, state):
        """The memory of a node that was started beside it, and the mean of its claims in milliseconds. Some mail is due in
        any case; the smarthost is absent."""
        with place_for_a_run() as place, running(Nodes, place, count=1) as nodes:
            run_load(nodes.addresses, RELAY_PORT, 1, 0.1, 200, MODE)
            nodes.stop()
            nodes.fill(queued if state == "due" else 0, "0 s")
            nodes.fill(queued if state == "deferred" else 0, "1 h")
            nodes.restart()
            until(lambda: nodes.claims() > 0, 60, nodes.log)
            time.sleep(SETTLED)
            return nodes.nodes[0].memory("VmRSS"), nodes.claim_ms()

    def note(self, is_well, complaint):
        if not is_well:
            self.complaints.append(complaint)


def main():
    parser = argparse.ArgumentParser(description="nodes that share a spool in PostgreSQL")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each run (3)")
    parser.add_argument("--size", type=int, default=2048, help="of a message in bytes (2048)")
    parser.add_argument("--queued", type=int, default=1_000_000, help="messages in the great queue (1000000)")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, help="what to measure (all)")
    options = parser.parse_args()
    enter_own_network(*PROCESSES)
    complaints = Bench(options).run()
    for complaint in complaints:
        print("FAILED", complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
