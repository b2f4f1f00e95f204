# SPDX-License-Identifier: MIT
"""A set-gid sendmail with its directories at the paths that are compiled into it: in a mount namespace, the machine's
own are never touched."""

import os
import re
import shutil
import subprocess

from rig_common.scratch import scratch_directory

CALLER = 65534  # the uid; its name is nobody
DAEMON = 64997
GROUP = 64998  # hikyaku-submit
MOUNTS = 'mount --bind "$1/spool" /var/spool && mount --bind "$1/run" /run && shift && exec "$@"'
NAME = re.compile(r"\A[0-9a-f]{16}\.[0-9]{1,10}\.[0-9a-f]{8}\Z")
FIRST_LINE = re.compile(rb"\Ahikyaku-drop 1 ([0-9]{20}) [0-9a-f]{16}\n")


class Dropped:
    """A mail in the drop directory, taken apart: `sender` and `recipients` are the commands' lines, whole."""

    def __init__(self, data):
        first = FIRST_LINE.match(data)
        assert first and int(first[1]) == len(data) - first.end(), data[:100]
        commands, self.content = re.split(rb"BDAT [0-9]{20} LAST\r\n", data[first.end():], maxsplit=1)
        length = data[first.end() + len(commands) + 5:][:20]
        assert int(length) == len(self.content), (length, len(self.content))
        self.sender, *self.recipients = commands.decode().removesuffix("\r\n").split("\r\n")


def dropped(data):
    return Dropped(data)


class Installed:
    """run() is a call by a user; root is what it looks like from there."""

    def __init__(self, program):
        self.path = scratch_directory("hikyaku-sendmail-")
        self.spool = self._directory("spool/hikyaku", 0o711, DAEMON)
        self.drop = self._directory("spool/hikyaku/drop", 0o1730, DAEMON, GROUP)
        self.runtime = self._directory("run/hikyaku", 0o755, DAEMON)
        self.program = self._directory("bin", 0o755) + "/sendmail"
        shutil.copy(program, self.program)
        os.chown(self.program, 0, GROUP)
        os.chmod(self.program, 0o2755)
        self.plain = shutil.copy(program, f"{self.path}/bin/plain")  # without the bit

    def remove(self):
        shutil.rmtree(self.path)

    def command(self, arguments, user=CALLER, before=(), name=None, bit=True):
        """`before`: words in front of the program, which may change what it inherits."""
        program = self._link(name) if name else self.program if bit else self.plain
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user else []
        return ["unshare", "--mount", "--", "sh", "-c", MOUNTS, "sh", self.path, *become, *before, program, *arguments]

    def run(self, *arguments, stdin=b"", env=None, timeout=60, **more):
        done = subprocess.run(self.command(arguments, **more), input=stdin, capture_output=True, timeout=timeout,
                              check=False, env={"PATH": os.environ["PATH"], **(env or {})})
        return done

    def start(self, *arguments, **more):
        return subprocess.Popen(self.command(arguments, **more), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def names(self):
        return sorted(os.listdir(self.drop))

    def take(self):
        """The mails that have been left, in the order of their names; the directory is empty afterwards."""
        mails = []
        for name in self.names():
            assert NAME.match(name), name
            path = os.path.join(self.drop, name)
            found = os.lstat(path)
            assert found.st_mode == 0o100640 and found.st_nlink == 1 and found.st_gid == GROUP, (name, found)
            with open(path, "rb") as file:
                mails.append(dropped(file.read()))
            mails[-1].uid = found.st_uid
            os.unlink(path)
        return mails

    def clear(self):
        for name in self.names():
            os.unlink(os.path.join(self.drop, name))

    def _link(self, name):
        path = f"{self.path}/bin/{name}"
        if not os.path.islink(path):
            os.symlink("sendmail", path)
        return path

    def _directory(self, name, mode, owner=0, group=0):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.mkdir(path)
        os.chown(path, owner, group)
        os.chmod(path, mode)
        return path
