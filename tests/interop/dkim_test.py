#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mail that is signed: made, published, checked and switched with `hikyaku dkim`, and verified by dkimpy, opendkim and
mailauth after it has really gone through, to a catcher, through Postfix and through Exim."""

import glob
import json
import os
import random
import re
import shutil
import smtplib
import subprocess
import unittest

from rig import Case, main
from rig.control import Control
from rig.exim import Exim
from rig.hikyakud import UNPRIVILEGED, USER_ID, binary
from rig.messages import AWKWARD, message
from rig.nsd import NameServer
from rig.postfix_smarthost import PostfixSmarthost
from rig.verifiers import Verifiers, split_signatures, tags

DOMAIN = "example.com"
FOLDED = (b"Date: Sun, 22 Nov 2026 03:14:04 +0000\r\nFROM: =?utf-8?q?M=C3=A9?=\r\n <me@EXAMPLE.com>\r\nTo: a@dest.example,\r\n"
          b"\tb@dest.example\r\n \t \r\nSubject:\r\n bare  and \t folded \r\nMessage-ID:<folded@example.com>\r\n"
          b"References: <1@x>\r\nReferences: <2@x>\r\nContent-Type: text/plain; charset=utf-8;\r\n\tformat=flowed\r\n"
          b"Reply-To:\r\n\r\n  a  line \t \r\nb\r\n \r\n\r\n")
CORPUS = AWKWARD | {
    "folded": FOLDED,
    "twice": message("twice").replace(b"To: you", b"To: them@dest.example\r\nTo: you").replace(
        b"Subject: twice", b"Subject: one\r\nSubject: two"),
    "no body at all": message("bodiless", b"")[:-2],
    "8bit header": message("x").replace(b"Subject: x", "Subject: grüße ".encode() + b"\xff\xfe"),
}
# What Postfix and Exim change of their own accord: bytes that no mail may have, and lines that are too long.
CHANGED_ON_THE_WAY = {"control", "long", "8bit header", "no body at all", "folded", "twice"}


class SigningCase(Case):
    signs = ()  # each test has keys of its own, and its own opinion of what must verify

    @classmethod
    def start_peers(cls):
        cls.verifiers = Verifiers(cls.place)

    def configure(self, smarthost=None, **settings):
        self.keys = self.place.directory("keys", 0o700, USER_ID)
        host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none"}
        return {"smarthosts": [host | (smarthost or {})], "dkim": {"directory": self.keys}, **settings}

    def begin(self, smarthost=None, **settings):
        """A daemon without keys."""
        self.addCleanup(subprocess.run, ["rm", "-r", self.place.join("keys")], check=True)
        return self.run_hikyakud(self.configure(smarthost, **settings))

    def hikyaku(self, *words, returncode=0):
        """As the daemon's user, whose the keys are here; an installation has root give them to its group."""
        program = shutil.copy(binary("hikyaku"), self.place.join("hikyaku"))
        run = subprocess.run([*UNPRIVILEGED, program, *words, "-c", self.daemon.config], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, returncode, run.stdout)
        return run.stdout

    def reload(self, returncode):
        """By root, who hears what is wrong."""
        run = subprocess.run([binary("hikyaku"), "reload", "-c", self.daemon.config], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, returncode, run.stdout)
        return run.stdout

    def make_key(self, *options, domain=DOMAIN):
        key = json.loads(self.hikyaku("dkim", "new", domain, "--json", *options))
        self.verifiers.publish(key)
        self.hikyaku("dkim", "use", domain, key["selector"], "--force")
        return key["selector"]

    def begin_signing(self, smarthost=None, **settings):
        self.begin(smarthost, **settings)
        selector = self.make_key()
        self.daemon.reload()
        return selector

    def send(self, content, **more):
        self.daemon.submit(content, **more)
        return self.catcher.wait()


class Signed(SigningCase):
    def test_the_whole_corpus_arrives_with_signatures_that_three_verifiers_believe(self):
        selector = self.begin_signing()
        arrived = {}
        for name, content in CORPUS.items():
            with self.subTest(name):
                mail = self.send(content)
                arrived[name] = mail.content
                self.assertEqual(self.verifiers.signatures(mail.content), [(DOMAIN, selector)])
                signature, rest = split_signatures(mail.content)
                self.assertTrue(rest.endswith(content + (b"" if b"\r\n\r\n" in content else b"\r\n")), rest[:2000])
                self.assertLess(max(map(len, signature.split(b"\r\n"))), 79)
        said = self.verifiers.verdicts_of_mailauth(*arrived.values())
        self.assertEqual(dict(zip(arrived, said)), {name: [[DOMAIN, selector, "pass"]] for name in arrived})
        for name, content in arrived.items():
            with self.subTest(name, by="opendkim"):
                self.assertEqual(self.verifiers.verdicts_of_opendkim(content), ["pass"])
        self.assertEqual({event["dkim"] for event in self.daemon.events("delivered")}, {f"{DOMAIN}/{selector}"})

    @unittest.skipUnless(os.environ.get("HIKYAKU_LONG_TESTS"), "50 MB")
    def test_fifty_megabytes_are_signed(self):
        selector = self.begin_signing(message={"max_size": "64MiB"})
        content = self.send(message("huge", b"".join(b"%07d  \t 0123456789 abcdefghij \r\n" % i for i in range(1500000)))).content
        self.assertEqual(self.verifiers.signatures(content), [(DOMAIN, selector)])

    def test_what_is_changed_on_the_way_is_noticed(self):
        self.begin_signing()
        content = self.send(message("plain")).content
        self.assertFalse(self.verifiers.fails(content))
        for changed in (content.replace(b"hello", b"hallo"), content.replace(b"Subject: plain", b"Subject: other"),
                        content.replace(b"Subject: plain", b"Subject: plain\r\nSubject: other"),
                        content.replace(b"Subject: plain", b"Subject: plain\r\nReply-To: evil@evil.example"),
                        content.replace(b"From: Me", b"From: evil@evil.example\r\nFrom: Me")):
            self.assertNotEqual(changed, content)
            self.assertTrue(self.verifiers.fails(changed), changed)
        folded = content.replace(b"Subject: plain", b"Subject:\r\n \tplain ").replace(b"hello", b"hello \t")
        self.assertFalse(self.verifiers.fails(folded))

    def test_signatures_survive_postfix(self):
        self.check_survival(PostfixSmarthost)

    def test_signatures_survive_exim(self):
        self.check_survival(Exim)

    def check_survival(self, server):
        smarthost = server(self.place, self.catcher)
        self.addCleanup(smarthost.stop)
        selector = self.begin_signing({"port": smarthost.port})
        for name, content in CORPUS.items():
            if name not in CHANGED_ON_THE_WAY:
                with self.subTest(name):
                    self.assertEqual(self.verifiers.signatures(self.send(content).content), [(DOMAIN, selector)])

    def test_smtputf8_mail_is_signed_with_the_domain_in_ascii(self):
        self.begin()
        selector = self.make_key(domain="xn--bcher-kva.example")
        self.daemon.reload()
        content = message("x").replace(b"Me <me@example.com>", "Mé <mé@bücher.example>".encode())
        with smtplib.SMTP(self.place.address, self.daemon.port, timeout=60) as client:
            client.sendmail("mé@bücher.example", ["you@dest.example"], content, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assertEqual(self.verifiers.signatures(self.catcher.wait().content), [("xn--bcher-kva.example", selector)])

    def test_an_ed25519_key_signs_beside_rsa_and_both_verify(self):
        rsa = self.begin_signing()
        self.assertIn("needs an RSA key", self._make_only_ed25519())
        short = self.make_key("--ed25519")
        self.reload(0)
        content = self.send(message("both")).content
        self.assertEqual(self.verifiers.signatures(content), [(DOMAIN, rsa), (DOMAIN, short)])
        self.assertEqual(self.verifiers.verdicts_of_opendkim(content), ["pass", "pass"])
        self.assertEqual([each[2] for each in self.verifiers.verdicts_of_mailauth(content)[0]], ["pass", "pass"])
        self.assertIn("retire that one first", self.hikyaku("dkim", "retire", DOMAIN, rsa, returncode=64))

    def _make_only_ed25519(self):
        self.hikyaku("dkim", "new", "other.example", "--ed25519", "--selector", "ed")
        self.hikyaku("dkim", "use", "other.example", "ed", "--force", returncode=64)
        prepared = os.path.join(self.keys, "other.example", "ed.key")
        os.rename(prepared + ".prepared", prepared)
        said = self.reload(78)
        os.remove(prepared)
        return said

    def test_rewriting_comes_first_and_the_domain_above_signs_for_those_below(self):
        selector = self.begin_signing({"from": "account@shop.example.com", "headers": {"add": {"X-Tag": "shop"}}})
        content = self.send(message("x").replace(b"example.com>\r\nTo", b"elsewhere.example>\r\nTo")).content
        self.assertIn(b"\r\nFrom: Me <account@shop.example.com>\r\n", content)
        self.assertEqual(self.verifiers.signatures(content), [(DOMAIN, selector)])

    def test_what_the_smarthost_changes_is_left_out_and_one_can_be_left_unsigned(self):
        self.begin_signing({"dkim": {"omit": ["Message-ID", "Date"]}})
        content = self.send(message("ses")).content
        changed = content.replace(b"\r\nMessage-ID: <ses@", b"\r\nMessage-ID: <0100@").replace(
            b"\r\nDate: Sun, 22", b"\r\nDate: Mon, 23")
        self.assertNotEqual(changed, content)
        self.assertEqual(len(self.verifiers.signatures(changed)), 1)
        self.daemon.configure(self.configure({"dkim": {"sign": False}}))
        self.daemon.reload()
        self.assertEqual(self.verifiers.signatures(self.send(message("off")).content), [])
        self.daemon.wait_for("delivered", dkim="off")

    def test_mail_that_nobody_could_sign_for_goes_unsigned_with_one_word(self):
        self.begin_signing()
        plain = message("x")
        from_field = b"From: Me <me@example.com>\r\n"
        for word, content in {"no_key": plain.replace(b"me@example.com", b"me@example.org"),
                              "several_from": plain.replace(from_field, from_field * 2),
                              "several_domains": plain.replace(b"<me@example.com>", b"<me@example.com>, b@dest.example"),
                              "no_from": plain.replace(from_field, b"From: undisclosed:;\r\n")}.items():
            with self.subTest(word):
                mail = self.send(content)
                self.assertEqual(split_signatures(mail.content)[0], b"")
                self.daemon.wait_for("delivered", dkim=word)

    def test_mail_that_has_this_signature_is_left_alone(self):
        selector = self.begin_signing()
        once = self.send(message("once")).content
        again = self.send(once).content
        self.assertEqual(again.count(b"DKIM-Signature:"), 1)
        self.assertEqual(self.verifiers.signatures(again), [(DOMAIN, selector)])
        self.daemon.wait_for("delivered", dkim="already_signed")
        foreign = once.replace(f"s={selector};".encode(), b"s=theirs;")
        self.assertEqual(self.send(foreign).content.count(b"DKIM-Signature:"), 2)

    def test_our_own_notices_are_signed(self):
        self.catcher.refuse = lambda stage, recipients: "550 5.1.1 unknown" if recipients == ["gone@dest.example"] else None
        self.addCleanup(setattr, self.catcher, "refuse", lambda stage, recipients: None)
        self.begin(hostname=f"app.{DOMAIN}")
        selector = self.make_key()
        self.daemon.reload()
        self.daemon.submit(message("x"), recipients=["gone@dest.example"])
        notice = self.catcher.wait()
        self.assertEqual(notice.sender, "")
        self.assertEqual(self.verifiers.signatures(notice.content), [(DOMAIN, selector)])

    def test_a_mail_that_is_sent_again_is_signed_again(self):
        self.catcher.refuse = lambda stage, recipients: "451 4.3.0 later" if stage == "message" else None
        self.addCleanup(setattr, self.catcher, "refuse", lambda stage, recipients: None)
        self.begin_signing(queue={"retry": {"first": "1h"}})
        self.daemon.submit(message("x"))
        self.daemon.wait_for("deferred")
        self.hikyaku("dkim", "new", DOMAIN, "--selector", "next")
        self.verifiers.publish(json.loads(self.hikyaku("dkim", "list", DOMAIN, "--json").splitlines()[0]))
        self.hikyaku("dkim", "use", DOMAIN, "next", "--force")
        self.catcher.refuse = lambda stage, recipients: None
        self.daemon.reload()
        self.assertEqual(self.verifiers.signatures(self.catcher.wait().content), [(DOMAIN, "next")])

    def test_a_key_that_cannot_be_read_stops_start_and_reload_with_its_file_and_mode(self):
        self.begin_signing()
        [path] = glob.glob(f"{self.keys}/{DOMAIN}/*.key")
        os.chmod(path, 0o644)
        said = self.reload(78)
        self.assertIn(f"{path}: others may read or write the signing key in it (mode 0644)", said)
        self.assertEqual(len(self.verifiers.signatures(self.send(message("goes on")).content)), 1)
        self.daemon.stop()
        with self.assertRaisesRegex(AssertionError, rf"has ended with 78:(?s:.*){path}: others may read or write"):
            self.daemon.start()
        os.chmod(path, 0o600)
        self.daemon.notify.close()
        self.daemon.start()

    def test_canonical_forms_are_dkimpys_on_random_texts(self):
        source = random.Random(6376)
        of_bodies = [b" ", b"\t", b"\r\n", b"\r\n", b"a", b".", b"\xe9", b"x y", b"\r", b"\n"]
        of_fields = [b"a", b" ", b"\t", b"\r\n ", b"\r\n\t", b"b;", b":", b"\xe9"]
        bodies = [some_of(source, of_bodies) + b"\r\n" for _ in range(5000)]
        fields = [source.choice([b"A:", b"b :", b"SUBJECT\t:"]) + some_of(source, of_fields) + b"z\r\n" for _ in range(5000)]
        asked = "".join([f"body {body.hex()}\n" for body in bodies] + [f"field {field.hex()}\n" for field in fields])
        run = subprocess.run([binary("canonical_forms")], input=asked, text=True, capture_output=True, check=True, timeout=120)
        ours = [bytes.fromhex(line) for line in run.stdout.split("\n")[:-1]]
        theirs = self.verifiers.relaxed_forms(bodies, fields)
        self.assertEqual(len(ours), 10000)
        for given, our, their in zip(bodies + fields, ours, theirs):
            self.assertEqual(our, their, given)


def some_of(source, pieces):
    return b"".join(source.choice(pieces) for _ in range(source.randrange(30)))


class Published(SigningCase):
    """The way of an operator, with a name server."""

    def test_new_check_use_list_retire(self):
        self.begin(dns=f"{self.place.address}:5300")
        self.assertIn("there are no keys in", self.hikyaku("dkim", "list"))
        page = self.hikyaku("dkim", "new", DOMAIN, "--selector", "one")
        self.assertEqual(oct(os.stat(f"{self.keys}/{DOMAIN}/one.key.prepared").st_mode & 0o777), "0o600")
        zone_line = re.search(r"(?m)^one\._domainkey.* IN TXT \(.*\)$", page).group()
        server = self.serve("@ A 192.0.2.1\n")
        said = self.hikyaku("dkim", "check", DOMAIN, returncode=1)
        self.assertIn("the record one._domainkey.example.com does not exist; publish it", said)
        self.assertIn(zone_line, said)
        self.assertIn("nothing has changed", self.hikyaku("dkim", "use", DOMAIN, "one", returncode=1))
        server.stop()
        self.assertIn("cannot be looked up", self.hikyaku("dkim", "check", returncode=1))
        server = self.serve(zone_line + "\n")
        self.assertIn("(prepared, RSA, 2048 bits): the record one._domainkey.example.com is there and has this key",
                      self.hikyaku("dkim", "check"))
        self.daemon.reload()
        self.assertEqual(self.verifiers.signatures(self.send(message("before")).content), [])
        self.assertIn("example.com one signs from the next reload on", self.hikyaku("dkim", "use", DOMAIN, "one"))
        self.assertIn("signed as example.com/one (rsa-sha256)", self.explain())
        self.daemon.reload()
        self.verifiers.publish(json.loads(self.hikyaku("dkim", "list", "--json")))
        self.assertEqual(self.verifiers.signatures(self.send(message("after")).content), [(DOMAIN, "one")])
        self.rotate(server)

    def rotate(self, server):
        server.stop()
        second = self.hikyaku("dkim", "new", DOMAIN, "--selector", "two")
        records = re.findall(r"(?m)^\w+\._domainkey.* IN TXT \(.*\)$", second)
        alias = records[0].replace("two._domainkey.example.com.", "two.keys.example.com.")
        server = self.serve(alias + "\ntwo._domainkey.example.com. IN CNAME two.keys.example.com.\n")
        self.addCleanup(server.stop)
        said = self.hikyaku("dkim", "use", DOMAIN, "two")
        self.assertRegex(said, r"example.com one is retired; leave its record until \d{4}-\d\d-\d\d")
        states = [json.loads(line) for line in self.hikyaku("dkim", "list", "--json").splitlines()]
        self.assertEqual({key["selector"]: key["state"] for key in states}, {"one": "retired", "two": "active"})
        self.daemon.reload()
        for key in states:
            self.verifiers.publish(key)
        self.assertEqual(self.verifiers.signatures(self.send(message("second")).content), [(DOMAIN, "two")])
        self.assertIn("signs nothing from the next reload on", self.hikyaku("dkim", "retire", DOMAIN, "two"))
        self.daemon.reload()
        self.assertEqual(self.verifiers.signatures(self.send(message("none")).content), [])

    def serve(self, records):
        return NameServer(self.place, {DOMAIN: records}, 5300)

    def explain(self):
        return self.hikyaku("explain", "--from", "me@example.com", "--to", "you@dest.example")

    def test_private_keys_are_found_nowhere(self):
        selector = self.begin_signing(log={"format": "json", "level": "debug"})
        self.send(message("x"))
        [path] = glob.glob(f"{self.keys}/{DOMAIN}/*.key")
        traces = self.verifiers.traces_of(path, DOMAIN, selector)
        control = Control(self.place.join("hikyakud", "run", "control.sock"))
        shown = self.daemon.log() + self.daemon.notify.status + control.get("/v1/status")
        shown += "".join(self.hikyaku("dkim", *words) for words in (("list",), ("list", "--json"), ("new", DOMAIN)))
        shown += self.hikyaku("config", "show")
        with open(path, "a", encoding="ascii") as file:
            file.write("broken\n")
        shown += self.reload(0)
        for folder, _, names in os.walk(self.daemon.spool):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    shown += file.read().decode("latin-1")
        for trace in traces:
            self.assertNotIn(trace, shown)


if __name__ == "__main__":
    main()
