# SPDX-License-Identifier: MIT
"""hikyakud as a process: its configuration, its start until it greets, its ends."""

import json
import os
import signal
import socket
import subprocess

from rig_common.network import free_port
from rig_common.waiting import until

from .running import Failed

START_SECONDS = 30
END_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 4  # to the smarthost: as many mails a kill may duplicate


class Daemon:
    """Runs as nobody on `spool`. Start it with start(); a context's end kills it if it still runs."""

    def __init__(self, program, place, name, spool, smarthost, **spool_settings):
        self.spool, self.port = spool, free_port()
        self._program = place.program(program)
        self.config, self._log = place.join(name + ".yaml"), place.join(name + ".log")
        self._settings = {
            "user": "nobody", "hostname": "crash-test.example.com", "listen": [f"127.0.0.1:{self.port}"],
            "runtime_directory": place.directory(name + ".run"), "shutdown_grace": "5s",
            "smarthosts": [{"name": "sink", "host": "127.0.0.1", "port": smarthost.port, "tls": "none",
                            "auth": "none", "connections": CONNECTIONS}],
            "spool": {"directory": spool, "min_free": 0, "segment_size": "1MiB"} | spool_settings,
            "queue": {"retry": {"first": "200ms", "factor": 1, "max": "200ms"}}}
        with open(self.config, "w", encoding="ascii") as file:
            json.dump(self._settings, file, indent=1)
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self._process is not None and self._process.poll() is None:
            self.kill()
        if kind is not None:
            print(f"--- {self._log}\n{self.log_tail()}\n---", flush=True)

    @property
    def pid(self):
        return self._process.pid

    def start(self, **environment):
        """Returns when it greets."""
        if not self.start_or_die(**environment):
            self.check_runs()
        return self

    def start_or_die(self, wrapper=(), **environment):
        """Whether it greets; `wrapper` are words before its command, of a program that becomes the daemon."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, self._program, "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | environment)
        until(lambda: self._greets() or not self.runs(), START_SECONDS, "the daemon greets")
        return self.runs()

    def _greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                return probe.recv(3) == b"220"
        except OSError:
            return False

    def runs(self):
        return self._process.poll() is None

    def check_runs(self):
        if not self.runs():
            raise Failed(f"the daemon has ended by itself with {self._process.returncode}")

    def stop(self):
        """As systemd does it; anything but a clean end is a failure."""
        self._process.send_signal(signal.SIGTERM)
        code = self.wait_for_end()
        if code != 0:
            raise Failed(f"the daemon ended with {code}")

    def kill(self):
        self._process.kill()
        self.wait_for_end()

    def wait_for_end(self):
        """The exit code; the process has been told to end, or will be killed by somebody."""
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed("the daemon does not end") from None

    def ask(self, hikyaku, *words):
        """What our program `hikyaku` says of it."""
        return subprocess.run([hikyaku, *words, "-c", self.config], capture_output=True, text=True, timeout=60,
                              check=False).stdout

    def freeze(self):
        """Until every thread stands still: no write is under way then."""
        self._process.send_signal(signal.SIGSTOP)
        until(lambda: set(self._states()) == {"T"}, 10, "the daemon stands still")

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def _states(self):
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            yield self._stat(f"task/{thread}/stat")[0]

    def cpu_seconds(self):
        fields = self._stat("stat")
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _stat(self, file):
        """The fields behind the program's name."""
        with open(f"/proc/{self.pid}/{file}", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()

    def log_tail(self, lines=40):
        return "\n".join(self.log_lines()[-lines:])

    def log_lines(self, word=""):
        """Those in which `word` is."""
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return [line for line in log.read().splitlines() if word in line]
