#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A smarthost that repeats our password in each of its replies: it is found nowhere, neither in the log nor in what the
control socket says, nor in the spool, nor in a notice."""

import base64
import os
import quopri
import subprocess
import urllib.parse

from rig import Case, main, until
from rig.control import Control
from rig.credentials import netrc
from rig.echo import EchoSmarthost
from rig.hikyakud import binary

USER = "me@example.com"
PASSWORD = "tr0ub+4dor &/3 hörse"
PIECE = 8
CONTENT = b"Subject: x\r\n\r\nbody\r\n"


def pieces(text):
    return {text[at:at + PIECE] for at in range(len(text) - PIECE + 1)}


def traces():
    """What must not be found: in clear, in Base64 at each offset (what its neighbours have no part in), the response."""
    password = PASSWORD.encode()
    found = pieces(password) | pieces(base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()))
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + password)
        found |= pieces(encoded[-(-offset * 8 // 6):len(encoded) // 4 * 4 - 4])
    return found | {piece.translate(bytes.maketrans(b"+/", b"-_")) for piece in found}


def readings(data):
    """As it is, and decoded once."""
    return {data, data.replace(b"\\x", b"%"), urllib.parse.unquote_to_bytes(data), urllib.parse.unquote_to_bytes(
        data.replace(b"+", b" ")), quopri.decodestring(data), data.decode("utf-8", "replace").encode("unicode_escape")}


class Secrets(Case):
    def setUp(self):
        self.smarthost_ = EchoSmarthost(self.place.address, USER, PASSWORD)
        self.addCleanup(self.smarthost_.close)
        self.traces = traces()

    def begin(self, mechanism, level):
        smarthost = {"name": "main", "host": self.place.address, "port": self.smarthost_.port, "tls": "none",
                     "auth": [mechanism], "allow_plaintext_auth": True}
        self.run_hikyakud({"smarthosts": [smarthost], "log": {"format": "json", "level": level}},
                          netrc(self.place.address, USER, PASSWORD))
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def hikyaku(self, *words):
        done = subprocess.run([binary("hikyaku"), *words, "-c", self.daemon.config], capture_output=True, check=False,
                              timeout=60)
        return done.stdout + done.stderr

    def spool(self):
        for folder, _, names in os.walk(self.daemon.spool):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    yield f"spool: {name}", file.read()

    def shown(self):
        """Whatever may be read of it, by name."""
        yield "log", self.daemon.log().encode()
        yield "STATUS=", self.daemon.notify.status.encode()
        yield from ((target, self.control.get(target).encode()) for target in (
            "/v1/status", "/v1/status?verbose=1", "/v1/queue", "/v1/queue?format=lines", "/v1/queue?format=postfix",
            *(f"/v1/mails/{mail}/dialogue" for mail in self.waiting())))
        yield from ((" ".join(words), self.hikyaku(*words)) for words in (
            ("status",), ("status", "--verbose"), ("status", "--verbose", "--json"), ("queue",), ("queue", "--json"),
            *(("queue", "show", mail, *form) for mail in self.waiting() for form in ((), ("--json",)))))
        for words in ((), ("--json",)):
            said = self.daemon.begin_check(*words).communicate(timeout=60)[0]
            self.assertIn("***", said)  # it has got as far as the reply
            yield "check", said.encode()
        yield from self.spool()
        yield from (("a notice", notice) for notice in self.smarthost_.notices)

    def waiting(self):
        return [mail["id"] for mail in self.control.pages(100)]

    def found_in(self, data):
        return {trace for reading in readings(data) for trace in self.traces if trace in reading}

    def assert_nothing_shown(self):
        self.assertGreater(len(self.found_in(self.smarthost_.newest)), 40, "it was said, and would be found")
        for name, data in self.shown():
            self.assertEqual(self.found_in(data), set(), name)

    def check(self, mechanism, level):
        self.begin(mechanism, level)
        self.daemon.submit(CONTENT, recipients=["you@dest.example"])
        said = self.daemon.wait_for("smarthost paused")
        self.assertIn("***", said["reply"])
        self.assertIn("535", said["reply"])
        self.assertRegex(self.hikyaku("status", "--verbose"), rb"-> AUTH [A-Z]+( \*\*\*)?\n(.*\n)*.* <- 535.*\*\*\*")
        self.assert_nothing_shown()
        self.smarthost_.refuses_login = False
        self.daemon.reload()
        self.assertIn("***", self.daemon.wait_for("delivered")["reply"])
        self.daemon.submit(CONTENT, recipients=["no@dest.example", "later@dest.example", "them@dest.example"])
        self.assertIn("550", self.daemon.wait_for("failed")["reply"])
        until(lambda: self.smarthost_.notices, 20, "the notice")
        self.assertIn(b"Diagnostic-Code: smtp; 550 5.1.1 ", self.smarthost_.notices[0])
        self.assertIn(b"***", self.smarthost_.notices[0])
        until(lambda: len(self.waiting()) == 1, 20, "the notice's end in the queue too")
        self.assertRegex(self.hikyaku("queue", "show", *self.waiting()), rb" <- 250-2\.6\.0 \*\*\*")
        self.assert_nothing_shown()

    def test_a_password_said_by_plain_is_found_nowhere(self):
        self.check("PLAIN", "debug")

    def test_a_password_said_by_login_is_found_nowhere(self):
        self.check("LOGIN", "info")


if __name__ == "__main__":
    main()
