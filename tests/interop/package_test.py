#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Debian packages on a bare Debian with a real systemd: installed, set up, beside what wants a mail server and in the
place of another one, upgraded, removed, purged."""

import glob
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

from rig import main, until
from rig.certificates import Authority
from rig.hikyakud import binary
from rig.place import ROOT, Place
from rig.systemd_machine import SystemdMachine

PACKAGES = os.path.join(ROOT, "build", "packages")
ACCOUNT = "shop@shop.example"
OPS = "ops@shop.example"
PASSWORD = "correct horse"
CONTENT = "Subject: {}\n\nHello.\n"
ANSWERS = f"""hikyaku hikyaku/smarthost string submission://smtp.example.com
hikyaku hikyaku/user string {ACCOUNT}
hikyaku hikyaku/password password {PASSWORD}
hikyaku hikyaku/root_mail string {OPS}
"""
LATER = "9.9.9"


def make_packages(folder):
    """Of the programs under test, and the same as a later version."""
    build = os.path.dirname(os.path.dirname(binary("hikyakud")))
    subprocess.run(["bash", os.path.join(ROOT, "etc", "package.sh"), "deb", build], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for path in glob.glob(f"{PACKAGES}/*.deb"):
        shutil.copy(path, folder)
        later = os.path.join(folder, "later")
        subprocess.run(["dpkg-deb", "-R", path, later], check=True)
        control = os.path.join(later, "DEBIAN", "control")
        with open(control, encoding="utf-8") as file:
            text = file.read()
        version = re.search(r"^Version: (.*)$", text, re.M)[1]
        with open(control, "w", encoding="utf-8") as file:
            file.write(text.replace(version, LATER))
        name = os.path.basename(path).replace(version, "later")
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", "-z1", later, f"{folder}/{name}"], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(later)


class BareMachine(SystemdMachine):
    """Without hikyaku; the packages lie in /srv/packages, and smtp.example.com's certificate is trusted."""

    def __init__(self, place, packages, authority):
        self.packages, self.authority = packages, authority
        super().__init__(place, os.path.join(place.peers, "bare"))
        self.must("update-ca-certificates")

    def _bring(self, folder):
        shutil.copytree(self.packages, f"{folder}/srv/packages")
        os.makedirs(f"{folder}/etc/test")
        os.makedirs(f"{folder}/usr/local/share/ca-certificates")
        shutil.copy(self.authority.cert, f"{folder}/usr/local/share/ca-certificates/test.crt")
        certificate = self.authority.issue("smtp.example.com")
        shutil.copy(certificate.cert, f"{folder}/etc/test/smtp.pem")
        shutil.copy(certificate.key, f"{folder}/etc/test/smtp.key")


place = packages = None


def setUpModule():
    """Groups that run side by side share what Form has made in $HIKYAKU_PACKAGES."""
    global place, packages
    place = Place()
    unittest.addModuleCleanup(place.remove)
    packages = os.environ.get("HIKYAKU_PACKAGES", place.join("packages"))
    if "HIKYAKU_PACKAGES" not in os.environ or "Form" in sys.argv:
        make_packages(packages)


class Form(unittest.TestCase):
    def test_lintian_has_nothing_to_say(self):
        said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *glob.glob(f"{PACKAGES}/*.changes")],
                              capture_output=True, text=True, check=False)
        self.assertEqual((said.returncode, said.stdout), (0, ""))


    def test_the_apparmor_profiles_are_understood(self):
        for profile in glob.glob(os.path.join(ROOT, "etc", "apparmor", "*")):
            subprocess.run(["apparmor_parser", "--skip-kernel-load", "--skip-cache", "--quiet", profile], check=True)


class Frame(unittest.TestCase):
    """As a package leaves it: nothing is signed before somebody makes a key."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority(place, "authority")

    def shortDescription(self):
        """The name is the sentence."""

    def setUp(self):
        self.machine = BareMachine(place.part(), packages, self.authority)
        self.addCleanup(self.machine.remove)

    def apt(self, *words, before=()):
        """What it has said. There is no network: what it installs has been downloaded."""
        return self.machine.must(
            "sh", "-c", 'exec "$@" 2>&1', "sh", "env", "DEBIAN_FRONTEND=noninteractive", *before, "apt-get", "-y", "-q",
            "--no-install-recommends", *words)

    def install(self, *names, version="[0-8]*", options=()):
        """`names` of our packages, in one command."""
        found = [self.machine.must("sh", "-c", f"ls /srv/packages/{name}_{version}.deb").strip() for name in names]
        return self.apt("install", *options, *found)

    def install_all(self):
        return self.install("hikyaku", "hikyaku-mta")

    def start_sink(self):
        """The smarthost. What it runs is not the installed program, which comes and goes."""
        self.machine.must("sh", "-c", "cp -n $(command -v hikyaku) /srv/sink && mkdir -p /tmp/arrived")
        self.machine.write("/etc/test/password", PASSWORD)
        sink = self.machine.start(
            ["/srv/sink", "sink", "--listen", "127.0.0.10:587", "--hostname", "smtp.example.com", "--tls", "starttls",
             "--cert", "/etc/test/smtp.pem", "--key", "/etc/test/smtp.key", "--user", ACCOUNT, "--password-file",
             "/etc/test/password", "--require-auth", "--directory", "/tmp/arrived"], f"sink-{time.monotonic_ns()}")
        self.addCleanup(sink.kill)
        until(lambda: "listening on" in sink.said(), 20, sink.said)
        return sink

    def set_up(self):
        return self.machine.must("hikyaku", "setup", "--host", "submission://smtp.example.com", "--user", ACCOUNT,
                                 "--password-file", "/etc/test/password", "--root-mail", OPS, "--test-to", "-", "--yes")

    def send(self, subject, recipient="root"):
        self.machine.must("sendmail", "-i", recipient, stdin=CONTENT.format(subject))

    def arrived(self, subject):
        """Its text, once it has."""
        def found():
            return self.machine.run("sh", "-c", f"cat $(grep -l '^Subject: {subject}' /tmp/arrived/*.eml)").stdout
        return until(found, 60, lambda: f"{subject}:\n" + self.machine.must("journalctl", "-q", "-o", "cat"))

    def count(self, subject):
        return len(self.machine.run("sh", "-c", f"grep -l '^Subject: {subject}' /tmp/arrived/*.eml").stdout.split())

    def state(self, path):
        return self.machine.must("stat", "-c", "%a %U:%G", path).strip()


class SetUp(Frame):
    def test_installed_it_waits_for_its_set_up_and_takes_mail_meanwhile(self):
        said = self.install_all()
        self.assertIn("hikyaku is not set up yet: run 'hikyaku setup'", said)
        self.assertEqual(self.state("/usr/lib/hikyaku/sendmail"), "2755 root:hikyaku-submit")
        self.assertEqual(self.state("/var/spool/hikyaku/drop"), "1730 hikyaku:hikyaku-submit")
        for unit in ("hikyaku.service", "hikyaku.socket"):
            self.assertEqual(self.machine.property("UnitFileState", unit), "enabled")
            self.assertEqual(self.machine.property("ActiveState", unit), "inactive")
            self.assertEqual(self.machine.property("Result", unit), "success")
        self.send("before")
        self.start_sink()
        self.assertIn("mail can be sent through smtp.example.com", self.set_up())
        self.machine.must("systemctl", "start", "hikyaku")
        self.assertIn(f"for <{OPS}>", self.arrived("before"))
        # What wants a mail server has one, also where recommended packages are installed.
        simulated = self.machine.must("sh", "-c", "apt-get -s -y install cron bsd-mailx logwatch")
        self.assertNotIn("exim", simulated)
        self.apt("install", "cron", "bsd-mailx", "logwatch")
        self.assertEqual(self.machine.must("readlink", "-f", "/usr/sbin/sendmail"), "/usr/lib/hikyaku/sendmail\n")
        self.machine.must("mail", "-s", "by mail", OPS, stdin="Hello.\n")
        self.arrived("by mail")
        self.machine.write("/etc/cron.d/test", "* * * * * root echo said by cron\n")
        self.assertIn("said by cron", self.arrived("Cron"))

    def test_what_debconf_is_told_is_set_up_once_and_forgotten(self):
        self.install("hikyaku")
        self.start_sink()
        self.assertNotIn("mail", self.apt("purge", "hikyaku").replace("local mail relay", ""))
        self.assertNotEqual(self.machine.run("test", "-e", "/var/spool/hikyaku").returncode, 0)
        self.machine.must("debconf-set-selections", stdin=ANSWERS)
        self.assertIn("mail can be sent through smtp.example.com", self.install_all())
        self.assertEqual(self.state("/etc/hikyaku/authinfo"), "640 root:hikyaku")
        self.assertEqual(self.machine.property("ActiveState"), "active")
        self.send("told")
        self.arrived("told")
        found = self.machine.run("grep", "-rlF", PASSWORD, "/var/cache/debconf", "/var/log", "/var/lib/dpkg")
        self.assertEqual(found.stdout, "")
        self.machine.must("sed", "-i", "$ a log: {level: debug}", "/etc/hikyaku/hikyaku.yaml")
        before = self.machine.must("cat", "/etc/hikyaku/hikyaku.yaml")
        self.machine.must("dpkg-reconfigure", "-f", "noninteractive", "hikyaku")
        self.assertEqual(self.machine.must("cat", "/etc/hikyaku/hikyaku.yaml"), before)


class Change(Frame):
    def test_an_upgrade_refuses_no_connection_and_loses_nothing(self):
        self.install_all()
        sink = self.start_sink()
        self.set_up()
        self.machine.must("systemctl", "start", "hikyaku")
        sink.kill()
        for subject in ("one", "two"):
            self.send(subject)
        pid = self.machine.property("MainPID")
        callers = self.machine.start(
            ["bash", "-c", "for i in $(seq 200); do printf 'Subject: during\\n\\nx\\n' | sendmail -i root || echo failed; "
             "(exec 3<>/dev/tcp/127.0.0.1/25 && read -r -t 60 line <&3 && [[ $line == 220* ]]) || echo refused; done; "
             "echo all"], "callers")
        self.addCleanup(callers.kill)
        self.machine.must("dpkg-statoverride", "--update", "--add", "root", "root", "0755", "/usr/lib/hikyaku/sendmail")
        self.install("hikyaku", "hikyaku-mta", version="later*")
        self.assertEqual(self.machine.must("dpkg-query", "-W", "-f", "${Version}", "hikyaku-mta"), LATER)
        self.assertEqual(self.state("/usr/lib/hikyaku/sendmail"), "755 root:root")
        until(lambda: "all" in callers.said(), 120, callers.said)
        self.assertEqual(callers.said(), "all\n")
        self.assertNotEqual(self.machine.property("MainPID"), pid)
        self.start_sink()
        self.machine.must("hikyaku", "queue", "retry", "--all")
        until(lambda: self.count("during") == 200, 60, lambda: f"{self.count('during')} of 200")
        self.assertEqual([self.count(subject) for subject in ("one", "two")], [1, 1])

    @unittest.skipUnless(os.environ.get("HIKYAKU_LONG_TESTS"), "an upgrade backwards")
    def test_a_downgrade_keeps_what_is_queued_and_sends_it(self):
        self.install("hikyaku", "hikyaku-mta", version="later*")
        sink = self.start_sink()
        self.set_up()
        self.machine.must("systemctl", "start", "hikyaku")
        sink.kill()
        self.send("kept")
        until(lambda: self.machine.run("hikyaku", "queue", "--count").stdout == "1\n", 60, "it is queued")
        before = self.machine.must("cat", "/etc/hikyaku/hikyaku.yaml")
        self.install("hikyaku", "hikyaku-mta", options=["--allow-downgrades"])
        self.assertNotEqual(self.machine.must("dpkg-query", "-W", "-f", "${Version}", "hikyaku"), LATER)
        self.assertEqual(self.machine.property("ActiveState"), "active")
        self.assertEqual(self.machine.must("cat", "/etc/hikyaku/hikyaku.yaml"), before)
        self.start_sink()
        self.machine.must("hikyaku", "queue", "retry", "--all")
        self.arrived("kept")
        self.assertEqual(self.count("kept"), 1)

    def test_purged_it_keeps_a_spool_that_holds_mail_and_says_so(self):
        self.install_all()
        self.start_sink().kill()
        self.set_up_in_vain()
        self.send("waits")
        self.machine.must("systemctl", "start", "hikyaku")
        until(lambda: self.machine.run("hikyaku", "queue", "--count").stdout == "1\n", 60, "it is queued")
        said = self.apt("purge", "hikyaku", "hikyaku-mta")
        self.assertIn("hikyaku: mail waits in /var/spool/hikyaku and stays there: 1 mail", said)
        self.assertIn("hikyaku: mail still waits in /var/spool/hikyaku, which is kept: install hikyaku again to send it", said)
        self.assertNotEqual(self.machine.run("test", "-e", "/etc/hikyaku").returncode, 0)
        self.install_all()
        self.start_sink()
        self.set_up()
        self.machine.must("systemctl", "start", "hikyaku")
        self.arrived("waits")
        until(lambda: self.machine.run("hikyaku", "queue", "--count").stdout == "0\n", 60, "it has ended")
        said = self.apt("purge", "hikyaku", "hikyaku-mta")
        self.assertNotIn("mail", said.replace("hikyaku-mta", "").replace("local mail relay", ""))
        self.assertNotEqual(self.machine.run("test", "-e", "/var/spool/hikyaku").returncode, 0)

    def set_up_in_vain(self):
        """Nobody answers at the smarthost, which is said, and written all the same."""
        done = self.machine.run("hikyaku", "setup", "--host", "submission://smtp.example.com", "--user", ACCOUNT,
                                "--password-file", "/etc/test/password", "--root-mail", OPS, "--test-to", "-", "--yes")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)


class Former(Frame):
    def run_debian_test(self, name):
        """As autopkgtest runs it, on an installed package."""
        with open(os.path.join(ROOT, "etc", "debian", "tests", name), encoding="utf-8") as script:
            self.machine.must("sh", "-s", stdin=script.read())

    def take_the_place_of(self, package, queue_file):
        self.apt("install", package)
        self.machine.write(queue_file, "not ours")
        said = self.install_all()
        self.assertNotIn("installed", self.machine.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package).stdout)
        self.assertEqual(self.machine.must("readlink", "-f", "/usr/sbin/sendmail"), "/usr/lib/hikyaku/sendmail\n")
        return said

    def test_over_exim_it_says_what_waits_there_and_how_it_is_sent(self):
        said = self.take_the_place_of("exim4-daemon-light", "/var/spool/exim4/input/1abcde-000000-00-H")
        self.assertIn("hikyaku: 1 mail still waits in the queue of Exim", said)
        self.assertIn("exim4 -qff", said)
        self.apt("install", "bsd-mailx")
        self.run_debian_test("smoke")
        self.run_debian_test("sendmail")

    def test_over_postfix_it_offers_the_configuration_too(self):
        said = self.take_the_place_of("postfix", "/var/spool/postfix/deferred/A/A1234")
        self.assertIn("in the queue of Postfix", said)
        self.assertIn("postqueue -f", said)
        self.assertIn("'hikyaku import postfix' shows the configuration of Postfix (/etc/postfix/main.cf) as hikyaku's", said)
        self.assertIn("smarthost", self.machine.run("hikyaku", "import", "postfix").stdout)


if __name__ == "__main__":
    main()
