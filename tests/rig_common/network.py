# SPDX-License-Identifier: MIT
"""A network that is nobody else's: a loopback on which every port is free, whatever servers this machine has."""

import os
import sys

MARK = "HIKYAKU_OWN_NETWORK"
COMMAND = ["unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def enter_own_network():
    """Starts this program again in it, unless it is there already. It takes root."""
    if MARK in os.environ:
        return
    sys.stdout.flush()
    os.execvpe(COMMAND[0], [*COMMAND, sys.executable, *sys.argv], os.environ | {MARK: "1"})
