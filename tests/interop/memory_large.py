#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""30 messages of 45 MiB over 10 connections: the daemon's memory stays under 100 MiB at its highest, and every message
arrives with the hash it was sent with. A daemon that has done its work and waits for more has next to nothing. For the
optimised build."""

import concurrent.futures
import hashlib
import re
import socket
import ssl
import threading

from rig import Case, main, until
from rig.case import SMARTHOST

MESSAGES, CONNECTIONS = 30, 10
SIZE = 45 << 20
MAX_PEAK = 100 << 20
MAX_IDLE = 6_000_000  # bytes of its own: neither programs nor libraries, which others share
FEW = 20
LINES = 4096  # to a chunk


def chunks(number):
    """The message in pieces, each of whole lines, no two messages alike."""
    yield b"X-Number: %d\r\nDate: Sun, 22 Nov 2026 03:14:04 +0000\r\nFrom: me@example.com\r\n" % number
    yield b"Message-ID: <large-%d@example.com>\r\n\r\n" % number
    line = hashlib.sha256(b"%d" % number).hexdigest().encode() + b"\r\n"
    piece = line * LINES
    for _ in range(SIZE // len(piece)):
        yield piece


def submit(address, port, number):
    """Sends message `number`; returns its hash once it has been acknowledged."""
    digest = hashlib.sha256()
    with socket.create_connection((address, port), timeout=300) as connection:
        replies = connection.makefile("rb")

        def say(line, code):
            connection.sendall(line)
            reply = replies.readline()
            while reply[3:4] == b"-":
                reply = replies.readline()
            assert reply.startswith(code), (line[:40], reply)

        say(b"", b"220")
        say(b"EHLO client\r\n", b"250")
        say(b"MAIL FROM:<me@example.com> SIZE=%d\r\n" % SIZE, b"250")
        say(b"RCPT TO:<you@dest.example>\r\n", b"250")
        say(b"DATA\r\n", b"354")
        for chunk in chunks(number):
            digest.update(chunk)
            connection.sendall(chunk)
        say(b".\r\n", b"250")
        say(b"QUIT\r\n", b"221")
    return digest.hexdigest()


class HashingSmarthost:
    """Implicit TLS, no log-in; keeps of each message its number and hash, from the X-Number field on."""

    def __init__(self, address, certificate):
        self.hashes, self.address = {}, address
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)
        self._listener = socket.create_server((address, 465), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as stream:
            lines = stream.makefile("rb", buffering=1 << 18)
            stream.sendall(b"220 hashing\r\n")
            while line := lines.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    stream.sendall(b"354 go on\r\n")
                    self._take(lines)
                    stream.sendall(b"250 2.0.0 hashed\r\n")
                elif verb == b"EHLO":
                    stream.sendall(b"250-hashing\r\n250-PIPELINING\r\n250 SIZE 100000000\r\n")
                else:
                    stream.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")

    def _take(self, lines):
        digest, number = hashlib.sha256(), None
        while (line := lines.readline()) != b".\r\n":
            assert line, "the connection broke inside a message"
            if number is None and (match := re.match(rb"X-Number: (\d+)\r\n", line)):
                number = int(match[1])
            if number is not None:
                digest.update(line)
        assert number not in self.hashes, f"message {number} came twice"
        self.hashes[number] = digest.hexdigest()

    def close(self):
        self._listener.close()


class LargeMessages(Case):
    signs = ()  # what arrives is hashed here, and the figures are those without

    @classmethod
    def start_peers(cls):
        cls.smarthost = HashingSmarthost(cls.place.address, cls.authority.issue(SMARTHOST))
        cls.addClassCleanup(cls.smarthost.close)

    def test_thirty_messages_of_45_mib_arrive_in_less_than_100_mib_of_memory(self):
        daemon = self.hikyakud({"tls": "implicit"}, spool={"directory": self.place.join("hikyakud", "spool")})
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            hashes = dict(enumerate(pool.map(lambda number: submit(self.place.address, daemon.port, number),
                                             range(MESSAGES))))
        until(lambda: len(self.smarthost.hashes) == MESSAGES, 240, lambda: f"{MESSAGES} deliveries:\n{daemon.log()}")
        self.assertEqual(self.smarthost.hashes, hashes)
        self.assertLess(self.peak(daemon.pid), MAX_PEAK)

    def test_an_idle_daemon_has_at_most_6_mb_of_its_own(self):
        daemon = self.hikyakud({"tls": "implicit"}, spool={"directory": self.place.join("hikyakud", "spool")})
        for number in range(FEW):
            daemon.submit(b"X-Number: %d\r\n\r\nHello.\r\n" % (MESSAGES + number))
        until(lambda: daemon.log().count('"event":"delivered"') == FEW, 60, lambda: f"{FEW} deliveries:\n{daemon.log()}")
        self.smarthost.hashes.clear()
        self.assertIn('"queue"', daemon.hikyaku("status", "--json"))
        own, all_of_it = (self.memory(daemon.pid, figure) for figure in ("RssAnon", "VmRSS"))
        print(f"idle memory: RssAnon {own / 1e6:.1f} MB, VmRSS {all_of_it / 1e6:.1f} MB", flush=True)
        self.assertLessEqual(own, MAX_IDLE)

    def peak(self, pid):
        peak = self.memory(pid, "VmHWM")
        print(f"highest memory: {peak / (1 << 20):.1f} MiB", flush=True)
        return peak

    def memory(self, pid, figure):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{figure}:\s+(\d+) kB", status.read())[1]) << 10


if __name__ == "__main__":
    main()
