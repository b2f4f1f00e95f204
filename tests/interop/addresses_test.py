#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may send, as what, and to whom mail goes: `senders`, `masquerade`, `local_mail`, `copy_to`, the postmaster and
`log.addresses`, from an installed sendmail with the daemon up and down, and over SMTP."""

import smtplib
import subprocess

from rig import main, until
from rig.installation import ALICE
from rig.installed_case import InstalledCase

SENDMAIL = "/usr/sbin/sendmail"
BOSS = "boss@dest.example"
PATTERNS = ["*@interop.test", "*@*.interop.test"]
REFUSAL = ("550 5.7.1 This sender may not send here, only *@interop.test, *@*.interop.test "
           "(see `senders` in hikyaku.yaml)")


def refuse(stage, recipients):
    gone = any(recipient.startswith("gone") for recipient in recipients)
    if stage == "rcpt" and recipients[0].startswith("busy"):
        return "530 5.7.0 <busy@dest.example> Authentication required"
    return "550 5.1.1 <gone@dest.example> unknown" if stage == "rcpt" and gone else None


class Addresses(InstalledCase):
    @classmethod
    def start_peers(cls):
        super().start_peers()
        cls.machine.write("/etc/aliases", "root: ops@dest.example\n")
        cls.catcher.refuse = refuse

    def begin(self, **settings):
        """A running daemon with these settings; its mail domain is not the machine's name."""
        host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none"}
        self.daemon.configure({"smarthosts": [host], "domain": "interop.test", **settings})
        self.daemon.start()

    def send(self, *arguments, subject="x"):
        content = f"Subject: {subject}\n\nhi\n".encode()
        return subprocess.run(self.machine.inside(["env", "--chdir=/", *ALICE, SENDMAIL, *arguments]), input=content,
                              capture_output=True, timeout=60, check=False)

    def assert_sent(self, *arguments):
        sent = self.send(*arguments)
        self.assertEqual((sent.returncode, sent.stderr), (0, b""))

    def next_to(self, recipient):
        return self.catcher.wait(wanted=lambda mail: recipient in mail.recipients)

    def settle(self):
        """Until nothing is queued; a mail is, until every notice about it is."""
        until(lambda: self.machine.run(["mailq", "-j"], user=[]) == "", 30, self.daemon.log)

    def test_a_users_mail_reaches_local_mail_with_the_daemon_up_or_down_and_nobody_elses_does(self):
        self.begin(local_mail=BOSS)
        self.assert_sent("alice")
        self.assertEqual(self.next_to(BOSS).recipients, [BOSS])
        self.daemon.submit(b"Subject: x\r\n\r\nhi\r\n", recipients=["alice@localhost"])
        self.next_to(BOSS)
        self.daemon.submit(b"Subject: x\r\n\r\nhi\r\n", recipients=["alice@app.interop.test", "root@localhost"])
        self.assertEqual(self.next_to(BOSS).recipients, [BOSS, "ops@dest.example"])
        self.assert_sent("alice@interop.test")
        self.next_to("alice@interop.test")
        self.assert_sent("nobodyknows")
        self.next_to("nobodyknows@interop.test")
        self.daemon.stop()
        self.assert_sent("alice")
        self.daemon.start()
        self.next_to(BOSS)
        self.assertEqual(self.machine.run([SENDMAIL, "-bv", "alice", "alice@interop.test"]),
                         "alice -> boss@dest.example: user boss, domain dest.example\n"
                         "alice@interop.test: user alice, domain interop.test\n")
        self.assert_nothing_waits()

    def test_other_senders_are_refused_with_words_by_sendmail_over_smtp_and_from_drops(self):
        self.begin(senders=PATTERNS)
        refused = self.send("-f", "alice@evil.test", "you@dest.example")
        self.assertEqual(refused.returncode, 77)
        self.assertIn(REFUSAL, refused.stderr.decode())
        self.assert_sent("-f", "", "you@dest.example")
        self.assertEqual(self.next_to("you@dest.example").sender, "")
        self.assert_sent("you@dest.example")
        self.assertEqual(self.next_to("you@dest.example").sender, "alice@interop.test")
        with self.assertRaises(smtplib.SMTPSenderRefused) as raised:
            self.daemon.submit(b"Subject: x\r\n\r\nhi\r\n", sender='"a@interop.test"@evil.test')
        self.assertEqual((raised.exception.smtp_code, raised.exception.smtp_error.decode()), (550, REFUSAL[4:]))
        self.daemon.stop()
        self.assert_sent("-f", "alice@evil.test", "you@dest.example")
        self.daemon.start()
        bounce = self.next_to("alice@evil.test")
        self.assertEqual(bounce.sender, "")
        self.assertIn(b"This sender may not send here", bounce.content)
        self.assert_nothing_waits()

    def test_host_names_that_must_not_show_become_the_domain(self):
        self.begin(masquerade=["app.interop.test"])
        content = ("From: =?UTF-8?B?5p2x5Lqs?= <alice@app.interop.test>\r\nTo: bob@app.interop.test\r\n"
                   "Reply-To: \"A, B\" <alice@APP.interop.test>\r\n\r\nalice@app.interop.test\r\n")
        self.daemon.submit(content.encode(), sender="alice@app.interop.test")
        mail = self.next_to("you@dest.example")
        self.assertEqual(mail.sender, "alice@interop.test")
        self.assertIn(b"From: =?UTF-8?B?5p2x5Lqs?= <alice@interop.test>\r\nTo: bob@app.interop.test\r\n"
                      b"Reply-To: \"A, B\" <alice@interop.test>\r\n", mail.content)
        self.assertTrue(mail.content.endswith(b"\r\n\r\nalice@app.interop.test\r\n"))

    def test_a_copy_of_everything_is_kept_and_what_becomes_of_it_touches_nothing_else(self):
        self.begin(copy_to="archive@dest.example")
        self.assert_sent("-N", "success,failure,delay", "you@dest.example")
        mail = self.next_to("you@dest.example")
        self.assertEqual(mail.recipients, ["you@dest.example", "archive@dest.example"])
        self.assertNotIn(b"archive", mail.content)
        notice = self.next_to("alice@interop.test")  # of success: the catcher has no DSN
        self.assertNotIn(b"archive", notice.content)
        self.assertEqual(notice.recipients, ["alice@interop.test"])
        self.daemon.stop()
        self.begin(copy_to="gone.archive@dest.example")
        self.assert_sent("you@dest.example")
        self.assertEqual(self.next_to("you@dest.example").recipients, ["you@dest.example"])
        self.daemon.wait_for("failed", to="gone.archive@dest.example")
        self.settle()
        self.assert_nothing_waits()

    def test_the_postmaster_gets_a_copy_of_bounces_and_hears_of_what_has_no_sender(self):
        self.begin(queue={"bounce": {"postmaster": "pm@dest.example", "return": "full"}})
        self.assert_sent("gone@dest.example")
        copy, bounce = self.next_to("pm@dest.example"), self.next_to("alice@interop.test")
        self.assertEqual((copy.sender, bounce.sender), ("", ""))
        self.assertIn(b"copy of a notice to <alice@interop.test>", copy.content)
        self.assertNotIn(b"\r\nhi\r\n", copy.content)
        self.assertIn(b"\r\nhi\r\n", bounce.content)
        self.assert_sent("-f", "", "gone@dest.example")
        self.assertIn(b"A message from <> could not be delivered", self.next_to("pm@dest.example").content)
        self.settle()
        self.assert_nothing_waits()

    def test_a_postmaster_without_a_mailbox_makes_no_circle(self):
        self.begin(queue={"bounce": {"postmaster": "gone.pm@dest.example"}})
        self.assert_sent("-f", "gone.sender@dest.example", "gone@dest.example")
        self.settle()
        self.assert_nothing_waits()
        self.assertEqual(self.daemon.log().count("a notice to the postmaster cannot be delivered and is dropped"), 2)

    def test_masked_addresses_are_in_every_line_of_the_log_and_in_the_status(self):
        self.begin(log={"format": "json", "addresses": "masked"})
        self.assert_sent("gone@dest.example", "you@dest.example")
        self.next_to("alice@interop.test")
        self.settle()
        self.assertNotRegex(self.daemon.log(), "(alice|gone|you)@")
        failed = self.daemon.wait_for("failed")
        self.assertEqual((failed["from"], failed["to"]), ("a***@interop.test", "g***@dest.example"))
        self.assertEqual(failed["reply"], "550 5.1.1 <g***@dest.example> unknown")
        self.assert_sent("busy@dest.example")
        paused = self.daemon.wait_for("smarthost paused")
        self.assertEqual(paused["reply"], "530 5.7.0 <b***@dest.example> Authentication required")
        until(lambda: "<b***@dest.example>" in self.daemon.notify.status, 20, lambda: self.daemon.notify.status)
        self.assertNotIn("busy", self.daemon.notify.status + self.daemon.log())
        self.assertIn("busy@dest.example", self.machine.run(["mailq"], user=[]))
        self.catcher.refuse = lambda stage, recipients: None
        self.addCleanup(setattr, self.catcher, "refuse", refuse)
        self.daemon.reload()
        self.next_to("busy@dest.example")
        self.settle()


if __name__ == "__main__":
    main()
