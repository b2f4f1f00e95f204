# SPDX-License-Identifier: MIT
"""PostgreSQL as an unpacked server on a UNIX-domain socket of its own, as an unprivileged user."""

import glob
import os
import signal
import subprocess

from rig_common.waiting import until

from .hikyakud import UNPRIVILEGED, USER_ID
from .process import Process

DATABASE, USER = "postgres", "hikyaku"


class Postgresql:
    """Made and started by its constructor; stop() and start() keep what is in it."""

    def __init__(self, place):
        root = f"{place.peers}/postgresql"
        self._programs = f"{root}/usr/lib/postgresql/15/bin"
        libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu")
        self._env = {"LD_LIBRARY_PATH": ":".join(libraries), "LC_ALL": "C.UTF-8"}
        self._part = place.part()
        self.socket = self._part.directory("socket", 0o755, USER_ID)
        self._data = self._part.directory("data", 0o700, USER_ID)
        self._run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8", f"--pgdata={self._data}")
        self._process = None
        self.start()

    @property
    def url(self):
        return f"postgresql://{USER}@/{DATABASE}?host={self.socket}"

    def start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.socket, "jit": "off", "shared_buffers": "16MB"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = Process([*UNPRIVILEGED, f"{self._programs}/postgres", "-D", self._data, *options],
                                self._part.join("out"), self._env)
        until(lambda: self._answers() or not self._process.runs(), 60, "PostgreSQL answers")
        assert self._process.runs(), self.log()

    def stop(self):
        """As `pg_ctl stop -m immediate`: nobody is told, and the next start recovers."""
        self._process.signal(signal.SIGQUIT)
        self._process.wait(40)
        self._process.kill()

    def end(self):
        self._process.kill()

    def ask(self, statement):
        """The rows as psql prints them, unaligned."""
        return self._run("psql", "-qAtX", "-h", self.socket, "-U", USER, "-d", DATABASE, "-c", statement).strip()

    def log(self):
        return self._process.said() if self._process else ""

    def _answers(self):
        command = [f"{self._programs}/pg_isready", "-q", "-h", self.socket]
        return subprocess.run(command, env=os.environ | self._env, check=False, timeout=60).returncode == 0

    def _run(self, program, *arguments):
        command = [*UNPRIVILEGED, f"{self._programs}/{program}", *arguments]
        run = subprocess.run(command, env=os.environ | self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             cwd="/", text=True, timeout=120, check=False)
        assert run.returncode == 0, f"{program} left with {run.returncode}:\n{run.stdout}"
        return run.stdout
