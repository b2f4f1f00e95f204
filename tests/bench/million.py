#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A million queued messages and somebody who looks at them: how long each question takes, what the index and a picture of
the log hold for a mail, and how long the loop keeps a client waiting while lists are asked for and mail is delivered.

One line a result; README.md says how to read them. As root. Exit code 1 if a goal is missed."""

import argparse
import multiprocessing
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
from measuring import Sink, place_for_a_run, running
from relays import RELAY_PORT, Hikyakud
from rig.control import Control
from rig.hikyakud import binary

MEGA = 1e6
HOUR = 3600
ROUNDS = 5
GOAL_SECONDS = 1
GOAL_BYTES_A_MAIL = 160
GOAL_PAUSE_MS = 50
PROBED_FOR = 10  # seconds
NOOPS = 900  # over one connection: a thousand commands without a message are too many
SETTLED = 3  # seconds after which a daemon that has nothing to do has done what it does at its start

QUESTIONS = {
    "queue": ["queue"],
    "queue_by_reason": ["queue", "--by", "reason"],
    "queue_count_reason": ["queue", "--count", "--reason", "over quota"],
    "queue_count_state": ["queue", "--count", "--state", "waiting"],
    "queue_count_older": ["queue", "--count", "--older-than", "5m"],
    "queue_sort_size": ["queue", "--sort", "size", "--limit", "10"],
    "status": ["status"],
}
LISTS = ("/v1/queue?state=held", "/v1/queue?reason=nowhere", "/v1/queue?from=nobody@*", "/metrics", "/v1/status")


def ask(config, words):
    """Seconds, and the most memory that the command had."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen([binary("hikyaku"), *words, "-c", config], stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        output.seek(0)
        # 75: `status` says so of a daemon whose smarthost is down, which is as it should be here.
        assert os.waitstatus_to_exitcode(status) in (0, 69, 75), output.read().decode()
    return time.monotonic() - began, usage.ru_maxrss * 1024


def scrape(control):
    began = time.monotonic()
    status, text = control.ask("GET", "/metrics")
    assert status == 200 and "hikyaku_queue_mails" in text, text
    return time.monotonic() - began


def median(values):
    return sorted(values)[len(values) // 2]


def go_on(work):
    while True:
        work()


@contextmanager
def in_the_background(*works):
    """Each again and again, in a process of its own: threads would wait for each other's Python."""
    children = [multiprocessing.Process(target=go_on, args=[work], daemon=True) for work in works]
    for child in children:
        child.start()
    try:
        yield
    finally:
        for child in children:
            child.terminate()
            child.join()


def run_delay(pid):
    """Milliseconds that a process's first thread has waited for a processor so far (schedstat, proc(5))."""
    with open(f"/proc/{pid}/task/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[1]) / 1e6


def longest_wait(address, pid):
    """Milliseconds for the slowest and the thousandth slowest of many NOOPs, one after the other: what the loop keeps its clients
    waiting. Without the time in which the loop's thread, or we, only waited for a processor that others had."""
    waits, us = [], os.getpid()
    end = time.monotonic() + PROBED_FOR
    while time.monotonic() < end:
        with smtplib.SMTP(address, RELAY_PORT, timeout=60) as client:
            client.ehlo("probe.example")
            for _ in range(NOOPS):
                delayed, began = run_delay(pid) + run_delay(us), time.monotonic()
                client.noop()
                waited = (time.monotonic() - began) * 1000
                waits.append(max(waited - (run_delay(pid) + run_delay(us) - delayed), 0))
                time.sleep(0.001)
    waits.sort()
    return waits[-1], waits[-1 - len(waits) // 1000]


def load(place):
    subprocess.run([binary("bench_load"), place.address, str(RELAY_PORT), "4", "1", "2048", "reuse"], check=True,
                   stdout=subprocess.DEVNULL)


def questions(relay, control):
    """Seconds by name, the medians; and the memory of the one that only counts."""
    seconds, memory = {}, 0
    for name, words in QUESTIONS.items():
        asked = [ask(relay.config, words) for _ in range(ROUNDS)]
        seconds[name] = median([each[0] for each in asked])
        if name == "queue_count_state":
            memory = max(each[1] for each in asked)
    seconds["metrics"] = median([scrape(control) for _ in range(ROUNDS)])
    return seconds, memory


def pauses(place, relay, control):
    """The longest waits with mail that passes, without lists and with them."""
    lists = [lambda target=target: control.ask("GET", target) for target in LISTS]
    with closing(Sink(place.address, 0)), in_the_background(lambda: load(place)):
        without = longest_wait(place.address, relay.pid)
        with in_the_background(*lists):
            return without, longest_wait(place.address, relay.pid)


def measure(queued):
    """With `queued` messages deferred on schedules of their own."""
    with place_for_a_run() as place, running(lambda place: Hikyakud(place, queued, HOUR), place) as relay:
        control = Control(place.join("run", "control.sock"))
        time.sleep(SETTLED)
        resident = relay.memory("VmRSS")
        seconds, picture = questions(relay, control)
        waits = pauses(place, relay, control) if queued else None
        return resident, seconds, picture, waits


def main():
    parser = argparse.ArgumentParser(description="questions about a great many queued messages")
    parser.add_argument("--queued", type=int, default=1_000_000, help="messages of 2 KiB (1000000)")
    queued = parser.parse_args().queued
    empty, _, empty_picture, _ = measure(0)
    resident, seconds, picture, (without, beside) = measure(queued)
    index, seen = (resident - empty) / queued, (picture - empty_picture) / queued
    for name, taken in seconds.items():
        print(f"question={name} queued={queued} seconds={taken:.2f}", flush=True)
    print(f"index queued={queued} bytes_a_mail={index:.0f} picture_bytes_a_mail={seen:.0f}")
    for name, (longest, thousandth) in (("none", without), ("asked", beside)):
        print(f"pause lists={name} longest_ms={longest:.1f} p999_ms={thousandth:.1f}")
    missed = max(seconds.values()) > GOAL_SECONDS or index > GOAL_BYTES_A_MAIL or beside[0] > GOAL_PAUSE_MS
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
