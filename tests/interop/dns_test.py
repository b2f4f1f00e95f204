#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mail servers as a real name server (nsd) has them: what we make of its zones, and mail that finds its way by them."""

import subprocess

from rig import Case, Catcher, main
from rig.credentials import PASSWORD
from rig.hikyakud import binary
from rig.messages import message
from rig.nsd import NameServer
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


if __name__ == "__main__":
    main()
