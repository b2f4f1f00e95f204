#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What unprivileged people try with a set-gid program: words that become commands, options that name files, an
environment, odd names."""

import os
import re
import subprocess

from rig import CALLER, Case, Trace, main

MESSAGE = b"Subject: x\n\nhello\n"
# What may be opened: by the loader, for the user's name, and ours.
ALLOWED = ("/etc/ld.so.cache", "/etc/passwd", "/etc/aliases", "/etc/nsswitch.conf", "/dev/null", "/var/spool/hikyaku/", "/lib/", "/usr/lib/",
           "/lib64/", "/proc/self/maps", "/sys/fs/cgroup")
INJECTED = [b"a@b>\r\nRCPT TO:<e@x", b"x\nBcc: e@x", b"a@b\r\nDATA", b"\x1b[2J@x", b"a\x7f@b"]


DRAFT = re.compile(r"\A\.[0-9a-f]{16}\.[0-9]+\.[0-9a-f]{8}\Z")  # in the drop directory's descriptor


def is_allowed(path):
    return path.startswith(ALLOWED) or path == "." or DRAFT.match(path) is not None


def nameless(paths):
    return [DRAFT.sub("DRAFT", path) for path in paths]


class Injection(Case):
    def test_no_option_gets_a_line_end_or_a_control_into_the_mail(self):
        for option in (b"-f", b"-F", b"-r", b"-V", b"-N", b"-R", b"-O", b"-C", b"-B", b"-h", b"-L", b"-X", b"-o", b"-p"):
            for value in INJECTED:
                for words in ([option + value], [option, value]):
                    with self.subTest(words=words):
                        self.refused(self.here.run(*words, "root", stdin=MESSAGE), 64, 65)

    def test_no_recipient_gets_one_in(self):
        for value in INJECTED + [b"a@b> NOTIFY=NEVER", b"<a@b", b"\"a@b", b"a b@c"]:
            with self.subTest(value=value):
                self.refused(self.here.run("--", value, stdin=MESSAGE), 65)
                self.refused(self.here.run("root", value, stdin=MESSAGE), 65)

    def test_nor_does_a_header(self):
        for header in (b"To: a@b>\r\n", b"To: \"a\x01\"@b\n", b"To: a@b\x7f\n", b"Cc: a@b RCPT\n", b"Bcc: a@b>x\n"):
            with self.subTest(header=header):
                self.refused(self.here.run("-t", stdin=header + b"\nx\n"), 65)

    def test_shell_words_are_nothing_but_letters(self):
        words = ["|touch$IFS/tmp/p@x", "`id`@x", "-oQ/tmp@x", "${HOME}@x", "'@x"]
        mail = self.left(self.here.run("--", *words, stdin=MESSAGE))
        self.assertEqual(mail.recipients, [f"RCPT TO:<{word}>" for word in words])

    def test_long_words_are_refused_and_not_repeated(self):
        for words in (["-f", "a" * 100000], ["a" * 100000 + "@b"], ["--" + "x" * 100000], ["-b" + "x" * 100000]):
            done = self.here.run(*words, "root", stdin=MESSAGE)
            self.refused(done, 64, 65)
            self.assertLess(len(done.stderr), 400)

    def test_no_argument_at_all_is_a_usage_error(self):
        """execve with an empty list: since Linux 5.18 the program gets one empty argument."""
        code = "import os, ctypes; l = ctypes.CDLL(None); l.execve(os.environb[b'P'], (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))"
        done = subprocess.run(self.here.command([], before=["python3", "-c", code])[:-1], input=MESSAGE, timeout=60,
                              capture_output=True, check=False, env={"P": self.here.program, "PATH": os.environ["PATH"]})
        self.refused(done, 64)


class Files(Case):
    def opened(self, *arguments, env=None, stdin=MESSAGE, **more):
        trace = Trace(self.here, arguments, stdin, env, **more)
        self.assertTrue(trace.lines)
        self.here.clear()
        return trace

    def test_no_option_names_a_file_that_is_opened(self):
        secret = os.path.join(self.here.path, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("hikyaku-sendmail 1\ndrop /tmp\ndomain secret.example\n")
        for words in (["-C/etc/shadow"], ["-C", secret], [f"--file={secret}"], ["-oQ/tmp"], ["-OQueueDirectory=/tmp"],
                      [f"-X{self.here.path}/log"], ["-X", f"{self.here.path}/log"], ["-oA/etc/shadow"], ["-bD"], ["-be"],
                      ["-pX"], ["-q1s"], ["-d0-99.99"], ["-D/etc/shadow"], ["-L/etc/shadow"], ["-Ac"], ["-bh"], ["-M/etc"],
                      ["--passwordeval=touch x"], [f"--logfile={self.here.path}/log"], ["--tls-trust-file=/etc/shadow"],
                      ["-I"], ["-bp"], ["-bv"], ["-bs"], ["-v"], ["-t"]):
            with self.subTest(words=words):
                trace = self.opened(*words, "root")
                self.assertEqual([path for path in trace.opened() if not is_allowed(path)], [])
                self.assertNotIn(b"secret.example", trace.done.stdout + trace.done.stderr)
        self.assertFalse(os.path.exists(f"{self.here.path}/log"))

    def test_root_may_name_a_configuration_but_it_must_be_one(self):
        done = self.here.run("-C/etc/shadow", "root", stdin=MESSAGE, user=0)
        self.assertEqual(self.left(done).recipients, ["RCPT TO:<root>"])

    def test_the_environment_changes_nothing(self):
        plain = nameless(self.opened("-v", "root").opened())
        evil = {"LD_PRELOAD": "/etc/shadow", "LD_AUDIT": "/etc/shadow", "LD_LIBRARY_PATH": "/etc", "TZ": ":/etc/shadow",
                "TZDIR": "/etc", "LOCPATH": "/etc", "LANG": "xx_YY.UTF-8", "LC_ALL": "xx_YY", "NLSPATH": "/etc/shadow",
                "OPENSSL_CONF": "/etc/shadow", "SASL_PATH": "/etc", "MALLOC_TRACE": "/etc/shadow", "MALLOC_PERTURB_": "7",
                "GLIBC_TUNABLES": "glibc.malloc.check=3", "GCONV_PATH": "/etc", "HOSTALIASES": "/etc/shadow",
                "RES_OPTIONS": "x", "HOME": "/etc/shadow", "MAILRC": "/etc/shadow", "NAME": "x\nBcc: e@x", "IFS": "/",
                "TMPDIR": "/etc", "POSIXLY_CORRECT": "1", "LOGNAME": "root", "USER": "root", "MAILCONFIG": "/etc"}
        evil["BIG"] = "x" * 120000
        trace = self.opened("-v", "root", env=evil)
        self.assertEqual(nameless(trace.opened()), plain)
        self.assertEqual(trace.done.returncode, 0)

    def test_the_sender_is_who_calls_whatever_the_environment_says(self):
        mail = self.left(self.here.run("root", stdin=MESSAGE, env={"LOGNAME": "root", "USER": "root", "NAME": "Root"}))
        self.assertEqual((mail.sender, mail.uid), ("MAIL FROM:<nobody>", CALLER))

    def test_the_group_is_taken_up_for_the_directory_only(self):
        trace = self.opened("root")
        holds, taken = False, []
        for line in trace.lines:
            if "setresgid(" in line:
                holds = f", 6499{8}," in line
            elif holds:
                taken.append(line)
        self.assertTrue(taken)
        for line in taken:
            self.assertRegex(line, r"\b(openat|fstat|fstatfs|flock|newfstatat|fchown|fchmod|renameat|fsync|rt_sigprocmask|getrandom|getpid"
                                   r"|write|close|unlinkat|brk|mmap|munmap|clock_gettime)\(", line)

    def test_links_and_others_in_the_drop_directorys_place_are_not_followed(self):
        real = self.here.drop + ".real"
        os.rename(self.here.drop, real)
        try:
            os.symlink("/tmp", self.here.drop)
            done = self.here.run("root", stdin=MESSAGE)
            os.unlink(self.here.drop)
        finally:
            os.rename(real, self.here.drop)
        self.refused(done, 75)


class Names(Case):
    def test_without_a_daemon_mailq_and_runq_say_so(self):
        for name in ("mailq", "runq"):
            done = self.here.run(name=name)
            self.refused(done, 69)
            self.assertIn(b"control.sock", done.stderr)
            self.assertTrue(done.stderr.startswith(name.encode()))

    def test_without_a_daemon_newaliases_checks_the_file_with_the_callers_rights(self):
        aliases, configuration = f"{self.here.path}/aliases", f"{self.here.spool}/sendmail.conf"
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(f"hikyaku-sendmail 1\naliases {aliases}\n")
        self.addCleanup(os.unlink, configuration)
        for text, mode, code in (("root: a@b.example\n", 0o644, 0), ("root: |/bin/sh\n", 0o644, 65),
                                 ("root: a@b.example\n", 0o600, 66)):
            with open(aliases, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(aliases, mode)
            done = self.here.run(name="newaliases")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(aliases.encode(), done.stdout if code == 0 else done.stderr)
            self.assertEqual(done.stderr.count(b"\n"), 0 if code == 0 else 1)

    def test_the_daemon_is_started_elsewhere(self):
        for words in (["-bd"], ["-bd", "-q15m"], ["-bl"]):
            done = self.here.run(*words)
            self.refused(done, 69)
            self.assertIn(b"hikyakud", done.stderr)

    def test_smtp_on_standard_input_leaves_mail_while_the_daemon_is_down(self):
        done = self.here.run("-bs", stdin=b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([line[:4] for line in done.stdout.splitlines() if line[3:4] == b" "],
                         [b"220 ", b"250 ", b"250 ", b"250 ", b"354 ", b"250 ", b"221 "])
        [mail] = self.here.take()
        self.assertEqual((mail.sender, mail.recipients, mail.content),
                         ("MAIL FROM:<a@b>", ["RCPT TO:<c@d>"], b"x\r\n"))

    def test_a_name_with_controls_comes_out_printable(self):
        done = self.here.run("-k", name="send\x1b[2J")
        self.refused(done, 64)


if __name__ == "__main__":
    main()
