# SPDX-License-Identifier: MIT
"""Namespaces for a server that has paths and accounts compiled into it, and asks the machine for its name: it finds
directories and a name of ours there, and the machine never hears of it."""

import glob
import os

from .process import Process

NAME = "smtp.interop.test"
SCRIPT = ('set -e; hostname "$1"; shift; while [ "$1" != -- ]; do mount $1 "$2" "$3"; shift 3; done; shift; '
          'exec "$@"')
DEVICES = ("null", "zero", "full", "random", "urandom")


class Room:
    """`accounts` maps the names of users, each with a group of its own, to their numbers."""

    def __init__(self, place, name, accounts):
        self.place, self.here = place, place.directory(name)
        self.libraries = glob.glob(f"{place.peers}/libraries/usr/lib/*-linux-gnu")[0]
        self._mounts = []
        self.bind(self.file("hosts", f"127.0.0.1 localhost\n{place.address} {NAME}\n"), "/etc/hosts")
        users = [f"{user}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" for user, number in accounts.items()]
        groups = [f"{user}:x:{number}:\n" for user, number in accounts.items()]
        for path, lines in (("/etc/passwd", users), ("/etc/group", groups)):
            # Ours come first, so that both their names and their numbers mean them.
            self.bind(self.file(os.path.basename(path), "".join(lines) + _read(path)), path)

    def bind(self, source, target):
        self._mounts += ["--rbind", source, target]

    def add(self, folder, target):
        """Its files are found in `target` besides those that are there."""
        self._mounts += [f"--types=overlay --options=lowerdir={folder}:{target}", "overlay", target]

    def file(self, name, text):
        return self.place.file(os.path.relpath(self.here, self.place.path) + "/" + name, text)

    def directory(self, name, mode=0o755, owner=0, at=None):
        """A directory of ours, found inside at `at` if that is given."""
        path = self.place.directory(os.path.relpath(self.here, self.place.path) + "/" + name, mode, owner)
        if at is not None:
            self.bind(path, at)
        return path

    def read(self, name):
        """What is in the file `name` by now."""
        try:
            return _read(f"{self.here}/{name}")
        except FileNotFoundError:
            return ""

    def syslog(self, socket):
        """A /dev with nothing in it but the harmless devices, and `socket` as its log."""
        devices = self.directory("dev")
        for name in DEVICES:
            self.bind(f"/dev/{name}", self.file(f"dev/{name}", ""))
        os.symlink(socket, f"{devices}/log")
        self.bind(devices, "/dev")

    def run(self, command):
        """With its output in the file `out`."""
        return Process(self.inside(command), f"{self.here}/out", {"LD_LIBRARY_PATH": self.libraries})

    def inside(self, command):
        return ["unshare", "--mount", "--uts", "--", "sh", "-c", SCRIPT, "sh", NAME, *self._mounts, "--", *command]


def _read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
