#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A smarthost that repeats our password, or our token, in each of its replies, and a provider that repeats the client's
secret in each of its errors: they are found nowhere, neither in the log nor in what the control socket says, nor in the
spool, nor in a notice. Nor is the key that signs the mail."""

import base64
import json
import os
import quopri
import subprocess
import urllib.parse

from rig import Case, main, until
from rig.control import Control
from rig.credentials import netrc
from rig.echo import EchoSmarthost, EchoTokenEndpoint
from rig.hikyakud import binary

USER = "me@example.com"
PASSWORD = "tr0ub+4dor &/3 hörse"
CLIENT, CLIENT_SECRET = "app@example.com", "q9~Z&w+/7 ünd.So8%x"
TOKEN = "ya29.A0ARrdaM-k_7fQ3x~9LmP2"
PIECE = 8
CONTENT = b"Subject: x\r\n\r\nbody\r\n"


def pieces(text):
    return {text[at:at + PIECE] for at in range(len(text) - PIECE + 1)}


def traces(secret):
    """What must not be found: in clear, in Base64 at each offset (what its neighbours have no part in)."""
    found = pieces(secret.encode())
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + secret.encode())
        found |= pieces(encoded[-(-offset * 8 // 6):len(encoded) // 4 * 4 - 4])
    return found | {piece.translate(bytes.maketrans(b"+/", b"-_")) for piece in found}


def readings(data):
    """As it is, and decoded once."""
    return {data, data.replace(b"\\x", b"%"), urllib.parse.unquote_to_bytes(data), urllib.parse.unquote_to_bytes(
        data.replace(b"+", b" ")), quopri.decodestring(data), data.decode("utf-8", "replace").encode("unicode_escape")}


class SecretsCase(Case):
    def setUp(self):
        self.traces = {trace.encode() for trace in self.verifiers.traces_of(
            f"{self.keys}/example.com/interop.key", "example.com", "interop")}

    def echo(self, secret, mechanisms):
        self.smarthost_ = EchoSmarthost(self.place.address, USER, secret, mechanisms)
        self.addCleanup(self.smarthost_.close)
        self.traces |= traces(secret)

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
            yield "check", self.check_said(*words).encode()
        yield from self.spool()
        yield from (("a notice", notice) for notice in self.smarthost_.notices)

    def check_said(self, *words):
        said = self.daemon.begin_check(*words).communicate(timeout=60)[0]
        self.assertIn("***", said)  # it has got as far as the reply
        return said

    def waiting(self):
        return [mail["id"] for mail in self.control.pages(100)]

    def found_in(self, data):
        return {trace for reading in readings(data) for trace in self.traces if trace in reading}

    def assert_nothing_shown(self, said):
        self.assertGreater(len(self.found_in(said)), 40, "it was said, and would be found")
        self.assert_hidden(self.shown())

    def assert_hidden(self, shown):
        for name, data in shown:
            self.assertEqual(self.found_in(data), set(), name)


class Passwords(SecretsCase):
    def begin(self, mechanism, level):
        self.echo(PASSWORD, "PLAIN LOGIN")
        self.traces |= pieces(base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()))
        smarthost = {"name": "main", "host": self.place.address, "port": self.smarthost_.port, "tls": "none",
                     "auth": [mechanism], "allow_plaintext_auth": True}
        self.run_hikyakud({"smarthosts": [smarthost], "log": {"format": "json", "level": level}},
                          netrc(self.place.address, USER, PASSWORD))
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def check(self, mechanism, level):
        self.begin(mechanism, level)
        self.daemon.submit(CONTENT, recipients=["you@dest.example"])
        said = self.daemon.wait_for("smarthost paused")
        self.assertIn("***", said["reply"])
        self.assertIn("535", said["reply"])
        self.assertRegex(self.hikyaku("status", "--verbose"), rb"-> AUTH [A-Z]+( \*\*\*)?\n(.*\n)*.* <- 535.*\*\*\*")
        self.assert_nothing_shown(self.smarthost_.newest)
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
        self.assert_nothing_shown(self.smarthost_.newest)

    def test_a_password_said_by_plain_is_found_nowhere(self):
        self.check("PLAIN", "debug")

    def test_a_password_said_by_login_is_found_nowhere(self):
        self.check("LOGIN", "info")


class ClientSecrets(SecretsCase):
    owner = "games"

    def begin(self):
        self.echo(TOKEN, "XOAUTH2")
        self.endpoint = EchoTokenEndpoint(CLIENT_SECRET, CLIENT)
        self.addCleanup(self.endpoint.close)
        self.traces |= traces(CLIENT_SECRET)
        secret = self.place.file("client.secret", CLIENT_SECRET + "\n", 0o600, self.owner_id())
        smarthost = {"name": "main", "host": self.place.address, "port": self.smarthost_.port, "tls": "none",
                     "allow_plaintext_auth": True, "user": USER,
                     "oauth": {"flow": "client_credentials", "client_id": CLIENT, "client_secret_file": secret,
                               "token_url": self.endpoint.url, "scope": "send"}}
        tokens = self.place.directory("tokens", 0o700, self.owner_id())
        self.run_hikyakud({"smarthosts": [smarthost], "oauth_directory": tokens, "log": {"format": "json", "level": "debug"}})
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def check_said(self, *words):
        return self.hikyaku("check", *words).decode()

    def paused(self, words):
        """The line that has them."""
        return until(lambda: [line for line in self.daemon.events("smarthost paused") if words in line["text"] + line.get("reply", "")],
                     20, self.daemon.log)[0]

    def shown_of_oauth(self):
        yield "/v1/oauth", self.control.get("/v1/oauth").encode()
        yield from ((" ".join(words), self.hikyaku(*words)) for words in (
            ("oauth", "status"), ("oauth", "status", "--json"), ("config", "show"), ("status", "--verbose")))

    def test_a_client_s_secret_that_the_provider_says_and_a_token_are_found_nowhere(self):
        self.begin()
        self.daemon.submit(CONTENT)
        self.paused("the token endpoint refuses this application")
        for form in self.endpoint.forms_said:
            self.assertGreater(len(self.found_in(form.encode())), 0, "it was said, and would be found")
            status, said = self.control.ask("POST", "/v1/oauth/main/refresh")
            self.assertEqual((status, json.loads(said)["error"][:19]), (422, "invalid_client: of "))
            self.assertEqual(self.found_in(said.encode()), set(), form)
        self.assertIn(b"***", self.hikyaku("oauth", "refresh"))
        self.assert_hidden(self.shown_of_oauth())
        self.endpoint.token = TOKEN
        self.assertIn(b"a new token", self.hikyaku("oauth", "refresh"))
        self.assertIn("***", self.paused("535")["reply"])
        self.assert_hidden(self.shown_of_oauth())
        self.smarthost_.refuses_login = False
        self.daemon.reload()
        self.assertIn("***", self.daemon.wait_for("delivered")["reply"])
        self.assert_hidden(self.shown_of_oauth())
        self.assert_nothing_shown(self.smarthost_.newest)


if __name__ == "__main__":
    main()
