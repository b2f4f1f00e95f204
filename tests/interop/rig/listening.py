# SPDX-License-Identifier: MIT
"""Whether another process listens already."""

import socket


def is_bound(address, port):
    """Whether somebody listens there, without a connection that it would have to log."""
    there = f"{socket.inet_aton(address)[::-1].hex().upper()}:{port:04X} 00000000:0000 0A"
    with open("/proc/net/tcp", encoding="utf-8") as sockets:
        return there in sockets.read()


def listens(address, port):
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False
