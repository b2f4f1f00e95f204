#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What goes wrong at a smarthost because of the configuration: one line in the log says what to change, and `hikyaku check`
by itself says the same; nothing bounces, and after the change and a SIGHUP the mail goes out, without waiting for the
backoff."""

import re
import shlex

from rig import Authority, Case, Dovecot, Listener, Postfix, main, until
from rig.case import SMARTHOST
from rig.certificates import self_signed
from rig.credentials import OTHER_USER, PASSWORD, USER, netrc
from rig.messages import message
from rig.postfix import implicit, login, starttls
from rig.probe import Prober

GOOD, GOOD_IMPLICIT, EXPIRED, UNKNOWN, WRONG_NAME, SELF_SIGNED, OWNERS, CLOSED = 587, 465, 5001, 5002, 5003, 5004, 5005, 5006
RIGHT = netrc(SMARTHOST)
LOOK = "openssl s_client -connect " + SMARTHOST + ":{} -starttls smtp -servername " + SMARTHOST
MAILS = [message(f"m{number}") for number in range(3)]


class Failures(Case):
    @classmethod
    def start_peers(cls):
        good, stranger = cls.authority.issue(SMARTHOST), Authority(cls.place, "stranger")
        dovecot = Dovecot(cls.place, ["PLAIN", "LOGIN"])
        cls.addClassCleanup(dovecot.stop)
        owners = cls.place.file("owners", f"@example.com {OTHER_USER}\n")
        cls.postfix = Postfix(cls.place, cls.catcher, [
            Listener(GOOD, starttls(good, **login(dovecot))),
            Listener(GOOD_IMPLICIT, implicit(good, **login(dovecot))),
            Listener(EXPIRED, starttls(cls.authority.issue(SMARTHOST, expired=True), **login(dovecot))),
            Listener(UNKNOWN, starttls(stranger.issue(SMARTHOST), **login(dovecot))),
            Listener(WRONG_NAME, starttls(cls.authority.issue("other.interop.test"), **login(dovecot))),
            Listener(SELF_SIGNED, starttls(self_signed(cls.place, SMARTHOST), **login(dovecot))),
            Listener(OWNERS, starttls(good, **login(dovecot, smtpd_sender_login_maps=f"texthash:{owners}",
                                                    smtpd_sender_restrictions="reject_sender_login_mismatch")))])
        cls.addClassCleanup(cls.postfix.stop)

    def broken(self, smarthost, authinfo, *words, event="smarthost paused", seconds=15):
        """Hands in mails; within `seconds` the one line is there with these words, and all mails wait."""
        daemon = self.hikyakud(smarthost, authinfo, domain="example.com")
        check = daemon.begin_check()
        for content in MAILS:
            daemon.submit(content)
        try:
            line = daemon.wait_for(event, seconds)
        finally:
            checked = daemon.end_check(check, 1)
        said = daemon.hikyaku("status", "--verbose")
        self.assertIn("  its last session that failed\n", said)
        for word in words:
            self.assertIn(word, said)
            self.assertIn(word, line.get("text", "") + line.get("diagnosis", ""))
            self.assertIn(word, checked)
        self.assertIn("mail cannot be sent through main", checked)
        return daemon

    def mended(self, daemon, smarthost, authinfo=None):
        """Corrects the configuration; every mail arrives, as it was sent, once, and nothing was said twice."""
        paused = daemon.events("smarthost paused")
        self.assertEqual((self.catcher.mails, daemon.events("failed"), daemon.events("notice")), ([], [], []))
        daemon.configure({"smarthosts": [self.trusting(smarthost)], "domain": "example.com"}, authinfo)
        self.assertIn("mail can be sent through main", daemon.check())
        daemon.reload()
        for content in MAILS:
            self.assert_arrived(self.catcher.wait(10, lambda mail, content=content: mail.content.endswith(content)), content)
        self.assertEqual(daemon.events("smarthost paused"), paused)
        until(lambda: len(daemon.events("delivered")) == len(MAILS), 10, "three deliveries in the log")
        daemon.stop()
        self.assertEqual((self.catcher.mails, daemon.events("failed"), daemon.events("notice")), ([], [], []))
        return paused

    def check(self, smarthost, authinfo, words, correct, corrected_authinfo=None):
        daemon = self.broken(smarthost, authinfo, *words)
        self.assertEqual(len(daemon.troubles()), 1, daemon.troubles())
        self.assertEqual(len(self.mended(daemon, correct, corrected_authinfo)), 1, "lines in the log")

    def test_a_wrong_password(self):
        daemon = self.broken({"port": GOOD}, netrc(SMARTHOST, password="wrong"), "refused the user name or password", USER)
        said = daemon.hikyaku("status", "--verbose")
        for wanted in (" -- TLSv1.", ", certificate: verified\n", "-> AUTH PLAIN ***\n", "<- 535 5.7.8"):
            self.assertIn(wanted, said)
        self.assertEqual(len(daemon.troubles()), 1, daemon.troubles())
        self.assertEqual(len(self.mended(daemon, {"port": GOOD}, RIGHT)), 1, "lines in the log")

    def test_no_credentials_where_they_are_demanded(self):
        self.check({"port": GOOD}, "", ["no credentials", f"machine {SMARTHOST} login"], {"port": GOOD}, RIGHT)

    def test_credentials_for_the_wrong_host(self):
        self.check({"port": GOOD}, netrc("smpt.interop.test"), ["no credentials", SMARTHOST], {"port": GOOD}, RIGHT)

    def test_tls_off_at_a_server_that_demands_it(self):
        self.check({"port": GOOD, "tls": "none"}, "", ["set `tls: starttls`"], {"port": GOOD}, RIGHT)

    def test_tls_off_with_credentials_at_a_server_that_demands_it(self):
        self.check({"port": GOOD, "tls": "none"}, RIGHT, ["only after TLS", "set `tls: starttls`"], {"port": GOOD})

    def test_implicit_tls_at_a_starttls_port(self):
        self.check({"port": GOOD, "tls": "implicit"}, RIGHT, ["plain SMTP", "set `tls: starttls`"], {"port": GOOD})

    def test_starttls_at_an_implicit_tls_port(self):
        self.check({"port": GOOD_IMPLICIT, "tls": "starttls"}, RIGHT, ["TLS from the first byte", "set `tls: implicit`"],
                   {"port": GOOD_IMPLICIT})

    def test_an_expired_certificate(self):
        self.check({"port": EXPIRED, "tls": "starttls"}, RIGHT, ["has expired: it was valid until 20", "`tls_fingerprint: \"sha256:", LOOK.format(EXPIRED)],
                   {"port": GOOD})

    def test_a_certificate_from_an_unknown_issuer(self):
        self.check({"port": UNKNOWN, "tls": "starttls"}, RIGHT, ["issuer that this machine does not know: \"CN=", "tls_ca_file",
                                                              LOOK.format(UNKNOWN)],
                   {"port": UNKNOWN, "tls": "starttls", "tls_ca_file": self.place.join("stranger", "ca.pem")})

    def test_a_self_signed_certificate(self):
        self.check({"port": SELF_SIGNED, "tls": "starttls"}, RIGHT, ["self-signed", "`tls_fingerprint: \"sha256:"],
                   {"port": SELF_SIGNED, "tls": "starttls", "tls_verify": False})

    def test_the_fingerprint_that_the_log_has_can_be_pasted(self):
        daemon = self.broken({"port": SELF_SIGNED, "tls": "starttls"}, RIGHT, "self-signed")
        said = daemon.events("smarthost paused")[0]["text"]
        pin = re.search(r'`tls_fingerprint: "(sha256:[0-9a-f]{64})"`', said).group(1)
        self.mended(daemon, {"port": SELF_SIGNED, "tls": "starttls", "tls_fingerprint": pin})

    def test_a_certificate_for_another_name(self):
        self.check({"port": WRONG_NAME, "tls": "starttls"}, RIGHT, ["it is for other.interop.test", "tls_hostname"],
                   {"port": WRONG_NAME, "tls": "starttls", "tls_hostname": "other.interop.test"})

    def test_a_closed_port(self):
        self.check({"port": CLOSED, "tls": "starttls"}, RIGHT, ["nobody listens"], {"port": GOOD})

    def test_a_sender_that_the_account_does_not_own_before_anything_was_delivered(self):
        daemon = self.broken({"port": OWNERS, "tls": "starttls"}, RIGHT, "does not take mail from <", "set `from` for it", USER,
                             event="deferred")
        self.assertIn("probably a mistake in the configuration", daemon.events("deferred")[0]["diagnosis"])
        self.mended(daemon, {"port": OWNERS, "tls": "starttls"}, netrc(SMARTHOST, OTHER_USER))

    def test_a_smarthost_that_is_down_and_comes_back(self):
        self.postfix.stop()
        try:
            daemon = self.broken({"port": GOOD}, RIGHT, "nobody listens")
        finally:
            self.postfix.start()
        for content in MAILS:
            self.assert_arrived(self.catcher.wait(90, lambda mail, content=content: mail.content.endswith(content)), content)
        daemon.wait_for("smarthost up")
        self.assertEqual(len(daemon.events("smarthost paused")), 1)


    def probe(self):
        return Prober(self.place, self.authority)

    def test_probe_finds_the_best_way_in_and_what_it_prints_works(self):
        prober = self.probe()
        said = prober.says(SMARTHOST, "--user", USER, password=PASSWORD)
        for words in ("  465  TLS from the first byte (TLSv1.3, ", f"       certificate for {SMARTHOST}\n",
                      "       the certificate holds\n", "  587  SMTP in clear, which offers STARTTLS (TLSv1.3, ",
                      "       offers in clear no log-in\n", "       offers in TLS to log in with PLAIN, LOGIN, PIPELINING, ",
                      "  25   nobody listens, or a firewall rejects the connection",
                      f"recommended: {SMARTHOST}, port 465, TLS from the first byte\n",
                      f"\n  log-in: succeeded as {USER} with PLAIN\n"):
            self.assertIn(words, said)
        prober.run(shlex.split(re.search(r"^  (openssl s_client .*)$", said, re.MULTILINE).group(1)))
        lines = re.search(r"^in hikyaku\.yaml\n((?:  .*\n)+)", said, re.MULTILINE).group(1)
        self.assertEqual(lines, f"  smarthost: smtps://{SMARTHOST}\n")
        key, value = lines.strip().split(": ", 1)
        self.assertIn(f"\n  machine {SMARTHOST} login {USER} password PASSWORD\n", said)
        daemon = self.run_hikyakud({key: value}, RIGHT, {"SSL_CERT_FILE": self.authority.cert})
        daemon.submit(MAILS[0])
        self.assert_arrived(self.catcher.wait(), MAILS[0])
        daemon.stop()

    def test_probe_asks_for_the_password_without_echo(self):
        terminal = self.probe().at_terminal(SMARTHOST, "--user", USER)
        terminal.answer(f"Password of {USER} (not shown): ", PASSWORD)
        self.assertEqual(terminal.leave(), 0)
        self.assertIn(f"log-in: succeeded as {USER} with PLAIN\n", terminal.screen)
        self.assertNotIn(PASSWORD, terminal.screen)

    def test_probe_tries_a_wrong_password_once(self):
        def failures():
            return len(re.findall(r"SASL \S+ authentication failed", self.postfix.log()))
        before = failures()
        found = self.probe().finds(SMARTHOST, "--user", USER, password="wr0ng-password", returncode=1)
        self.assertEqual((found["login"]["succeeded"], found["login"]["trouble"]["kind"]), (False, "auth_rejected"))
        self.assertEqual(found["recommended"]["port"], 465)
        self.assertNotIn("wr0ng-password", str(found))
        until(lambda: failures() > before, 20, "the refusal in Postfix' log")
        self.assertEqual(failures(), before + 1)

    def test_probe_says_why_a_server_cannot_be_used(self):
        prober = self.probe()
        for port, *words in ((EXPIRED, "has expired: it was valid until 20", "`tls_fingerprint: \"sha256:"),
                             (UNKNOWN, "issuer that this machine does not know: \"CN=", "tls_ca_file"),
                             (WRONG_NAME, "it is for other.interop.test", "tls_hostname"),
                             (SELF_SIGNED, "is self-signed, nobody vouches for it"),
                             (CLOSED, "nobody listens")):
            with self.subTest(port):
                said = prober.says(f"{SMARTHOST}:{port}", "--user", USER, password=PASSWORD, returncode=1)
                for word in (*words, "nothing usable was found"):
                    self.assertIn(word, said)
                self.assertNotIn("log-in: ", said)


if __name__ == "__main__":
    main()
