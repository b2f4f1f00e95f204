#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of the real daemon under load, in rounds.

Everything acknowledged with 250 must reach the smarthost (`hikyaku sink`) after a restart, byte for byte below our
own header lines; nothing that arrives may be changed; a kill may duplicate at most one mail a connection to the
smarthost. Ends what it started, by pid; takes a minute at most.

Usage: kill_test.py PATH/TO/hikyakud PATH/TO/hikyaku [SEED]
"""
import hashlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROUNDS = 5
CLIENTS = 6
LANE_CONNECTIONS = 4
LOAD_SECONDS = 24  # of all rounds together
DRAIN_SECONDS = 25  # without any arrival
START_SECONDS = 20


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_mail(name, dice):
    """A message that needs nothing added: what arrives must end with exactly these bytes."""
    size = 1_500_000 if dice.random() < 0.02 else dice.choice((300, 2_000, 20_000))
    lines = [f"X-Kill-Test: {name}", "From: <app@example.com>", "To: <you@example.net>",
             "Date: Sun, 22 Nov 2026 03:14:04 +0000", f"Message-ID: <{name}@kill-test.example.com>",
             "Subject: kill test", ""]
    while size > 0:
        line = dice.choice(("", ".", "..", ".dots")) + dice.randbytes(30).hex()
        lines.append(line)
        size -= len(line) + 2
    return "\r\n".join(lines).encode() + b"\r\n"


class Ledger:
    """What the clients have sent: the hash of each mail, and whether it was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}  # name -> (length, sha256)
        self.acknowledged = set()

    def send(self, name, mail):
        with self.lock:
            self.sent[name] = (len(mail), hashlib.sha256(mail).digest())

    def acknowledge(self, name):
        with self.lock:
            self.acknowledged.add(name)


class Client(threading.Thread):
    """Sends mail after mail, some on one connection, until the daemon is gone."""

    def __init__(self, port, label, ledger, seed):
        super().__init__(daemon=True)
        self.port, self.label, self.ledger = port, label, ledger
        self.dice = random.Random(seed)
        self.count = 0
        self.problem = None

    def run(self):
        try:
            while True:
                self.connection()
        except (OSError, EOFError):
            pass  # killed
        except Failed as error:
            self.problem = error

    def connection(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            replies = sock.makefile("rb")
            self.expect(replies, b"220")
            sock.sendall(b"EHLO client.example.com\r\n")
            self.expect(replies, b"250")
            for _ in range(self.dice.randint(1, 20)):
                self.transaction(sock, replies)
            sock.sendall(b"QUIT\r\n")

    def transaction(self, sock, replies):
        self.count += 1
        name = f"{self.label}-{self.count}"
        mail = make_mail(name, self.dice)
        sock.sendall(b"MAIL FROM:<app@example.com>\r\n")
        self.expect(replies, b"250")
        sock.sendall(b"RCPT TO:<you@example.net>\r\n")
        self.expect(replies, b"250")
        sock.sendall(b"DATA\r\n")
        self.expect(replies, b"354")
        self.ledger.send(name, mail)
        stuffed = mail.replace(b"\r\n.", b"\r\n..")
        sock.sendall(stuffed + b".\r\n")
        self.expect(replies, b"250")
        self.ledger.acknowledge(name)

    def expect(self, replies, code):
        while True:
            line = replies.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            if line[:3] != code:
                raise Failed(f"{self.label}: {code.decode()} expected, got {line!r}")
            if line[3:4] != b"-":
                return


class Rig:
    """The daemon, the sink, and the temporary directory they live in."""

    def __init__(self, hikyakud, hikyaku):
        self.hikyakud, self.hikyaku = hikyakud, hikyaku
        self.directory = tempfile.mkdtemp(prefix="hikyaku-kill-")
        os.chmod(self.directory, 0o755)
        self.port, self.sink_port = free_port(), free_port()
        self.processes = []
        self.arrived = os.path.join(self.directory, "arrived")
        for name in ("arrived", "spool", "run"):
            self.make_directory(name)
        self.config = os.path.join(self.directory, "hikyaku.yaml")
        with open(self.config, "w", encoding="ascii") as file:
            file.write(self.configuration())
        self.log = open(os.path.join(self.directory, "log"), "ab")

    def make_directory(self, name):
        path = os.path.join(self.directory, name)
        os.mkdir(path)
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(path, user.pw_uid, user.pw_gid)

    def configuration(self):
        user = "user: nobody\n" if os.geteuid() == 0 else ""
        return f"""{user}hostname: kill-test.example.com
listen: ["127.0.0.1:{self.port}"]
runtime_directory: {self.directory}/run
smarthosts:
  - {{name: sink, host: 127.0.0.1, port: {self.sink_port}, tls: none, auth: none, connections: {LANE_CONNECTIONS}}}
spool: {{directory: {self.directory}/spool, min_free: 1MiB, segment_size: 1MiB}}
queue: {{retry: {{first: 1s, max: 2s}}}}
"""

    def start(self, arguments, port):
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.processes.append(process)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise Failed(f"{arguments[0]} ended with {process.returncode}")
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                    if sock.recv(3) == b"220":
                        return process
            except OSError:
                pass
            time.sleep(0.05)
        raise Failed(f"{arguments[0]} does not greet")

    def start_sink(self):
        return self.start([self.hikyaku, "sink", "--listen", f"127.0.0.1:{self.sink_port}",
                           "--directory", self.arrived], self.sink_port)

    def start_daemon(self):
        return self.start([self.hikyakud, "-c", self.config], self.port)

    def end(self, process, how):
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed("a process does not end") from None

    def log_tail(self):
        with open(self.log.name, "rb") as file:
            return b"".join(file.readlines()[-40:]).decode(errors="replace")

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Arrivals:
    """The mails in the sink's directory, by the name in their header."""

    def __init__(self, directory):
        self.directory = directory
        self.names = {}  # file -> name

    def refresh(self):
        for file in os.listdir(self.directory):
            if file in self.names or not file.endswith(".eml"):
                continue
            name = self.name_in(os.path.join(self.directory, file))
            if name:
                self.names[file] = name
        return set(self.names.values())

    @staticmethod
    def name_in(path):
        with open(path, "rb") as file:
            for line in file.read(8192).splitlines():
                if line.startswith(b"X-Kill-Test: "):
                    return line.split(b": ", 1)[1].decode()
        return None

    def changed(self, ledger):
        """Those that are not what was sent under their name."""
        for file, name in self.names.items():
            with open(os.path.join(self.directory, file), "rb") as stream:
                content = stream.read()
            length, digest = ledger.sent.get(name, (0, b""))
            if hashlib.sha256(content[-length:]).digest() != digest:
                yield file


def load_and_kill(rig, ledger, number, seed):
    """One round: a daemon, clients, and a kill at a random moment."""
    daemon = rig.start_daemon()
    clients = [Client(rig.port, f"r{number}c{i}", ledger, f"{seed}-{number}-{i}") for i in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(random.Random(f"{seed}-{number}").uniform(0.3, LOAD_SECONDS / ROUNDS))
    rig.end(daemon, signal.SIGKILL)
    for client in clients:
        client.join(timeout=35)
        if client.problem:
            raise client.problem
        if client.is_alive():
            raise Failed("a client hangs")


def drain(rig, ledger, arrivals):
    """The last start: without load, until all that was acknowledged has arrived."""
    daemon = rig.start_daemon()
    count, last_change = -1, time.monotonic()
    while not ledger.acknowledged <= arrivals.refresh():
        if len(arrivals.names) != count:
            count, last_change = len(arrivals.names), time.monotonic()
        if time.monotonic() - last_change > DRAIN_SECONDS:
            missing = sorted(ledger.acknowledged - set(arrivals.names.values()))
            raise Failed(f"{len(missing)} acknowledged mails are lost: {missing[:5]}")
        time.sleep(0.1)
    if rig.end(daemon, signal.SIGTERM) != 0:
        raise Failed("the daemon does not stop cleanly")


def judge(rig, ledger, arrivals):
    arrivals.refresh()
    changed = list(arrivals.changed(ledger))
    if changed:
        raise Failed(f"{len(changed)} mails arrived changed: {changed[:5]}")
    twice = len(arrivals.names) - len(set(arrivals.names.values()))
    if twice > ROUNDS * LANE_CONNECTIONS:
        raise Failed(f"{twice} mails arrived twice, {ROUNDS * LANE_CONNECTIONS} at most may")
    print(f"{ROUNDS} kills, {len(ledger.acknowledged)} mails acknowledged, all arrived unchanged, "
          f"{len(set(arrivals.names.values()) - ledger.acknowledged)} more, {twice} twice")


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 64
    seed = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(10**9))
    print(f"seed {seed}")
    rig = Rig(sys.argv[1], sys.argv[2])
    ledger, arrivals = Ledger(), Arrivals(rig.arrived)
    try:
        sink = rig.start_sink()
        for number in range(ROUNDS):
            load_and_kill(rig, ledger, number, seed)
        drain(rig, ledger, arrivals)
        rig.end(sink, signal.SIGTERM)
        if not ledger.acknowledged:
            raise Failed("nothing was acknowledged")
        judge(rig, ledger, arrivals)
        return 0
    except Failed as error:
        print(f"FAILED: {error}\n--- log ---\n{rig.log_tail()}")
        return 1
    finally:
        rig.close()


if __name__ == "__main__":
    sys.exit(main())
