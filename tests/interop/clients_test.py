#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real clients hand mail to the daemon; it arrives behind the smarthost as they sent it."""

import re
import subprocess

from rig import Case, Dovecot, Listener, Postfix, main
from rig.case import SMARTHOST
from rig.credentials import netrc
from rig.hikyakud import PORT
from rig.messages import AWKWARD, PLAIN, message
from rig.postfix import login, starttls

BOTH = ["you@dest.example", "her@dest.example"]


class Clients(Case):
    signs = True

    @classmethod
    def start_peers(cls):
        dovecot = Dovecot(cls.place, ["PLAIN"])
        cls.addClassCleanup(dovecot.stop)
        cls.postfix = Postfix(cls.place, cls.catcher,
                              [Listener(587, starttls(cls.authority.issue(SMARTHOST), **login(dovecot)))])
        cls.addClassCleanup(cls.postfix.stop)
        cls.modules = f"{cls.place.peers}/npm/node_modules"

    def setUp(self):
        self.hikyakud({"port": 587}, netrc(SMARTHOST))

    def client(self, *command, stdin=b""):
        done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode(errors="replace"))
        return done.stdout

    def mail_file(self, name, content):
        path = self.place.join(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def send_and_compare(self, command, contents=tuple(AWKWARD.values()), recipients=tuple(BOTH)):
        """`command` makes a command line from the name of a file with the message."""
        for content in contents:
            self.client(*command(self.mail_file("mail.eml", content)))
            mail = self.catcher.wait()
            self.assert_arrived(mail, content)
            self.assertEqual((mail.sender, sorted(mail.recipients)), ("me@example.com", sorted(recipients)))
        self.assertEqual(self.catcher.mails, [])

    def test_swaks(self):
        """It takes the message with LF line ends, and puts the last one there itself; a body must not be empty."""
        for content in (AWKWARD[name] for name in AWKWARD if name != "empty"):
            path = self.mail_file("swaks.eml", content.replace(b"\r\n", b"\n").removesuffix(b"\n"))
            self.client("swaks", "--server", f"{self.place.address}:{PORT}", "--helo", "client.interop.test",
                        "--from", "me@example.com", "--to", ",".join(BOTH), "--data", f"@{path}")
            self.assert_arrived(self.catcher.wait(), content)

    def test_curl(self):
        self.send_and_compare(lambda path: ["curl", "-sS", f"smtp://{self.place.address}:{PORT}/client.interop.test",
                                            "--mail-from", "me@example.com", "--mail-rcpt", BOTH[0],
                                            "--mail-rcpt", BOTH[1], "--upload-file", path])

    def test_python_smtplib(self):
        self.send_and_compare(lambda path: ["python3", f"{self.place.clients}/smtplib_client.py", self.place.address, PORT,
                                            path])

    def test_python_smtplib_with_bytes_whose_lines_end_in_lf_and_begin_with_dots(self):
        """As sendmail(a, b, message.as_bytes()) has it: lone LFs go out, dots doubled behind each.

        Behind the last lone LF the client puts a CR LF of its own, which is one more empty line to everybody."""
        sent = message("dots", b"".join(dots + text + b"\r\n" for dots in (b".", b"..", b"...") for text in (b"", b"gitignore")))
        self.client("python3", f"{self.place.clients}/smtplib_client.py", self.place.address, PORT,
                    self.mail_file("mail.eml", sent.replace(b"\r\n", b"\n")))
        self.assert_arrived(self.catcher.wait(), sent + b"\r\n")

    def test_curl_with_a_line_that_ends_in_lf_and_begins_with_a_dot(self):
        sent = message("dot", b".gitignore\r\n.\r\nRSET\r\n")
        self.client("curl", "-sS", f"smtp://{self.place.address}:{PORT}/client.interop.test", "--mail-from", "me@example.com",
                    "--mail-rcpt", BOTH[0], "--upload-file", self.mail_file("mail.eml", sent.replace(b"\r\n", b"\n")))
        self.assert_arrived(self.catcher.wait(), sent + b"\r\n")

    def test_ruby_net_smtp(self):
        self.send_and_compare(lambda path: ["ruby", f"{self.place.clients}/net_smtp.rb", self.place.address, PORT, path])

    def test_nodemailer(self):
        self.send_and_compare(lambda path: ["node", f"{self.place.clients}/nodemailer.js", self.modules,
                                            self.place.address, PORT, path])

    def test_npm_sendmail_with_dev_host_and_dev_port(self):
        """It leaves bare LFs in quoted-printable text, which go out as CRLF; and it ends the data with a line end and an
        empty line of its own."""
        out = self.place.join("npm-sendmail.eml")
        self.client("node", f"{self.place.clients}/npm_sendmail.js", self.modules, self.place.address, PORT, out)
        with open(out, "rb") as file:
            sent = re.sub(rb"(?<!\r)\n", b"\r\n", file.read()) + b"\r\n\r\n"
        mail = self.catcher.wait()
        self.assert_arrived(mail, sent)
        self.assertEqual(sorted(mail.recipients), sorted(BOTH))

    def test_the_repository_version_of_node_sendmail(self):
        """No dots are stuffed, and an empty line ends the data."""
        sent = message("repository", "日本\r\n".encode())
        self.client("python3", f"{self.place.clients}/node_sendmail_repository.py", self.place.address, PORT,
                    self.mail_file("mail.eml", sent))
        self.assert_arrived(self.catcher.wait(), sent + b"\r\n")

    def test_a_script_with_nc_that_sends_everything_in_one_burst_with_lf(self):
        session = (b"HELO client\nMAIL FROM: me@example.com\nRCPT TO: you@dest.example\nDATA\n" +
                   PLAIN.replace(b"\r\n", b"\n") + b"..stuffed\n.\nQUIT\n")
        said = self.client("nc", "-q", "1", self.place.address, PORT, stdin=session)
        self.assert_arrived(self.catcher.wait(), PLAIN + b".stuffed\r\n")
        self.assertEqual([line[:3] for line in said.splitlines()], [b"220", b"250", b"250", b"250", b"354", b"250", b"221"])

    def test_a_burst_with_crlf_and_two_mails_from_a_client_that_half_closes(self):
        mail = (b"MAIL FROM:<me@example.com>\r\nRCPT TO:<you@dest.example>\r\nDATA\r\n%s.\r\n")
        first, second = message("first"), message("second")
        self.client("nc", "-N", self.place.address, PORT,
                    stdin=b"EHLO client\r\n" + mail % first + mail % second + b"QUIT\r\n")
        for sent in (first, second):
            self.assert_arrived(self.catcher.wait(wanted=lambda mail, sent=sent: mail.content.endswith(sent)), sent)

    def test_what_a_message_lacks_is_added(self):
        self.daemon.submit(b"Subject: bare\r\n\r\nhello\r\n")
        content = self.catcher.wait().content
        for field in (rb"\r\nSubject: bare\r\n", rb"\r\nDate: \w{3}, ", rb"\r\nMessage-ID: <[^>]+@app\.interop\.test>\r\n",
                      rb"\r\nFrom: <?me@example.com>?\r\n", rb"\r\n\r\nhello\r\n\Z"):
            self.assertRegex(content, field)


if __name__ == "__main__":
    main()
