# SPDX-License-Identifier: MIT
"""The frame of tests on a machine with a real systemd: each begins with hikyaku as it is right after its installation, has
smarthosts played by `hikyaku sink`, and reads what an operator would read."""

import base64
import json
import os
import sys
import time
import unittest

from rig_common.waiting import until

from .certificates import Authority, self_signed
from .place import Place
from .systemd_machine import InstalledMachine
from .verifiers import Verifiers

ANNA, CARLA, OTTO = 1001, 1002, 1003  # CARLA is a member of adm
ADM = 4
ACCOUNT = "me@example.com"
PASSWORD = "correct horse"
AUTHINFO = f"machine smtp.example.com login {ACCOUNT} password {json.dumps(PASSWORD)}\n"
SMARTHOST = {"name": "main", "host": "smtp.example.com", "port": 587, "tls": "starttls", "tls_ca_file": "/etc/test/ca.pem"}
HOST_ADDRESS = "127.0.0.10"
NO_NETWORK = "127.0.0.1 localhost\n127.0.1.1 app1.shop.example app1\n"
HOSTS = f"{NO_NETWORK}{HOST_ADDRESS} smtp.example.com\n"
# A program that the kernel calls as Postfix's, on its port.
POSTFIX = """
import ctypes, socket, time
ctypes.CDLL(None).prctl(15, b"master")
listening = socket.create_server(("127.0.0.1", 25)); print("ready", flush=True); time.sleep(600)
"""
# Whoever reads sees the answers of these, and takes from them what to do.
COMMANDS = {"journal": ("journalctl", "-q", "-o", "cat", "-u", "hikyaku.service", "-u", "hikyaku.socket"),
            "systemctl status": ("systemctl", "show", "-P", "StatusText", "hikyaku.service"),
            "hikyaku status": ("hikyaku", "status"), "hikyaku queue": ("hikyaku", "queue"), "mailq": ("mailq",),
            "hikyakud --check": ("hikyakud", "--check")}


class TrialCase(unittest.TestCase):
    """`machine` is one for all tests of a program."""

    place = machine = None

    @classmethod
    def setUpClass(cls):
        if TrialCase.machine is None:
            TrialCase.place = Place()
            unittest.addModuleCleanup(cls.place.remove)
            TrialCase.machine = InstalledMachine(cls.place)
            unittest.addModuleCleanup(cls.machine.remove)
            cls.make_users()
            cls.make_certificates()
            TrialCase.verifiers = Verifiers(cls.place)
            cls.make_key("interop", "/etc/hikyaku/dkim")

    @classmethod
    def make_key(cls, selector, directory):
        """Signs mail of the machine; dkimpy verifies all that arrives."""
        keys = cls.verifiers.make_key("shop.example", selector=selector)
        path = f"{directory}/shop.example/{selector}.key"
        with open(f"{keys}/shop.example/{selector}.key", encoding="ascii") as file:
            cls.machine.write(path, file.read(), "0640")
        cls.machine.must("chown", "root:hikyaku", path)

    @classmethod
    def make_users(cls):
        for name, uid, groups in (("anna", ANNA, ""), ("carla", CARLA, "adm"), ("otto", OTTO, "")):
            cls.machine.must("useradd", "-m", "-u", str(uid), "-G", groups, name)

    @classmethod
    def make_certificates(cls):
        authority = Authority(cls.place, "authority")
        cls.write_certificate("ca", authority.cert)
        for name, certificate in (("good", authority.issue("smtp.example.com")),
                                  ("expired", authority.issue("smtp.example.com", expired=True)),
                                  ("other", authority.issue("mx7.provider.example")),
                                  ("lone", self_signed(cls.place, "smtp.example.com"))):
            cls.write_certificate(name, certificate.cert, certificate.key)

    @classmethod
    def write_certificate(cls, name, cert, key=None):
        for kind, path in (("pem", cert), ("key", key)):
            if path is not None:
                with open(path, encoding="ascii") as file:
                    cls.machine.write(f"/etc/test/{name}.{kind}", file.read())

    def shortDescription(self):
        """The name is the sentence."""

    def run(self, result=None):
        before, start = len(result.failures) + len(result.errors), time.monotonic()
        super().run(result)
        print(f"    {time.monotonic() - start:.1f} s", file=sys.stderr)
        if len(result.failures) + len(result.errors) > before:
            print(f"--- journal in {self._testMethodName}\n{self.journal_text()}---", file=sys.stderr)

    def setUp(self):
        self.addCleanup(self.end)
        self.heard = {}
        self.machine.write("/etc/hosts", HOSTS)
        self.machine.write("/etc/aliases", "root: ops@example.net\n")
        self.machine.write("/etc/test/password", PASSWORD + "\n")
        self.configure()
        self.authinfo()
        self.since = self.machine.cursor()

    def end(self):
        """Nothing of a test is left for the next one."""
        self.machine.run("systemctl", "stop", "hikyaku.service", "hikyaku.socket")
        self.machine.run("systemctl", "reset-failed", "hikyaku.service", "hikyaku.socket")
        self.machine.must("sh", "-c", "rm -rf /etc/systemd/system/hikyaku.*.d/test.conf /var/spool/hikyaku/*")
        self.machine.must("systemctl", "daemon-reload")
        self.machine.must("systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/hikyaku.conf")

    def configure(self, smarthost=None, **settings):
        """`smarthost` is what is different about it; a setting that is None is left out. JSON is YAML, too."""
        host = {key: value for key, value in (SMARTHOST | (smarthost or {})).items() if value is not None}
        self.configuration(json.dumps({"smarthosts": [host], **settings}, indent=1))

    def configuration(self, text):
        self.machine.write("/etc/hikyaku/hikyaku.yaml", text)

    def authinfo(self, text=AUTHINFO, mode="0640", owner="root:hikyaku"):
        self.machine.write("/etc/hikyaku/authinfo", text, mode)
        self.machine.must("chown", owner, "/etc/hikyaku/authinfo")

    def drop_in(self, text, unit="hikyaku.service"):
        """What `systemctl edit` would write."""
        self.machine.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.machine.must("systemctl", "daemon-reload")

    def sink(self, port, *options, tls="starttls", certificate="good", login=True):
        """A smarthost on that port, once it listens; its mails go to /tmp/arrived-PORT."""
        folder = f"/tmp/arrived-{port}"
        self.machine.must("mkdir", "-p", folder)
        command = ["hikyaku", "sink", "--listen", f"{HOST_ADDRESS}:{port}", "--hostname", "smtp.example.com", "--tls", tls,
                   "--directory", folder, *options]
        if tls != "none":
            command += ["--cert", f"/etc/test/{certificate}.pem", "--key", f"/etc/test/{certificate}.key"]
        if login:
            command += ["--user", ACCOUNT, "--password-file", "/etc/test/password", "--require-auth"]
        process = self.machine.start(command, f"sink-{self._testMethodName}-{port}")
        self.addCleanup(self.machine.must, "rm", "-r", folder)
        self.addCleanup(process.kill)
        until(lambda: "listening on" in process.said(), 20, process.said)
        return folder

    def start(self, returncode=0):
        done = self.machine.run("systemctl", "start", "hikyaku.service")
        self.assertEqual(done.returncode, returncode, done.stderr + self.journal_text())
        return done

    def send(self, user=ANNA, returncode=0, text="Subject: hello\n\nHello.\n", recipient="you@example.net", sender=None):
        """By way of sendmail; what it has said."""
        options = ["-f", sender] if sender else []
        done = self.machine.run("sendmail", "-i", *options, recipient, user=user, stdin=text)
        self.assertEqual(done.returncode, returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def arrived(self, folder, count=1):
        until(lambda: len(self.machine.run("sh", "-c", f"ls {folder}/*.eml").stdout.split()) >= count, 30,
              lambda: f"{count} mails in {folder}:\n{self.journal_text()}")
        encoded = self.machine.must("sh", "-c", f"for mail in {folder}/*.eml; do base64 -w 0 $mail; echo; done")
        contents = [base64.b64decode(line) for line in encoded.split()]
        self.verifiers.check_all(contents)
        return contents

    def smtp(self, port=25):
        """What a client hears that says EHLO and sends a mail; the last reply of each step."""
        script = ("import smtplib, sys\n"
                  f"with smtplib.SMTP('127.0.0.1', {port}, timeout=60) as c:\n"
                  "    print(c.sendmail('app@shop.example', ['you@example.net'], 'Subject: x\\n\\nx\\n'))\n")
        return self.machine.run("python3", "-c", script)

    def journal(self, unit="hikyaku.service"):
        return self.machine.journal(self.since, unit)

    def journal_text(self):
        return "".join(f"<{priority}>{text}\n" for unit in ("hikyaku.socket", "hikyaku.service")
                       for priority, text in self.journal(unit))

    def play(self, script, *arguments):
        """A Python program in the machine, once it has said that it is ready."""
        process = self.machine.start(["python3", "-c", script, *arguments], f"play-{self._testMethodName}")
        self.addCleanup(process.kill)
        until(lambda: "ready" in process.said(), 20, process.said)

    def wait_for(self, words, seconds=60):
        """Until the journal has them; the line."""
        def found():
            return next((text for _, text in self.journal() if words in text), None)
        return until(found, seconds, lambda: f"{words} in the journal:\n{self.journal_text()}")

    def observe(self):
        """What each of the first commands of an operator says now."""
        self.heard = {}
        for name, command in COMMANDS.items():
            extra = (f"--after-cursor={self.since}",) if name == "journal" else ()
            done = self.machine.run(*command, *extra)
            self.heard[name] = done.stdout + done.stderr
        self.keep(*COMMANDS)
        return self.heard

    def begin_check(self):
        check = self.machine.start(["hikyaku", "check"], f"check-{self._testMethodName}")
        self.addCleanup(check.kill)
        return check

    def check(self, *words, returncode=1, begun=None):
        """`hikyaku check` by itself has all these words; `begun` may be one that has been on its way for a while."""
        check = begun or self.begin_check()
        left = check.wait(120)
        self.heard["hikyaku check"] = check.said()
        self.keep("hikyaku check")
        self.assertEqual(left, returncode, check.said())
        self.assert_says(words, "hikyaku check")

    def keep(self, *names):
        """For whoever writes of it: $HIKYAKU_TRIALS is the file to which it is added."""
        path = os.environ.get("HIKYAKU_TRIALS")
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"\n## {self._testMethodName.removeprefix('test_').replace('_', ' ')}\n")
                for name in names:
                    file.write(f"\n### {name}\n```\n{self.heard[name].rstrip()}\n```\n")

    def assert_says(self, words, *places):
        """Each of the places has all the words."""
        for place in places:
            for word in words:
                self.assertIn(word, self.heard[place], place)
