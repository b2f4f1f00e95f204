#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The upgrade promise: spools as earlier versions have left them, in spools/VERSION.tar.gz, are opened. Each has mails with
their subject as their content's name: `waits` for busy@, `half` for busy@ and for somebody who has got it, `large` in a file of
its own, `held` until an operator decides; and one that has been delivered. A spool of a later version is
left as it is. (That of 0.1.0 was written by its spool's own code, without a daemon around it.)

    spools_test.py --make VERSION      writes the spool of the programs in $HIKYAKU_BIN"""

import glob
import os
import subprocess
import sys

from rig import main, until
from rig.case import Case
from rig.hikyakud import USER_ID, Hikyakud, binary
from rig.process import text_of

SPOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spools")
YOU, BUSY = "you@dest.example", "busy@dest.example"
LARGE = "0123456789abcdef\r\n" * 40_000
MAILS = {"gone": [YOU], "waits": [BUSY], "half": [YOU, BUSY], "large": [BUSY], "held": [BUSY]}
HEADER, SIGNED = 4096, 504  # spool/FORMAT.md, "Segment"


def content(subject):
    return (f"Subject: {subject}\r\nMessage-ID: <{subject}@example.com>\r\nDate: Sun, 22 Nov 2026 03:14:04 +0000\r\n"
            f"From: me@example.com\r\n\r\n{LARGE if subject == 'large' else 'Hello.' + chr(13) + chr(10)}").encode()


def busy(stage, recipients):
    return "450 4.2.0 greylisted, come back" if stage == "rcpt" and recipients[0] == BUSY else None


class Frame(Case):
    def settings(self):
        return {"smarthosts": [{"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none"}],
                "queue": {"retry": {"first": "1h"}}}


class Make(Frame):
    def runTest(self):
        self.catcher.refuse = busy
        daemon = self.run_hikyakud(self.settings())
        for subject, recipients in MAILS.items():
            daemon.submit(content(subject), recipients=recipients)
        until(lambda: len(daemon.events("deferred")) == 4 and len(daemon.events("delivered")) == 2, 60, daemon.log)
        held = daemon.events("accepted")[list(MAILS).index("held")]["id"]
        daemon.hikyaku("queue", "hold", held)
        daemon.stop()
        subprocess.run(["tar", "-C", daemon.folder, "--owner=0", "--group=0", "-czf", f"{SPOOLS}/{VERSION}.tar.gz", "spool"], check=True)


class Spools(Frame):
    def unpack(self, archive):
        """A daemon that has not started, with this spool."""
        self.daemon = Hikyakud(self.place, self.settings())
        self.addCleanup(self.daemon.discard)
        subprocess.run(["tar", "-C", self.daemon.folder, "-xzf", archive], check=True)
        subprocess.run(["chown", "-R", f"{USER_ID}:{USER_ID}", self.daemon.spool], check=True)
        return self.daemon

    def test_each_is_opened_and_all_its_mail_leaves(self):
        archives = sorted(glob.glob(f"{SPOOLS}/*.tar.gz"))
        self.assertGreaterEqual(len(archives), 2)
        for archive in archives:
            with self.subTest(os.path.basename(archive)):
                self.take_over(archive)
                self.doCleanups()

    def take_over(self, archive):
        self.catcher.refuse = busy  # by now they are due
        daemon = self.unpack(archive).start()
        self.assertEqual(until(lambda: daemon.events("started"), 60, "a start")[0]["queued"], 4)
        self.assertEqual(daemon.hikyaku("queue", "--count", "--state", "held"), "1\n")
        until(lambda: daemon.hikyaku("queue", "--count", "--state", "deferred") == "3\n", 60, daemon.log)
        self.catcher.refuse = lambda stage, recipients: None
        daemon.hikyaku("queue", "retry", "--all")
        self.assertEqual(self.arrived(3), ["half", "large", "waits"])
        daemon.hikyaku("queue", "release", "--all")
        self.assertEqual(self.arrived(1), ["held"])
        until(lambda: daemon.hikyaku("queue", "--count") == "0\n", 60, "all of it has ended")
        self.assertEqual([event["text"] for event in daemon.events() if "damage" in event.get("text", "")], [])

    def arrived(self, count):
        """The subjects of the next mails, each whole and for who had not got it."""
        found = []
        for _ in range(count):
            mail = self.catcher.wait(60)
            subject = mail.content.partition(b"Subject: ")[2].split(b"\r\n")[0].decode()
            self.assertEqual(mail.recipients, [BUSY])
            self.assertTrue(mail.content.endswith(content(subject)), subject)
            found.append(subject)
        return sorted(found)

    def test_one_of_a_later_version_is_left_as_it_is(self):
        daemon = self.unpack(sorted(glob.glob(f"{SPOOLS}/*.tar.gz"))[-1])
        segment = sorted(glob.glob(f"{daemon.spool}/log/*"))[-1]
        raise_version(segment)
        before = self.bytes_of(daemon.spool)
        log = self.place.join("refusal")
        with open(log, "wb") as out:
            code = subprocess.run([*Hikyakud._command(daemon)], stderr=out, check=False, timeout=120).returncode
        self.assertEqual(code, 74, text_of(log))
        self.assertIn(f"{os.path.basename(segment)} was written by a later version of hikyaku", text_of(log))
        self.assertEqual(self.bytes_of(daemon.spool), before)

    def bytes_of(self, spool):
        """Of all that holds mail."""
        found = {}
        for folder, _, names in os.walk(spool):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.join(folder, name)] = file.read()
        return found


def raise_version(segment):
    """As another version would have written its two headers."""
    with open(segment, "r+b") as file:
        header = bytearray(file.read(SIGNED))
        header[8:12] = (2).to_bytes(4, "little")
        said = subprocess.run(["xxhsum", "-H3"], input=header, capture_output=True, check=True).stdout
        header += int(said.split()[-1], 16).to_bytes(8, "little")
        for at in (0, os.path.getsize(segment) - HEADER):
            file.seek(at)
            file.write(header)


if __name__ == "__main__":
    VERSION = sys.argv.pop() if "--make" in sys.argv else None
    sys.argv[1:] = ["Make"] if VERSION else sys.argv[1:] or ["Spools"]
    main()
