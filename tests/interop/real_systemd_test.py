#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hikyaku under a real systemd: starts by its socket, restarts, reloads, mistakes; and who may ask it what."""

import json

from rig import main, until
from rig.trial import ADM, ANNA, AUTHINFO, CARLA, HOSTS, NO_NETWORK, OTTO, POSTFIX, TrialCase

MANY = 200  # more lines than a socket holds that nobody reads
MANY_MAILS = f"""
import smtplib
with smtplib.SMTP("127.0.0.1", 25, timeout=60) as client:
    for _ in range({MANY}):
        client.sendmail("app@shop.example", ["you@example.net"], "Subject: x\\n\\nx\\n")
"""
IDLE = """
import smtplib, subprocess
with smtplib.SMTP("127.0.0.1", 25, timeout=60) as client:
    client.ehlo()
    subprocess.run(["systemctl", "stop", "hikyaku.socket", "hikyaku.service"], check=True)
    print(client.getreply())
"""
BROKEN = "smarthost: submission://smtp.example.com\nsmart_host: x\n"


class Service(TrialCase):
    def main_pid(self):
        return self.machine.property("MainPID")

    def test_the_first_client_on_port_25_starts_the_daemon(self):
        folder = self.sink(587)
        self.machine.must("systemctl", "start", "hikyaku.socket")
        self.assertEqual(self.machine.property("ActiveState"), "inactive")
        self.assertEqual(self.smtp().stdout, "{}\n")
        self.arrived(folder)
        self.assertEqual(self.machine.property("ActiveState"), "active")

    def test_a_mail_that_sendmail_left_before_the_start_goes_out_with_it(self):
        folder = self.sink(587)
        self.send()
        self.start()
        self.arrived(folder)

    def test_killed_it_is_back_and_a_client_meanwhile_just_waits(self):
        folder = self.sink(587)
        self.start()
        self.machine.must("kill", "-9", self.main_pid())
        self.assertEqual(self.smtp().stdout, "{}\n")
        self.arrived(folder)
        self.assertEqual(self.machine.property("NRestarts"), "1")

    def test_a_restart_refuses_no_connection_and_goes_on_with_what_is_queued(self):
        self.start()
        self.assertEqual(self.smtp().stdout, "{}\n")
        folder = self.sink(587)
        self.machine.must("systemctl", "--no-block", "restart", "hikyaku.service")
        self.assertEqual(self.smtp().stdout, "{}\n")
        self.arrived(folder, 2)

    def test_booted_with_a_queue_and_before_the_network_is_there_it_takes_mail_and_sends_all_of_it_later(self):
        folder = self.sink(587)
        self.machine.write("/etc/hosts", NO_NETWORK)
        self.machine.must("systemctl", "enable", "hikyaku.service")
        self.addCleanup(self.machine.must, "systemctl", "disable", "hikyaku.service", "hikyaku.socket")
        for _ in range(2):
            self.machine.must("systemctl", "start", "multi-user.target")  # all that a boot starts
            self.assertEqual(self.smtp().stdout, "{}\n")
            self.machine.must("systemctl", "stop", "hikyaku.socket", "hikyaku.service")
        self.machine.must("systemctl", "start", "multi-user.target")
        self.assertEqual(self.machine.property("ActiveState"), "active")
        self.assertIn("smtp.example.com", self.wait_for("smarthost paused"))
        self.machine.write("/etc/hosts", HOSTS)
        self.arrived(folder, 2)

    def test_who_is_connected_when_it_stops_is_told_to_come_back(self):
        self.start()
        said = self.machine.must("python3", "-c", IDLE)
        self.assertIn("(421, b'4.3.2", said)

    def test_when_it_hangs_the_watchdog_has_it_started_again_and_a_client_meanwhile_just_waits(self):
        folder = self.sink(587)
        self.drop_in("[Service]\nWatchdogSec=4\n")
        self.start()
        self.machine.must("kill", "-STOP", self.main_pid())
        self.assertEqual(self.smtp().stdout, "{}\n")
        self.arrived(folder)
        self.assertIn("Watchdog timeout", self.journal_text())

    def entries(self, *matches):
        """Of this start. (With matches --after-cursor leaves out one entry too many.)"""
        start = self.machine.property("InvocationID")
        said = self.machine.must("journalctl", "-q", "-o", "json", f"_SYSTEMD_INVOCATION_ID={start}", *matches)
        return [json.loads(line) for line in said.splitlines()]

    def test_the_journal_finds_what_became_of_a_mail_by_its_id_and_what_is_wrong_with_a_smarthost(self):
        folder = self.sink(587)
        self.start()
        self.send()
        self.arrived(folder)
        self.wait_for(" delivered id=")
        mail = self.entries("HIKYAKU_EVENT=delivered")[0]["HIKYAKU_ID"]
        found = self.entries(f"HIKYAKU_ID={mail}")
        self.assertEqual([(entry["HIKYAKU_EVENT"], entry["PRIORITY"]) for entry in found],
                         [("accepted", "6"), ("delivered", "6")])
        for entry in found:
            self.assertEqual((entry["SYSLOG_IDENTIFIER"], entry["_SYSTEMD_UNIT"], entry["HIKYAKU_TO"]),
                             ("hikyakud", "hikyaku.service", "you@example.net"))
        self.assertEqual((found[1]["HIKYAKU_STATUS"], found[1]["HIKYAKU_SMARTHOST"]), ("delivered", "main"))
        self.assertRegex(found[1]["HIKYAKU_REPLY"], r"\A250 ")
        self.assertTrue(found[1]["MESSAGE"].startswith(f"info delivered id={mail} "), found[1])
        self.configure({"port": 1})
        self.machine.must("systemctl", "reload", "hikyaku.service")
        self.send()
        self.wait_for("smarthost paused")
        paused = self.entries("HIKYAKU_SMARTHOST=main", "PRIORITY=3")
        self.assertEqual([entry["HIKYAKU_EVENT"] for entry in paused], ["smarthost paused"])

    def test_mail_goes_on_while_journald_hangs_and_its_lines_are_there_afterwards(self):
        folder = self.sink(587)
        self.start()
        journald = self.machine.property("MainPID", "systemd-journald.service")
        self.machine.must("kill", "-STOP", journald)
        try:
            self.machine.must("python3", "-c", MANY_MAILS)
            self.arrived(folder, MANY)
        finally:
            self.machine.must("kill", "-CONT", journald)
        until(lambda: len(self.entries("HIKYAKU_EVENT=delivered")) == MANY, 60, self.journal_text)

    def test_a_good_reload_takes_effect_and_a_broken_one_fails_with_the_lines_and_changes_nothing(self):
        folder = self.sink(2587)
        self.start()
        self.configure({"port": 2587})
        self.machine.must("systemctl", "reload", "hikyaku.service")
        self.send()
        self.arrived(folder)
        self.configuration(BROKEN)
        self.assertNotEqual(self.machine.run("systemctl", "reload", "hikyaku.service").returncode, 0)
        self.assertEqual(self.machine.property("ActiveState"), "active")
        line = self.wait_for("hikyaku.yaml:2:1: smart_host: ")
        self.assertIn("smarthost", line)
        self.assertIn("hikyaku.yaml:2:1: smart_host: ", self.machine.property("StatusText"))
        self.send()
        self.arrived(folder, 2)

    def test_a_broken_file_at_the_start_is_an_error_in_the_journal_and_in_the_status(self):
        self.configuration(BROKEN)
        self.start(returncode=1)
        lines = [(priority, text) for priority, text in self.journal() if "hikyaku.yaml:2:1: smart_host" in text]
        self.assertEqual([priority for priority, _ in lines], [3])
        self.assertIn("smart_host", self.machine.run("systemctl", "status", "hikyaku.service").stdout)

    def test_clients_are_told_to_come_back_while_the_file_is_broken_and_corrected_it_starts_at_once(self):
        folder = self.sink(587)
        self.start()
        self.configuration(BROKEN)
        self.assertNotEqual(self.machine.run("systemctl", "restart", "hikyaku.service").returncode, 0)
        for _ in range(8):
            self.assertIn("421, b'4.3.5 hikyakud cannot start: its configuration is wrong", self.smtp().stderr)
        self.assertEqual(self.machine.property("ActiveState", "hikyaku.socket"), "active")
        self.configure()
        self.start()
        self.assertEqual(self.smtp().stdout, "{}\n")
        self.arrived(folder)

    def test_beside_another_mail_server_it_takes_the_port_that_the_socket_unit_is_given(self):
        folder = self.sink(587)
        self.play(POSTFIX)
        self.drop_in("[Socket]\nListenStream=\nListenStream=127.0.0.1:2525\n", "hikyaku.socket")
        self.start()
        self.assertEqual(self.smtp(2525).stdout, "{}\n")
        self.arrived(folder)

    def test_passwords_and_signing_keys_that_systemd_hands_over_are_used_by_themselves(self):
        folder = self.sink(587)
        self.machine.must("rm", "/etc/hikyaku/authinfo")
        self.machine.write("/etc/credstore/hikyaku-authinfo", AUTHINFO, "0600")
        self.make_key("handed", "/etc/credstore/hikyaku-dkim")
        self.drop_in("[Service]\nLoadCredential=authinfo:/etc/credstore/hikyaku-authinfo\n"
                     "LoadCredential=dkim:/etc/credstore/hikyaku-dkim\n")
        self.start()
        self.send()
        [content] = self.arrived(folder)
        self.assertEqual(self.verifiers.signatures(content), [("shop.example", "handed")])
        self.assertIn("the DKIM keys in /etc/hikyaku/dkim sign nothing", self.journal_text())

    def test_the_threads_that_answer_mailq_have_a_lower_priority_than_the_relay(self):
        self.start()
        pid = self.main_pid()

        def priorities():
            listed = self.machine.must("ps", "-L", "-o", "nice=", "-p", pid).split()
            return listed if "5" in listed else None
        self.assertIn("0", until(priorities, 20, "a thread with a lower priority"))


class Rights(TrialCase):
    def setUp(self):
        super().setUp()
        self.configure({"port": 1})
        self.start()

    def ask(self, user, groups=None):
        return self.machine.run("hikyaku", "status", "--json", user=user, groups=groups)

    def test_members_of_adm_may_ask_everything(self):
        done = self.ask(CARLA, groups=ADM)
        self.assertEqual(json.loads(done.stdout)["version"], "0.1.0", done.stderr)
        self.machine.must("hikyaku", "reload", user=CARLA, groups=ADM)

    def test_others_do_not_get_as_far_as_asking_but_mailq_shows_them_their_mail(self):
        done = self.ask(OTTO)
        self.assertEqual((done.returncode, done.stdout), (77, ""))
        self.assertIn("members of `control.group`", done.stderr)
        self.send(user=ANNA)
        self.assertIn("anna@app1.shop.example", self.machine.must("mailq", user=ANNA))
        self.assertNotIn("anna@", self.machine.must("mailq", user=OTTO))
        self.assertIn("anna@app1.shop.example", self.machine.must("mailq", user=CARLA, groups=ADM))

    def test_another_group_of_operators_is_let_in_by_a_reload_and_the_one_before_no_more(self):
        self.configure({"port": 1}, control={"group": "otto"})
        self.machine.must("systemctl", "reload", "hikyaku.service")
        self.assertEqual(self.ask(OTTO).returncode, 0)
        self.assertEqual(self.ask(CARLA, groups=ADM).returncode, 77)


class Demo(TrialCase):
    def test_the_demo_of_an_ordinary_user_does_not_reach_the_machines_own_relay(self):
        folder = self.sink(587)
        self.start()
        done = self.machine.run("hikyaku", "demo", user=ANNA)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Header and body arrived unchanged", done.stdout)
        self.assertNotIn("hikyaku-submit", done.stdout)
        self.assertNotIn("warning", done.stdout)
        self.send()
        self.arrived(folder)
        self.assertEqual(len([text for _, text in self.journal() if " accepted " in text]), 1)


if __name__ == "__main__":
    main()
