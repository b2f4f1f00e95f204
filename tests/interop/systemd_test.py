#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""systemd without process 1: the units, a handed-over socket, sd_notify, the watchdog; and a start as root."""

import json
import os
import re
import signal
import smtplib
import subprocess

from rig import Case, NotifySocket, main, until
from rig.control import Control
from rig.hikyakud import PORT, UNPRIVILEGED, Hikyakud, binary
from rig.messages import PLAIN
from rig.place import ROOT
from rig.process import Process
from rig.listening import is_bound, listens


class Systemd(Case):
    @classmethod
    def start_peers(cls):
        cls.units = cls.place.directory("units")
        for name in ("hikyaku.service", "hikyaku.socket"):
            with open(f"{ROOT}/systemd/{name}", encoding="utf-8") as unit:
                text = unit.read().replace("/usr/sbin/hikyakud", binary("hikyakud"))
                cls.place.file(f"units/{name}", text.replace("/usr/bin/hikyaku ", binary("hikyaku") + " "))

    def command(self, *words):
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def catching(self, **settings):
        """A daemon whose smarthost is the catcher, without TLS."""
        host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none", "tls_verify": False}
        self.daemon = Hikyakud(self.place, self.signing({"smarthosts": [host], **settings}))
        self.addCleanup(self.daemon.discard)
        return self.daemon

    def test_the_units_are_well_formed(self):
        said = self.command("systemd-analyze", "verify", f"{self.units}/hikyaku.service", f"{self.units}/hikyaku.socket")
        self.assertEqual(said, "")

    def test_the_service_is_hardened_to_an_exposure_of_at_most_1_4(self):
        said = self.command("systemd-analyze", "security", "--offline=true", "--threshold=14",
                            f"{self.units}/hikyaku.service")
        exposure = re.search(r"Overall exposure level for hikyaku.service: ([0-9.]+)", said)
        self.assertLessEqual(float(exposure[1]), 1.4)
        with open(f"{self.units}/hikyaku.service", encoding="utf-8") as unit:  # submit.sock needs to know its peers
            self.assertNotIn("PrivateUsers", unit.read())

    def test_users_and_directories_are_made_as_declared(self):
        root = self.place.directory("root")
        for name in ("etc/hikyaku", "usr/lib/hikyaku", "var/spool"):
            self.place.directory(f"root/{name}")
        self.place.file("root/etc/hikyaku/authinfo", "", 0o600)
        self.place.file("root/usr/lib/hikyaku/sendmail", "", 0o755)
        self.command("systemd-sysusers", f"--root={root}", f"{ROOT}/systemd/hikyaku.sysusers")
        self.command("systemd-tmpfiles", f"--root={root}", "--create", f"{ROOT}/systemd/hikyaku.tmpfiles")
        user, group, submit = self.id_of(root, "passwd", "hikyaku"), self.id_of(root, "group", "hikyaku"), \
            self.id_of(root, "group", "hikyaku-submit")
        for path, wanted in (("var/spool/hikyaku", (0o40711, user, group)),
                             ("var/spool/hikyaku/drop", (0o41730, user, submit)),
                             ("usr/lib/hikyaku/sendmail", (0o102755, 0, submit)),
                             ("etc/hikyaku/authinfo", (0o100640, 0, group))):
            found = os.stat(f"{root}/{path}")
            self.assertEqual((found.st_mode, found.st_uid, found.st_gid), wanted, path)

    def id_of(self, root, file, name):
        with open(f"{root}/etc/{file}", encoding="utf-8") as entries:
            return next(int(entry.split(":")[2]) for entry in entries if entry.startswith(name + ":"))

    def test_a_handed_over_socket_serves_a_mail(self):
        """The listen address of the configuration gives way to it."""
        daemon = self.catching(listen=[f"{self.place.address}:2600"])
        notify = NotifySocket(self.place.join("socket-notify"))
        self.addCleanup(notify.close)
        process = Process(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "systemd-socket-activate",
                           f"--listen={self.place.address}:{PORT}", f"--setenv=NOTIFY_SOCKET={notify.path}",
                           daemon.program, "-c", daemon.config], self.place.join("socket-out"))
        self.addCleanup(process.kill)
        until(lambda: listens(self.place.address, PORT), 20, "systemd-socket-activate listens")
        daemon.submit(PLAIN)
        self.assertTrue(self.catcher.wait().content.endswith(PLAIN))
        notify.wait("READY=1")
        self.assertFalse(listens(self.place.address, 2600))
        self.assertEqual(process.stop(), 0)

    def test_who_is_greeted_can_ask_the_control_socket_at_once(self):
        self.greet_and_ask([])

    def test_who_is_greeted_over_a_handed_over_socket_can_ask_the_control_socket_at_once(self):
        self.greet_and_ask(["systemd-socket-activate", f"--listen={self.place.address}:{PORT}"])

    def greet_and_ask(self, activation):
        """Starts again and again, since it is a matter of moments."""
        daemon = self.catching()
        control = Control(self.place.join("hikyakud", "run", "control.sock"))
        for count in range(5):
            process = Process([*UNPRIVILEGED, *activation, daemon.program, "-c", daemon.config],
                              self.place.join(f"greet-{len(activation)}-{count}"))
            self.addCleanup(process.kill)
            until(lambda: is_bound(self.place.address, PORT), 20, "the port is there")
            with smtplib.SMTP(self.place.address, PORT, timeout=20):
                self.assertEqual(json.loads(control.get("/v1/status"))["spool"], "healthy")
            self.assertEqual(process.stop(), 0)

    def test_the_service_manager_is_told_of_ready_reload_and_stop(self):
        daemon = self.catching().start()
        daemon.reload()
        daemon.signal(signal.SIGTERM)
        daemon.notify.wait("STOPPING=1")
        status = daemon.notify.status
        daemon.leave()
        self.assertRegex(status, r"\ASTATUS=\w")

    def test_the_watchdog_is_fed(self):
        daemon = self.catching()
        daemon.env["WATCHDOG_USEC"] = "1000000"
        daemon.start()
        for _ in range(3):
            daemon.notify.wait("WATCHDOG=1", 5)

    def test_started_as_root_it_becomes_the_configured_user(self):
        daemon = self.catching(user="nobody", listen=[f"{self.place.address}:25"])
        daemon.port, daemon.as_root = 25, True
        daemon.env["ASAN_OPTIONS"] = "detect_leaks=0"  # the leak checker may not look at a process that changed its user
        daemon.start()
        with open(f"/proc/{daemon.pid}/status", encoding="utf-8") as status:
            ids = dict(line.rstrip().split(":\t", 1) for line in status)
        self.assertEqual((ids["Uid"].split(), ids["Gid"].split()), (["65534"] * 4, ["65534"] * 4))
        self.assertLessEqual(set(ids["Groups"].split()), {"65534"})
        self.assertEqual(int(ids["CapEff"], 16), 0)
        daemon.submit(PLAIN)
        self.assertTrue(self.catcher.wait().content.endswith(PLAIN))

    def test_as_root_without_a_user_it_refuses_to_run(self):
        daemon = self.catching()
        done = subprocess.run([daemon.program, "-c", daemon.config], capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 78, done.stderr)

    def test_a_wrong_configuration_is_refused_with_78_and_its_place(self):
        daemon = self.catching(smart_host="x")
        done = subprocess.run([daemon.program, "--check", "-c", daemon.config], capture_output=True, timeout=60,
                              check=False, text=True)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r"hikyaku\.yaml:\d+:\d+: .*smart_host")


if __name__ == "__main__":
    main()
