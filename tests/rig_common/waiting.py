# SPDX-License-Identifier: MIT
"""Waiting for something that another process does."""

import time


def until(condition, seconds, what):
    """The first true value of `condition()`; AssertionError with `what` (text, or a function that makes it) after
    `seconds`. A condition that costs something (a program that is run) leaves the processor to what is waited for."""
    end = time.monotonic() + seconds
    while True:
        begin = time.monotonic()
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(max(0.01, min(1, 2 * (time.monotonic() - begin))))
