#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people are told of a spool that takes no mail: without free blocks, below min_free, without free inodes, on a
file system that has turned read-only, over quota.

However many mails are refused, the log has one error line with path, free space and min_free; `hikyaku status` and the
service manager's status say the same while it lasts, and all of them when it is over.

Usage: told_test.py PATH/TO/hikyakud PATH/TO/hikyaku
"""
import contextlib
import json
import os
import socket
import subprocess

from rig import SMALL, Daemon, Failed, Place, Saboteur, Scenario, main, until
from rig.troubles import few_blocks, no_inodes

PATIENCE = 30
REFUSALS = 20
FREE = 5 << 20


class Manager:
    """What the daemon tells its service manager; a context."""

    def __init__(self, path):
        self.path, self.status = path, ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.setblocking(False)
        os.chmod(path, 0o666)

    def says(self, word):
        with contextlib.suppress(BlockingIOError):
            while True:
                lines = self._socket.recv(1 << 16).decode().split("\n")
                self.status = next((line for line in lines if line.startswith("STATUS=")), self.status)
        return word in self.status


class Story:
    """One daemon, one file system."""

    def __init__(self, program, hikyaku, place, directory):
        self._hikyaku, self._directory = hikyaku, directory + "/spool"
        self._scenario = Scenario()
        self._manager = Manager(place.join("notify"))
        self.daemon = Daemon(program, place, "daemon", self._directory, self._scenario.smarthost, min_free="8MiB",
                             segment_size="1MiB")

    def tell(self, trouble, words, is_mended=True):
        with self.daemon as daemon:
            daemon.start(NOTIFY_SOCKET=self._manager.path)
            self._scenario.until_relayed(daemon, PATIENCE)
            with trouble:
                until(lambda: not self._scenario.submit(daemon, SMALL), PATIENCE, "mail is refused")
                for _ in range(REFUSALS):
                    self._scenario.submit(daemon, SMALL)
                self._check_said(words)
            if is_mended:
                self._check_over()
                self._scenario.until_relayed(daemon, PATIENCE)
                daemon.stop()
            else:
                daemon.kill()
        self._scenario.smarthost.close()

    def _check_said(self, words):
        lines = self.daemon.log_lines("error ")
        if len(lines) != 1 or words not in lines[0]:
            raise Failed(f"one line with {words!r} was wanted: {lines}")
        print(lines[0], flush=True)
        for field in (f"path={self._directory}", "free=", "free_inodes=", f"min_free={8 << 20}"):
            if field not in lines[0]:
                raise Failed(f"{field} is missing: {lines[0]}")
        status = json.loads(self.daemon.ask(self._hikyaku, "status", "--json"))
        if status["spool"] != "failing" or words not in status["spool_trouble"]:
            raise Failed(f"status says {status}")
        if "spool          failing: " not in self.daemon.ask(self._hikyaku, "status"):
            raise Failed("status does not say it to people")
        until(lambda: self._manager.says(words), PATIENCE, lambda: f"the manager is told, and not {self._manager.status}")

    def _check_over(self):
        until(lambda: self.daemon.log_lines("info the spool accepts new mail again"), PATIENCE, "the log says that it is over")
        if "spool          healthy" not in self.daemon.ask(self._hikyaku, "status"):
            raise Failed("status does not say that it is over")
        until(lambda: not self._manager.says(self._directory), PATIENCE, "the manager is told that it is over")


@contextlib.contextmanager
def aborted(directory):
    """As when the kernel has found an error on the disk."""
    subprocess.run(["mount", "-o", "remount,abort", directory], check=True)
    yield


def below_min_free(program, hikyaku, place):
    directory = place.tmpfs("disk", "size=64m")
    place.directory("disk/spool")
    Story(program, hikyaku, place, directory).tell(few_blocks(directory, FREE), " are free, less than `spool.min_free`, 8MiB")


def without_inodes(program, hikyaku, place):
    directory = place.tmpfs("disk", "size=64m,nr_inodes=64")
    place.directory("disk/spool")
    Story(program, hikyaku, place, directory).tell(no_inodes(directory), " free inodes left")


def read_only(program, hikyaku, place):
    directory = place.ext4("disk", 48 << 20)
    place.directory("disk/spool")
    Story(program, hikyaku, place, directory).tell(aborted(directory), "is read-only", is_mended=False)


def over_quota(program, hikyaku, place):
    """Played by strace: whatever is written into the log, or reserved for it, is too much."""
    directory = place.tmpfs("disk", "size=64m")
    place.directory("disk/spool")
    story = Story(program, hikyaku, place, directory)

    @contextlib.contextmanager
    def quota():
        with Saboteur(story.daemon, place.join("trace"), "fallocate,pwritev", "error=EDQUOT", "1+"):
            yield
    story.tell(quota(), "has used up its disk quota")


def test(program, hikyaku, only=""):
    for story in below_min_free, without_inodes, read_only, over_quota:
        if only not in story.__name__:
            continue
        print(story.__name__, flush=True)
        with Place() as place:
            story(program, place.program(hikyaku), place)
    return 0


main(test, __doc__)
