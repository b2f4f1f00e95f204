#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hikyaku beside Postfix, on the same work, in turns; one line a result. README.md says how to read them.

Exit code 1 if a message was lost, signing costs more than it should, hikyaku accepts less than five times as many messages a second as Postfix, or delivers
to the recipients' own servers less than three times as many."""

import argparse
import functools
import os
import statistics
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import measuring
from relays import Hikyakud, Postfix
from rig_common.network import enter_own_network

GOAL = 5
GOAL_CONNECTIONS = 10
DESTINATIONS_GOAL = 3
DESTINATIONS = 100
ACCEPT_CONNECTIONS = (1, 10, 50)
RELAY_CONNECTIONS = 10
DELAYS_MS = (0, 20)
# By the delay of each reply: how much of the load's time is enough, and the goals.
SIGNING_SECONDS = {0: 1, 50: 1 / 3}
SIGNING_ADDS, SIGNING_ADDS_DELAY = 1.0, 0  # seconds of a processor for 1,000 messages
SIGNING_KEEPS, SIGNING_KEEPS_DELAY = 0.95, 50  # of the rate without signatures
SUBJECTS = ("accept", "relay", "signing", "destinations")


class Bench:
    def __init__(self, options):
        self.options, self.complaints = options, []

    def run(self):
        if "accept" in self.options.only:
            for connections in ACCEPT_CONNECTIONS:
                self.direct(connections)
                self.accept(connections)
        if "relay" in self.options.only:
            for delay in DELAYS_MS:
                self.relay(delay)
        if "signing" in self.options.only:
            for delay in SIGNING_SECONDS:
                self.signing(delay)
        if "destinations" in self.options.only:
            self.destinations(DESTINATIONS)
        return self.complaints

    def direct(self, connections):
        """What the load and the smarthost can do without a relay between them: above it, nothing is measured."""
        options = self.options
        rates = [measuring.direct(connections, options.seconds, options.size, options.mode)
                 for _ in range(options.rounds)]
        print(f"direct connections={connections} mode={options.mode}", spread("msgs_per_s", rates, 0), flush=True)

    def accept(self, connections):
        title = f"accept connections={connections} mode={self.options.mode}"
        ratio = self.compare(title, measuring.accept, connections, ("acknowledged", "flushes", "recovered"))
        if connections == GOAL_CONNECTIONS:
            self.note_goal(title, ratio, GOAL)

    def relay(self, delay):
        title = f"relay connections={RELAY_CONNECTIONS} mode={self.options.mode} delay_ms={delay}"
        self.compare(title, measuring.relay, RELAY_CONNECTIONS, ("acknowledged", "arrived", "twice"), delay)

    def signing(self, delay):
        """hikyaku beside itself: without keys, and with one of RSA-2048 that signs each message."""
        options, runs = self.options, {"no": [], "yes": []}
        for _ in range(options.rounds):
            for signed, results in runs.items():
                relay = functools.partial(Hikyakud, signs=signed == "yes")
                results.append(measuring.signing(relay, RELAY_CONNECTIONS, options.seconds * SIGNING_SECONDS[delay],
                                                 options.size, options.mode, delay))
        ratios = [yes["rate"] / no["rate"] for no, yes in zip(runs["no"], runs["yes"])]
        added = [yes["processor"] - no["processor"] for no, yes in zip(runs["no"], runs["yes"])]
        title = f"signing connections={RELAY_CONNECTIONS} mode={options.mode} delay_ms={delay}"
        for signed, results in runs.items():
            print(title, f"signed={signed}", spread("msgs_per_s", [run["rate"] for run in results], 0),
                  spread("processor_s_per_1000", [run["processor"] for run in results], 2),
                  *([spread("ratio", ratios, 2), spread("added_s_per_1000", added, 2)] if signed == "yes" else []),
                  flush=True)
            self.note_losses(title, f"hikyaku, signed={signed},", results)
        self.note_signing(title, delay, statistics.median(ratios), statistics.median(added))

    def note_signing(self, title, delay, ratio, added):
        if delay == SIGNING_KEEPS_DELAY and ratio < SIGNING_KEEPS:
            self.complaints.append(f"{title}: {ratio:.2f} times the rate without signatures; the goal is {SIGNING_KEEPS}")
        if delay == SIGNING_ADDS_DELAY and added > SIGNING_ADDS:
            self.complaints.append(f"{title}: signing 1,000 messages takes {added:.2f} s of a processor; the goal is "
                                   f"{SIGNING_ADDS}")

    def destinations(self, count):
        title = f"destinations connections={RELAY_CONNECTIONS} mode={self.options.mode} domains={count}"
        sums = "acknowledged", "arrived", "twice", "sessions"
        self.note_goal(title, self.compare(title, measuring.destinations, RELAY_CONNECTIONS, sums, count), DESTINATIONS_GOAL)

    def compare(self, title, measure, connections, sums, *more):
        """Prints a line for each relay; the ratio of their rates is the median of the rounds' ratios."""
        options = self.options
        runs = {Postfix: [], Hikyakud: []}
        for _ in range(options.rounds):
            for make_relay, results in runs.items():
                results.append(measure(make_relay, connections, options.seconds, options.size, options.mode, *more))
        ratios = [ours["rate"] / theirs["rate"] for ours, theirs in zip(runs[Hikyakud], runs[Postfix])]
        for make_relay, results in runs.items():
            print(title, f"relay={make_relay.name}", spread("msgs_per_s", [run["rate"] for run in results], 0),
                  *(f"{name}={sum(run[name] for run in results)}" for name in sums),
                  *([spread("ratio", ratios, 1)] if make_relay is Hikyakud else []), flush=True)
            self.note_losses(title, make_relay.name, results)
        return statistics.median(ratios)

    def note_goal(self, title, ratio, goal):
        if ratio < goal:
            self.complaints.append(f"{title}: {ratio:.1f} times Postfix's rate; the goal is {goal}")

    def note_losses(self, title, name, results):
        for run in results:
            out = run.get("recovered", run.get("arrived"))
            if out != run["acknowledged"]:
                self.complaints.append(f"{title}: {name} acknowledged {run['acknowledged']}, and {out} came out")


def spread(name, values, digits):
    """The median, and in brackets the lowest and the highest."""
    middle, lowest, highest = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{name}={middle}[{lowest}-{highest}]"


def parse_options():
    parser = argparse.ArgumentParser(description="hikyaku beside Postfix")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--seconds", type=float, default=3, help="of load in each run (3)")
    parser.add_argument("--size", type=int, default=2048, help="of a message in bytes (2048)")
    parser.add_argument("--mode", choices=("perconn", "reuse"), default="perconn",
                        help="a connection for each message, or connections that stay (perconn)")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, help="what to measure (all)")
    return parser.parse_args()


def main():
    """In a network of its own, where ports 25 and 53 are free."""
    enter_own_network()
    complaints = Bench(parse_options()).run()
    for complaint in complaints:
        print("FAILED", complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
