#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hikyaku setup` at a terminal and over a pipe, from nothing to a mail that a real Postfix with TLS and password has
taken; again with what is there; and with what goes wrong."""

import json
import os
import stat
import subprocess

from rig import Case, Dovecot, Hikyakud, Listener, Postfix, main, until
from rig.case import SMARTHOST
from rig.credentials import PASSWORD, USER
from rig.hikyakud import NAMESPACE, binary
from rig.postfix import login, starttls
from rig.provider import PROVIDERS, ProviderDouble
from rig.terminal import Terminal

OWNER = "nobody"
QUESTIONS = {"target": "name of the smarthost", "user": "User name", "password": "Password (not shown)",
             "from": "Address that all mail leaves with", "root": "Address that mail to root", "write": "Write this",
             "test": "Address for a test mail"}


class Setup(Case):
    @classmethod
    def start_peers(cls):
        dovecot = Dovecot(cls.place, ["PLAIN", "LOGIN"])
        cls.addClassCleanup(dovecot.stop)
        listener = Listener(587, starttls(cls.authority.issue(SMARTHOST)) | login(dovecot))
        cls.postfix = Postfix(cls.place, cls.catcher, [listener])
        cls.addClassCleanup(cls.postfix.stop)

    def setUp(self):
        """The configuration says where this daemon is, and nothing of a smarthost, as on a machine that has others."""
        self.daemon = Hikyakud(self.place, self.signing({"user": OWNER}), env={"SSL_CERT_FILE": self.authority.cert})
        self.daemon.as_root = True
        self.addCleanup(self.daemon.discard)
        os.remove(f"{self.daemon.folder}/authinfo")
        self.settings = {key: value for key, value in json.loads(self.read("hikyaku.yaml")).items() if key != "log"}
        self.place.file("hikyakud/hikyaku.yaml",
                        "".join(f"{key}: {json.dumps(value)}\n" for key, value in self.settings.items()))

    def read(self, name):
        with open(f"{self.daemon.folder}/{name}", encoding="utf-8") as file:
            return file.read()

    def command(self, *words):
        return [*NAMESPACE, self.place.hosts, binary("hikyaku"), "setup", "-c", self.daemon.config, *words]

    def at_terminal(self, *words, **answers):
        """The exit code, and what the terminal has shown."""
        terminal = Terminal(self.command(*words), os.environ | self.daemon.env)
        self.addCleanup(terminal.close)
        for name, question in QUESTIONS.items():
            if name in answers:
                terminal.answer(question, answers[name])
        code = terminal.leave()
        self.assertNotIn(PASSWORD, terminal.screen)
        return code, terminal.screen

    def over_pipe(self, *words, said=""):
        done = subprocess.run(self.command(*words), input=said, capture_output=True, text=True, check=False, timeout=120,
                              env=os.environ | self.daemon.env)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def everything(self, **others):
        return {"target": SMARTHOST, "user": USER, "password": PASSWORD, "from": "-", "root": "ops@dest.example",
                "write": "", "test": "you@dest.example"} | others

    def assert_test_mail_arrived(self):
        mail = self.catcher.wait()
        self.assertEqual(mail.recipients, ["you@dest.example"])
        self.assertIn(b"Subject: ", mail.content)

    def test_at_a_terminal_from_nothing_to_a_delivered_mail_and_again(self):
        code, screen = self.at_terminal(**self.everything())
        self.assertEqual(code, 0, screen)
        self.assert_test_mail_arrived()
        self.assertIn(f"Found {SMARTHOST} port 587, STARTTLS", screen)
        self.assertIn(f'smarthost:\n  url: "submission://{SMARTHOST}"\n  user: {USER}\n', self.read("hikyaku.yaml"))
        status = os.stat(f"{self.daemon.folder}/authinfo")
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid), (0o640, 0))
        self.catcher.mails.clear()
        before = self.read("hikyaku.yaml"), self.read("authinfo")
        self.daemon.start()
        code, screen = self.at_terminal(**{name: "" for name in QUESTIONS} | {"test": "you@dest.example"})
        self.assertEqual(code, 0, screen)
        self.assertIn("The daemon has read it.", screen)
        self.assertIn("stays as it is", screen)
        self.assertIn("you@dest.example: delivered: 250", screen)
        self.assert_test_mail_arrived()
        self.assertEqual((self.read("hikyaku.yaml"), self.read("authinfo")), before)

    def hikyaku(self, *words, said=""):
        done = subprocess.run([binary("hikyaku"), *words, "-c", self.daemon.config], input=said, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        return done.stdout

    def test_the_password_changes_beside_a_daemon_that_runs(self):
        target = ("--host", f"submission://{SMARTHOST}", "--user", USER, "--password-file", "-", "--root-mail", "-", "--yes")
        self.assertEqual(self.over_pipe(*target, said="wrong\n")[0], 1)
        self.daemon.start()
        self.daemon.submit(b"Subject: waits\r\n\r\n")
        until(lambda: "smarthost paused" in self.daemon.log(), 20, "the password is refused")
        said = self.hikyaku("authinfo", "add", SMARTHOST, "--user", USER, said=PASSWORD + "\n")
        self.assertIn(f"replaced: {SMARTHOST}, user {USER} (", said)
        self.assertIn("run 'hikyaku reload' to have the daemon use this", said)
        self.hikyaku("reload")
        self.assertEqual(self.catcher.wait().recipients, ["you@dest.example"])
        self.assertEqual(json.loads(self.hikyaku("authinfo", "list", "--json"))["user"], USER)
        shown = {each["key"]: each for each in json.loads(self.hikyaku("config", "show", "--json"))["settings"]}
        self.assertEqual(shown["smarthosts[0].password"]["value"], "********")
        self.assertEqual(shown["smarthosts[0].host"]["value"], SMARTHOST)
        self.assertRegex(shown["smarthosts[0].host"]["from"], r"/hikyaku\.yaml:\d+$")

    def test_over_a_pipe_with_options_alone(self):
        code, said = self.over_pipe("--host", SMARTHOST, "--user", USER, "--password-file", "-", "--from", "-", "--root-mail",
                                    "-", "--test-to", "you@dest.example", "--yes", said=PASSWORD + "\n")
        self.assertEqual(code, 0, said)
        self.assert_test_mail_arrived()

    def test_over_a_pipe_with_a_line_for_each_answer(self):
        answers = self.everything(**{"from": "me@example.com"})
        code, said = self.over_pipe(said="".join(answers[name] + "\n" for name in QUESTIONS))
        self.assertEqual(code, 0, said)
        self.assert_test_mail_arrived()
        self.assertIn("from: me@example.com\n", self.read("hikyaku.yaml"))

    def test_a_wrong_password_is_explained_and_can_be_corrected(self):
        code, screen = self.at_terminal(**self.everything(password="wrong"))
        self.assertEqual(self.catcher.mails, [])
        self.assertEqual(code, 1, screen)
        self.assertIn("refused the user name or password", screen)
        self.assertIn("mail cannot be sent yet", screen)
        code, screen = self.at_terminal(**self.everything(target="", user=""))
        self.assertEqual(code, 0, screen)
        self.assert_test_mail_arrived()

    def is_enough_with_an_address_and_a_password(self, name, **others):
        provider = next(each for each in PROVIDERS if each.name == name)
        address = f"127.0.8.{PROVIDERS.index(provider) + 1}"
        self.place.name_host(provider.host, address)
        double = ProviderDouble(provider, address, self.authority.issue(provider.host))
        self.addCleanup(double.close)
        code, screen = self.at_terminal(**{question: "" for question in QUESTIONS}
                                        | {"target": provider.account, "password": PASSWORD, "test": "you@dest.example"} | others)
        self.assertEqual((code, double.refusals), (0, []), screen)
        self.assertEqual([(mail.sender, mail.recipients) for mail in double.mails], [(provider.account, ["you@dest.example"])])

    def test_gmail_takes_all_with_an_address_and_a_password_alone(self):
        self.is_enough_with_an_address_and_a_password("Gmail")

    def test_docomo_takes_all_with_an_address_and_a_password_alone(self):
        self.is_enough_with_an_address_and_a_password("docomo", user="shop@docomo.ne.jp")  # whatever its account's ID is


if __name__ == "__main__":
    main()
