#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real clients hand mail to the daemon; it arrives behind the smarthost as they sent it."""

import base64
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess

from rig import Case, Dovecot, Listener, Postfix, main, until
from rig.case import SMARTHOST
from rig.credentials import netrc
from rig.hikyakud import PORT, USER_ID
from rig.messages import AWKWARD, PLAIN, message
from rig.postfix import login, starttls

BOTH = ["you@dest.example", "her@dest.example"]
STARTTLS, IMPLICIT, PROXIED = 2588, 2465, 2526
HOSTNAME = "app.interop.test"
USER, PASSWORD = "me@example.com", "tr0ub+4dor &/3"


def contents(path):
    with open(path, encoding="ascii") as file:
        return file.read()


class Clients(Case):
    @classmethod
    def start_peers(cls):
        dovecot = Dovecot(cls.place, ["PLAIN"])
        cls.addClassCleanup(dovecot.stop)
        cls.postfix = Postfix(cls.place, cls.catcher,
                              [Listener(587, starttls(cls.authority.issue(SMARTHOST), **login(dovecot)))])
        cls.addClassCleanup(cls.postfix.stop)
        cls.modules = f"{cls.place.peers}/npm/node_modules"

    def setUp(self):
        self.cert, self.key = self.place.join("door.pem"), self.place.join("door.key")
        self.show(self.authority.issue(HOSTNAME))
        self.settings = {"log": {"format": "json", "level": "debug"}, "allow": ["127.0.0.0/8", "192.0.2.0/24"],
                         "listen": self.doors(cert=self.cert, key=self.key)}
        self.hikyakud({"port": 587}, netrc(SMARTHOST), **self.settings)

    def doors(self, **certificate):
        """The value of `listen`: plain SMTP, and what applications insist on."""
        def door(port, tls, **more):
            return {"address": f"{self.place.address}:{port}", "tls": tls, "auth": "any", **certificate, **more}
        return [f"{self.place.address}:{PORT}", door(STARTTLS, "starttls"), door(IMPLICIT, "implicit"),
                door(PROXIED, "starttls", proxy=["127.0.0.1"])]

    def show(self, certificate):
        """At the doors, from the next handshake on."""
        for file, name in ((certificate.cert, "door.pem"), (certificate.key, "door.key")):
            self.place.file(name, contents(file), 0o600, USER_ID)

    def wait_for_words(self, words):
        until(lambda: words in self.daemon.log(), 20, lambda: f"{words} in the log:\n{self.daemon.log()}")

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

    def context(self):
        context = ssl.create_default_context(cafile=self.authority.cert)
        context.check_hostname = False  # smtplib would look for our address
        return context

    def insisting(self, path):
        """Command lines of clients that want TLS and a log-in, and believe only the authority; each with its protocol."""
        tls = {"servername": HOSTNAME, "ca": contents(self.authority.cert)}
        options = {"tls": tls, "auth": {"user": USER, "pass": PASSWORD}}
        for mechanism in ("PLAIN", "LOGIN"):
            yield ["swaks", "--server", f"{self.place.address}:{STARTTLS}", "--tls", "--auth", mechanism, "--auth-user", USER,
                   "--auth-password", PASSWORD, "--from", "me@example.com", "--to", ",".join(BOTH), "--data", f"@{path}"]
        for url in (f"smtp://{HOSTNAME}:{STARTTLS}", f"smtps://{HOSTNAME}:{IMPLICIT}"):
            yield ["curl", "-sS", "--ssl-reqd", "--cacert", self.authority.cert, "--user", f"{USER}:{PASSWORD}",
                   "--connect-to", f"::{self.place.address}:", url, "--mail-from", "me@example.com",
                   *(word for address in BOTH for word in ("--mail-rcpt", address)), "--upload-file", path]
        for port, more in ((STARTTLS, {"requireTLS": True}), (IMPLICIT, {"secure": True})):
            yield ["node", f"{self.place.clients}/nodemailer.js", self.modules, self.place.address, port, path,
                   json.dumps({**options, **more})]

    def spoken(self):
        """All that the daemon has written."""
        yield self.daemon.log().encode()
        for folder, _, names in os.walk(self.daemon.spool):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read()

    def assert_no_password(self):
        encoded = {base64.b64encode(text.encode()) for text in (PASSWORD, f"\0{USER}\0{PASSWORD}")}
        for data in self.spoken():
            for trace in {PASSWORD.encode(), PASSWORD[:8].encode()} | encoded:
                self.assertNotIn(trace, data)

    def test_clients_that_insist_on_tls_and_a_log_in(self):
        path = self.mail_file("mail.eml", PLAIN)
        for count, command in enumerate(self.insisting(path), 1):
            self.client(*command)
            mail = self.catcher.wait()
            self.assertEqual(sorted(mail.recipients), sorted(BOTH))
            self.assertRegex(mail.content, rb"by app\.interop\.test[^;]* with ESMTPSA id")
            self.assertEqual(len(self.daemon.events("accepted", proto="ESMTPSA")), count)
        self.assert_no_password()

    def test_python_smtplib_with_starttls_and_login_and_over_implicit_tls(self):
        with smtplib.SMTP(self.place.address, STARTTLS, timeout=60) as client:
            self.assertFalse(client.has_extn("auth"), "no password in clear")
            client.starttls(context=self.context())
            client.login(USER, PASSWORD)
            client.sendmail("me@example.com", BOTH, PLAIN)
        self.assert_arrived(self.catcher.wait(), PLAIN)
        with smtplib.SMTP_SSL(self.place.address, IMPLICIT, timeout=60, context=self.context()) as client:
            client.sendmail("me@example.com", BOTH, PLAIN)
        self.assert_arrived(self.catcher.wait(), PLAIN)
        self.assertEqual([event["proto"] for event in self.daemon.events("accepted")], ["ESMTPSA", "ESMTPS"])
        self.assert_no_password()

    def shown(self, context=None):
        with socket.create_connection((self.place.address, IMPLICIT), 60) as plain, \
                (context or self.context()).wrap_socket(plain) as tls:
            self.assertTrue(tls.recv(4).startswith(b"220"))
            return tls.getpeercert(binary_form=True)

    def test_a_renewed_certificate_is_shown_without_a_reload(self):
        before = self.shown()
        self.assertEqual(self.shown(), before)
        fresh = self.authority.issue(HOSTNAME)
        self.show(fresh)
        self.assertEqual(self.shown(), ssl.PEM_cert_to_DER_cert(contents(fresh.cert)))
        self.assertNotEqual(self.shown(), before)
        self.wait_for_words("a certificate has been read anew")

    def test_a_certificate_that_cannot_be_used_is_told_and_the_one_before_stays(self):
        before = self.shown()
        with smtplib.SMTP_SSL(self.place.address, IMPLICIT, timeout=60, context=self.context()) as client:
            self.place.file("door.key", contents(self.authority.issue(HOSTNAME).key), 0o600, USER_ID)
            words = f"{self.key} is not the key of the certificate in {self.cert}"
            self.assertEqual(self.shown(), before)
            self.wait_for_words(f"{words}; the certificate from before stays in use")
            self.daemon.reload()
            self.wait_for_words(f"listen {self.place.address}:{STARTTLS}: {words}")
            self.daemon.wait_for("reload failed")
            self.assertIn(f"listen {self.place.address}:{IMPLICIT}: {words}", self.daemon.check(returncode=78))
            os.chmod(self.key, 0)
            os.chown(self.key, 0, 0)
            self.shown()
            denied = "Permission denied (mode 0000, for the user nobody); run: chown "
            self.wait_for_words(f"{self.key} cannot be opened: {denied}")
            self.assertIn(denied, self.daemon.check(returncode=78))
            self.assertEqual(client.noop()[0], 250)
        self.show(self.authority.issue(HOSTNAME))
        os.chmod(self.key, 0o644)
        self.daemon.reload()
        self.wait_for_words(f"anybody on this machine may read the private key {self.key} (mode 0644)")
        self.assertNotEqual(self.shown(), before)

    def test_a_self_signed_certificate_stays_the_same_and_its_key_is_nobody_elses(self):
        self.daemon.configure({**self.settings, "smarthosts": [self.trusting({"port": 587})],
                               "listen": self.doors(cert="self-signed")})
        self.daemon.reload()
        blind = ssl._create_unverified_context()  # as applications are that such a certificate is for
        first = self.shown(blind)
        self.wait_for_words("a self-signed certificate has been made")
        key = os.stat(os.path.join(self.daemon.spool, "tls", "key.pem"))
        self.assertEqual((key.st_mode & 0o777, key.st_uid), (0o600, USER_ID))
        self.daemon.stop()
        self.daemon.start()
        self.assertEqual(self.shown(blind), first)

    def proxied(self, source, *options):
        command = ["swaks", "--server", f"{self.place.address}:{PROXIED}", "--proxy-version", "2", "--proxy-family", "AF_INET",
                   "--proxy-source", source, "--proxy-source-port", "4000", "--proxy-dest", self.place.address,
                   "--proxy-dest-port", str(PROXIED), "--from", "me@example.com", "--to", "you@dest.example", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout

    def test_a_proxy_says_who_the_client_is(self):
        login = ("--tls", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)
        self.assertIn("250 2.0.0", self.proxied("192.0.2.7", *login))
        self.catcher.wait()
        self.assertEqual([event["client"] for event in self.daemon.events("accepted")], ["192.0.2.7:4000"])
        self.assertIn("554 5.7.1", self.proxied("198.51.100.7"))
        self.assertNotIn("AUTH", self.proxied("192.0.2.7", "--quit-after", "EHLO"), "no password in clear")
        for command in (("127.0.0.1",), ("192.0.2.7", "--proxy-protocol", "DGRAM"),
                        ("192.0.2.7", "--proxy-version", "1", "--proxy-family", "TCP4")):
            said = self.proxied(*command)
            self.assertNotIn("220", said)
        self.assertEqual(len(self.daemon.events(oddity="no-proxy-header")), 3)
        with socket.create_connection((self.place.address, PROXIED), 60) as plain:  # swaks gets this command wrong
            plain.sendall(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0")
            self.assertEqual(plain.recv(4), b"220 ", "a proxy that speaks for itself")

    def test_commands_injected_behind_starttls_are_never_obeyed(self):
        with socket.create_connection((self.place.address, STARTTLS), 60) as plain, plain.makefile("rb") as replies:
            self.assertTrue(replies.readline().startswith(b"220"))
            plain.sendall(b"STARTTLS\r\nMAIL FROM:<inj@x.example>\r\n")
            self.assertEqual(replies.read(), b"421 4.7.0 Nothing may follow STARTTLS before the TLS handshake\r\n")

    def test_what_a_message_lacks_is_added(self):
        self.daemon.submit(b"Subject: bare\r\n\r\nhello\r\n")
        content = self.catcher.wait().content
        for field in (rb"\r\nSubject: bare\r\n", rb"\r\nDate: \w{3}, ", rb"\r\nMessage-ID: <[^>]+@app\.interop\.test>\r\n",
                      rb"\r\nFrom: <?me@example.com>?\r\n", rb"\r\n\r\nhello\r\n\Z"):
            self.assertRegex(content, field)


if __name__ == "__main__":
    main()
