# SPDX-License-Identifier: MIT
"""A child process in a process group of its own, with its output in a file."""

import ctypes
import os
import signal
import subprocess


class Process:
    """Starts at once. stop() ends the child and whatever it has left in its group, and nobody else."""

    def __init__(self, command, output, env=None, cwd="/"):
        self.output = output
        with open(output, "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd,
                                          env=_environment(env or {}), start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def runs(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, seconds):
        """The exit code."""
        return self.child.wait(seconds)

    def said(self):
        return text_of(self.output)

    def stop(self, seconds=20):
        """The exit code after SIGTERM. Kills what does not go."""
        if self.runs():
            self.signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        finally:
            self._kill_group()

    def kill(self):
        """At once, without a word to anybody."""
        self._kill_group()

    def _kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.child.wait()
        _reap_group(self.pid)


def text_of(path):
    """What stands in a log so far; nothing where there is no such file yet."""
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return log.read()
    except FileNotFoundError:
        return ""


def _environment(extra):
    """Ours, but for what would tell a daemon that a service manager or journal of our own is listening."""
    foreign = ("NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC")
    return {name: value for name, value in os.environ.items() if name not in foreign} | extra


def _reap_group(group):
    try:
        while True:
            os.waitpid(-group, 0)
    except ChildProcessError:
        return


# What a daemon leaves behind becomes our child, so that we can wait until it is gone.
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
