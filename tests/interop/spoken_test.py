#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SMTP spoken to sendmail -bs and -bS, as it is installed, by scripts that wait for no reply: where DATA was refused, no
line of the message becomes a command, with the daemon running and with it stopped."""

import os
import subprocess

from rig import main, until
from rig.installation import ALICE, ENVIRONMENT
from rig.installed_case import InstalledCase

REFUSED = b"HELO app\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<you dest.example>\r\nDATA\r\n"
FORGED = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@dest.example>\r\nDATA\r\nSubject: forged\r\n\r\nx\r\n"
BODIES = (FORGED, b"RSET\r\n" + FORGED, b"From: alice@example.com\r\nSubject: dull\r\n\r\n" + FORGED)
LAST = b"RSET\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<you@dest.example>\r\nDATA\r\nSubject: last\r\n\r\nx\r\n.\r\nQUIT\r\n"
LF = b"\n"


class Spoken(InstalledCase):
    def speak(self, option, pieces):
        """`pieces`: (what has been said before it is written, bytes). What was said, and the exit code."""
        said = b""
        with subprocess.Popen(self.machine.inside(["env", f"--chdir={self.machine.home}", *ALICE, "/usr/sbin/sendmail", option]),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
            for after, piece in pieces:
                while after not in said:
                    more = os.read(process.stdout.fileno(), 65536)
                    self.assertTrue(more, said)
                    said += more
                try:
                    process.stdin.write(piece)
                    process.stdin.flush()
                except BrokenPipeError:
                    break
            said += process.communicate(timeout=60)[0]
        return said, process.returncode

    def pieces(self, option, body):
        """In one write, cut behind DATA, and cut inside the body."""
        seen = b"503 " if option == "-bs" else b""  # -bS says nothing
        rest = body + b".\r\n" + LAST
        cut = len(body) // 2
        return ([(b"", REFUSED + rest)], [(b"", REFUSED), (seen, rest)],
                [(b"", REFUSED + rest[:cut]), (b"", rest[cut:])], [(b"", REFUSED), (seen, rest[:cut]), (b"", rest[cut:])])

    def each(self):
        for option in ("-bs", "-bS"):
            for body in BODIES:
                for pieces in self.pieces(option, body):
                    with self.subTest(option=option, pieces=pieces):
                        yield option, pieces

    def assert_last_is_all(self, number):
        for _ in range(number):
            self.assertEqual(self.wait("last").recipients, ["you@dest.example"])
        until(lambda: "Mail queue is empty" in self.machine.run(["mailq"], user=[]), 30, "the queue is empty")
        self.assert_nothing_waits()

    def test_with_the_daemon_running_a_message_whose_data_was_refused_sends_nothing(self):
        self.daemon.start()
        stored = 0
        for option, pieces in self.each():
            said, code = self.speak(option, pieces)
            if option == "-bs":
                self.assertIn(b"\r\n421 4.5.0 ", said)
                self.assertNotIn(b"\r\n354 ", said)
            else:  # the mail behind it goes
                self.assertEqual((said, code), (b"", 65))
                stored += 1
        self.assert_last_is_all(stored)

    def test_with_the_daemon_stopped_a_message_whose_data_was_refused_leaves_nothing(self):
        stored = 0
        for option, pieces in self.each():
            said, code = self.speak(option, pieces)
            self.assertEqual(code, 0 if option == "-bs" else 65, said)
            stored += 1
            self.assertEqual(self.machine.dropped(), stored)
        self.daemon.start()
        self.assert_last_is_all(stored)

    def test_a_script_that_speaks_lf_is_understood(self):
        for running in (False, True):
            for option in ("-bs", "-bS"):
                with self.subTest(option=option, running=running):
                    said, code = self.speak(option, [(b"", (REFUSED + FORGED + b".\r\n" + LAST).replace(b"\r\n", LF))])
                    self.assertIn(code, (0, 65), said)
            if not running:
                self.daemon.start()
        self.assert_last_is_all(3)  # a daemon hangs up on -bs

    def test_a_sendmail_that_is_killed_leaves_no_draft(self):
        """With the daemon running, and with it stopped and started later."""
        self.daemon.start()
        self.kill_while_it_writes()
        until(lambda: self.drafts() == [], 30, "the draft is gone")
        self.daemon.stop()
        self.kill_while_it_writes()
        self.assertEqual(len(self.drafts()), 1)
        self.daemon.start()
        until(lambda: self.drafts() == [], 30, "the draft is gone")
        self.assert_nothing_waits()

    def test_a_draft_that_is_being_written_stays(self):
        self.daemon.start()
        with self.writing() as process:
            self.machine.run(["/usr/sbin/sendmail", "you@dest.example"], b"Subject: other\n\nx\n")
            self.wait("other")
            self.assertEqual(len(self.drafts()), 1)
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)
        self.wait("long")
        self.assertEqual(self.drafts(), [])

    def test_a_user_has_his_mail_tried_once_in_30_seconds(self):
        self.daemon.start()
        self.machine.run(["/usr/sbin/sendmail", "-q"])
        done = subprocess.run(self.machine.inside([*ALICE, "/usr/sbin/sendmail", "-q"]), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, r"a retry is allowed once in 30 s; try again in \d+ s")
        for _ in range(2):
            self.machine.run(["/usr/sbin/sendmail", "-q"], user=[])

    def writing(self):
        """A sendmail with a message too long for its memory, of which more is to come."""
        process = subprocess.Popen(self.machine.inside([*ALICE, "/usr/sbin/sendmail", "-i", "you@dest.example"]),
                                   stdin=subprocess.PIPE, env=ENVIRONMENT)
        process.stdin.write(b"Subject: long\n\n" + b"x" * 70 * 1024 * 50)
        process.stdin.flush()
        until(self.drafts, 30, "a draft is there")
        return process

    def kill_while_it_writes(self):
        with self.writing() as process:
            subprocess.run(["kill", "-9", str(process.pid)], check=True)

    def drafts(self):
        return [name for name in os.listdir(self.place.join("room", "spool/hikyaku/drop")) if name[0] == "."]


if __name__ == "__main__":
    main()
