# SPDX-License-Identifier: MIT
"""What a set-gid program asks of the kernel. strace runs as root, so that the bit holds for what it watches."""

import os
import re
import tempfile

CALL = re.compile(r"\A(?:[0-9]+ +)?([a-z0-9_]+)\(")
PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Trace:
    """The calls of the program itself: from its own execve on."""

    def __init__(self, here, arguments, stdin=b"", env=None, options=(), **more):
        output = tempfile.NamedTemporaryFile(prefix="strace-", dir=here.path, delete=False)
        output.close()
        user = more.pop("user", 65534)
        before = ["strace", "-f", "-qq", "-s", "300", "-o", output.name, *options, "setpriv", f"--reuid={user}",
                  f"--regid={user}", "--clear-groups", "--"]
        self.done = here.run(*arguments, stdin=stdin, env=env, user=0, before=before, **more)
        with open(output.name, encoding="utf-8", errors="replace") as trace:
            lines = trace.read().splitlines()
        os.unlink(output.name)
        starts = [at for at, line in enumerate(lines) if f'execve("{here.path}/bin/' in line]
        self.lines = lines[starts[0]:] if starts else []

    def names(self):
        return [found[1] for found in map(CALL.match, self.lines) if found]

    def opened(self):
        """The paths of files that were opened, or tried; in their order."""
        return [PATH.search(line)[1] for line in self.lines
                if re.search(r"\b(open|openat|creat)\(", line) and PATH.search(line)]

    def connected(self):
        return [PATH.search(line)[1] for line in self.lines if "connect(" in line and PATH.search(line)]
