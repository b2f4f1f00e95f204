# SPDX-License-Identifier: MIT
"""PostgreSQL as an unpacked server, as an unprivileged user: on a UNIX-domain socket of its own, or on a machine of its own
(machines.py), where one may be the standby of another."""

import glob
import os
import signal
import subprocess

from rig_common.waiting import until

from .hikyakud import UNPRIVILEGED, USER_ID
from .process import Process

DATABASE, USER = "postgres", "hikyaku"
SETTINGS = {"jit": "off", "shared_buffers": "16MB"}


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
        self._process = None
        self.prepare()
        self.start()

    @property
    def url(self):
        return f"postgresql://{USER}@/{DATABASE}?host={self.socket}"

    def prepare(self):
        """Makes what is in it."""
        self._initialise()

    def settings(self):
        return SETTINGS | {"listen_addresses": "", "unix_socket_directories": self.socket}

    def inside(self, command):
        """The command as it is run where the server is."""
        return command

    def start(self):
        options = [word for name, value in self.settings().items() for word in ("-c", f"{name}={value}")]
        self._process = Process(self.inside([*UNPRIVILEGED, f"{self._programs}/postgres", "-D", self._data, *options]),
                                self._part.join("out"), self._env)
        until(lambda: self._answers() or not self._process.runs(), 60, "PostgreSQL answers")
        assert self._process.runs(), self.log()

    def runs(self):
        return self._process.runs()

    def is_well(self):
        return self._process.runs() and self._answers()

    def stop(self):
        """As `pg_ctl stop -m immediate`: nobody is told, and the next start recovers."""
        if self._process.runs():
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

    def _initialise(self, *options):
        self._run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", "--encoding=UTF8", f"--pgdata={self._data}",
                  *options)

    def _answers(self):
        command = self.inside([f"{self._programs}/pg_isready", "-q", "-h", self.socket])
        return subprocess.run(command, env=os.environ | self._env, check=False, timeout=60).returncode == 0

    def _run(self, program, *arguments):
        command = self.inside([*UNPRIVILEGED, f"{self._programs}/{program}", *arguments])
        run = subprocess.run(command, env=os.environ | self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             cwd="/", text=True, timeout=120, check=False)
        assert run.returncode == 0, f"{program} left with {run.returncode}:\n{run.stdout}"
        return run.stdout


class Server(Postgresql):
    """On a machine, at `number` of a switch, for whoever is there; its data and its log (WAL) are on small disks of their own.
    With a primary it is that one's standby."""

    # Crashes one after the other keep autovacuum from its work: in a long run what has passed stays.
    disk_size = (480 if "HIKYAKU_LONG_TESTS" in os.environ else 160) << 20
    auth = "trust"

    def __init__(self, place, machine, switch, number, primary=None):
        self.machine, self.address = machine, switch.at(number)
        self._network, self._primary, self.disks = switch.at(0), primary, {}
        super().__init__(place)

    def prepare(self):
        self.disks = {"data": self._data, "wal": self._part.directory("wal", 0o700, USER_ID)}
        for disk in self.disks.values():
            self.machine.mount_memory(disk, self.disk_size)
        where = [f"--waldir={self.disks['wal']}"]
        if self._primary:
            self._run("pg_basebackup", f"--host={self._primary.address}", f"--username={USER}", f"--pgdata={self._data}",
                      *where, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
            return
        self._initialise(*where, "--wal-segsize=1")
        for database in ("all", "replication"):
            self.machine.run("sh", "-c", 'echo "host $1 all $2/24 $4" >> "$3/pg_hba.conf"', "sh", database, self._network,
                             self._data, self.auth)

    def settings(self):
        return SETTINGS | {"listen_addresses": self.address, "unix_socket_directories": self.socket, "min_wal_size": "2MB",
                           "wal_keep_size": "64MB", "wal_retrieve_retry_interval": "100ms"}

    def inside(self, command):
        return self.machine.inside(command)

    def promote(self):
        self.ask("SELECT pg_promote()")

    def must_be_followed(self):
        """From now on a commit is one when a standby has it, too; returns when one is there."""
        self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.ask("SELECT pg_reload_conf()")
        until(lambda: "sync" in self.ask("SELECT sync_state FROM pg_stat_replication").split(), 60, self.log)

    def fill(self, disk):
        """Nothing more fits on it: cat fails when that is so, which the caller sees by what the server refuses."""
        self.machine.run("sh", "-c", 'cat /dev/zero > "$1/filling" || true', "sh", self.disks[disk])

    def empty(self, disk):
        self.machine.run("rm", "-f", f"{self.disks[disk]}/filling")
