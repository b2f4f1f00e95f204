# SPDX-License-Identifier: MIT
"""The other end of sd_notify(3): what a daemon tells its service manager."""

import os
import socket

from rig_common.waiting import until



class NotifySocket:
    """`status` is the newest STATUS= line."""

    def __init__(self, path):
        self.path = path
        self.lines, self.status = [], ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        self._socket.setblocking(False)

    def has(self, line):
        """Whether `line` ("READY=1") has come; all that came up to then counts no more."""
        self._read()
        if line not in self.lines:
            return False
        del self.lines[:self.lines.index(line) + 1]
        return True

    def wait(self, line, seconds=20, runs=lambda: True):
        until(lambda: self.has(line) or not runs(), seconds, lambda: f"{line} from the daemon; there was {self.lines}")
        assert runs(), f"the daemon has ended before {line}"

    def _read(self):
        while True:
            try:
                lines = self._socket.recv(1 << 16).decode().split("\n")
                self.lines += lines
                self.status = next((line for line in lines if line.startswith("STATUS=")), self.status)
            except BlockingIOError:
                return

    def close(self):
        self._socket.close()
        os.unlink(self.path)
