#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Messages as callers make them: awkward headers with -t, odd bytes, any size. What arrives is what was sent."""

import os
import subprocess

from rig import CALLER, Case, Daemon, main

HEADERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "headers")
MIB = 1024 * 1024


def crlf(text):
    return text.replace(b"\n", b"\r\n")


class Header(Case):
    def test_each_header_has_exactly_the_recipients_of_its_file_and_no_bcc(self):
        """headers/NAME: the message; headers/NAME.expected: a recipient a line, an empty line, what is left of the header."""
        names = sorted(name for name in os.listdir(HEADERS) if not name.endswith(".expected"))
        self.assertGreater(len(names), 8)
        for name in names:
            with self.subTest(name=name), open(f"{HEADERS}/{name}", "rb") as given, \
                    open(f"{HEADERS}/{name}.expected", "rb") as expected:
                recipients, header = expected.read().split(b"\n\n", 1)
                mail = self.left(self.here.run("-t", "-i", stdin=given.read()))
                self.assertEqual(mail.recipients, [f"RCPT TO:<{to}>" for to in recipients.decode().split("\n")])
                self.assertEqual(mail.content, crlf(header))

    def test_a_header_that_cannot_be_understood_sends_nothing(self):
        for header in (b"To: John Smith\n", b"To: a@b c@d\n", b"Bcc: g@h\n i@j\n", b"To: \"a@b\n"):
            self.refused(self.here.run("-t", stdin=header + b"\nx\n"), 65)
        for header in (b"Subject: x\n", b"", b" To: a@b\n", b"To: undisclosed-recipients:;\n"):
            self.refused(self.here.run("-t", stdin=header + b"\nx\n"), 64)


class Bytes(Case):
    def content(self, given, *options):
        return self.left(self.here.run(*options, "root", stdin=given)).content

    def test_odd_input_arrives_with_its_line_ends_made_whole(self):
        for given, arrived in ((b"", b""), (b"x", b"x\r\n"), (b"\n", b"\r\n"), (b" x\n", b" x\r\n"), (b"S: x\n", b"S: x\r\n"),
                               (b"S: x\n\nno end", b"S: x\r\n\r\nno end\r\n"), (b"\nlone\rCR\n", b"\r\nlone\r\nCR\r\n"),
                               (b"From me\nS: x\n\ny\n", b"From me\r\nS: x\r\n\r\ny\r\n"),
                               (b"\n" + bytes(range(14, 256)), b"\r\n" + bytes(range(14, 256)) + b"\r\n"),
                               (b"\n" + b"x" * 5000, b"\r\n" + b"x" * 5000 + b"\r\n")):
            with self.subTest(given=given[:20]):
                self.assertEqual(self.content(given), arrived)

    def test_a_lone_dot_ends_it_or_not(self):
        self.assertEqual(self.content(b"\na\n.\nb\n"), b"\r\na\r\n")
        for option in ("-i", "-oi", "-ti"):
            given = b"\na\n.\nb\n" if option != "-ti" else b"To: root\n\na\n.\nb\n"
            self.assertTrue(self.content(given, option).endswith(b"\r\n\r\na\r\n.\r\nb\r\n".removeprefix(b"\r\n")))

    def test_a_nul_byte_is_refused(self):
        self.refused(self.here.run("root", stdin=b"\na\0b\n"), 65)
        self.refused(self.here.run("root", stdin=b"\n" + b"x\n" * (3 * MIB) + b"\0\n"), 65)

    def test_a_gigabyte_of_nothing_ends_soon(self):
        with open("/dev/zero", "rb") as zero:
            done = subprocess.run(self.here.command(["root"]), stdin=zero, capture_output=True, timeout=60, check=False)
        self.refused(done, 65)

    def test_what_never_ends_is_too_big(self):
        done = subprocess.run(["sh", "-c", 'yes | "$@"', "sh", *self.here.command(["root"])], capture_output=True,
                              timeout=120, check=False)
        self.refused(done, 65)
        self.assertIn(b"max_size", done.stderr)

    def test_a_directory_is_no_message(self):
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        done = subprocess.run(self.here.command(["root"]), stdin=folder, capture_output=True, timeout=60, check=False)
        self.refused(done, 66)


class Large(Case):
    """100 MiB, in bounded memory, by the drop directory and by the socket."""

    def setUp(self):
        super().setUp()
        self.configuration = os.path.join(self.here.spool, "sendmail.conf")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(f"hikyaku-sendmail 1\nmax_size {200 * MIB}\n")
        self.addCleanup(os.unlink, self.configuration)
        line = b"all of these lines are the same but for nothing....\n"
        self.given = b"To: a@b\nBcc: c@d\n\n" + line * (100 * MIB // len(line))
        self.arrived = crlf(self.given.replace(b"Bcc: c@d\n", b""))

    def test_it_arrives_whole_by_the_drop_directory(self):
        done = self.here.run("-t", stdin=self.given, timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        [mail] = self.here.take()
        self.assertTrue(mail.content == self.arrived)
        self.assertEqual((mail.uid, mail.recipients), (CALLER, ["RCPT TO:<a@b>", "RCPT TO:<c@d>"]))

    def test_it_arrives_whole_by_the_socket_and_leaves_no_draft(self):
        for bit in (True, False):  # from a draft; without the bit straight from standard input
            with self.subTest(bit=bit), Daemon(self.here) as daemon:
                done = self.here.run("-t", stdin=self.given, timeout=240, bit=bit)
                self.assertEqual((done.returncode, self.here.names()), (0, []), done.stderr)
                self.assertTrue(daemon.stored[0][1] == self.arrived)

    def test_a_daemon_lost_halfway_loses_nothing(self):
        with Daemon(self.here, dies_at="BDAT"):
            done = self.here.run("-t", stdin=self.given, timeout=240)
        self.assertEqual(done.returncode, 0, done.stderr)
        [mail] = self.here.take()
        self.assertTrue(mail.content == self.arrived)

    def test_its_memory_is_bounded(self):
        for bit in (True, False):
            with self.subTest(bit=bit), Daemon(self.here):
                limited = ["bash", "-c", 'ulimit -v 40000; exec "$@"', "bash"]
                done = self.here.run("-t", stdin=self.given, timeout=240, before=limited, bit=bit)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    main()
