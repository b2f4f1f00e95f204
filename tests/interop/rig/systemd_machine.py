# SPDX-License-Identifier: MIT
"""Machines with systemd as their first process (boot_systemd.sh). What is done there, and what is written there, is gone
with them."""

import json
import os
import signal
import subprocess

from rig_common.waiting import until

from .hikyakud import binary
from .process import Process

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot_systemd.sh")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "TZ": "UTC"}
# What a build with sanitizers may not do in the unit's sandbox: look at its own process for leaks.
SANITIZERS = "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n"
NOT_HERE = ("a real systemd cannot be started here: it takes root, a kernel with cgroup2 and overlay mounts, and {}\n"
            "(nothing in this test may be left out, so it has failed)")


class SystemdMachine:
    """Booted when its constructor returns. remove() ends everything in it."""

    def __init__(self, place, root="/"):
        """`root` is the Debian that it is a copy of."""
        self.place, self._root, self._holder = place, root, None
        self._cgroup = _new_cgroup(f"hikyaku-test-{os.getpid()}")
        try:
            self._boot()
        except BaseException:
            self.remove()
            raise

    def _boot(self):
        folders = [self.place.directory(name) for name in ("machine", "brought")]
        self._bring(folders[1])
        self._holder = Process(["bash", BOOT, folders[0], self._root, folders[1], self._cgroup], self.place.join("boot.out"))
        until(self._has_booted, 60, lambda: NOT_HERE.format(f"/lib/systemd/systemd:\n{self._holder.said()}"))

    def _bring(self, folder):
        """Puts into the folder what lies over its root."""

    def _has_booted(self):
        assert self._holder.runs(), NOT_HERE.format(f"/lib/systemd/systemd:\n{self._holder.said()}")
        if self._first_process() is None:
            return False
        state = self.run("systemctl", "is-system-running").stdout.strip()
        return state in ("running", "degraded")

    def _first_process(self):
        """Its process id outside, once it is systemd."""
        pid = self._holder.pid
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                first = children.read().split()[0]
            with open(f"/proc/{first}/comm", encoding="utf-8") as name:
                return first if name.read() == "systemd\n" else None
        except (IndexError, FileNotFoundError, ProcessLookupError):
            return None

    def inside(self, command):
        first = self._first_process()
        return ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
                "--wd", "--", "env", "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items()), *command]

    def run(self, *command, user=None, groups=None, stdin=""):
        """What has become of it: returncode, stdout, stderr."""
        if user is not None:
            members = ["--clear-groups"] if groups is None else [f"--groups={groups}"]
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", *members, "--", *command]
        return subprocess.run(self.inside(command), input=stdin, capture_output=True, text=True, timeout=120, check=False,
                              errors="replace")

    def must(self, *command, **how):
        """Its standard output, after it has left with 0."""
        done = self.run(*command, **how)
        assert done.returncode == 0, f"{command} left with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path, text, mode="0644"):
        """A file of root's, with the directories above it."""
        self.must("sh", "-c", 'mkdir -p "${1%/*}" && umask 077 && cat > "$1" && chmod "$2" "$1"', "sh", path, mode,
                  stdin=text)

    def cursor(self):
        """Where the journal ends now."""
        said = self.must("journalctl", "--show-cursor", "-n", "0", "-q")
        return said.rpartition("-- cursor: ")[2].strip()

    def journal(self, since, unit="hikyaku.service"):
        """What a unit has said since then, as (priority, text)."""
        said = self.must("journalctl", "-q", "-o", "json", f"--after-cursor={since}", "-u", unit)
        entries = [json.loads(line) for line in said.splitlines()]
        return [(int(entry["PRIORITY"]), entry["MESSAGE"]) for entry in entries]

    def property(self, name, unit="hikyaku.service"):
        return self.must("systemctl", "show", "-P", name, unit).strip()

    def start(self, command, name):
        """A process in it, for as long as the caller wants it."""
        return Process(self.inside(command), self.place.join(f"{name}.out"))

    def remove(self):
        if self._holder is not None:
            first = self._first_process()
            if first is not None:
                os.kill(int(first), signal.SIGKILL)
            self._holder.kill()
        until(lambda: _remove_tree(self._cgroup), 20, "the machine's cgroups are empty")


class InstalledMachine(SystemdMachine):
    """A copy of this machine with hikyaku installed and its users and directories made, not started."""

    def _bring(self, folder):
        subprocess.run(["cmake", "--install", os.path.dirname(os.path.dirname(binary("hikyakud"))), "--prefix", "/usr"],
                       env=os.environ | {"DESTDIR": folder}, check=True, stdout=subprocess.DEVNULL)

    def _boot(self):
        super()._boot()
        self.must("systemd-sysusers", "/usr/lib/sysusers.d/hikyaku.conf")
        self.must("systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/hikyaku.conf")
        self.write("/etc/systemd/system/hikyaku.service.d/sanitizers.conf", SANITIZERS)


def _new_cgroup(name):
    """An empty directory of a cgroup2 mount, to have a tree of cgroups below it that is nobody else's."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        found = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    assert found, NOT_HERE.format("a cgroup2 mount, which this machine does not have")
    try:
        os.mkdir(f"{found[0]}/{name}")
    except OSError as error:
        raise AssertionError(NOT_HERE.format(f"a cgroup of its own: {error}")) from error
    return f"{found[0]}/{name}"


def _remove_tree(top):
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
