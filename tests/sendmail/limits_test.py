#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a caller can take away from a set-gid program: descriptors, room, time, the end of a call. It never writes into
a wrong file, leaves nothing half done, and says 0 only for what is there."""

import collections
import os
import re
import signal
import subprocess

from rig import Case, Daemon, Trace, main

MESSAGE = b"Subject: x\n\nhello\n"
TEMPORARY = 75
# Of these each call is disturbed; the loader's are among them.
CALLS = ("openat", "read", "write", "pwrite64", "pread64", "fsync", "renameat", "unlinkat", "fchmod", "fchown", "close", "fstat",
         "newfstatat", "setresgid", "setresuid", "rt_sigaction", "rt_sigprocmask", "connect", "socket", "mmap", "getrandom",
         "prlimit64", "umask", "close_range", "exit_group", "fcntl", "poll", "recvfrom", "sendto")


def shell(script):
    """Words in front of the program: a shell that changes what is inherited, and becomes it."""
    return ["bash", "-c", script + '; exec "$@"', "bash"]


def cannot_load(done):
    """The loader had not enough to begin with."""
    return done.returncode == 127 and b"error while loading" in done.stderr or done.returncode in (-11, 139)


class Inherited(Case):
    def test_closed_descriptors_never_become_the_mails_file(self):
        for closed in ("1>&-", "2>&-", "1>&- 2>&-"):
            with self.subTest(closed=closed):
                done = self.here.run("-v", "root", stdin=MESSAGE, before=["bash", "-c", f'exec "$@" {closed}', "bash"])
                self.assertEqual(done.returncode, 0)
                [mail] = self.here.take()
                self.assertEqual(mail.content, b"Subject: x\r\n\r\nhello\r\n")

    def test_without_standard_input_nothing_is_sent(self):
        for words in (["root"], ["-t"], ["-bs"]):
            done = self.here.run(*words, before=["bash", "-c", 'exec "$@" 0<&-', "bash"])
            self.refused(done, 66)
        self.assertEqual(self.here.run("root", before=["bash", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "bash"]).returncode, 66)

    def test_a_thousand_inherited_descriptors_are_closed(self):
        trace = Trace(self.here, ["root"], MESSAGE)
        self.assertTrue(any("close_range(3, 4294967295, 0)" in line for line in trace.lines), trace.lines)
        self.here.clear()
        self.left(self.here.run("root", stdin=MESSAGE,
                                before=shell('ulimit -n 1100; for i in {3..1000}; do eval "exec $i</dev/null"; done')))

    def test_few_descriptors_are_a_temporary_error_or_enough(self):
        for number in (4, 5, 6, 7, 8):
            with self.subTest(number=number):
                done = self.here.run("root", stdin=MESSAGE, before=shell(f"ulimit -n {number}"))
                if not cannot_load(done):
                    self.done_or_temporary(done)

    def test_small_files_are_a_temporary_error(self):
        for size in (0, 1):
            done = self.here.run("root", stdin=b"\n" + b"x\n" * 5000, before=shell(f"ulimit -f {size}"))
            self.refused(done, TEMPORARY)
        self.left(self.here.run("root", stdin=b"\n" + b"x\n" * 5000, before=shell("ulimit -Sf 1")))

    def test_little_memory_is_a_temporary_error_or_enough(self):
        enough = False
        for kilobytes in range(6000, 30000, 1000):
            done = self.here.run("root", stdin=b"\n" + b"x\n" * 500000, before=shell(f"ulimit -v {kilobytes}"))
            if cannot_load(done):
                continue
            enough |= self.done_or_temporary(done) == 0
        self.assertTrue(enough)

    def test_a_small_stack_is_enough(self):
        small = shell("ulimit -s 64")
        long = b"\n" + b"x\n" * 2 * 1024 * 1024  # more than is kept in memory
        for stdin in (b"To: root\n" + MESSAGE, b"To: root\n" + long):
            self.left(self.here.run("-t", stdin=stdin, before=small))
        session = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + b"x\r\n" * 100000 + b".\r\nQUIT\r\n"
        for option in ("-bs", "-bS"):
            self.assertEqual(self.here.run(option, stdin=session, before=small).returncode, 0)
            self.assertEqual(len(self.here.take()), 1)
        self.refused(self.here.run("-bp", before=small), 69)
        with Daemon(self.here) as daemon:
            for words, stdin in ((["-t"], b"To: root\n" + MESSAGE), (["-t"], b"To: root\n" + long),
                                 (["-bs"], session.replace(b"DATA\r\n", b"BDAT 300000 LAST\r\n").replace(b".\r\n", b""))):
                done = self.here.run(*words, stdin=stdin, before=small)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(daemon.stored), 3)

    def test_the_end_of_its_time_is_a_temporary_error(self):
        """With SIGXCPU while it waits for more of an endless message."""
        done = subprocess.run(["sh", "-c", 'yes | "$@"', "sh", *self.here.command(["root"], before=shell("ulimit -St 1"))],
                              capture_output=True, timeout=60, check=False)
        self.assertIn(done.returncode, (65, TEMPORARY), done.stderr)
        self.assertEqual(self.here.names(), [])

    def test_the_mode_is_exact_whatever_the_umask(self):
        for mask in ("000", "777", "022"):
            self.left(self.here.run("root", stdin=MESSAGE, before=shell(f"umask {mask}")))

    def test_a_closed_standard_output_ends_no_mail(self):
        command = self.here.command(["-v", "root"])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.stdout.close()
            process.stdin.write(MESSAGE)
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)
        self.assertEqual(len(self.here.take()), 1)

    def test_blocked_and_ignored_signals_are_taken_care_of(self):
        for way in ("block", "ignore"):
            code = ("import os, signal, sys\n"
                    + ("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())" if way == "block"
                       else "[signal.signal(s, signal.SIG_IGN) for s in range(1, 32) if s not in (9, 19)]")
                    + "\nos.execv(sys.argv[1], sys.argv[1:])")
            self.left(self.here.run("root", stdin=MESSAGE, before=["python3", "-c", code]))

    def done_or_temporary(self, done):
        mails = self.here.take()
        self.assertEqual((done.returncode, len(mails)), (0, 1) if mails else (TEMPORARY, 0), done.stderr)
        return done.returncode


class Room(Case):
    """Free space is looked at with fstatfs."""

    MIB = 1 << 20
    LONG = b"\n" + (b"x" * 75 + b"\n") * (6 * MIB // 76)  # of which sendmail makes a draft
    FULL = "poke_exit=@arg2=" + "00" * 40  # the kernel's answer, up to the number of free blocks

    def written_between_looks(self, trace):
        """Bytes: those before the first look, between it and the second, and so on, those behind the last."""
        written = [0]
        for line in trace.lines:
            call = re.search(r"\b(fstatfs|pwrite64)\(.* = ([0-9]+)(?: \(INJECTED.*)?$", line)
            if call and call[1] == "fstatfs":
                written.append(0)
            elif call:
                written[-1] += int(call[2])
        return written

    def test_free_space_is_looked_at_before_a_draft_is_written_and_after_each_mib_of_it(self):
        trace = Trace(self.here, ["root"], self.LONG)
        self.left(trace.done)
        written = self.written_between_looks(trace)
        self.assertEqual(written[0], 0)
        self.assertGreater(len(written), 6)
        self.assertLess(max(written), self.MIB + 4096)

    def test_a_disk_that_fills_up_in_the_middle_of_a_draft_ends_it_within_a_mib(self):
        for look in range(1, 6):
            with self.subTest(look=look):
                trace = Trace(self.here, ["root"], self.LONG, options=["-e", f"inject=fstatfs:{self.FULL}:when={look}+"])
                self.refused(trace.done, TEMPORARY)
                self.assertIn(b"64 MiB is free on its disk (`spool.min_free`)", trace.done.stderr)
                self.assertLess(sum(self.written_between_looks(trace)), (look - 1) * self.MIB + 4096)


class Disturbed(Case):
    """Each system call of a call in turn."""

    def counts(self, **more):
        trace = Trace(self.here, ["root"], MESSAGE, **more)
        self.assertEqual(trace.done.returncode, 0, trace.done.stderr)
        self.here.clear()
        return collections.Counter(trace.names())

    def each(self, counts, calls=CALLS):
        """(call, number from the program's own first one); strace counts those of setpriv in front as well."""
        total = collections.Counter()
        before = self.before()
        for call in calls:
            for number in range(1, counts[call] + 1):
                total[call] += 1
                yield call, before[call] + number
        self.assertTrue(total)

    def before(self):
        with open(f"{self.here.path}/before", "wb"):
            pass
        whole = subprocess.run(["strace", "-c", "-o", f"{self.here.path}/before", "setpriv", "--reuid=65534", "--regid=65534",
                                "--clear-groups", "--", "/nonexistent"], capture_output=True, check=False)
        self.assertNotEqual(whole.returncode, 0)
        counts = collections.Counter()
        with open(f"{self.here.path}/before", encoding="utf-8") as table:
            for line in table:
                words = line.split()
                if len(words) >= 5 and words[3].isdigit() and words[-1].isidentifier():
                    counts[words[-1]] = int(words[3])
        return counts

    def disturb(self, call, number, what):
        return Trace(self.here, ["root"], MESSAGE, options=["-e", f"inject={call}:{what}:when={number}"]).done

    def whole(self, tell):
        """What is there is whole; no draft stays behind. How many mails there are."""
        mails = self.here.take()
        for mail in mails:
            self.assertEqual(mail.content, b"Subject: x\r\n\r\nhello\r\n", tell)
        return len(mails)

    def test_a_signal_at_any_call_leaves_the_mail_and_0_or_nothing_and_75(self):
        for call, number in self.each(self.counts()):
            with self.subTest(call=call, number=number):
                done = self.disturb(call, number, "signal=TERM")
                mails = self.whole(done)
                if done.returncode == 0:
                    self.assertEqual(mails, 1)
                else:  # by the signal itself: before it was looked after
                    self.assertIn(done.returncode, (TEMPORARY, -signal.SIGTERM, 128 + signal.SIGTERM))
                    self.assertEqual(mails, 0)

    def test_an_error_of_any_call_leaves_the_mail_and_0_or_nothing_and_an_error(self):
        calls = ("openat", "pwrite64", "fsync", "renameat", "fchmod", "pread64", "read")
        for error in ("EIO", "ENOSPC", "EINTR", "EMFILE"):
            for call, number in self.each(self.counts(), calls):
                if error == "EINTR" and call in ("fsync", "renameat", "fchmod"):
                    continue  # they do not
                with self.subTest(call=call, number=number, error=error):
                    done = self.disturb(call, number, f"error={error}")
                    mails = self.whole(done)
                    self.assertEqual(mails, 1 if done.returncode == 0 else 0, done)

    def test_killed_at_any_call_it_leaves_no_mail_that_is_not_whole(self):
        for call, number in self.each(self.counts(), ("pwrite64", "fsync", "renameat", "close", "exit_group")):
            with self.subTest(call=call, number=number):
                self.disturb(call, number, "signal=KILL")
                for name in self.here.names():
                    if name.startswith("."):
                        os.unlink(os.path.join(self.here.drop, name))  # the daemon does this a day later
                self.assertLessEqual(self.whole((call, number)), 1)

    def test_a_privilege_that_cannot_be_laid_down_ends_the_program(self):
        for call in ("setresgid", "setresuid"):
            done = self.disturb(call, self.before()[call] + 1, "error=EPERM")
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(self.here.names(), [])


class WithDaemon(Case):
    def test_a_daemon_that_is_lost_at_any_moment_loses_no_mail(self):
        for moment in ("greeting", "EHLO", "MAIL", "RCPT", "BDAT", "stored"):
            with self.subTest(moment=moment), Daemon(self.here, dies_at=moment) as daemon:
                mail = self.left(self.here.run("root", stdin=MESSAGE))
                self.assertEqual(mail.content, b"Subject: x\r\n\r\nhello\r\n")
                self.assertEqual(len(daemon.stored), 1 if moment == "stored" else 0)

    def test_what_the_daemon_has_stored_is_nowhere_else(self):
        with Daemon(self.here) as daemon:
            done = self.here.run("-f", "a@b", "root", "c@d", stdin=MESSAGE)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            self.assertEqual(daemon.stored, [([b"MAIL FROM:<a@b> SIZE=21\r\n", b"RCPT TO:<root>\r\n", b"RCPT TO:<c@d>\r\n"],
                                              b"Subject: x\r\n\r\nhello\r\n")])
        self.assertEqual(self.here.names(), [])

    def test_what_the_daemon_refuses_is_an_exit_code_or_goes_into_the_drop_directory(self):
        for verb in ("MAIL", "RCPT", "BDAT"):
            for reply, code in ((b"550 5.7.1 not you\r\n", 77), (b"552 5.3.4 big\r\n", 65), (b"452 4.3.1 full\r\n", 75)):
                with self.subTest(verb=verb, reply=reply), Daemon(self.here, {verb: reply}):
                    self.refused(self.here.run("root", stdin=MESSAGE), code)
            for reply in (b"421 4.3.2 going\r\n", b"451 4.3.0 broken\r\n", b"nonsense\r\n"):
                with self.subTest(verb=verb, reply=reply), Daemon(self.here, {verb: reply}):
                    self.left(self.here.run("root", stdin=MESSAGE))

    def test_without_new_privileges_mail_goes_over_the_socket(self):
        with Daemon(self.here) as daemon:
            done = self.here.run("root", stdin=MESSAGE, before=["setpriv", "--no-new-privs", "--"])
            self.assertEqual((done.returncode, len(daemon.stored)), (0, 1), done.stderr)

    def test_without_new_privileges_and_without_a_daemon_it_is_75(self):
        done = self.here.run("root", stdin=MESSAGE, before=["setpriv", "--no-new-privs", "--"])
        self.refused(done, TEMPORARY)
        self.assertIn(b"set-gid", done.stderr)

    def test_a_lost_daemon_is_told_to_who_speaks_smtp(self):
        with Daemon(self.here, dies_at="MAIL"), self.here.start("-bs") as process:
            process.stdin.write(b"EHLO x\r\nMAIL FROM:<a@b>\r\n")
            process.stdin.flush()  # and stays open: it is the daemon that goes
            said = process.stdout.read()
            self.assertEqual(process.wait(60), TEMPORARY)
        self.assertTrue(said.splitlines()[-1].startswith(b"421 4.3.2"))

    def test_smtp_on_standard_input_is_carried_to_the_daemon(self):
        with Daemon(self.here) as daemon:
            done = self.here.run("-bs", "-odb", "-oem", stdin=b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n")
            self.assertEqual((done.returncode, len(daemon.stored)), (0, 1))
            self.assertTrue(done.stdout.endswith(b"221 bye\r\n"))

    def test_more_recipients_than_one_mail_takes_are_several(self):
        recipients = [f"u{number}@x.example" for number in range(2500)]
        mails = []
        done = self.here.run(*recipients, stdin=MESSAGE)
        self.assertEqual(done.returncode, 0, done.stderr)
        mails = self.here.take()
        self.assertEqual([len(mail.recipients) for mail in mails], [1000, 1000, 500])
        self.assertEqual([to for mail in mails for to in mail.recipients], [f"RCPT TO:<{to}>" for to in recipients])


class Quiet(Case):
    def test_valgrind_has_nothing_to_say(self):
        """As root, for it runs nothing set-gid."""
        valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]
        for words, stdin in ((["root"], MESSAGE), (["-t", "-F", "A \u00fc B", "-v"], b"To: a@b, \"c d\" <e@f>\nBcc: x\n\n.\n"),
                             (["-bs"], b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"),
                             (["-bv", "a@b", "x y"], b""), (["-bp"], b""), (["-k"], b""), (["root"], b"\n" + b"x" * 3000000)):
            with self.subTest(words=words):
                done = self.here.run(*words, stdin=stdin, user=0, bit=False, before=valgrind, timeout=240)
                self.assertNotEqual(done.returncode, 99, done.stderr)
                self.assertNotIn(b"==", done.stderr)


if __name__ == "__main__":
    main()
