#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""OAuth2 with real peers: npm's oidc-provider as the authorization server, Postfix with Dovecot's log-in, which asks the
server about each token, as the smarthost; from `hikyaku setup` for a Microsoft address to a delivered mail, tokens that
end amid work, consent that is taken back, and a kill -9 while a rotated token is being kept."""

import base64
import collections
import datetime
import http.server
import json
import os
import pwd
import re
import signal
import socketserver
import subprocess
import threading
import urllib.parse

from rig import Case, Hikyakud, Listener, Postfix, main, until
from rig.authorization import (APP, APP_SECRET, CLIENT, MICROSOFT, AuthorizationServer, FalsifyingServer, Person,
                               introspecting_dovecot)
from rig.case import SMARTHOST
from rig.hikyakud import NAMESPACE, binary
from rig.postfix import login, starttls
from rig.terminal import Terminal

ACCOUNT = "me@outlook.com"
OWNER, OWNER_ID = "games", pwd.getpwnam("games").pw_uid
OUTLOOK, LOGIN_HOST = "smtp-mail.outlook.com", "login.microsoftonline.com"
SCOPE = "https://outlook.office.com/SMTP.Send"
SHOP = "shop@interop.test"  # of another provider
MAIL = b"Subject: x\r\n\r\nbody\r\n"


class OAuth(Case):
    signs = ("example.com", "interop.test", ACCOUNT.partition("@")[2])
    owner = OWNER

    @classmethod
    def start_peers(cls):
        cls.login_address = "127.0.9.1"
        cls.place.name_host(OUTLOOK)
        cls.place.name_host(LOGIN_HOST, cls.login_address)
        cls.server = AuthorizationServer(cls.place, [SCOPE], ttl=3, routes=MICROSOFT, address=cls.login_address,
                                         certificate=cls.authority.issue(LOGIN_HOST),
                                         issuer=f"https://{LOGIN_HOST}")
        cls.addClassCleanup(cls.server.stop)
        dovecot = introspecting_dovecot(cls.place, cls.server)
        cls.addClassCleanup(dovecot.stop)
        cls.other_server = AuthorizationServer(cls.place, [SCOPE], ttl=3, app=SHOP)
        cls.addClassCleanup(lambda: cls.other_server.stop())
        apps = introspecting_dovecot(cls.place.part(), cls.server, cls.other_server, user="client_id")
        cls.addClassCleanup(apps.stop)
        cls.postfix = Postfix(cls.place, cls.catcher, [
            Listener(587, starttls(cls.authority.issue(OUTLOOK)) | login(dovecot)),
            Listener(1587, starttls(cls.authority.issue(SMARTHOST)) | login(apps))])
        cls.addClassCleanup(cls.postfix.stop)

    def outlook(self, **oauth):
        return {"name": "main", "url": f"submission://{OUTLOOK}", "user": ACCOUNT, "tls_ca_file": self.authority.cert,
                "from": ACCOUNT, "messages_per_connection": 1,
                "oauth": {"provider": "microsoft", "client_id": CLIENT, "ca_file": self.authority.cert} | oauth}

    def application(self, name, token_url, **settings):
        """A smarthost that an application logs in to as itself; all are on one host."""
        secret = self.place.file("hikyakud.secret", APP_SECRET + "\n", 0o600, OWNER_ID)
        return {"name": name.partition("@")[0], "host": SMARTHOST, "port": 1587, "tls": "starttls",
                "tls_ca_file": self.authority.cert, "user": name, **settings,
                "oauth": {"flow": "client_credentials", "client_id": name, "token_url": token_url,
                          "client_secret_file": secret, "scope": SCOPE}}

    def begin(self, *smarthosts, **settings):
        self.tokens = self.place.join("hikyakud", "oauth")
        self.run_hikyakud({"smarthosts": list(smarthosts), "oauth_directory": self.tokens, **settings},
                          env={"SSL_CERT_FILE": self.authority.cert})

    def command(self, *words):
        return [*NAMESPACE, self.place.hosts, binary("hikyaku"), *words, "-c", self.daemon.config]

    def hikyaku(self, *words, code=0):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, timeout=120,
                              env=os.environ | self.daemon.env)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def stored(self, name="main"):
        with open(f"{self.tokens}/{name}.json", encoding="utf-8") as file:
            return json.load(file)

    def has_expired(self, name="main"):
        return datetime.datetime.fromisoformat(self.stored(name)["expires"]) < datetime.datetime.now(datetime.timezone.utc)

    def log_in(self):
        """By a device code, as somebody with a browser elsewhere types it."""
        terminal = Terminal(self.command("oauth", "login"), os.environ | self.daemon.env)
        self.addCleanup(terminal.close)
        self.consent_shown_by(terminal)
        self.assertEqual(terminal.leave(), 0, terminal.screen)
        return terminal.screen

    def consent_shown_by(self, terminal):
        shown = until(lambda: terminal._read(1) and re.search(r"open\n\n +(\S+)\n\n.*\n\n +(\S+)\n", terminal.screen), 60,
                      lambda: f"a code:\n{terminal.screen}")
        url = shown.group(1).replace(f"https://{LOGIN_HOST}", self.server.http)
        page = Person(ACCOUNT).consent(url, shown.group(2))
        self.assertIn("Sign-in Success", page)

    def test_setup_for_a_microsoft_address_ends_with_mail_delivered_by_oauth2(self):
        tokens = self.place.join("hikyakud", "tokens")
        self.daemon = Hikyakud(self.place, self.signing({"user": OWNER, "oauth_directory": tokens}),
                               env={"SSL_CERT_FILE": self.authority.cert})
        self.daemon.as_root = True
        self.addCleanup(self.daemon.discard)
        with open(self.daemon.config, encoding="utf-8") as file:
            settings = {key: value for key, value in json.load(file).items() if key not in ("log", "authinfo")}
        self.place.file("hikyakud/hikyaku.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items()))
        command = [*NAMESPACE, self.place.hosts, binary("hikyaku"), "setup", "-c", self.daemon.config]
        terminal = Terminal(command, os.environ | self.daemon.env)
        self.addCleanup(terminal.close)
        for question, answer in (("name of the smarthost", ACCOUNT), ("User name", ""), ("Client id", CLIENT),
                                 ("Address that all mail leaves with", ""), ("Address that mail to root", "-"),
                                 ("Write this", ""), ("Address for a test mail", "you@dest.example")):
            terminal.answer(question, answer)
        self.consent_shown_by(terminal)
        self.assertEqual(terminal.leave(), 0, terminal.screen)
        mail = self.catcher.wait()
        self.assertEqual((mail.sender, mail.recipients), (ACCOUNT, ["you@dest.example"]))
        self.assertIn(f"as {ACCOUNT} with OAUTHBEARER", terminal.screen)
        if os.environ.get("HIKYAKU_SHOW"):
            print(terminal.screen)

    def test_tokens_that_end_amid_work_fail_no_mail_and_cost_one_request_an_interval(self):
        before = self.server.counts().get(MICROSOFT["token"], 0)
        self.begin(self.application(APP, self.server.http + MICROSOFT["token"], messages_per_connection=20))
        first = self.daemon.wait_for
        for number in range(300):
            self.daemon.submit(b"Subject: %d\r\n\r\n" % number)
        until(lambda: len(self.catcher.mails) == 300, 120, lambda: f"{len(self.catcher.mails)} of 300")
        self.assertEqual(self.daemon.troubles(), [])
        self.assertEqual(first("accepted")["event"], "accepted")
        seconds = self.stored("app")["lifetime"]
        asked = self.server.counts()[MICROSOFT["token"]] - before
        self.assertLess(asked, 200 / seconds * 4)

    def begin_with_two_accounts(self):
        """Each sender's domain has an account of its own, with another provider, at one smarthost."""
        self.begin(self.application(APP, self.server.http + MICROSOFT["token"]),
                   self.application(SHOP, self.other_server.http + "/token", messages_per_connection=1),
                   routes=[{"from": "*@shop.example.com", "via": ["shop"]}, {"via": ["app"]}])

    def submit_numbered(self, sender, numbers):
        for number in numbers:
            self.daemon.submit(b"From: %s\r\nSubject: %d\r\n\r\n" % (sender.encode(), number), sender=sender)

    def log_ins(self):
        """How often which sender's mail has arrived from which account, by Postfix's own log."""
        senders = {}
        for queue_id, sender in re.findall(r": (\w+): from=<([^>]*)>", self.postfix.log()):
            senders[queue_id] = sender
        accounts = re.findall(r": (\w+): client=.*sasl_username=(\S+)", self.postfix.log())
        return collections.Counter((senders.get(queue_id), account.rstrip(",")) for queue_id, account in accounts)

    def test_two_accounts_of_two_providers_at_one_host_have_each_their_token(self):
        before = self.log_ins()
        self.begin_with_two_accounts()
        self.submit_numbered("me@example.com", range(5))
        self.submit_numbered("me@shop.example.com", range(5, 10))
        arrived = [self.catcher.wait() for _ in range(10)]
        self.assertEqual(sorted(mail.sender for mail in arrived), ["me@example.com"] * 5 + ["me@shop.example.com"] * 5)
        until(lambda: (self.log_ins() - before).total() == 10, 20, self.postfix.log)
        self.assertEqual(self.log_ins() - before, {("me@example.com", APP): 5, ("me@shop.example.com", SHOP): 5})
        self.assertNotEqual(self.stored("app")["access_token"], self.stored("shop")["access_token"])
        self.assertEqual(self.daemon.troubles(), [])

    def test_mail_waits_for_a_provider_that_is_down_and_other_mail_does_not(self):
        self.begin_with_two_accounts()
        self.submit_numbered("me@shop.example.com", range(1))
        self.catcher.wait()
        self.addCleanup(self.other_server.start)
        self.other_server.stop()
        until(lambda: self.has_expired("shop"), 20, "the token ends")
        self.submit_numbered("me@shop.example.com", range(1, 6))
        self.submit_numbered("me@example.com", range(6, 8))
        self.assertEqual({self.catcher.wait().sender for _ in range(2)}, {"me@example.com"})
        paused = self.daemon.wait_for("smarthost paused", smarthost="shop")
        self.assertIn("no connection to", paused["text"])
        self.assertEqual(self.catcher.mails, [])
        self.other_server.start()
        self.daemon.reload()  # not to wait for the next of its own tries
        self.assertEqual({self.catcher.wait().sender for _ in range(5)}, {"me@shop.example.com"})
        self.assertEqual((self.daemon.events("failed"), self.daemon.events("notice")), ([], []))

    def test_consent_that_is_taken_back_pauses_mail_until_somebody_logs_in_again(self):
        self.begin(self.outlook())
        self.daemon.submit(MAIL)
        said = self.daemon.wait_for("smarthost paused")
        self.assertIn("nobody has consented yet that me@outlook.com sends through", json.dumps(said))
        self.assertIn("run `hikyaku oauth login main`", json.dumps(said))
        screen = self.log_in()
        self.assertIn(f"log-in      as {ACCOUNT} with OAUTHBEARER".replace("      ", ""), re.sub(r"log-in +", "log-in", screen))
        self.catcher.wait()
        self.assertIn("good until", self.hikyaku("oauth", "status"))
        self.assertIn("main: a new token, good until", self.hikyaku("oauth", "refresh", "main"))
        self.server.revoke(self.stored()["refresh_token"])
        until(lambda: self.stored()["refused"] and self.has_expired(), 30, "the provider refuses, and the token ends")
        self.assertIn("invalid_grant", self.hikyaku("oauth", "status", code=1))
        self.catcher.mails.clear()
        self.daemon.submit(MAIL)
        paused = until(lambda: [each for each in self.daemon.events("smarthost paused") if "no longer holds" in json.dumps(each)],
                       60, lambda: self.daemon.log())
        self.assertIn("invalid_grant", json.dumps(paused[0]))
        self.assertEqual(self.daemon.events("failed"), [])
        self.log_in()
        self.catcher.wait()
        self.assert_no_token_is_shown()

    def assert_no_token_is_shown(self):
        stored = self.stored()
        for secret in (stored["access_token"], stored["refresh_token"]):
            forms = {secret, urllib.parse.quote(secret, safe="")}
            forms |= {base64.b64encode(b"x" * offset + secret.encode())[4:-4].decode() for offset in range(3)}
            shown = {"log": self.daemon.log(), "status": self.hikyaku("status"),
                     "status --json": self.hikyaku("status", "--json"), "oauth status": self.hikyaku("oauth", "status", "--json"),
                     "STATUS=": self.daemon.notify.status, "config": self.hikyaku("config", "show")}
            for folder, _, names in os.walk(self.daemon.spool):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        shown[name] = file.read().decode("latin-1")
            for where, text in shown.items():
                self.assertEqual([form for form in forms if form in text], [], where)

    def test_the_browser_s_way_with_pkce_ends_at_the_loopback_listener(self):
        oauth = {name: self.server.url(route, path) for name, route, path in (
            ("token_url", "token", "/token"), ("authorize_url", "authorization", "/auth"))}
        self.begin(self.outlook(**oauth, issuer=f"https://{LOGIN_HOST}"))
        terminal = Terminal(self.command("oauth", "login", "main", "--browser"), os.environ | self.daemon.env)
        self.addCleanup(terminal.close)
        shown = until(lambda: terminal._read(1) and re.search(r"open\n\n +(\S+)\n\n", terminal.screen), 60, "a URL")
        page = Person(ACCOUNT).consent(shown.group(1))
        self.assertIn("That is all.", page)
        self.assertEqual(terminal.leave(), 0, terminal.screen)
        self.daemon.submit(MAIL)
        self.catcher.wait()
        self.assertIn("the tokens are gone", self.hikyaku("oauth", "revoke", "main"))
        self.hikyaku("oauth", "status", code=1)

    def test_after_a_kill_between_answer_and_rename_the_old_or_the_new_token_is_there(self):
        rotating = Rotating()
        self.addCleanup(rotating.close)
        self.begin(self.outlook(token_url=f"http://127.0.0.1:{rotating.port}/token"))
        self.mark()
        self.daemon.stop()
        for attempt in range(8):
            self.place.file("hikyakud/oauth/main.json", json.dumps(self.given(rotating.newest)), 0o600, OWNER_ID)
            rotating.victim = None
            before = rotating.newest
            rotating.kill_after = attempt * 0.0004
            rotating.wants_victim.clear()
            self.daemon.start()
            rotating.victim = self.daemon.pid
            rotating.wants_victim.set()
            process = self.daemon._process.child
            self.assertEqual(process.wait(60), -signal.SIGKILL)
            self.daemon._process.kill()
            self.daemon.notify.close()
            self.daemon._process = None
            self.assertIn(self.stored()["refresh_token"], (before, rotating.newest))

    def test_falsified_answers_are_told_and_the_next_good_one_is_taken(self):
        server = FalsifyingServer(self.place, [
            (500, {"error": "server_error"}), (200, "<html>a proxy</html>"), (400, {"error": "invalid_grant",
             "error_description": "AADSTS700082: expired\r\nTrace ID: 1"}), (200, {"token_type": "Bearer"}), (200, None)])
        self.addCleanup(server.stop)
        self.begin(self.application(APP, server.token_url))
        until(lambda: "server_error" in self.daemon.log(), 20, self.daemon.log)
        for words in ("no JSON", "invalid_grant: AADSTS700082: expired", "no usable access_token"):
            self.assertIn(words, self.hikyaku("oauth", "refresh", code=65))
        self.assertIn("a new token, good until", self.hikyaku("oauth", "refresh"))
        self.assertEqual(self.stored("app")["lifetime"], 3600)
        self.assertNotIn("Trace ID", self.daemon.log())

    def given(self, refresh_token):
        """As after a consent, for this configuration."""
        return {"format": 1, "client": self.mark(), "user": ACCOUNT, "refresh_token": refresh_token}

    def mark(self):
        file = self.place.file("hikyakud/taken-over", json.dumps({"refresh_token": "x"}), 0o600)
        if not os.path.exists(f"{self.tokens}/main.json"):
            self.assertIn("taken over from", self.hikyaku("oauth", "import", "main", file))
        return self.stored()["client"]


class Rotating:
    """A token endpoint that gives a new refresh token each time, and kills whoever asked right after its answer."""

    def __init__(self):
        self.newest, self.victim, self.kill_after, self.wants_victim = "r0", None, 0, threading.Event()
        self.wants_victim.set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                server.wants_victim.wait(60)
                server.newest = f"r{int(server.newest[1:]) + 1}"
                body = json.dumps({"access_token": "a", "refresh_token": server.newest, "expires_in": 3600}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                if server.victim:
                    threading.Event().wait(server.kill_after)
                    os.kill(server.victim, signal.SIGKILL)

            def log_message(self, *_):
                pass

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


if __name__ == "__main__":
    main()
