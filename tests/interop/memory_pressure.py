#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What peers do to the daemon's memory: clients that stall in the middle of large messages, or hold a thousand recipients
each, a queue of mails with long envelopes, a thousand connections. Its memory at its highest stays under `memory:` and
what README.md states on top of it, and small mails get through meanwhile. For the optimised build."""

import contextlib
import re
import resource
import socket
import subprocess

from rig import Case, main, until
from rig.hikyakud import UNPRIVILEGED
from rig.smtp_sink import SmtpSink

BESIDE = 64 << 20  # README.md, ARCHITECTURE.md: what may come on top of `memory`
PATIENCE = 90  # seconds; a client's own would be minutes
LINE = b"0123456789" * 7 + b"\r\n"


class Client:
    """One SMTP session, by hand: nothing is waited for but what is asked for."""

    def __init__(self, address, port, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((address, port))
        self._replies = self.socket.makefile("rb")
        self.hear(220)

    def hear(self, *codes):
        """The next reply's code; it is one of `codes`, if any are given."""
        while (line := self._replies.readline())[3:4] == b"-":
            pass
        code = int(line[:3] or 0)
        assert not codes or code in codes, line
        return code

    def say(self, line, *codes):
        self.socket.sendall(line + b"\r\n")
        return self.hear(*codes)

    def begin(self, sender):
        self.say(b"EHLO client.interop.test", 250)
        self.say(b"MAIL FROM:<%s@example.com>" % sender, 250)

    def open_content(self, sender):
        self.begin(sender)
        self.say(b"RCPT TO:<%s@dest.example>" % sender, 250)
        self.say(b"DATA", 354)
        self.socket.sendall(b"Subject: x\r\n\r\n")

    def send_lines(self, size):
        self.socket.sendall(LINE * (size // len(LINE)))

    def end(self, *codes):
        return self.say(b".", *codes)

    def submit(self, sender):
        self.open_content(sender)
        return self.end(250)

    def name_recipients(self, commands):
        """How many of these are taken; all are sent before the first reply is read."""
        self.socket.sendall(b"".join(commands))
        return [self.hear(250, 451, 452) for _ in commands].count(250)

    def close(self):
        self._replies.close()
        self.socket.close()


def rcpt(number):
    """As long as its parts may be, and with what a notice would want to know of it."""
    domain = b".".join([b"d" * 60] * 3)
    return b"RCPT TO:<%s%06d@%s> NOTIFY=FAILURE,DELAY ORCPT=rfc822;%s\r\n" % (b"u" * 50, number, domain, b"o" * 350)


class MemoryPressure(Case):
    signs = ()  # the figures are those without

    def start(self, memory, with_smarthost=True):
        if with_smarthost:
            self.smarthost = SmtpSink(self.place)
            self.addCleanup(self.smarthost.stop)
            self.smarthost.log = lambda: ""
        else:
            self.smarthost = None
        self.memory = memory
        spool = {"directory": self.place.join("hikyakud", "spool"), "segment_size": "64MiB", "min_free": "1MiB"}
        limits = {"connections": 2000}  # near that limit idle clients would have to go, and the scene with them
        return self.hikyakud({"tls": "none", "port": SmtpSink.port}, memory=f"{memory}MiB", spool=spool, limits=limits)

    def connect(self, count=1, **options):
        clients = [Client(self.place.address, self.daemon.port, **options) for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def arrived(self):
        return sum(self.smarthost.kept().values())

    def until_arrived(self, count):
        until(lambda: self.arrived() >= count, PATIENCE, lambda: f"{count} deliveries, {self.arrived()} so far")

    def small_mails_get_through(self, before=0):
        for number in range(10):
            client, = self.connect()
            client.submit(b"small%d" % number)
        self.until_arrived(before + 10)

    def stall(self, count, size):
        """So many clients, each in the middle of a message behind `size` bytes of it."""
        clients = self.connect(count)
        for number, client in enumerate(clients):
            client.open_content(b"stalled%d" % number)
            client.send_lines(size)
        return clients

    def bound_address_space(self):
        """From here on the daemon may map what README.md promises, and not a page more. A daemon at rest maps far more than
        it uses: the stacks of its threads, the heaps that the allocator reserves for them (64 MiB each), its libraries. That
        counts as well, so the bound is what it has mapped after its first mails, when all threads run, `memory` and BESIDE.
        A cgroup would count the spool's pages, and not every machine lets its tests make one."""
        mapped = self.in_status("VmSize")
        bound = mapped + (self.memory << 20) + BESIDE
        subprocess.run([*UNPRIVILEGED, "prlimit", f"--pid={self.daemon.pid}", f"--as={bound}"], check=True)

    def in_status(self, name):
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{name}:\s+(\d+) kB", status.read())[1]) << 10

    def assert_small(self):
        peak = self.in_status("VmHWM")
        print(f"memory={self.memory} MiB highest={peak / (1 << 20):.1f} MiB", flush=True)
        self.assertLess(peak, (self.memory << 20) + BESIDE)

    def test_64_clients_that_stall_in_900_kib_hold_up_nobody(self):
        self.start(memory=16)
        stalled = self.stall(64, 900 << 10)
        self.small_mails_get_through()
        for client in stalled:
            client.end(250)
        self.until_arrived(64 + 10)
        self.assert_small()

    def test_1000_clients_that_stall_in_40_kib_hold_up_nobody(self):
        self.start(memory=16)
        self.stall(990, 40 << 10)
        self.small_mails_get_through()
        self.assert_small()

    def test_under_a_bound_of_address_space_the_daemon_lives_and_loses_nothing(self):
        self.start(memory=16)
        self.small_mails_get_through()
        self.bound_address_space()
        lists = self.connect(200)
        accepted = 0
        for number, client in enumerate(lists):
            client.begin(b"list%d" % number)
            accepted += client.name_recipients([rcpt(number) for number in range(100)])
        stalled = self.stall(64, 900 << 10)
        self.small_mails_get_through(before=10)
        for client in lists:
            client.say(b"DATA", 354)
        for client in stalled + lists:
            client.end(250)
        self.until_arrived(20 + 64 + accepted)
        self.assert_small()

    def test_470_sessions_with_1000_recipients_each_leave_memory_for_others(self):
        self.start(memory=16)
        clients = self.connect(470)
        accepted = [0] * len(clients)
        going_on = dict(enumerate(clients))
        for number, client in going_on.items():
            client.begin(b"list%d" % number)
        for at in range(0, 1000, 50):
            group = [rcpt(number) for number in range(at, at + 50)]
            for number, client in list(going_on.items()):
                taken = client.name_recipients(group)
                accepted[number] += taken
                if taken < len(group):
                    del going_on[number]
        print(f"recipients of each: {min(accepted)} to {max(accepted)}", flush=True)
        self.small_mails_get_through()
        self.assertGreater(min(accepted), 0)
        for client in clients:
            client.say(b"DATA", 354)
        for client in clients:
            client.socket.sendall(b"Subject: x\r\n\r\nto many\r\n.\r\n")
        for client in clients:
            client.hear(250)
        self.until_arrived(10 + sum(accepted))
        self.assert_small()

    def test_mails_with_long_envelopes_do_not_fill_the_cache_beyond_its_bound(self):
        self.start(memory=16, with_smarthost=False)
        group = [rcpt(number) for number in range(1000)]
        for number in range(150):
            client, = self.connect()
            client.begin(b"list%d" % number)
            self.assertEqual(client.name_recipients(group), 1000)
            client.say(b"DATA", 354)
            client.end(250)
        self.assert_small()

    def test_a_thousand_idle_connections_cost_little_each(self):
        self.start(memory=16)
        for client in self.connect(990):
            client.begin(b"idle")
        self.small_mails_get_through()
        self.assert_small()

    def test_a_thousand_clients_that_read_no_replies_cost_little_each(self):
        self.start(memory=16)
        commands = b"RCPT TO:<deaf@dest.example>\r\n" * 20000
        for client in self.connect(990, receive_buffer=4096):
            client.begin(b"deaf")
            client.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while client.socket.send(commands):
                    pass
        self.small_mails_get_through()
        self.assert_small()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    main()
