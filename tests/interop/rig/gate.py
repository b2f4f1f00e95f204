# SPDX-License-Identifier: MIT
"""A gate before a smarthost: it holds the connections back until it is opened, so that there is a queue to be worked
off, and notes what the client has sent together."""

import re
import socket
import threading

# Nobody who waits for the reply to the dot can have this in one piece; in a message the dot would be doubled.
NEXT_WITH_DOT = re.compile(rb"(?:\A|\r\n)\.\r\nMAIL FROM:")
ALL_IN_ONE = re.compile(rb"MAIL FROM:[^\r]*\r\n(?:RCPT TO:[^\r]*\r\n)+BDAT \d+ LAST\r\n")


class Gate:
    """`pipelined` counts the mails whose commands came with the dot before, `chunked` those that came in one piece."""

    def __init__(self, address, smarthost_port, hide_chunking=False):
        self.connections = self.pipelined = self.chunked = 0
        self._hide = hide_chunking
        self._to = (address, smarthost_port)
        self._opened = threading.Event()
        self._lock = threading.Lock()
        self._server = socket.create_server((address, 0), backlog=100)
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self):
        self._opened.set()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._opened.set()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        self._opened.wait()
        with client, socket.create_connection(self._to) as server:
            with self._lock:
                self.connections += 1
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pass_on, args=(server, client, self._tell), daemon=True)
            back.start()
            _pass_on(client, server, self._note)
            back.join()

    def _note(self, piece):
        with self._lock:
            self.pipelined += len(NEXT_WITH_DOT.findall(piece))
            self.chunked += len(ALL_IN_ONE.findall(piece))
        return piece

    def _tell(self, piece):
        return piece.replace(b"CHUNKING\r\n", b"X-HIDDEN\r\n") if self._hide else piece


def _pass_on(source, target, look_at):
    try:
        while piece := source.recv(1 << 18):
            target.sendall(look_at(piece))
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other direction finds out, too
