# SPDX-License-Identifier: MIT
"""How a test of this folder runs: as root, in mount and process namespaces of its own, so that whatever it has mounted
or started ends with it, however it ends; and on a network of its own, so that nobody takes a port between two lives of its
daemon. Exit code 77: this machine does not allow that."""

import os
import subprocess
import sys

from rig_common.network import SET_UP

MARK = "HIKYAKU_CRASH_RIG"
UNSHARE = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", *SET_UP]
SKIPPED = 77


class Failed(AssertionError):
    """The daemon broke a promise, or the test could not see that it kept it."""


def main(test, usage):
    """Runs `test(hikyakud, options…)` with the command line's words; the program's only statement."""
    if len(sys.argv) < 2:
        sys.exit(usage)
    if MARK not in os.environ:
        _isolate()
    try:
        sys.exit(test(*sys.argv[1:]))
    except AssertionError as error:
        print(f"FAILED: {error}", flush=True)
        sys.exit(1)


def _isolate():
    if os.geteuid() != 0 or subprocess.run([*UNSHARE, "true"], check=False).returncode != 0:
        print("skipped: needs root and namespaces")
        sys.exit(SKIPPED)
    command = [*UNSHARE, sys.executable, *sys.argv]
    os.execvpe(command[0], command, os.environ | {MARK: "1", "PYTHONDONTWRITEBYTECODE": "1"})
