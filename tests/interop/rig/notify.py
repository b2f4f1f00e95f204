# SPDX-License-Identifier: MIT
"""The other end of sd_notify(3): what a daemon tells its service manager."""

import os
import socket
import threading

from rig_common.waiting import until


class NotifySocket:
    """`status` is the newest STATUS= line. Reads at once, as a service manager does: where ten messages wait, sd_notify(3)
    blocks, and with it the daemon."""

    def __init__(self, path):
        self.path = path
        self.lines, self.status = [], ""
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def has(self, line):
        """Whether `line` ("READY=1") has come; all that came up to then counts no more."""
        with self._lock:
            if line not in self.lines:
                return False
            del self.lines[:self.lines.index(line) + 1]
            return True

    def wait(self, line, seconds=20, runs=lambda: True):
        until(lambda: self.has(line) or not runs(), seconds, lambda: f"{line} from the daemon; there was {self.lines}")
        assert runs(), f"the daemon has ended before {line}"

    def _read(self):
        while message := self._socket.recv(1 << 16):
            with self._lock:
                lines = message.decode().split("\n")
                self.lines += lines
                self.status = next((line for line in lines if line.startswith("STATUS=")), self.status)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()
        os.unlink(self.path)
