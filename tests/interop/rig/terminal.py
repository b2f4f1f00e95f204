# SPDX-License-Identifier: MIT
"""A person at a terminal: waits for a question, types the answer, and sees what the terminal shows."""

import os
import pty
import select
import subprocess
import termios
import time

PATIENCE = 120


class Terminal:
    """`screen` is all that has been shown so far, with plain line ends. By default lines are hardly ever folded."""

    def __init__(self, command, env, columns=1000):
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (50, columns))
        try:
            self._child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,
                                           start_new_session=True)
        finally:
            os.close(slave)
        self._bytes, self._answered = b"", 0

    @property
    def screen(self):
        return self._bytes.decode("utf-8", "replace").replace("\r\n", "\n")

    def answer(self, question, text=""):
        """Waits for `question`, behind what has been answered already, and types `text` and the return key."""
        deadline = time.monotonic() + PATIENCE
        while question not in self.screen[self._answered:]:
            assert time.monotonic() < deadline and self._read(1), f"no {question!r}:\n{self.screen}"
        self._answered = len(self.screen)
        os.write(self._master, text.encode() + b"\n")

    def leave(self):
        """Reads to the end; returns the exit code."""
        while self._read(PATIENCE):
            pass
        return self._child.wait(PATIENCE)

    def close(self):
        """Ends the program if it still runs: its terminal is gone."""
        os.close(self._master)
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def _read(self, seconds):
        """False: it has ended."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self._master, 4096)
        except OSError:  # EIO: nobody has the other end any more
            piece = b""
        self._bytes += piece
        return bool(piece)
