# SPDX-License-Identifier: MIT
"""A client that hands in mails on one connection, and what a refusal looks like to it."""

import socket


class Refused(Exception):
    """A reply that is not the wanted one, or (code 0) a connection that ended."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Client:
    """A context. Raises Refused, and OSError where there is no connection."""

    def __init__(self, port, ledger, seconds=30):
        self._ledger = ledger
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._replies = self._socket.makefile("rb")
        try:
            self._expect("220")
            self._say("EHLO client.example.com", "250")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._replies.close()
        self._socket.close()

    def send(self, name, size=2000, recipients=None):
        """Acknowledged in the ledger when it returns."""
        content = self._ledger.write(name, size)
        self._say("MAIL FROM:<app@example.com>", "250")
        for recipient in recipients or [f"{name}@example.net"]:
            self._say(f"RCPT TO:<{recipient}>", "250")
        self._say("DATA", "354")
        self._socket.sendall(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self._expect("250")
        self._ledger.acknowledge(name)

    def _say(self, line, code):
        self._socket.sendall(line.encode() + b"\r\n")
        self._expect(code)

    def _expect(self, code):
        while True:
            line = self._replies.readline().decode(errors="replace")
            if not line.endswith("\n"):
                raise Refused(0, f"the connection ended, {code} was due")
            if line[:3] != code:
                raise Refused(int(line[:3]), line.rstrip())
            if line[3:4] != "-":
                return
