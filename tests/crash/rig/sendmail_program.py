# SPDX-License-Identifier: MIT
"""sendmail(1) as it is installed: set-gid hikyaku-submit, run by a user of no consequence, with the spool where it is
compiled in. Group and spool are there for this test and its children alone (a mount namespace)."""

import os
import subprocess
import tempfile

from .place import OWNER

GROUP, GROUP_ID = "hikyaku-submit", 64998
SPOOL = "/var/spool/hikyaku"
CALLER = 64123  # a uid that nobody has


class Sendmail:
    """The daemon's user is a member of the group."""

    def __init__(self, place, original):
        self._make_group(place)
        place.hide("/var/spool")
        os.makedirs(SPOOL)
        os.chown(SPOOL, OWNER.pw_uid, OWNER.pw_gid)
        os.chmod(SPOOL, 0o711)
        self.path = place.program(original)
        os.chown(self.path, 0, GROUP_ID)
        os.chmod(self.path, 0o2755)

    @staticmethod
    def _make_group(place):
        with open("/etc/group", encoding="utf-8") as file:
            lines = [line for line in file.read().splitlines() if not line.startswith(GROUP + ":")]
        copy = place.join("group")
        with open(copy, "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, f"{GROUP}:x:{GROUP_ID}:{OWNER.pw_name}"]) + "\n")
        place.bind(copy, "/etc/group")

    def start(self, content, *arguments):
        """A process that reads `content`; what it says is its standard output."""
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            return subprocess.Popen([self.path, *arguments], stdin=file, stdout=subprocess.PIPE, text=True,
                                    stderr=subprocess.STDOUT, user=CALLER, group=CALLER, extra_groups=[])


def left_in(directory):
    """Names, those with a dot left out."""
    path = os.path.join(SPOOL, directory)
    return sorted(name for name in os.listdir(path) if name[0] != ".") if os.path.isdir(path) else []
