# SPDX-License-Identifier: MIT
"""Where one test program lives: a temporary directory, loopback addresses that no other program uses at the same time,
host names for them, and where the peers are."""

import copy
import os
import shutil
import tempfile

from rig_common.scratch import scratch_directory

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class Place:
    """Linux takes all of 127.0.0.0/8 as this machine. With an address made from our process id, the smarthosts can have
    their real ports, and programs that run side by side never meet."""

    def __init__(self):
        self.path = scratch_directory("hikyaku-interop-")
        self.peers = os.environ.get("HIKYAKU_PEERS", os.path.join(ROOT, ".cache", "peers"))
        self.clients = os.path.join(ROOT, "tests", "interop", "clients")
        pid = os.getpid()
        self.address = f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255 or 256 - 1}"
        self.hosts = self.file("hosts", "127.0.0.1 localhost\n")

    def join(self, *names):
        return os.path.join(self.path, *names)

    def file(self, name, text, mode=0o644, owner=None):
        """Writes a file anew, with its mode and owner from the first byte on; returns its path."""
        path = self.join(name)
        fresh = path + ".new"
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            if owner is not None:
                os.fchown(out.fileno(), owner, owner)
            os.fchmod(out.fileno(), mode)
            out.write(text)
        os.replace(fresh, path)
        return path

    def directory(self, name, mode=0o755, owner=0):
        path = self.join(name)
        os.makedirs(path, exist_ok=True)
        os.chown(path, owner, owner)
        os.chmod(path, mode)
        return path

    def part(self):
        """The same place with a directory of its own."""
        part = copy.copy(self)
        part.path = tempfile.mkdtemp(prefix="part-", dir=self.path)
        os.chmod(part.path, 0o755)
        return part

    def name_host(self, name, address=None):
        """From now on hikyakud finds our address, or another one of ours, under this name."""
        with open(self.hosts, "a", encoding="utf-8") as hosts:
            hosts.write(f"{address or self.address} {name}\n")

    def remove(self):
        shutil.rmtree(self.path)
