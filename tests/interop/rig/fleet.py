# SPDX-License-Identifier: MIT
"""A fleet: nodes and a database with a standby, each on a machine of its own, joined by three switches, so that each way can
be cut by itself; and a crowd of clients that hands in mail through whichever node takes it."""

import collections
import random
import re
import socket
import subprocess
import threading
import time

from .catcher import Catcher
from .hikyakud import Hikyakud, binary
from .machines import Machine, Switch
from .postgresql import DATABASE, USER, Server

NODES = ("left", "middle", "right")
SERVERS = (11, 12)  # their numbers at the database's switch
MAILS_A_SESSION = 20
RETRY = 0.05  # seconds after which a client that was refused goes on
REFUSED_EACH = 25  # of so many mails the smarthost refuses the recipient of one
CONTENT = (b"From: app@app.example\r\nTo: you@dest.example\r\nDate: Sun, 22 Nov 2026 03:14:04 +0000\r\n"
           b"Message-ID: <%d@app.example>\r\nX-Number: %d\r\n\r\n" + b"Hello, this is a test.\r\n" * 20)


class Node(Hikyakud):
    """A daemon on a machine; `number` is its address at each switch."""

    def __init__(self, place, name, number, switches, url, times):
        self.name, self.machine, part = name, Machine(place, number, switches.values()), place.part()
        part.address = switches["clients"].at(number)
        smarthost = {"name": "main", "host": switches["smarthost"].address, "port": 2526, "tls": "none", "auth": "none"}
        super().__init__(part, {
            "smarthosts": [smarthost], "node": name, "listen": [f"{part.address}:2525"],
            "allow": [f"{switches['clients'].at(0)}/24"], "queue": {"retry": {"first": "1s", "max": "1s"}},
            "spool": {"directory": part.directory("hikyakud/spool", 0o711, 65534), "url": url, **times}})

    def kill(self):
        if self._process:
            self.crash()

    def _command(self):
        return self.machine.inside(super()._command())


class Fleet:
    """All of it, running. `database` is the server that takes what is written, `standby` the one that follows."""

    def __init__(self, place, times):
        self._place = place
        self.switches = {name: Switch(name, f"10.77.{at}") for at, name in enumerate(("clients", "smarthost", "database"), 1)}
        switch = self.switches["database"]
        self.url = f"postgresql://{USER}@{','.join(map(switch.at, SERVERS))}/{DATABASE}?target_session_attrs=read-write"
        self._machines = {number: Machine(place, number, [switch]) for number in SERVERS}
        self.database = self._server(SERVERS[0])
        subprocess.run([binary("hikyaku"), "spool", "init", self.url], check=True, timeout=120, stdout=subprocess.DEVNULL)
        self.standby = self._server(SERVERS[1], self.database)
        self.database.must_be_followed()
        self.catcher = Catcher(self.switches["smarthost"].address, self._refusal, 2526)
        self.nodes = [Node(place, name, 21 + at, self.switches, self.url, times).start() for at, name in enumerate(NODES)]

    @staticmethod
    def _refusal(stage, recipients):
        return "550 5.1.1 no such user" if stage == "rcpt" and recipients[0].startswith("refused") else None

    def _server(self, number, primary=None):
        server = Server(self._place, self._machines[number], self.switches["database"], number, primary)
        server.number = number
        return server

    def fail_over(self):
        """The database is lost, and the standby in its place; then it gets a standby."""
        lost, self.database = self.database, self.standby
        lost.stop()
        self.database.promote()
        self._machines[lost.number].plug(self.switches["database"])
        self.standby = self._server(lost.number, self.database)
        self.database.must_be_followed()

    def queued(self):
        return int(self.database.ask("SELECT count(*) FROM hikyaku.mail"))

    def log(self):
        """The end of all logs."""
        named = [*((node.name, node) for node in self.nodes), ("standby", self.standby), ("database", self.database)]
        return "\n".join(f"--- {name}\n{each.log()[-3000:]}" for name, each in named)

    def end(self):
        for node in self.nodes:
            node.stop()
        self.kill()

    def kill(self):
        """Whatever is left; for good."""
        for node in self.nodes:
            node.kill()
        for server in (self.database, self.standby):
            server.end()
        for machine in [*self._machines.values(), *(node.machine for node in self.nodes)]:
            machine.end()
        self.catcher.close()


class Crowd:
    """Clients that hand in numbered mails, each number once, whatever becomes of it; they wait at a barrier that is
    moved on by allow()."""

    def __init__(self, nodes, clients, dice):
        self.acknowledged, self.refused = set(), 0
        self.acknowledged_by = collections.Counter()
        self._next, self._busy, self._allowed, self._is_over = 1, 0, 0, False
        self._turn = threading.Condition()
        starts = [dice.randrange(len(nodes)) for _ in range(clients)]
        self._threads = [threading.Thread(target=_Client(self, nodes, start).run, daemon=True) for start in starts]
        for thread in self._threads:
            thread.start()

    def allow(self, count):
        """Until so many mails are acknowledged."""
        with self._turn:
            self._allowed = count
            self._turn.notify_all()

    def take(self):
        """The next number; None: it is over."""
        with self._turn:
            self._turn.wait_for(lambda: self._is_over or len(self.acknowledged) + self._busy < self._allowed)
            if self._is_over:
                return None
            self._busy += 1
            self._next += 1
            return self._next

    def note(self, number, node, is_acknowledged):
        with self._turn:
            self._busy -= 1
            if is_acknowledged:
                self.acknowledged.add(number)
                self.acknowledged_by[node] += 1
            else:
                self.refused += 1
            self._turn.notify_all()

    def end(self):
        with self._turn:
            self._is_over = True
            self._turn.notify_all()
        for thread in self._threads:
            thread.join()


class _Client:
    """One connection at a time; after some mails, or when it refuses or hangs up, the node is left for the next."""

    def __init__(self, crowd, nodes, at):
        self._crowd, self._nodes, self._at = crowd, nodes, at
        self._replies = self._socket = None

    def run(self):
        while (number := self._crowd.take()) is not None:
            node = self._nodes[self._at % len(self._nodes)]
            try:
                taken = self._hand_in(number, node)
            except OSError:
                taken = False
            self._crowd.note(number, node, taken)
            if not taken or number % MAILS_A_SESSION == 0:
                self._leave()
            if not taken:
                time.sleep(RETRY)
        self._leave()

    def _leave(self):
        self._at += 1
        if self._socket:
            self._replies.close()
            self._socket.close()
        self._socket = None

    def _hand_in(self, number, node):
        if self._socket is None:
            self._connect(node)
        recipient = "refused" if number % REFUSED_EACH == 0 else "you"
        content = CONTENT % (number, number)
        self._socket.sendall(b"MAIL FROM:<%d@app.example>\r\nRCPT TO:<%s-%d@dest.example>\r\nBDAT %d LAST\r\n%s" % (
            number, recipient.encode(), number, len(content), content))
        replies = [self._reply() for _ in range(3)]
        return all(reply.startswith(b"250") for reply in replies)

    def _connect(self, node):
        self._socket = socket.create_connection((node.place.address, node.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self._reply()
        self._socket.sendall(b"EHLO client.example\r\n")
        self._reply()

    def _reply(self):
        while (line := self._replies.readline())[3:4] == b"-":
            pass
        if not line.startswith(b"2"):
            raise ConnectionError(line)
        return line


NUMBER = re.compile(rb"^X-Number: (\d+)\r$", re.MULTILINE)
MESSAGE_ID = re.compile(rb"^Message-I[Dd]: (\S+)\r$", re.MULTILINE)


class Ledger:
    """What has arrived, by the numbers of the mails: how often each has come, and which notices of it how often."""

    def __init__(self, mails):
        self.came = collections.Counter()
        self.notices = collections.defaultdict(collections.Counter)
        for mail in mails:
            if mail.sender:
                self.came[int(NUMBER.search(mail.content)[1])] += 1
            else:
                number = int(mail.recipients[0].partition("@")[0])
                self.notices[number][MESSAGE_ID.search(mail.content)[1]] += 1

    def accounted_for(self):
        return self.came.keys() | self.notices.keys()
