# SPDX-License-Identifier: MIT
"""Waiting for something that another process does."""

import socket
import time


def until(condition, seconds, what):
    """The first true value of `condition()`; AssertionError with `what` (text, or a function that makes it) after
    `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.01)


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
