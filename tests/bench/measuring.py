# SPDX-License-Identifier: MIT
"""One run of one relay: its figures as a dictionary."""

import subprocess
import time
from contextlib import closing, contextmanager

from rig import Place
from rig.hikyakud import binary
from rig.nsd import NameServer
from relays import RELAY_PORT, SMARTHOST_PORT

EVERY_ADDRESS, SMTP_PORT = "0.0.0.0", 25
STALLED = 30  # seconds without an arrival after which nothing more is expected


class Sink:
    """The smarthost (sink_main.cc)."""

    def __init__(self, address, delay_ms, port=SMARTHOST_PORT):
        self._child = subprocess.Popen([binary("bench_sink"), address, str(port), str(delay_ms)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self._child.stdout.readline() == "ready\n", "the sink does not start"

    def counts(self):
        self._child.stdin.write("\n")
        return _fields(self._child.stdout.readline())

    def wait_for(self, messages):
        """Until so many different messages have arrived, or none has for a while; the counts then."""
        before, patience = 0, time.monotonic() + STALLED
        while (counts := self.counts())["different"] < messages and time.monotonic() < patience:
            if counts["different"] > before:
                before, patience = counts["different"], time.monotonic() + STALLED
            time.sleep(0.02)
        return counts

    def close(self):
        self._child.stdin.close()
        self._child.wait(10)


def direct(connections, seconds, size, mode):
    """Messages a second straight from the load to the smarthost."""
    with place_for_a_run() as place, closing(Sink(place.address, 0)):
        load = run_load(place.address, SMARTHOST_PORT, connections, seconds, size, mode)
    return load["acknowledged"] / load["seconds"]


def accept(make_relay, connections, seconds, size, mode):
    """Messages made durable a second while the smarthost is absent; then kill -9, and how many of them come out when relay
    and smarthost are back."""
    with place_for_a_run() as place, running(make_relay, place) as relay:
        before = relay.flushes()
        load = run_load(relay.addresses, RELAY_PORT, connections, seconds, size, mode)
        flushes = relay.flushes() - before
        relay.kill()
        with closing(Sink(place.address, 0)) as sink:
            relay.start()
            relay.deliver()
            recovered = sink.wait_for(load["acknowledged"])
    return {"rate": load["acknowledged"] / load["seconds"], "acknowledged": int(load["acknowledged"]),
            "flushes": flushes, "recovered": int(recovered["different"])}


def relay(make_relay, connections, seconds, size, mode, delay_ms):
    """Messages a second from the first connection until the last message has arrived at the smarthost."""
    with place_for_a_run() as place, closing(Sink(place.address, delay_ms)) as sink, running(make_relay, place) as relay:
        load = run_load(relay.addresses, RELAY_PORT, connections, seconds, size, mode)
        return _passed(load, sink)


def signing(make_relay, connections, seconds, size, mode, delay_ms):
    """As relay(); and the relay's processor time for 1,000 messages, in seconds."""
    with place_for_a_run() as place, closing(Sink(place.address, delay_ms)) as sink, running(make_relay, place) as relay:
        before = relay.processor_seconds()
        passed = _passed(run_load(relay.addresses, RELAY_PORT, connections, seconds, size, mode), sink)
        return passed | {"processor": (relay.processor_seconds() - before) / passed["arrived"] * 1000}


def destinations(make_relay, connections, seconds, size, mode, count):
    """The same with as many domains as recipients' own servers, which are all the sink, each at an address of its own."""
    records = "".join(f"d{n} MX 10 mx.d{n}\nmx.d{n} A 127.0.{n // 250 + 1}.{n % 250 + 1}\n" for n in range(1, count + 1))
    with place_for_a_run() as place, closing(Sink(EVERY_ADDRESS, 0, SMTP_PORT)) as sink, \
            name_server(place, {"dest.example": records}) as dns, running(make_relay, place, dns=dns) as relay:
        load = run_load(relay.addresses, RELAY_PORT, connections, seconds, size, mode, count)
        return _passed(load, sink)


def _passed(load, sink):
    arrived = sink.wait_for(load["acknowledged"])
    return {"rate": arrived["different"] / (arrived["last"] - load["began"]), "acknowledged": int(load["acknowledged"]),
            "arrived": int(arrived["different"]), "twice": int(arrived["arrived"] - arrived["different"]),
            "sessions": int(arrived["connections"])}


@contextmanager
def place_for_a_run():
    place = Place()
    try:
        yield place
    finally:
        place.remove()


@contextmanager
def name_server(place, zones):
    server = NameServer(place, zones)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def running(make_relay, place, **options):
    relay = make_relay(place, **options)
    try:
        yield relay
    finally:
        relay.kill()


def run_load(addresses, port, connections, seconds, size, mode, *more):
    command = [binary("bench_load"), addresses, port, connections, seconds, size, mode, *more]
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    return _fields(done.stdout)


def _fields(line):
    """Of "name=1 other=2.5"."""
    return {name: float(value) for name, value in (field.split("=") for field in line.split())}
