# SPDX-License-Identifier: MIT
"""The end of the line: a plain SMTP receiver that keeps every mail's envelope and exact bytes (dots un-stuffed, nothing
else touched)."""

import dataclasses
import socket
import socketserver
import threading
import time

EXTENSIONS = ["PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]


@dataclasses.dataclass
class Mail:
    sender: str
    recipients: list
    content: bytes


ARRIVED = []  # the contents of all mails that were kept anywhere in this program, for who judges each


class Catcher:
    """Listens at once, on a port of its own unless one is given; waits are for mails that have wholly arrived. `refuse` gets each RCPT's
    recipient ("rcpt"), and each mail's recipients when it is complete ("message"), and gives the refusal or None."""

    def __init__(self, address, refuse=lambda stage, recipients: None, port=0):
        self.mails, self.refuse = [], refuse
        self._arrival = threading.Condition()
        self._server = _Server((address, port), self)
        self.address, self.port = self._server.server_address
        threading.Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def add(self, mail):
        ARRIVED.append(mail.content)
        with self._arrival:
            self.mails.append(mail)
            self._arrival.notify_all()

    def wait(self, seconds=20, wanted=lambda mail: True):
        """Takes the first mail that is `wanted` out and returns it."""
        end = time.monotonic() + seconds
        with self._arrival:
            while True:
                for mail in self.mails:
                    if wanted(mail):
                        self.mails.remove(mail)
                        return mail
                if not self._arrival.wait(end - time.monotonic()):
                    raise AssertionError(f"no such mail within {seconds} s; here are {len(self.mails)} others")

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, address, catcher):
        self.catcher = catcher
        super().__init__(address, _Session)


class _Session(socketserver.StreamRequestHandler):
    rbufsize = 1 << 18

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sender, self.recipients, self.done = None, [], False
        try:
            self.reply("220 catcher")
            while not self.done and (line := self.rfile.readline()):
                self.obey(line.decode().strip())
        except ConnectionError:
            pass  # Postfix does not wait for the answer to its QUIT

    def obey(self, line):
        verb = line.split(None, 1)[0].lower() if line else ""
        getattr(self, "on_" + verb, self.on_other)(line)

    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def on_ehlo(self, _):
        names = ["catcher", *EXTENSIONS]
        self.reply("\r\n".join(f"250{' ' if name is names[-1] else '-'}{name}" for name in names))

    def on_helo(self, _):
        self.reply("250 catcher")

    def on_mail(self, line):
        self.sender, self.recipients = _path(line), []
        self.reply("250 2.1.0 ok")

    def on_rcpt(self, line):
        refusal = self.server.catcher.refuse("rcpt", [_path(line)])
        if not refusal:
            self.recipients.append(_path(line))
        self.reply(refusal or "250 2.1.5 ok")

    def on_data(self, _):
        if not self.recipients:
            return self.reply("554 5.5.1 no valid recipients")
        self.reply("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return None
            lines.append(line[1:] if line.startswith(b".") else line)
        refusal = self.server.catcher.refuse("message", self.recipients)
        if not refusal:
            self.server.catcher.add(Mail(self.sender, self.recipients, b"".join(lines)))
        return self.reply(refusal or "250 2.0.0 kept")

    def on_rset(self, _):
        self.reply("250 2.0.0 ok")

    def on_quit(self, _):
        self.reply("221 2.0.0 bye")
        self.done = True

    def on_other(self, _):
        self.reply("500 5.5.2 what?")


def _path(line):
    return line[line.index("<") + 1:line.index(">")]
