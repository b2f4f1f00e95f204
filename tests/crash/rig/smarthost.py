# SPDX-License-Identifier: MIT
"""A smarthost in this process, a thread a connection. What it takes goes into a ledger; whom it defers or refuses is
told by the address."""

import socketserver
import threading
from collections import Counter

FOREVER = 1 << 60


class _Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.recipients, self.is_notice = [], False
        try:
            self._reply("220 sink.example.com")
            while self._command(self.rfile.readline()):
                pass
        except OSError:
            pass  # the daemon was killed

    def _reply(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def _command(self, line):
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._reply("250-sink.example.com\r\n250 8BITMIME")
        elif verb == b"RCPT":
            self._recipient(line[line.index(b"<") + 1:line.rindex(b">")].decode())
        elif verb == b"DATA":
            return self._data()
        elif verb in (b"QUIT", b""):
            return False
        else:
            self.recipients, self.is_notice = [], b"<>" in line  # MAIL, RSET
            self._reply("250 2.0.0 ok")
        return True

    def _recipient(self, address):
        if self.server.smarthost.defers(address):
            self._reply("450 4.2.1 not now")
        elif address.startswith(self.server.smarthost.refused):
            self._reply("550 5.1.1 no such user")
        else:
            self.recipients.append(address)
            self._reply("250 2.1.5 ok")

    def _data(self):
        if not self.recipients:
            self._reply("554 5.5.1 no recipients")
            return True
        self._reply("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False  # broken off
            lines.append(line[1:] if line[:1] == b"." else line)
        if self.is_notice:
            self.server.smarthost.notices.append(b"".join(lines).decode())
        else:
            self.server.smarthost.ledger.arrive(b"".join(lines), self.recipients)
        self._reply("250 2.0.0 got it")
        return True


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


class Smarthost:
    """Listens until it is closed. `deferred`: how many times a recipient is deferred whose address begins so."""

    def __init__(self, ledger, deferred=None):
        self.ledger = ledger
        self.deferred = dict(deferred or {})
        self.deferrals = Counter()  # address -> how often
        self.refused = ()  # so begins an address that does not exist
        self.notices = []  # what came from <>
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.smarthost = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def defers(self, address):
        times = max((times for prefix, times in self.deferred.items() if address.startswith(prefix)), default=0)
        if self.deferrals[address] >= times:
            return False
        self.deferrals[address] += 1
        return True

    def close(self):
        self._server.shutdown()
        self._server.server_close()
