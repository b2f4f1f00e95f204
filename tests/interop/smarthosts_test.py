#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Postfix with Dovecot's log-in as the smarthost: each way to log in alone, over STARTTLS and over implicit TLS."""

import functools
import itertools
import os

from rig import Case, Dovecot, Hikyakud, Listener, Postfix, main
from rig.case import SMARTHOST
from rig.credentials import PASSWORD, USER, clsmtpc, netrc, sasl_passwd, sendmail
from rig.messages import AWKWARD, PLAIN
from rig.postfix import implicit, login, starttls
from rig.probe import Prober

MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
STARTTLS_PORTS = {name: 5870 + number for number, name in enumerate(MECHANISMS)}
IMPLICIT_PORTS = {name: 4650 + number for number, name in enumerate(MECHANISMS)}
EXTENSIONS = "chunking,pipelining,8bitmime,size,dsn,smtputf8,enhancedstatuscodes"
OPEN = {"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject"}
MAIN_CF = """
compatibility_level = 3.6
relayhost = [{host}]:{port}
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:{logins}
smtp_sasl_security_options = noanonymous
smtp_tls_security_level = secure
smtp_tls_CAfile = {authority}
smtpd_milters = inet:localhost:8891
inet_interfaces = loopback-only
"""
NOTATIONS = [netrc, sendmail, sasl_passwd, clsmtpc]


class Smarthosts(Case):
    @classmethod
    def start_peers(cls):
        good = cls.authority.issue(SMARTHOST)
        listeners = [Listener(587, starttls(good, **OPEN)),
                     Listener(2588, starttls(good, **OPEN, smtpd_discard_ehlo_keywords=EXTENSIONS))]
        for mechanism in MECHANISMS:
            dovecot = Dovecot(cls.place, [mechanism])
            cls.addClassCleanup(dovecot.stop)
            listeners += [Listener(STARTTLS_PORTS[mechanism], starttls(good, **login(dovecot))),
                          Listener(IMPLICIT_PORTS[mechanism], implicit(good, **login(dovecot)))]
        cls.postfix = Postfix(cls.place, cls.catcher, listeners)
        cls.addClassCleanup(cls.postfix.stop)

    def deliver_by(self, mechanism, smarthost, notation):
        daemon = self.hikyakud(smarthost, notation(SMARTHOST))
        daemon.submit(PLAIN)
        mail = self.catcher.wait()
        self.assert_arrived(mail, PLAIN)
        self.assertEqual((mail.sender, mail.recipients), ("me@example.com", ["you@dest.example"]))
        event = daemon.wait_for("delivered")
        self.assertIn("TLSv1.3", event["tls"])
        self.assertIn(f"sasl_method={mechanism}, sasl_username={USER}", self.postfix.log())
        self.assertRegex(daemon.check(), rf"log-in +as {USER} with {mechanism} \(")
        daemon.stop()

    def test_a_mail_with_every_kind_of_content_arrives_as_it_was_sent(self):
        daemon = self.hikyakud({"port": 587})
        self.deliver_awkward(daemon)

    def test_it_also_does_so_at_a_smarthost_without_any_extension(self):
        daemon = self.hikyakud({"port": 2588, "tls": "starttls"})
        self.deliver_awkward(daemon)

    def deliver_awkward(self, daemon):
        for name, content in AWKWARD.items():
            with self.subTest(name):
                daemon.submit(content)
                self.assert_arrived(self.catcher.wait(), content)

    def test_hikyaku_check_sends_a_test_mail_with_the_daemon_stopped(self):
        daemon = self.hikyakud({"port": STARTTLS_PORTS["PLAIN"], "tls": "starttls"}, netrc(SMARTHOST))
        daemon.stop()
        said = daemon.check("--send-to", "you@dest.example")
        self.assertIn("Test mail from app.interop.test", self.catcher.wait().content.decode())
        self.assertRegex(said, r"test mail +\"Test mail from app.interop.test\" is handed over for <you@dest.example>: 250 ")
        self.assertIn(f"certificate for {SMARTHOST}", said)

    def test_one_line_of_configuration_is_enough(self):
        """With an authority that the system trusts, as it does those of real smarthosts."""
        self.run_hikyakud({"smarthost": f"submission://{SMARTHOST}"}, env={"SSL_CERT_FILE": self.authority.cert})
        self.daemon.submit(PLAIN)
        self.assert_arrived(self.catcher.wait(), PLAIN)

    def test_probe_logs_in_with_each_mechanism_that_is_the_only_one(self):
        prober = Prober(self.place, self.authority)
        for mechanism, port in [*STARTTLS_PORTS.items(), ("PLAIN", IMPLICIT_PORTS["PLAIN"])]:
            found = prober.finds(f"{SMARTHOST}:{port}", "--user", USER, password=PASSWORD)
            tls = "implicit" if port in IMPLICIT_PORTS.values() else "starttls"
            self.assertEqual((found["recommended"]["tls"], found["recommended"]["mechanisms"]), (tls, [mechanism]))
            self.assertEqual((found["login"]["succeeded"], found["login"]["mechanism"]), (True, mechanism))

    def test_what_is_imported_from_postfix_relays(self):
        """A main.cf with its sasl_passwd, put in place beside what only this machine knows."""
        port = STARTTLS_PORTS["PLAIN"]
        self.place.directory("postfix-before", 0o700)
        logins = self.place.file("postfix-before/sasl_passwd", f"[{SMARTHOST}]:{port} {USER}:{PASSWORD}\n", 0o600)
        main_cf = self.place.file("postfix-before/main.cf", MAIN_CF.format(
            host=SMARTHOST, port=port, logins=logins, authority=self.authority.cert))
        self.daemon = daemon = Hikyakud(self.place, {"smarthost": "mx:"})  # not signed: Postfix has no keys to import
        self.addCleanup(daemon.discard)
        os.remove(f"{daemon.folder}/authinfo")
        said = daemon.import_from("postfix", main_cf)
        self.assertNotIn(PASSWORD, said)
        self.assertIn(f"wrote {daemon.config}", said)
        self.assertIn("smtpd_milters: hikyaku hands mail to no filter", said)
        daemon.start().submit(PLAIN)
        self.assert_arrived(self.catcher.wait(), PLAIN)
        self.assertIn("TLSv1.3", daemon.wait_for("delivered")["tls"])
        self.assertIn(f"sasl_method=PLAIN, sasl_username={USER}", self.postfix.log())


def add_tests():
    """A test for each mechanism and TLS mode, each with another notation of the credentials."""
    notation = itertools.cycle(NOTATIONS)
    for tls, ports in (("starttls", STARTTLS_PORTS), ("implicit", IMPLICIT_PORTS)):
        for mechanism, port in ports.items():
            name = f"test_{mechanism.lower().replace('-', '_')}_alone_over_{tls}_is_enough_to_log_in"
            setattr(Smarthosts, name, functools.partialmethod(
                Smarthosts.deliver_by, mechanism, {"port": port, "tls": tls}, next(notation)))


add_tests()
if __name__ == "__main__":
    main()
