#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a machine writes to root, from programs as they are installed: cron, smartd's script, logwatch; git's patches;
with the daemon running, and with it stopped and started later. And the aliases that send it where somebody reads it."""

import subprocess

from rig import main, until
from rig.installation import ALICE
from rig.installed_case import ALIASES, InstalledCase
from rig.process import Process

ROOT_USER = []
PATCH = "Grüße, 日本語"
# What cronie writes to `sendmail -t`, from its source: the name comes before the address there.
CRONIE = ["/usr/sbin/sendmail", "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"]
CRONIE_MAIL = ('From: "(Cron Daemon)" <root>\nTo: root\nSubject: Cron <root@app> /usr/bin/grüße\nMIME-Version: 1.0\n'
               "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n"
               "Precedence: bulk\n\nX-Cron-Env: <LANG=C.UTF-8>\n\nGrüße, 日本語\n.\n")


class LocalMail(InstalledCase):
    @classmethod
    def start_peers(cls):
        super().start_peers()
        run = cls.machine.run
        # As the packages' maintainer scripts do.
        run(["ln", "-sf", "bsd-mailx", "/usr/bin/mail"], user=ROOT_USER)
        run(["install", "-d", "-m", "1730", "/var/spool/cron/crontabs", "/var/cache/logwatch"], user=ROOT_USER)
        run(["git", "init", "-q", "work"])
        run(["sh", "-c", f"cd work && echo '{PATCH}' > file && git add file && "
             f"git -c user.name='Älice' -c user.email=alice@example.com commit -qm '{PATCH}'"])

    def both_ways(self, send, check):
        """Running; and stopped while it is sent."""
        self.daemon.start()
        send()
        check()
        self.daemon.stop()
        send()
        self.assertEqual((self.machine.dropped(), self.catcher.mails), (1, []))
        self.daemon.start()
        check()
        self.assert_nothing_waits()

    def assert_from_root(self, arrived, sender="root@app.interop.test"):
        self.assertEqual((arrived.sender, arrived.recipients), (sender, ["ops@dest.example"]))

    def run_cron(self):
        """Until the job that it has at its start has sent its mail."""
        self.machine.run(["rm", "-f", "/run/crond.reboot"], user=ROOT_USER)
        cron = Process(self.machine.inside(["env", "LANG=C.UTF-8", "/usr/sbin/cron", "-f"]), self.place.join("cron.out"))
        try:
            until(lambda: self.machine.dropped() or self.catcher.mails, 30, cron.said)
        finally:
            cron.stop()

    def test_cron(self):
        self.machine.write("/var/spool/cron/crontabs/alice", "@reboot printf 'Grüße, 日本語\\n.\\nEnde\\n'\n", "0600")
        self.machine.run(["chown", "alice", "/var/spool/cron/crontabs/alice"], user=ROOT_USER)

        def check():
            arrived = self.wait("Cron <alice@app")
            self.assert_from_root(arrived, arrived.sender)
            self.assertRegex(arrived.sender, r"\A(root|alice)@app\.interop\.test\Z")
            self.assertEqual(arrived.field("From"), "root@app.interop.test (Cron Daemon)")
            self.assertEqual(arrived.field("To"), "alice@app.interop.test")
            self.assertIn("printf 'Grüße, 日本語", arrived.field("Subject"))
            self.assertEqual(arrived.text(), "Grüße, 日本語\n.\nEnde\n")

        self.both_ways(self.run_cron, check)

    def test_cronies_command_line(self):
        def check():
            arrived = self.wait("/usr/bin/grüße")
            self.assert_from_root(arrived)
            self.assertEqual(arrived.field("From"), '"(Cron Daemon)" <root@app.interop.test>')
            self.assertEqual(arrived.field("To"), "root@app.interop.test")
            self.assertTrue(arrived.text().endswith("Grüße, 日本語\n.\n"), arrived.text())

        self.both_ways(lambda: self.machine.run(CRONIE, CRONIE_MAIL.encode(), user=ROOT_USER), check)

    def test_smartds_warning(self):
        env = {"SMARTD_MAILER": "/usr/share/smartmontools/smartd-runner", "SMARTD_ADDRESS": "root",
               "SMARTD_MESSAGE": "Device: /dev/sda, 8 Currently unreadable sectors", "SMARTD_FAILTYPE": "CurrentPendingSector",
               "SMARTD_TFIRST": "Sun Nov 22 03:14:04 2026 UTC", "SMARTD_TFIRSTEPOCH": "1795317244", "SMARTD_PREVCNT": "0",
               "SMARTD_NEXTDAYS": "0", "SMARTD_DEVICEINFO": "disk", "SMARTD_DEVICE": "/dev/sda",
               "SMARTD_DEVICESTRING": "/dev/sda", "SMARTD_DEVICETYPE": "sat"}

        def check():
            arrived = self.wait("SMART error (CurrentPendingSector)")
            self.assert_from_root(arrived)
            self.assertIn("8 Currently unreadable sectors", arrived.text())

        self.both_ways(lambda: self.machine.run(["/usr/share/smartmontools/smartd_warning.sh"], user=ROOT_USER, env=env),
                       check)

    def test_logwatch(self):
        def check():
            arrived = self.wait("Logwatch for ")
            self.assert_from_root(arrived)
            self.assertIn("System Configuration Begin", arrived.text())

        self.both_ways(lambda: self.machine.run(["logwatch", "--output", "mail", "--mailto", "root", "--service",
                                                 "zz-sys", "--range", "all"], user=ROOT_USER), check)

    def test_git_send_email(self):
        def check():
            arrived = self.wait(PATCH)
            self.assertEqual(arrived.field("Subject"), f"[PATCH] {PATCH}")
            self.assertEqual((arrived.sender, arrived.recipients), ("alice@app.interop.test", ["you@dest.example"]))
            self.assertIn(f"\n+{PATCH}\n", arrived.text())

        self.both_ways(lambda: self.machine.run(
            ["git", "-C", "work", "-c", "user.email=alice@example.com", "-c", "user.name=Älice", "send-email", "--quiet",
             "--confirm=never", "--to=you@dest.example", "--suppress-cc=all", "-1"]), check)

    def test_newaliases_and_a_reload_put_the_file_into_force_unless_something_is_wrong_with_it(self):
        self.addCleanup(self.machine.write, "/etc/aliases", ALIASES)
        self.daemon.start()
        self.machine.write("/etc/aliases", "root: first@dest.example\n")
        self.assert_root_is("ops@dest.example")
        self.machine.run(["newaliases"], user=ROOT_USER)
        self.assert_root_is("first@dest.example")
        self.machine.write("/etc/aliases", "root: second@dest.example\nlist: |/bin/true\n")
        done = subprocess.run(self.machine.inside(["newaliases"]), capture_output=True, text=True, check=False)
        self.assertIn("/etc/aliases:2: `|/bin/true` is a program", done.stderr)
        self.assertNotEqual(done.returncode, 0)
        self.daemon.reload()
        self.assert_root_is("first@dest.example")
        self.assertIn("the aliases stay as they were", self.daemon.log())
        self.daemon.stop()
        self.daemon.start()
        self.assert_root_is("second@dest.example")
        self.machine.run(["rm", "/etc/aliases"], user=ROOT_USER)
        self.daemon.reload()
        self.assert_root_is("root@app.interop.test")

    def test_sendmail_bv_says_who_reads_roots_mail(self):
        self.assertEqual(self.machine.run(["/usr/sbin/sendmail", "-bv", "postmaster"]),
                         "postmaster -> ops@dest.example: user ops, domain dest.example\n")

    def test_mailq_and_verbose_sendmail_say_why_mail_waits_and_that_no_daemon_runs(self):
        none = subprocess.run(self.machine.inside([*ALICE, "mailq"]), capture_output=True, text=True, check=False)
        self.assertEqual(none.returncode, 69)
        self.assertIn("hikyakud is not running", none.stderr)
        self.assertIn("mail sent meanwhile waits in /var/spool/hikyaku/drop until it is started", none.stderr)
        nobody = {"name": "main", "host": self.place.address, "port": 1, "tls": "none"}
        self.daemon.configure({"smarthosts": [nobody]})
        self.daemon.start()
        said = self.machine.run(["/usr/sbin/sendmail", "-v", "-v", "you@dest.example"], b"Subject: why\n\nx\n")
        self.assertIn("waits for the smarthost since ", said)
        self.assertIn(": the smarthost cannot be reached, or does not answer; it is tried again by itself\n", said)
        self.assertIn(": the smarthost cannot be reached", self.machine.run(["mailq"]))
        self.assertIn(f"nobody listens on {self.place.address}:1", self.machine.run(["mailq"], user=ROOT_USER))

    def check_mailq(self, *thresholds):
        """The exit code and the words of the plugin, run as a user who is in adm, as a monitoring agent would be."""
        user = ["setpriv", "--reuid=1001", "--regid=1001", "--groups=4", "--"]
        plugin = f"{self.place.peers}/monitoring/usr/lib/nagios/plugins/check_mailq"
        done = subprocess.run(self.machine.inside([*user, "perl", plugin, "-M", "postfix", *thresholds]), capture_output=True,
                              text=True, check=False, timeout=120)
        return done.returncode, done.stdout.strip()

    def test_monitoring_plugins_and_our_own_status_tell_of_the_queue(self):
        nobody = {"name": "main", "host": self.place.address, "port": 1, "tls": "none"}
        self.daemon.configure({"smarthosts": [nobody]})
        self.daemon.start()
        self.empty_the_queue()
        self.assertEqual(self.check_mailq("-w", "1", "-c", "2"), (0, "OK: postfix mailq reports queue is empty|unsent=0;1;2;0"))
        for number in range(3):
            self.machine.run(["/usr/sbin/sendmail", "-odb", "you@dest.example"], f"Subject: {number}\n\nx\n".encode())
        until(lambda: self.machine.run(["mailq"], user=ROOT_USER).count("nobody listens on") == 3, 30, self.daemon.log)
        self.assertEqual(self.check_mailq("-w", "4", "-c", "9"), (0, "OK: postfix mailq (3) is below threshold (4/9)|unsent=3;4;9;0"))
        self.assertEqual(self.check_mailq("-w", "3", "-c", "9"), (1, "WARNING: postfix mailq is 3 (threshold w = 3)|unsent=3;3;9;0"))
        self.assertEqual(self.check_mailq("-w", "1", "-c", "3"), (2, "CRITICAL: postfix mailq is 3 (threshold c = 3)|unsent=3;1;3;0"))
        ours = self.plugin_status()
        self.assertEqual(ours[0], 2)
        self.assertTrue(ours[1].startswith("HIKYAKU CRITICAL - 1 of 1 smarthosts paused: main; 3 mails queued | active=0;;;0 waiting=3;"),
                        ours[1])
        self.empty_the_queue()
        self.daemon.stop()
        self.assertEqual(self.check_mailq("-w", "1", "-c", "2"), (2, "CRITICAL: Error code 69 returned from /usr/bin/mailq"))
        gone = self.plugin_status()
        self.assertEqual((gone[0], gone[1].partition(" - ")[0]), (2, "HIKYAKU CRITICAL"))

    def empty_the_queue(self):
        """Of what this test or another one has left in it."""
        remove = ["hikyaku", "queue", "remove", "--all", "--yes", "-c", self.daemon.config]

        def is_empty():
            subprocess.run(self.machine.inside(remove), capture_output=True, check=False, timeout=120)
            return "Mail queue is empty" in self.machine.run(["mailq"], user=ROOT_USER)
        until(is_empty, 30, self.daemon.log)

    def plugin_status(self):
        done = subprocess.run(self.machine.inside(["hikyaku", "status", "--nagios", "-c", self.daemon.config]),
                              capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def assert_root_is(self, address):
        self.machine.run(["/usr/sbin/sendmail", "root"], b"Subject: who is it?\n\nroot\n")
        self.assertEqual(self.wait("who is it?").recipients, [address])


if __name__ == "__main__":
    main()
