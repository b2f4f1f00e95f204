#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs that read Postfix's log read ours with `log.format: postfix`: pflogsumm, logwatch's filter and
fail2ban-regex, as their packages have them, count what has happened. Our own lines are read by our files for fail2ban and
logcheck. Health probes leave nothing to read."""

import os
import re
import shutil
import socket
import subprocess
import sys

from rig import main
from rig.case import Case
from rig.place import ROOT

ME, YOU, GONE, BUSY = "me@example.com", "you@dest.example", "gone@dest.example", "busy@dest.example"

EVENTS = {"started", "accepted", "delivered", "deferred", "failed", "notice", "rejected", "reloaded", "stopping:", "stopped"}


def refuse(stage, recipients):
    if stage != "rcpt":
        return None
    return {GONE: "550 5.1.1 <gone@dest.example>: unknown user", BUSY: "450 4.2.0 greylisted, come back"}.get(recipients[0])


class LogReaders(Case):
    @classmethod
    def start_peers(cls):
        cls.catcher.refuse = refuse
        cls.settings = {"smarthosts": [{"name": "main", "host": cls.place.address, "port": cls.catcher.port, "tls": "none"}],
                        "log": {"format": "postfix"}, "senders": ["*@example.com"]}

    def dialogue(self, *commands):
        """A session of these lines, to its end; the last reply of the server."""
        with socket.create_connection((self.place.address, self.daemon.port), 60) as client, client.makefile("rb") as replies:
            reply = replies.readline()
            for command in commands:
                client.sendall(command.encode() + b"\r\n")
                reply = replies.readline()
                while reply[3:4] == b"-":
                    reply = replies.readline()
            client.shutdown(socket.SHUT_WR)
            replies.read()
        return reply.decode()

    def write_log(self, log="postfix"):
        """A day's work: a mail to three, of whom one gets it, one never will and one must wait; two refusals."""
        self.settings = self.settings | {"log": {"format": log}}
        self.run_hikyakud(self.settings)
        self.daemon.submit(b"Subject: x\r\n\r\nhi\r\n", ME, [YOU, GONE, BUSY])
        self.catcher.wait(wanted=lambda mail: mail.recipients == [ME])  # the bounce
        self.assertTrue(self.dialogue("EHLO app1", "MAIL FROM:<x@evil.test>").startswith("550 5.7.1 "))
        self.daemon.configure(self.settings | {"allow": "192.0.2.1"})
        self.daemon.reload()
        self.assertTrue(self.dialogue().startswith("554 5.7.1 "))
        self.daemon.stop()
        return self.place.file("mail.log", self.daemon.log())

    def read(self, *command, path=""):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False,
                              env=os.environ | {"PYTHONPATH": path, "LC_ALL": "C"})
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def assert_counted(self, report, **counts):
        for name, count in counts.items():
            self.assertRegex(report, rf"(?m)^ +{count} +{name.replace('_', ' ')}\b")

    def test_health_probes_leave_no_line(self):
        self.run_hikyakud(self.settings)
        before = self.daemon.log()
        socket.create_connection((self.place.address, self.daemon.port), 60).close()
        self.dialogue()
        self.dialogue("EHLO probe", "QUIT")
        self.dialogue("HELO probe", "NOOP", "QUIT")
        self.daemon.reload()
        self.assertIn("]: reload configuration", self.daemon.log().removeprefix(before).splitlines()[0])

    def test_a_mail_has_one_line_and_one_for_each_recipient(self):
        self.run_hikyakud(self.settings | {"log": {"format": "text"}})
        self.daemon.submit(b"Subject: x\r\n\r\nhi\r\n", ME, [YOU, GONE])
        self.catcher.wait(wanted=lambda mail: mail.recipients == [ME])  # the bounce
        self.daemon.stop()
        lines = self.daemon.log().splitlines()
        mail = next(line.partition(" id=")[2].split()[0] for line in lines if " accepted id=" in line)
        events = [line.split()[2] for line in lines if f" id={mail} " in line]
        self.assertEqual((events[0], sorted(events[1:])), ("accepted", ["delivered", "failed"]))

    def test_pflogsumm_logwatch_and_fail2ban_count_what_happened(self):
        log = self.write_log()
        tools = f"{self.place.peers}/log_readers"
        summary = self.read("perl", f"{tools}/usr/sbin/pflogsumm", log)
        self.assert_counted(summary, received=1, delivered=2, bounced=1, rejected=2, senders=1, sending_hosts=1)
        self.assertRegex(summary, r"(?m)^ +1 +deferred +\([12] +deferrals\)")  # it may have been tried again meanwhile
        self.assertRegex(summary, rf"(?m)^ +1 +{YOU}$")
        report = self.read("perl", f"{self.place.peers}/callers/usr/share/logwatch/scripts/services/postfix", "--detail", "10", log)
        self.assert_counted(report, Accepted=1, Rejected=2, Sent_via_SMTP=2, Deferred=1, Notifications_sent=1)
        self.assert_counted(report, **{"5xx_Reject_client_host": 1, "5xx_Reject_sender_address": 1, "Removed_from_queue": 1})
        found = self.read(sys.executable, f"{tools}/usr/bin/fail2ban-regex", "-c", f"{tools}/etc/fail2ban", log, "postfix",
                          path=f"{tools}/usr/lib/python3/dist-packages")
        self.assertIn(" 1 matched, ", found)


    def test_our_files_for_fail2ban_and_logcheck_read_our_own_lines(self):
        log = self.write_log("text")
        tools = f"{self.place.peers}/log_readers"
        fail2ban = self.place.directory("fail2ban")
        shutil.copytree(f"{tools}/etc/fail2ban", fail2ban, dirs_exist_ok=True)
        shutil.copytree(f"{ROOT}/etc/fail2ban", fail2ban, dirs_exist_ok=True)
        found = self.read(sys.executable, f"{tools}/usr/bin/fail2ban-regex", "-c", fail2ban, log, "hikyaku",
                          path=f"{tools}/usr/lib/python3/dist-packages")
        self.assertIn(" 1 matched, ", found)  # who may not connect; a sender that is refused may be a mistake
        in_syslog = re.sub(r"(?m)^([0-9T:-]+)Z \w+ ", r"\1.000000+00:00 app1 hikyakud[123]: ", self.daemon.log())
        left = subprocess.run(["grep", "-E", "-v", "-f", f"{ROOT}/etc/logcheck/ignore.d.server/hikyaku"], input=in_syslog,
                              capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"}).stdout
        self.assertEqual(EVENTS - {line.split()[3] for line in in_syslog.splitlines()}, set())
        self.assertEqual(EVENTS & {line.split()[3] for line in left.splitlines()}, {"failed", "rejected"}, left)


if __name__ == "__main__":
    main()
