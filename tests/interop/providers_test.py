#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Providers that insist on an address, each as strict as it can be, with the configuration that the README shows for it:
they take cron's mail, a web app's with a Japanese display name, and a bounce. Without it, or with a part of it, they refuse what does not fit."""

import email
import re

from rig import Case, main, until
from rig.credentials import PASSWORD, netrc
from rig.probe import Prober
from rig.provider import NOBODY, PROVIDERS, ProviderDouble
from rig.readme import Configured, examples, examples_of_etc

SECTION = "### Providers that insist on an address"
ROUTES_SECTION = "### Several accounts, several ways"
APP = "orders@shop.example.com"
JAPANESE = b"=?UTF-8?B?6aOb6ISa5ZWG5bqX44Kq44Oz44Op44Kk44Oz44K344On44OD44OX?=\r\n =?UTF-8?B?44Gu5rOo5paH5Y+X5LuY?="
CRON = (b"From: root (Cron Daemon)\r\nTo: root\r\nSubject: Cron <root@app> /usr/bin/backup\r\n"
        b"Content-Type: text/plain; charset=UTF-8\r\nX-Cron-Env: <HOME=/root>\r\n\r\nbackup failed\r\n")
RAILS = (b"Date: Sun, 22 Nov 2026 03:14:04 +0000\r\nFrom: " + JAPANESE + b" <" + APP.encode() + b">\r\n"
         b"Sender: deploy@app.interop.test\r\nTo: you@dest.example\r\nMessage-ID: <1.mail@app.interop.test>\r\n"
         b"Subject: =?UTF-8?B?44GU5rOo5paH?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
         b"Content-Transfer-Encoding: 8bit\r\n\r\n" + "ありがとうございます\r\n.\r\n".encode())

PRESETS = {"docomo": "docomo", "Gmail": "gmail", "Amazon SES": "ses-eu-west-1", "Microsoft 365": "microsoft365"}


def field(content, name):
    """Of the header, as it stands there, with its folds."""
    head = content.split(b"\r\n\r\n", 1)[0] + b"\r\n"
    return re.findall(rb"^%b:[ \t]*((?:.*\r\n)(?:[ \t].*\r\n)*)" % name, head, re.MULTILINE)


class Providers(Case):
    @classmethod
    def start_peers(cls):
        """Each with an address of its own, for several have the same port."""
        cls.examples, cls.doubles = examples(SECTION), {}
        for number, provider in enumerate(PROVIDERS, 1):
            address = f"127.0.7.{number}"
            cls.place.name_host(provider.host, address)
            cls.doubles[provider.name] = ProviderDouble(provider, address, cls.authority.issue(provider.host))
            cls.addClassCleanup(cls.doubles[provider.name].close)

    def begin(self, provider, text):
        self.double = self.doubles[provider.name]
        self.double.mails.clear()
        self.double.refusals.clear()
        self.daemon = Configured(self.place, text, netrc(provider.host, provider.account),
                                 {"SSL_CERT_FILE": self.authority.cert})
        self.addCleanup(self.daemon.discard)
        return self.daemon.start()

    def taken(self, count):
        until(lambda: len(self.double.mails) >= count or self.double.refusals, 20, "the mail")
        self.assertEqual(self.double.refusals, [])
        return self.double.mails[count - 1]

    def takes_all(self, provider):
        daemon = self.begin(provider, self.examples[provider.name])
        daemon.submit(CRON, "root", ["root"])
        self.check_cron(self.taken(1))
        daemon.submit(RAILS, APP)
        self.check_rails(self.taken(2), provider)
        daemon.submit(RAILS, APP, [NOBODY])
        self.check_bounce(self.taken(3))
        sent = [event["from"] for event in daemon.events("delivered")]
        until(lambda: len(daemon.events("delivered")) == 3, 20, "three deliveries in the log")
        self.assertIn("root@app.interop.test", sent)
        daemon.check()
        daemon.stop()

    def check_cron(self, mail):
        self.assertEqual(mail.recipients, ["root@app.interop.test"])
        self.assertTrue(field(mail.content, b"From")[0].endswith(b" (Cron Daemon)\r\n"), mail.content)
        self.assertTrue(mail.content.endswith(b"\r\n\r\nbackup failed\r\n"))

    def check_rails(self, mail, provider):
        writer = APP if provider.writers in (None, ("@shop.example.com",)) else provider.account
        self.assertEqual(field(mail.content, b"From"), [JAPANESE + f" <{writer}>\r\n".encode()])
        answers = [] if writer == APP else [JAPANESE + f" <{APP}>\r\n".encode()]
        self.assertEqual(field(mail.content, b"Reply-To"), answers)
        self.assertTrue(mail.content.endswith(RAILS.split(b"\r\n\r\n", 1)[1]))

    def check_bounce(self, mail):
        self.assertEqual(mail.recipients, [APP])
        self.assertEqual(email.message_from_bytes(mail.content).get_content_type(), "multipart/report")
        self.assertEqual(mail.sender == "", self.double.provider.takes_null)

    def is_refused(self, provider, text, words, content, sender, recipients):
        daemon = self.begin(provider, text)
        daemon.submit(content, sender, recipients)
        until(lambda: self.double.refusals, 20, "a refusal")
        self.assertEqual((self.double.mails, self.double.refusals[0]), ([], words))
        return daemon

    def refuses_cron(self, provider, keys=""):
        scheme, words = "smtps" if provider.port == 465 else "submission", provider.not_owned
        if keys or provider.senders is None:
            words = provider.not_written
        text = f"smarthosts: [{{url: '{scheme}://{provider.host}'{keys}}}]\n"
        daemon = self.is_refused(provider, text, words, CRON, "root", ["root"])
        if not keys and provider.senders:  # what is wrong with From, it takes a message to be seen
            self.assertIn(words[4:], daemon.check(returncode=1))

    def refuses_bounces(self, provider):
        text = re.sub(r"(, )?null_sender: [^}]+", "", self.examples[provider.name])
        self.is_refused(provider, text, provider.not_owned, RAILS, APP, [NOBODY])

    def test_a_fallback_gets_the_mail_by_its_own_rules(self):
        docomo, gmail = (next(each for each in PROVIDERS if each.name == name) for name in ("docomo", "Gmail"))
        first = self.examples["docomo"].replace(f"smtps://{docomo.host}", f"smtps://{docomo.host}:466")  # nobody listens
        daemon = self.begin(gmail, f"{first}  - {{url: 'smtps://{gmail.host}', from: {gmail.account}}}\n")
        daemon.place.file("hikyakud/authinfo", netrc(docomo.host, docomo.account) + netrc(gmail.host, gmail.account), 0o600, 65534)
        daemon.reload()
        daemon.submit(RAILS, APP)
        mail = self.taken(1)
        self.assertEqual((mail.sender, field(mail.content, b"From")), (gmail.account, [JAPANESE + b" <shop@gmail.com>\r\n"]))

    def test_a_private_received_line_does_not_say_who_handed_the_mail_in(self):
        gmail = next(provider for provider in PROVIDERS if provider.name == "Gmail")
        daemon = self.begin(gmail, f"smarthosts: [{{url: 'smtps://{gmail.host}', from: {gmail.account}, received: private}}]\n")
        daemon.submit(RAILS, APP)
        received = field(self.taken(1).content, b"Received")
        self.assertEqual(len(received), 1)
        self.assertTrue(received[0].startswith(b"from localhost\r\n\tby app.interop.test (hikyaku) with ESMTP id "), received)

    def test_probe_finds_each_and_logs_in(self):
        prober = Prober(self.place, self.authority)
        for provider in PROVIDERS:
            with self.subTest(provider.name):
                found = prober.finds(provider.host, "--user", provider.account, password=PASSWORD)
                chosen = found["recommended"]
                self.assertEqual((chosen["port"], chosen["mechanisms"]), (provider.port, ["PLAIN", "LOGIN"]))
                self.assertEqual(chosen["max_size"], 15727616)
                self.assertEqual(chosen["preset"], PRESETS.get(provider.name))
                self.assertTrue(found["login"]["succeeded"])

    def test_the_readme_has_an_example_for_each(self):
        self.assertEqual(sorted(self.examples), sorted(provider.name for provider in PROVIDERS))

    def test_what_the_configuration_file_has_as_an_example_has_been_tried(self):
        """Here or in routes_test.py: each is the README's, word for word."""
        tried = [*self.examples.values(), *examples(ROUTES_SECTION).values()]
        self.assertGreaterEqual(len(examples_of_etc()), 7)
        for example in examples_of_etc():
            self.assertIn(example, tried)


def add_tests():
    for provider in PROVIDERS:
        name = re.sub(r"\W+", "_", provider.name)
        setattr(Providers, f"test_{name}_takes_all_with_its_example", lambda self, p=provider: self.takes_all(p))
        setattr(Providers, f"test_{name}_refuses_cron_without", lambda self, p=provider: self.refuses_cron(p))
        if provider.writers and provider.senders:
            sender = f", rewrite: {{envelope_from: '{APP if '@shop.example.com' in provider.senders else provider.account}'}}"
            if "Amazon" in provider.name:
                sender += ", headers: {add: {X-SES-CONFIGURATION-SET: main}}"
            setattr(Providers, f"test_{name}_refuses_cron_with_the_envelope_s_sender_alone",
                    lambda self, p=provider, keys=sender: self.refuses_cron(p, keys))
        if not provider.takes_null:
            setattr(Providers, f"test_{name}_refuses_bounces_without_a_null_sender",
                    lambda self, p=provider: self.refuses_bounces(p))


add_tests()
if __name__ == "__main__":
    main()
