# SPDX-License-Identifier: MIT
"""What may befall a spool's file system while a daemon is at work on it: contexts that begin it, and end it."""

import contextlib
import errno
import os
import resource

from .place import OWNER, run


@contextlib.contextmanager
def no_blocks(directory):
    """A file of root's takes every block that is left."""
    path = os.path.join(directory, "ballast")
    with open(path, "wb", buffering=0) as ballast:
        for size in (1 << 20, 4096):
            _until_full(lambda size=size: ballast.write(bytes(size)))
        os.fsync(ballast.fileno())  # ext4 finds only then that there is a block less
        _until_full(lambda: ballast.write(bytes(4096)))
    try:
        yield
    finally:
        os.unlink(path)


@contextlib.contextmanager
def few_blocks(directory, free):
    """A file of root's leaves `free` bytes."""
    path = os.path.join(directory, "ballast")
    room = os.statvfs(directory)
    with open(path, "wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, room.f_bavail * room.f_frsize - free)
    try:
        yield
    finally:
        os.unlink(path)


@contextlib.contextmanager
def no_inodes(directory):
    """Empty files take every inode that is left."""
    names = (os.path.join(directory, f"ballast-{count}") for count in range(1 << 20))
    made = []

    def make():
        made.append(next(names))
        os.close(os.open(made[-1], os.O_CREAT | os.O_WRONLY))
    _until_full(make)
    try:
        yield
    finally:
        for path in made[:-1]:
            os.unlink(path)


def _until_full(step):
    with contextlib.suppress(StopIteration):
        while True:
            try:
                step()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return


@contextlib.contextmanager
def limited(daemon, limit, value):
    """A soft limit of the running daemon, "nofile" or "fsize", set by its own user: that takes no capability."""
    hard = resource.getrlimit(getattr(resource, f"RLIMIT_{limit.upper()}"))[1]
    _prlimit(daemon, f"--{limit}={value}:")
    try:
        yield
    finally:
        if daemon.runs():
            _prlimit(daemon, f"--{limit}={hard}:")


def _prlimit(daemon, limit):
    who = [f"--reuid={OWNER.pw_uid}", f"--regid={OWNER.pw_gid}", "--clear-groups"]
    run("setpriv", *who, "prlimit", f"--pid={daemon.pid}", limit)
