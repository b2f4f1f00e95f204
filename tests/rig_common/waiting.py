# SPDX-License-Identifier: MIT
"""Waiting for something that another process does."""

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
