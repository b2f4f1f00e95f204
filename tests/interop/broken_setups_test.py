#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Set-ups that are wrong in the ways that people's are, on a machine with a real systemd: what its operator reads in the
journal, in `systemctl status`, `hikyaku status`, `hikyaku queue` and mailq says what is wrong and what to do about it."""

from rig import main, until
from rig.trial import AUTHINFO, HOST_ADDRESS, HOSTS, POSTFIX, TrialCase

EVERYWHERE = ("journal", "systemctl status", "hikyaku status", "hikyaku queue", "mailq")
# Takes a port and never a connection: what comes is left without an answer, as behind a firewall that drops it.
SILENT = f"""
import socket, sys, time
listening = socket.socket(); listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("{HOST_ADDRESS}", int(sys.argv[1]))); listening.listen(0)
full = [socket.socket() for _ in range(2)]
for each in full:
    each.setblocking(False); each.connect_ex(("{HOST_ADDRESS}", int(sys.argv[1])))
print("ready", flush=True); time.sleep(600)
"""
# A name server that knows no name.
NAMELESS = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(("127.0.0.1", 53)); print("ready", flush=True)
while True:
    query, client = server.recvfrom(4096)
    server.sendto(query[:2] + bytes([0x81, 0x83]) + query[4:6] + bytes(6) + query[12:], client)
"""


class BrokenSetUps(TrialCase):
    def trial(self, *words, places=EVERYWHERE):
        """A mail is handed in, and the smarthost pauses; what is said then has all these words, and so has `hikyaku check`."""
        check = self.begin_check()
        self.start()
        self.send()
        self.wait_for("smarthost paused")
        until(lambda: words[0] in self.machine.property("StatusText"), 20, lambda: self.machine.property("StatusText"))
        self.observe()
        self.assert_says(words, *places)
        self.check(*words, begun=check)

    def test_a_the_password_is_wrong(self):
        self.sink(587)
        self.authinfo(AUTHINFO.replace("horse", "mule"))
        self.trial("refused the user name or password of me@example.com (/etc/hikyaku/authinfo:1)", "535",
                   "systemctl reload hikyaku")

    def test_b1_implicit_tls_is_configured_for_port_587(self):
        self.sink(587)
        self.configure({"tls": "implicit"})
        self.trial("set `tls: starttls` for it (or use port 465)")
        self.assert_says([r"ready\x0d\x0a"], "journal")  # escaped once

    def test_b2_starttls_is_configured_for_port_465(self):
        self.sink(465, tls="implicit")
        self.configure({"port": 465})
        self.trial("expects TLS from the first byte", "set `tls: implicit`")

    def test_c_nobody_listens(self):
        self.trial("nobody listens on smtp.example.com:587", "check `host` and `port`")

    def test_d1_the_certificate_has_expired(self):
        self.sink(587, certificate="expired")
        self.trial("has expired: it was valid until 20", 'set `tls_fingerprint: "sha256:', "openssl s_client -connect")

    def test_d2_the_certificate_is_self_signed(self):
        self.sink(587, certificate="lone")
        self.trial("self-signed", 'set `tls_fingerprint: "sha256:', "openssl s_client -connect")

    def test_d3_the_certificate_is_for_another_name(self):
        self.sink(587, certificate="other")
        self.trial("is for another name than smtp.example.com: it is for mx7.provider.example",
                   "set `tls_hostname` to one of these names", "openssl s_client -connect")

    def test_e_there_are_no_credentials(self):
        self.sink(587)
        self.authinfo("")
        self.trial("there are no credentials for it", "`machine smtp.example.com login USER password PASSWORD`")

    def test_f_the_sender_is_not_the_accounts(self):
        self.sink(587, "--refuse", "mail:anna@app1.shop.example=553 5.7.1 Sender address rejected: not owned by user me")
        self.start()
        self.send()
        self.wait_for("553")
        self.observe()
        self.assert_says(["does not take mail from", "me@example.com"], "journal")

    def test_f_the_sender_is_not_the_accounts_and_check_knows_it_beforehand(self):
        self.sink(587, "--refuse", "mail:root@app1.shop.example=553 5.7.1 Sender address rejected: not owned by user me")
        self.check("does not take mail from <root@app1.shop.example> when me@example.com is logged in", "set `from` for it",
                   "warning: mail leaves as <root@app1.shop.example>, and the account is me@example.com")
        self.configure({"from": "me@example.com"})
        self.check("mail from <me@example.com> to <ops@example.net> is accepted", returncode=0)

    def test_g_the_message_is_too_big(self):
        self.sink(587)
        self.configure(message={"max_size": "1KiB"})
        self.start()
        said = self.send(returncode=65, text="Subject: big\n\n" + "x" * 900 + "\n" + "y" * 900 + "\n")
        self.assertIn("larger than 1024 bytes (`max_size` in hikyaku.yaml)", said)

    def test_h1_the_smarthosts_name_does_not_exist(self):
        self.machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.play(NAMELESS)
        self.configure({"host": "smtp.exmaple.com"})
        self.trial("smtp.exmaple.com does not exist or has no address", "check the spelling")

    def test_h2_the_name_service_does_not_answer(self):
        self.machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.configure({"host": "smtp.elsewhere.example"})
        self.trial("smtp.elsewhere.example could not be looked up", "/etc/resolv.conf")

    def test_i1_a_firewall_drops_what_goes_to_port_587(self):
        self.play(SILENT, "587")
        self.configure({"timeout": {"connect": "1s"}})
        self.trial("no answer from smtp.example.com:587", "firewall")

    def test_i2_the_network_drops_what_goes_to_port_25(self):
        self.play(SILENT, "25")
        self.configure({"port": 25, "timeout": {"connect": "1s"}})
        self.trial("blocks outbound port 25", "use port 587 (`tls: starttls`) or 465")

    def test_k1_everybody_may_read_the_passwords(self):
        self.authinfo(mode="0644")
        self.start(returncode=1)
        self.observe()
        words = "others may read or write the passwords in it (mode 0644); run: chmod 600 /etc/hikyaku/authinfo"
        self.assert_says([words], "journal")
        self.check(words, returncode=78)

    def test_l_what_is_wrong_with_the_file_is_told_line_by_line(self):
        self.configuration("relayhost: smtp.example.com\nsmarthost: submission://me:secret@smtp.example.com\n"
                           "listen: [127.0.0.1]\nlog: {levle: debug}\n")
        self.start(returncode=1)
        self.observe()
        words = ["hikyaku.yaml:1:1: relayhost: ", "smarthost", "hikyaku.yaml:4:7: log.levle"]
        self.assert_says(words, "journal")
        self.check(*words, returncode=78)

    def test_m_another_mail_server_has_port_25(self):
        self.play(POSTFIX)
        done = self.start(returncode=1)
        self.assertIn("dependency", done.stderr)
        self.observe()
        self.assert_says(["port 25 is taken by Postfix (master, pid ", "systemctl disable --now postfix"], "journal",
                         "hikyaku status")
        self.assertIn("port 25 is taken by Postfix", self.machine.run("systemctl", "status", "hikyaku.socket").stdout)
        self.assertEqual([priority for priority, text in self.journal("hikyaku.socket") if "Postfix" in text], [3])

    def test_j1_the_machines_name_has_no_domain(self):
        self.name_machine("vm")
        self.start()
        self.wait_for("USER@vm")
        self.observe()
        self.assert_says(["USER@vm", "set `domain` and `hostname` in hikyaku.yaml", "/etc/mailname"], "journal",
                         "hikyaku status", "hikyakud --check")
        self.sink(587)
        self.check("warning: local users' mail leaves as USER@vm", "set `domain` and `hostname` in hikyaku.yaml", returncode=0)

    def test_j2_the_machines_name_is_localhost(self):
        self.name_machine("localhost")
        self.start()
        self.wait_for("no usable name")
        self.observe()
        self.assert_says(["this machine has no usable name", "set `domain` and `hostname` in hikyaku.yaml"], "journal",
                         "hikyaku status", "hikyakud --check")
        self.sink(587)
        self.check("warning: this machine has no usable name", "set `domain` and `hostname` in hikyaku.yaml", returncode=0)

    def test_k2_only_root_may_read_the_passwords(self):
        self.authinfo(mode="0600", owner="root:root")
        self.start(returncode=1)
        self.observe()
        self.assert_says(["/etc/hikyaku/authinfo", "run: chown root:hikyaku /etc/hikyaku/authinfo && chmod 640"], "journal",
                         "systemctl status", "hikyakud --check")
        self.check("/etc/hikyaku/authinfo: ", "run: chown root:hikyaku /etc/hikyaku/authinfo && chmod 640", returncode=78)

    def test_n_the_disk_is_full(self):
        self.machine.must("mount", "-t", "tmpfs", "-o", "size=64m,mode=711,uid=hikyaku,gid=hikyaku", "tmpfs",
                          "/var/spool/hikyaku")
        self.addCleanup(self.machine.must, "umount", "-l", "/var/spool/hikyaku")
        self.configure(spool={"min_free": "128MiB", "segment_size": "1MiB"})
        self.start()
        self.assertIn("452", self.smtp().stderr)
        words = "the disk of /var/spool/hikyaku is full"
        self.wait_for(words)
        until(lambda: words in self.machine.property("StatusText"), 20, lambda: self.machine.property("StatusText"))
        self.observe()
        self.assert_says([words, "make room on it, or lower `min_free`"], "journal", "systemctl status", "hikyaku status")

    def test_o_a_package_has_replaced_sendmail(self):
        self.machine.must("ln", "-sf", "exim4", "/usr/sbin/sendmail")
        self.addCleanup(self.machine.must, "ln", "-sf", "../lib/hikyaku/sendmail", "/usr/sbin/sendmail")
        self.machine.write("/usr/sbin/exim4", "#!/bin/sh\n", "0755")
        self.addCleanup(self.machine.must, "rm", "/usr/sbin/exim4")
        self.start()
        self.wait_for("/usr/sbin/exim4")
        self.observe()
        self.assert_says(["/usr/sbin/sendmail is /usr/sbin/exim4 and not hikyaku's",
                          "ln -sf ../lib/hikyaku/sendmail /usr/sbin/sendmail"], "journal", "hikyaku status", "hikyakud --check")

    def name_machine(self, name):
        def rename(to, hosts):
            self.machine.must("hostname", to)
            self.machine.write("/etc/hostname", to + "\n")
            self.machine.write("/etc/hosts", hosts)
        self.addCleanup(rename, "app1.shop.example", HOSTS)
        rename(name, f"127.0.0.1 localhost {name}\n{HOST_ADDRESS} smtp.example.com\n")


if __name__ == "__main__":
    main()
