# SPDX-License-Identifier: MIT
"""A machine on which hikyaku is installed, and programs that send mail are: a mount namespace in which /usr, /etc and
/var are this machine's with what `cmake --install` and the unpacked packages bring on top. The machine itself never hears
of it: what is written there is gone in the end."""

import os
import subprocess

from rig_common.waiting import until

from .hikyakud import Hikyakud, binary
from .process import Process

NAME = "app.interop.test"
LAYERS = ("usr", "etc", "var")
SCRIPT = """set -e
hostname "$1"; place=$2; callers=$3; room=$place/room
mount -t tmpfs -o mode=755 tmpfs "$room/scratch"
for layer in usr etc var; do
  mkdir -p "$room/scratch/$layer/upper" "$room/scratch/$layer/work" "$room/scratch/$layer/lower"
  lower=
  for folder in "$place/installed/$layer" "$callers/$layer"; do
    case $folder in
      "/$layer"/*) cp -a "$folder/." "$room/scratch/$layer/lower"; folder=$room/scratch/$layer/lower ;; # layers may not overlap
    esac
    case :$lower in *":$folder:"*) ;; *) lower=$lower$folder: ;; esac
  done
  echo "lowerdir=$lower/$layer,upperdir=$room/scratch/$layer/upper,workdir=$room/scratch/$layer/work" > "$room/scratch/$layer.options"
done
cd "$place" # seen at its path also below what covers it now
for layer in usr etc var; do
  mount -t overlay -o "$(cat "room/scratch/$layer.options")" overlay "/$layer"
done
mount --bind room/run /run
mkdir -p "$place"
mount --no-canonicalize --bind . "$place"
mount --bind "$room/spool" /var/spool
systemd-sysusers /usr/lib/sysusers.d/hikyaku.conf
# First: both her name and her number mean her, whatever users this machine has.
sed -i '1i alice:x:1001:1001:Alice:/home:/bin/sh' /etc/passwd
sed -i '1i alice:x:1001:' /etc/group
sed -i '1i alice:*:20000::::::' /etc/shadow
systemd-tmpfiles --create /usr/lib/tmpfiles.d/hikyaku.conf
echo ready
exec sleep infinity"""
ALICE = ["setpriv", "--reuid=1001", "--regid=1001", "--clear-groups", "--"]
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class Installation:
    """remove() ends everything that was started in it and is left."""

    def __init__(self, place):
        self.place = place
        self.home = place.directory("home", 0o755, 1001)
        for name in ("room", "room/scratch", "room/run", "room/spool", "installed"):
            place.directory(name)
        for layer in LAYERS:
            place.directory(f"installed/{layer}")
            os.makedirs(f"{place.peers}/callers/{layer}", exist_ok=True)
        subprocess.run(["cmake", "--install", os.path.dirname(os.path.dirname(binary("hikyakud"))), "--prefix", "/usr"],
                       env=os.environ | {"DESTDIR": place.join("installed")}, check=True, stdout=subprocess.DEVNULL)
        self._holder = Process(["unshare", "--mount", "--uts", "--", "sh", "-c", SCRIPT, "sh", NAME, place.path,
                                f"{place.peers}/callers"], place.join("room", "out"))
        until(self._is_ready, 60, lambda: f"the namespace is made:\n{self._holder.said()}")

    def _is_ready(self):
        assert self._holder.runs(), self._holder.said()
        return self._holder.said().endswith("ready\n")

    def inside(self, command):
        return ["nsenter", "--mount", "--uts", f"--target={self._holder.pid}", "--", *command]

    def run(self, command, stdin=b"", user=ALICE, env=None):
        """What it said (standard output, standard error), after it has left with 0."""
        at_home = ["env", f"--chdir={self.home}", *user]
        done = subprocess.run(self.inside([*at_home, *command]), input=stdin, capture_output=True, timeout=120, check=False,
                              env=ENVIRONMENT | {"HOME": self.home} | (env or {}))
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == 0, f"{command[0]} left with {done.returncode}:\n{said}"
        return said

    def write(self, path, text, mode="0644"):
        """A file of root's in it."""
        self.run(["sh", "-c", 'cat > "$1" && chmod "$2" "$1"', "sh", path, mode], text.encode(), user=[])

    def dropped(self):
        """How many mails wait in the drop directory."""
        return len([name for name in os.listdir(self.place.join("room", "spool/hikyaku/drop")) if name[0] != "."])

    def remove(self):
        self._holder.kill()


class InstalledHikyakud(Hikyakud):
    """The daemon of an installation: its program, its paths, its user."""

    def __init__(self, installation, settings):
        self.installation = installation
        # The leak checker may not look at a process that has changed its user.
        super().__init__(installation.place, settings, env={"ASAN_OPTIONS": "detect_leaks=0"})

    def _command(self):
        return self.installation.inside(["/usr/sbin/hikyakud", "-c", self.config])

    def _defaults(self):
        defaults = super()._defaults() | {"hostname": NAME, "user": "hikyaku"}
        defaults["spool"] = defaults["spool"] | {"directory": "/var/spool/hikyaku"}
        del defaults["runtime_directory"], defaults["authinfo"]
        return defaults
