#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mail servers as a real name server (nsd) has them: what we make of its zones, and mail that finds its way by them, to
real mail servers, and to a thousand domains of which one is dead."""

import collections
import functools
import smtplib
import socket
import subprocess

from rig import Case, Catcher, main, until
from rig.certificates import self_signed
from rig.credentials import PASSWORD
from rig.exim import Exim
from rig.hikyakud import binary
from rig.messages import AWKWARD, message
from rig.nsd import NameServer
from rig.opensmtpd import OpenSmtpd
from rig.postfix_smarthost import PostfixSmarthost
from rig.probe import Prober
from rig.provider import PROVIDERS, Provider, ProviderDouble

MANY = "".join(f"@ MX {number} mx{number}.many.test.\nmx{number} A 192.0.2.{number % 250 + 1}\n"
               for number in range(1, 401))
ZONES = {
    "shop.test": "@ MX 20 mx2\n@ MX 10 mx1\nmx1 A 192.0.2.1\nmx1 AAAA 2001:db8::1\nmx2 A 192.0.2.2\n",
    "plain.test": "@ A 192.0.2.3\n",
    "none.test": "@ MX 0 .\n",
    "empty.test": "@ TXT \"no mail here\"\n",
    "alias.test": "@ MX 10 mx\nmx CNAME real\nreal CNAME last\nlast A 192.0.2.4\n",
    "circle.test": "@ MX 10 mx\nmx CNAME other\nother CNAME mx\n",
    "afar.test": "@ MX 10 mx\nmx CNAME mx1.shop.test.\n",
    "bare.test": "@ MX 10 mx\n",
    "hub.test": "@ MX 5 best\n@ MX 10 relay.interop.test.\n@ MX 20 last\nbest A 192.0.2.5\nlast A 192.0.2.6\n",
    "ours.test": "@ MX 10 relay.interop.test.\n@ MX 20 mx\nmx A 192.0.2.7\n",
    "many.test": MANY,
    "xn--bcher-kva.test": "@ MX 10 mx\nmx A 192.0.2.8\n",
}


class MailServers(Case):
    @classmethod
    def start_peers(cls):
        cls.server = NameServer(cls.place, ZONES)
        cls.addClassCleanup(cls.server.stop)

    def servers_of(self, *domains):
        said = subprocess.run([binary("mail_servers"), self.server.endpoint, "relay.interop.test", *domains],
                              stdout=subprocess.PIPE, check=True, timeout=120).stdout.decode()
        return [line.split(": ", 1)[1] for line in said.splitlines()]

    def test_servers_come_by_preference_with_both_families(self):
        self.assertEqual(self.servers_of("shop.test", "Shop.Test."),
                         ["10 mx1.shop.test 2001:db8::1 192.0.2.1; 20 mx2.shop.test 192.0.2.2"] * 2)

    def test_a_domain_without_mx_is_its_own_server(self):
        self.assertEqual(self.servers_of("plain.test"), ["0 plain.test 192.0.2.3"])

    def test_a_null_mx_is_final_and_absence_is_not_at_once(self):
        self.assertEqual(self.servers_of("none.test", "empty.test", "bare.test", "nowhere.shop.test"),
                         ["null_mx, for good", "no_mail_server, for now", "no_mail_server, for now",
                          "no_such_domain, for now"])

    def test_a_zone_that_the_server_does_not_have_is_a_failure_of_the_look_up(self):
        self.assertEqual(self.servers_of("elsewhere.test"), ["lookup_failed, for now"])

    def test_aliases_are_followed_within_a_zone_and_beyond_and_circles_end(self):
        self.assertEqual(self.servers_of("alias.test", "afar.test", "circle.test"),
                         ["10 mx.alias.test 192.0.2.4", "10 mx.afar.test 2001:db8::1 192.0.2.1",
                          "lookup_failed, for now"])

    def test_the_list_is_cut_off_at_ourselves(self):
        self.assertEqual(self.servers_of("hub.test", "ours.test"), ["5 best.hub.test 192.0.2.5",
                                                                    "mail_loops, for good"])

    def test_of_a_list_that_takes_tcp_the_ten_best_are_used(self):
        servers = self.servers_of("many.test")[0].split("; ")
        self.assertEqual([server.split()[1] for server in servers],
                         [f"mx{number}.many.test" for number in range(1, 11)])

    def test_a_domain_beyond_ascii_is_found(self):
        self.assertEqual(self.servers_of("bücher.test"), ["10 mx.xn--bcher-kva.test 192.0.2.8"])

    def test_brackets_are_taken_at_their_word(self):
        self.assertEqual(self.servers_of("[mx1.shop.test]", "[192.0.2.9]"),
                         ["0 mx1.shop.test 2001:db8::1 192.0.2.1", "0 192.0.2.9 192.0.2.9"])


class LookupMx(Case):
    """A smarthost that is known by its domain alone."""

    @classmethod
    def start_peers(cls):
        cls.second = Catcher(cls.place.address)
        cls.addClassCleanup(cls.second.close)
        zone = f"@ MX 10 dead\n@ MX 20 mx\ndead A 127.9.9.9\nmx A {cls.place.address}\n"
        cls.server = NameServer(cls.place, {"provider.test": zone, "smtp.interop.test": ""})
        cls.addClassCleanup(cls.server.stop)

    def test_mail_goes_to_the_domains_servers_the_next_one_where_the_best_is_down(self):
        self.hikyakud({"host": "provider.test", "lookup": "mx", "port": self.second.port, "tls": "none"},
                      dns=self.server.endpoint)
        sent = message("by mx")
        self.daemon.submit(sent)
        self.second.wait()
        self.daemon.wait_for("delivered")
        said = self.daemon.check()
        self.assertIn("the mail servers of provider.test, the best first:", said)
        self.assertIn(f"mx.provider.test ({self.place.address})", said)
        self.daemon.stop()

    def test_check_tries_the_server_of_the_domain_that_roots_mail_goes_to(self):
        direct = {"name": "direct", "url": "mx:", "port": self.second.port}
        self.run_hikyakud({"smarthosts": [direct], "dns": self.server.endpoint, "local_mail": "me@provider.test"})
        said = self.daemon.check()
        self.assertIn("mail from <root@app.interop.test> to <me@provider.test> is accepted", said)
        self.daemon.check("--send-to", "you@provider.test")
        self.assertEqual(self.second.wait().recipients, ["you@provider.test"])
        said = self.daemon.check("--send-to", "you@elsewhere.test", returncode=1)
        self.assertIn("the mail servers of elsewhere.test cannot be looked up now", said)
        self.daemon.stop()

    def test_what_the_dns_server_refuses_waits_with_a_reason_and_a_reload_asks_another(self):
        smarthost = {"host": "provider.test", "lookup": "mx", "port": self.second.port, "tls": "none"}
        other = NameServer(self.place, {"other.test": ""}, port=5353)
        self.addCleanup(other.stop)
        self.hikyakud(smarthost, dns=other.endpoint)
        self.daemon.submit(message("waits"))
        paused = self.daemon.wait_for("smarthost paused")["text"]
        for words in ("provider.test could not be looked up", "REFUSED"):
            self.assertIn(words, paused)
        self.daemon.configure({"smarthosts": [self.trusting(smarthost)], "dns": self.server.endpoint})
        self.daemon.reload()
        self.second.wait()
        self.daemon.wait_for("delivered")
        self.assertEqual(len(self.daemon.events("smarthost paused")), 1, "the other server is asked at once")
        self.daemon.stop()


SRV = "_submissions._tcp SRV 0 1 {implicit}\n_submission._tcp SRV 0 1 {starttls}\n"
PROBED = {
    "shop.test": SRV.format(implicit="465 smtp", starttls="587 smtp"),
    "odd.test": "_submissions._tcp SRV 5 1 465 gone\n_submissions._tcp SRV 0 1 4650 smtp.shop.test.\n@ MX 10 mx\n",
    "hosted.test": SRV.format(implicit="465 smtp.shop.test.", starttls="0 ."),
    "closed.test": SRV.format(implicit="0 .", starttls="0 ."),
    "plain.test": "@ MX 10 mx\n",
    "google.test": "@ MX 1 aspmx.l.google.com.\n",
}


class ProbedDomains(Case):
    """What `hikyaku probe` makes of a domain's records, down to a log-in at its smarthost."""

    @classmethod
    def start_peers(cls):
        server = NameServer(cls.place, PROBED)
        cls.addClassCleanup(server.stop)
        cls.prober = Prober(cls.place, cls.authority, server.endpoint)
        gmail = next(provider for provider in PROVIDERS if provider.name == "Gmail")
        shop, plain = (Provider(name, f"smtp.{name}", 465, f"me@{name}") for name in ("shop.test", "plain.test"))
        for number, provider in enumerate((gmail, shop, plain), 1):
            address = f"127.0.8.{number}"
            cls.place.name_host(provider.host, address)
            double = ProviderDouble(provider, address, cls.authority.issue(provider.host))
            cls.addClassCleanup(double.close)

    def test_srv_records_lead_to_the_smarthost(self):
        said = self.prober.says("me@shop.test", "--user", "me@shop.test", password=PASSWORD)
        for words in ("  SRV _submissions._tcp  smtp.shop.test:465\n", "  SRV _submission._tcp   smtp.shop.test:587\n",
                      "smtp.shop.test (named by a SRV record of shop.test)\n", "  smarthost: smtps://smtp.shop.test\n",
                      "log-in: succeeded as me@shop.test with PLAIN\n"):
            self.assertIn(words, said)

    def test_a_stranger_is_not_recommended_and_gets_no_password(self):
        for domain in ("hosted.test", "odd.test"):
            found = self.prober.finds(f"me@{domain}", "--user", "me", password="s3cret", returncode=1)
            self.assertEqual((found["recommended"], found["login"]), (None, None))
        found = self.prober.finds("me@hosted.test", returncode=1)
        self.assertEqual(found["unconfirmed"]["host"], "smtp.shop.test")
        self.assertEqual(self.prober.finds(found["unconfirmed"]["host"])["recommended"]["origin"], "given")

    def test_a_domain_that_offers_no_submission(self):
        said = self.prober.says("me@closed.test", returncode=1)
        self.assertIn("closed.test says in the DNS that it has no server for sending\n", said)

    def test_a_domain_whose_mx_is_a_known_providers(self):
        found = self.prober.finds("me@google.test", "--user", "shop@gmail.com", password=PASSWORD)
        self.assertEqual((found["recommended"]["origin"], found["recommended"]["yaml"]),
                         ("provider_by_mx", "smarthosts:\n  - preset: gmail\n    user: 'shop@gmail.com'\n"))
        self.assertTrue(found["login"]["succeeded"])

    def test_without_records_the_usual_names_are_tried(self):
        for target in ("me@plain.test", "plain.test"):
            found = self.prober.finds(target)
            self.assertEqual((found["recommended"]["host"], found["recommended"]["origin"]), ("smtp.plain.test", "guess"))

    def test_a_domain_that_the_dns_server_refuses(self):
        said = self.prober.says("me@elsewhere.test", returncode=1)
        self.assertRegex(said, r"  MX +not known: .*REFUSED")


class RealServers(Case):
    """Each is the mail server of a domain. Two offer TLS, with a certificate that nobody vouches for; Debian 12's OpenSMTPD
    cannot, with OpenSSL 3."""

    SERVERS = {"postfix.test": PostfixSmarthost, "exim.test": Exim, "opensmtpd.test": OpenSmtpd}
    STRIPPED = {OpenSmtpd: b"Bcc: them@dest.example\r\n"}  # a server takes it out

    @classmethod
    def start_peers(cls):
        certificate, zones, cls.servers = self_signed(cls.place, "mx.interop.test"), {}, {}
        for number, (domain, server) in enumerate(cls.SERVERS.items(), 1):
            address = f"127.0.9.{number}"
            zones[domain] = f"@ MX 10 mx\nmx A {address}\n"
            cls.servers[domain] = server(cls.place, cls.catcher, address, 25,
                                         None if server is OpenSmtpd else certificate)
            cls.addClassCleanup(cls.servers[domain].stop)
        cls.dns = NameServer(cls.place, zones)
        cls.addClassCleanup(cls.dns.stop)

    def begin(self):
        return self.run_hikyakud({"smarthost": "mx:", "dns": self.dns.endpoint})

    def delivers_to(self, domain):
        daemon, self.smarthost = self.begin(), self.servers[domain]
        for content in AWKWARD.values():
            daemon.submit(content, recipients=[f"you@{domain}"])
        for name, content in AWKWARD.items():
            with self.subTest(name):
                mail = self.catcher.wait(wanted=lambda mail, name=name: f"\r\nSubject: {name}\r\n".encode() in mail.content)
                self.assert_arrived(mail, content.replace(self.STRIPPED.get(type(self.smarthost), b""), b""))
                self.assertEqual((mail.sender, mail.recipients), ("me@example.com", [f"you@{domain}"]))
        until(lambda: len(daemon.events("delivered")) == len(AWKWARD), 20, "all outcomes in the log")
        tls = "^TLSv1[.][23],.*,unverified: self-signed certificate$" if self.smarthost.certificate else "^none$"
        for event in daemon.events("delivered"):
            self.assertRegex(event["tls"], tls)
            self.assertEqual(event["relay"], f"direct[{self.smarthost.place.address}]:25")
        self.assertEqual(daemon.troubles(), [])
        daemon.stop()

    def test_one_mail_to_all_of_them_reaches_each_once(self):
        daemon, sent = self.begin(), message("all")
        daemon.submit(sent, recipients=[f"you@{domain}" for domain in self.SERVERS])
        arrived = [self.catcher.wait() for _ in self.SERVERS]
        for mail in arrived:
            self.assert_arrived(mail, sent)
        self.assertEqual(sorted(mail.recipients for mail in arrived), sorted([f"you@{domain}"] for domain in self.SERVERS))
        until(lambda: len(daemon.events("delivered")) == len(self.SERVERS), 20, "all outcomes in the log")
        daemon.stop()
        self.assertEqual(self.catcher.mails, [])

    def test_a_server_that_refuses_spam_gets_the_next_mail(self):
        daemon = self.begin()
        daemon.submit(message("spam"), "them@opensmtpd.test", ["you@postfix.test"])
        bounce = self.catcher.wait()
        self.assertEqual((bounce.sender, bounce.recipients), ("", ["them@opensmtpd.test"]))
        self.assertIn(b"this is spam", bounce.content)
        sent = message("no spam")
        daemon.submit(sent, recipients=["you@postfix.test"])
        self.assert_arrived(self.catcher.wait(), sent)
        self.assertEqual(daemon.events("smarthost paused"), [])
        daemon.stop()


class ManyDomains(Case):
    """A thousand domains share ten servers. Another domain's drops whatever is sent to it."""

    COUNT, SERVERS = 1000, 10

    @classmethod
    def start_peers(cls):
        cls.live = [Catcher(f"127.0.10.{number}", port=25) for number in range(cls.SERVERS)]
        for server in cls.live:
            cls.addClassCleanup(server.close)
        cls.dead = Unreachable("127.0.7.1", 25)
        cls.addClassCleanup(cls.dead.close)
        records = "".join(f"d{n} MX 10 mx.d{n}\nmx.d{n} A 127.0.10.{n % cls.SERVERS}\n" for n in range(cls.COUNT))
        cls.dns = NameServer(cls.place, {"live.test": records, "dead.test": "@ MX 10 mx\nmx A 127.0.7.1\n"})
        cls.addClassCleanup(cls.dns.stop)

    def test_a_dead_domain_among_a_thousand_delays_none_of_them(self):
        """Until an attempt there would end, this test has failed."""
        direct = {"name": "direct", "url": "mx:", "timeout": {"connect": "10m"}}
        daemon = self.run_hikyakud({"smarthosts": [direct], "dns": self.dns.endpoint})
        with smtplib.SMTP(self.place.address, daemon.port, "client.interop.test", timeout=60) as client:
            for n in range(self.COUNT):
                dead = ["you@dead.test"] if n % 100 == 0 else []
                client.sendmail("me@example.com", [*dead, f"you@d{n}.live.test"], message(f"m{n}"))
        until(lambda: self.arrived().total() >= self.COUNT, 120, lambda: f"all mail, not {self.arrived().total()}")
        self.assertEqual(self.arrived(), collections.Counter(f"you@d{n}.live.test" for n in range(self.COUNT)))
        self.assertTrue(self.dead.is_called())
        self.assertEqual((daemon.events("deferred"), daemon.events("smarthost paused")), ([], []))
        daemon.stop()

    def arrived(self):
        return collections.Counter(recipient for server in self.live for mail in server.mails for recipient in mail.recipients)


class Unreachable:
    """Its port is bound and its queue full, so that the kernel drops whoever calls."""

    def __init__(self, address, port):
        self._listener = socket.create_server((address, port), backlog=0)
        self._caller = socket.create_connection((address, port))

    def is_called(self):
        """Whether somebody waits to be connected (SYN_SENT)."""
        address, port = self._listener.getsockname()
        there = f" {socket.inet_aton(address)[::-1].hex().upper()}:{port:04X} 02 "
        with open("/proc/net/tcp", encoding="utf-8") as sockets:
            return there in sockets.read()

    def close(self):
        self._caller.close()
        self._listener.close()


def add_tests():
    for domain, server in RealServers.SERVERS.items():
        name = f"test_{server.__name__.lower().removesuffix('smarthost')}_gets_each_kind_of_content"
        setattr(RealServers, name, functools.partialmethod(RealServers.delivers_to, domain))


add_tests()
if __name__ == "__main__":
    main()
