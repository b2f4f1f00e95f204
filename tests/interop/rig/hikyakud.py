# SPDX-License-Identifier: MIT
"""The daemon under test: a generated configuration, readiness by sd_notify, its log as events.

It runs as an unprivileged user in a mount namespace of its own, where /etc/hosts names the smarthosts.
"""

import json
import os
import shutil
import signal
import smtplib
import subprocess

from rig_common.waiting import until

from .notify import NotifySocket
from .process import Process

USER_ID = 65534
NAMESPACE = ["unshare", "--mount", "--", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
UNPRIVILEGED = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
PORT = 2525


def binary(name):
    """The program `name` of the build under test ($HIKYAKU_BIN)."""
    return os.path.join(os.environ["HIKYAKU_BIN"], name)


class Hikyakud:
    """start() begins, stop() must leave exit code 0. Settings are keys of hikyaku.yaml; JSON is YAML, too."""

    def __init__(self, place, settings, authinfo="", env=None):
        self.place, self.env = place, dict(env or {})
        self.port, self.as_root = PORT, False
        self.folder = place.directory("hikyakud")
        self.program = self._reachable_program()
        self.spool = place.directory("hikyakud/spool", 0o711, USER_ID)
        self._run = place.directory("hikyakud/run", 0o755, USER_ID)
        self._kept = {name: settings[name] for name in ("dkim",) if name in settings}  # whatever changes later
        self._starts = 0
        self._process = self.notify = self._log = self._last_words = None
        self.configure(settings, authinfo)

    def configure(self, settings, authinfo=None):
        """Rewrites the configuration; a running daemon learns of it by reload()."""
        settings = self._defaults() | self._kept | settings
        settings.setdefault("domain", settings["hostname"])  # whatever this machine's /etc/mailname says
        self.config = self.place.file("hikyakud/hikyaku.yaml", json.dumps(settings, indent=1))
        if authinfo is not None:
            self.place.file("hikyakud/authinfo", authinfo, 0o600, USER_ID)

    def start(self):
        self._starts += 1
        self._log = self.place.join("hikyakud", f"log.{self._starts}")
        self.notify = NotifySocket(self.place.join("hikyakud", f"notify.{self._starts}"))
        self._process = Process(self._command(), self._log, {"NOTIFY_SOCKET": self.notify.path, **self.env})
        self.notify.wait("READY=1", runs=self._still_runs)
        return self

    def reload(self):
        self.signal(signal.SIGHUP)
        self.notify.wait("RELOADING=1", runs=self._still_runs)
        self.notify.wait("READY=1", runs=self._still_runs)

    def signal(self, number):
        self._process.signal(number)

    def stop(self):
        if self._process is not None:
            self.signal(signal.SIGTERM)
            self.leave()

    def leave(self):
        """Waits for its end, which has been asked for."""
        process, self._process = self._process, None
        try:
            code = process.wait(40)
            assert code == 0, f"hikyakud left with {code}:\n{self.log()}"
        finally:
            process.kill()
            self.notify.close()

    def crash(self):
        """kill -9; start() may follow."""
        process, self._process = self._process, None
        process.kill()
        self.notify.close()

    def discard(self):
        """Stops it and forgets its spool."""
        try:
            self.stop()
        finally:
            self._last_words = self.log()
            shutil.rmtree(self.folder)

    @property
    def pid(self):
        return self._process.pid

    def submit(self, content, sender="me@example.com", recipients=("you@dest.example",), options=()):
        """Hands a mail in; returns when it has been acknowledged. `options` are parameters of MAIL."""
        with smtplib.SMTP(self.place.address, self.port, "client.interop.test", timeout=60) as client:
            client.sendmail(sender, list(recipients), content, options)

    def hikyaku(self, *words):
        """What the operator's command prints, whatever it leaves with."""
        return subprocess.run([binary("hikyaku"), *words, "-c", self.config], capture_output=True, text=True, check=False,
                              timeout=120).stdout

    def begin_check(self, *arguments):
        """`hikyaku check` with this configuration, as the daemon's user; end_check() has what it says."""
        program = f"{self.folder}/hikyaku"
        if not os.path.exists(program):
            shutil.copy(binary("hikyaku"), program)
        command = [*NAMESPACE, self.place.hosts, *UNPRIVILEGED, program, "check", "-c", self.config, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env=os.environ | self.env)

    def end_check(self, check, returncode):
        """What it has said, to be called in every case."""
        said = check.communicate(timeout=120)[0]
        assert check.returncode == returncode, f"hikyaku check left with {check.returncode}:\n{said}"
        return said

    def check(self, *arguments, returncode=0):
        return self.end_check(self.begin_check(*arguments), returncode)

    def import_from(self, system, file):
        """`hikyaku import --write`, before the start; returns what it says."""
        run = subprocess.run([binary("hikyaku"), "import", system, file, "--write", "-c", self.config],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        assert run.returncode == 0, f"hikyaku import left with {run.returncode}:\n{run.stdout}"
        os.chown(f"{self.folder}/authinfo", USER_ID, USER_ID)  # as an installation has it: the daemon's user may read it
        return run.stdout

    def log(self):
        """Of the newest start; still there after discard()."""
        if self._last_words is not None:
            return self._last_words
        if self._log is None:
            return ""
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def events(self, name=None, **fields):
        """The log's events, those called `name` and with these fields."""
        found = [json.loads(line) for line in self.log().splitlines() if line.startswith("{") and line.endswith("}")]
        return [event for event in found if name in (None, event.get("event"))
                and all(event.get(key) == value for key, value in fields.items())]

    def troubles(self):
        """Every line that is there to be noticed since the first mail came. A doubt about the configuration is told once, at
        start, and may come a moment later than that mail: that one time it is not among them."""
        events = self.events()
        for doubt in ("names that exist only in documentation", "there is no alias for root", "usually speaks"):
            told = next((event for event in events if doubt in event.get("text", "")), None)
            if told is not None:
                events.remove(told)
        first = next((at for at, event in enumerate(events) if event.get("event") == "accepted"), len(events))
        return [event for event in events[first:] if event["level"] in ("warning", "error")]

    def wait_for(self, name, seconds=20, **fields):
        return until(lambda: self.events(name, **fields), seconds,
                     lambda: f"{name} with {fields} in the log:\n{self.log()}")[0]

    def _command(self):
        user = [] if self.as_root else UNPRIVILEGED
        return [*NAMESPACE, self.place.hosts, *user, self.program, "-c", self.config]

    def _still_runs(self):
        return self._process.runs() or self._fail()

    def _fail(self):
        raise AssertionError(f"hikyakud has ended with {self._process.wait(1)}:\n{self.log()}")

    def _defaults(self):
        return {"hostname": "app.interop.test", "listen": [f"{self.place.address}:{PORT}"],
                "authinfo": f"{self.folder}/authinfo", "runtime_directory": self._run, "shutdown_grace": "2s",
                "spool": {"directory": self.spool, "segment_size": "1MiB", "min_free": "1MiB"},
                "log": {"format": "json"}}

    def _reachable_program(self):
        """A copy: the checkout may lie where the unprivileged user may not go."""
        return shutil.copy(binary("hikyakud"), f"{self.folder}/hikyakud")
