# SPDX-License-Identifier: MIT
"""strace as a saboteur: makes the K-th call of a name fail, or kills the process before it. It counts each thread's
calls by themselves, from the moment it is attached or the program starts."""

import signal
import subprocess
import threading

from .running import Failed

PATIENCE = (1, 2, 5)  # seconds


def inject(syscall, what, when):
    """Words for strace; `what` is error=ENOSPC or signal=KILL, `when` 3 (the third), 3+ (the third and all behind)."""
    return ["strace", "-f", "-e", f"trace={syscall}", "-e", f"inject={syscall}:{what}:when={when}"]


class Saboteur:
    """A context around what is to be hit. Afterwards `hits`: how many calls were."""

    def __init__(self, daemon, output, syscall, what, when):
        self._output = output
        self._command = [*inject(syscall, what, when), "-o", output, "-p", str(daemon.pid)]
        self.hits = 0

    def __enter__(self):
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        line = self._strace.stderr.readline()
        if "attached" not in line:
            raise Failed(f"strace: {line}")
        threading.Thread(target=self._strace.stderr.read, daemon=True).start()  # so that it never blocks on it
        return self

    def __exit__(self, *_):
        self._end()
        with open(self._output, encoding="utf-8", errors="replace") as trace:
            self.hits = trace.read().count("(INJECTED)")

    def _end(self):
        """It lets go of the daemon at the first signal that does not hit it between two waits. Now and then it waits
        for ever for a thread that it has killed; then the kernel lets go for it."""
        for seconds in PATIENCE:
            self._strace.send_signal(signal.SIGINT)
            try:
                self._strace.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                pass
        self._strace.kill()
        self._strace.wait()
