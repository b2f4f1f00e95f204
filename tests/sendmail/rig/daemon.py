# SPDX-License-Identifier: MIT
"""Stands in for hikyakud on the submission socket: keeps what it acknowledged, and can be told to go at any moment."""

import os
import socket
import threading

GREETING = b"220 daemon ready\r\n"
HELLO = b"250-daemon\r\n250-PIPELINING\r\n250-SIZE 1000000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250 DSN\r\n"


class Daemon:
    """`replies`: what is said instead of the good reply, by verb ("MAIL", "RCPT", "BDAT", "greeting"). `dies_at`: the
    connection is cut instead of that reply; with `dies_at="stored"` after the mail was kept."""

    def __init__(self, here, replies=None, dies_at=None):
        self.path = os.path.join(here.runtime, "submit.sock")
        self.replies, self.dies_at = replies or {}, dies_at
        self.stored, self.seen = [], []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen(100)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, peer.makefile("rb") as lines:
            try:
                self._say(peer, "greeting", GREETING)
                while line := lines.readline():
                    self._obey(peer, lines, line)
            except (OSError, EOFError):
                return

    def _obey(self, peer, lines, line):
        verb = line.split()[0].decode().upper()
        self.seen.append(line.decode().rstrip())
        if verb == "EHLO":
            self._say(peer, verb, HELLO)
        elif verb == "BDAT":
            self._take(peer, lines, int(line.split()[1]), b"LAST" in line)
        else:
            if verb == "MAIL":
                self.commands, self.content = [], bytearray()
            if verb in ("MAIL", "RCPT"):
                self.commands.append(line)
            self._say(peer, verb, b"221 bye\r\n" if verb == "QUIT" else b"250 2.0.0 ok\r\n")

    def _take(self, peer, lines, size, last):
        content = lines.read(size)
        if len(content) < size:
            raise EOFError
        self.content += content
        if last and "BDAT" not in self.replies and self.dies_at != "BDAT":
            self.stored.append((self.commands, self.content))
        if last and self.dies_at == "stored":
            raise EOFError
        self._say(peer, "BDAT", b"250 2.0.0 Ok: queued as 0123456789abcdef\r\n" if last else b"250 2.0.0 more\r\n")

    def _say(self, peer, verb, reply):
        if self.dies_at == verb:
            raise EOFError
        peer.sendall(self.replies.get(verb, reply))
