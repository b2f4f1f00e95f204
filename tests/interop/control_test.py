#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket of the real daemon: asked by HTTP clients that are not ours, by several users, with a great queue
while mail comes in, in hostile ways, and while the daemon stops."""

import array
import contextlib
import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import threading

from rig import Case, main, until
from rig.control import Control
from rig.hikyakud import USER_ID, binary
from rig.process import Process
from rig.verifiers import split_signatures

MANY = int(os.environ.get("HIKYAKU_MANY_MAILS", "100000"))
CONTENT = b"Subject: x\r\n\r\nbody\r\n"
ONE, TWO = 4001, 4002  # uids that nobody has
SUBMIT = """
import smtplib, socket, sys
class Submission(smtplib.SMTP):
    def _get_socket(self, host, port, timeout):
        sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1]); return sock
with Submission("localhost") as client:
    client.ehlo("me")
    client.mail("me@example.com"); client.rcpt("you@dest.example")
    print(client.data(b"Subject: x\\r\\n\\r\\nbody\\r\\n")[1].decode())
"""


class Frame(Case):
    """A daemon whose smarthost is `port` of our address; port 1 has nobody."""

    def begin(self, port=1, **settings):
        smarthost = {"name": "main", "host": self.place.address, "port": port, "tls": "none", "auth": "none"}
        self.run_hikyakud({"smarthosts": [smarthost], **settings})
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def submit_as(self, uid):
        """The id of a mail that this user has handed in over the Unix socket."""
        socket_path = self.place.join("hikyakud", "run", "submit.sock")
        done = subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", "python3", "-c",
                               SUBMIT, socket_path], capture_output=True, text=True, check=True)
        return self.id_in(done.stdout)

    def id_in(self, text):
        return re.search(r"\b[0-9a-z]{13}\b", text).group()

    def hikyaku(self, *words):
        return subprocess.run([binary("hikyaku"), *words, "-c", self.daemon.config], capture_output=True, text=True,
                              check=False, timeout=120)

    def ids(self, uid):
        """Those that a user sees who comes with the socket's group, as sendmail(1) does."""
        status, body = self.control.ask_as(uid, USER_ID, "GET", "/v1/queue?format=lines")
        self.assertEqual(status, 200)
        return [json.loads(line)["id"] for line in body.splitlines()]


class Users(Frame):
    def setUp(self):
        self.begin()

    def test_everybody_sees_and_hurries_their_own_mail_only(self):
        first, second = self.submit_as(ONE), self.submit_as(TWO)
        self.daemon.submit(CONTENT)
        self.assertEqual(self.ids(ONE), [first])
        self.assertEqual(self.ids(TWO), [second])
        self.assertEqual(self.ids(4003), [])
        self.assertEqual(len(self.ids(0)), 3)
        for uid, body, unknown in ((ONE, {"ids": [first, second]}, [second]), (TWO, {"all": True}, None)):
            status, text = self.control.ask_as(uid, USER_ID, "POST", "/v1/queue/retry", json.dumps(body))
            answer = json.loads(text)
            self.assertEqual((status, answer.get("retried"), answer.get("unknown")), (200, 1, unknown))
        self.assertEqual(self.control.ask_as(TWO, USER_ID, "GET", f"/v1/mails/{first}/outcome")[0], 404)
        self.assertEqual(self.control.ask_as(ONE, USER_ID, "GET", f"/v1/mails/{first}/outcome")[0], 200)
        for method, path in (("GET", "/v1/status"), ("GET", "/v1/status?verbose=1"), ("GET", f"/v1/mails/{first}/dialogue"),
                             ("POST", "/v1/reload"), ("POST", "/v1/aliases/reload")):
            self.assertEqual(self.control.ask_as(ONE, USER_ID, method, path, "")[0], 403)

    def test_without_the_sockets_group_nobody_else_gets_through(self):
        with self.assertRaisesRegex(PermissionError, "Permission denied"):
            self.control.ask_as(ONE, ONE, "GET", "/v1/queue")

    def test_members_of_the_configured_group_see_everything(self):
        self.daemon.submit(CONTENT)
        self.assertEqual(self.ids(ONE), [])
        self.daemon.configure({"smarthosts": [{"name": "main", "host": self.place.address, "port": 1, "tls": "none"}],
                               "control": {"group": "daemon"}})
        self.assertEqual(self.hikyaku("reload").returncode, 0)
        os.chown(self.control.path, USER_ID, 1)  # so that a member of that group alone can connect
        status, body = self.control.ask_as(ONE, 1, "GET", "/v1/queue")
        self.assertEqual((status, len(json.loads(body)["mails"])), (200, 1))


class Clients(Frame):
    def test_curl_gets_every_format(self):
        self.begin()
        self.daemon.submit(CONTENT)
        curl = ["curl", "-sS", "--fail", "--unix-socket", self.control.path, "http://hikyaku/v1/queue"]
        for options, expected in (((), '{"mails":[{"id":'), (("-H", "Accept: text/plain"), "----Queue ID-----"),
                                  (("-H", "Accept: application/x-ndjson"), '{"id":'), (("-0",), '{"mails":'),
                                  (("-0", "-H", "Accept: text/plain"), "----Queue ID-----")):
            done = subprocess.run([*curl, *options], capture_output=True, text=True, check=True)
            self.assertTrue(done.stdout.startswith(expected), done.stdout)
        self.assertTrue(done.stdout.endswith("\n\n-- 0 Kbytes in 1 Request.\n"), done.stdout)

    def test_the_operators_command_asks_the_daemon(self):
        self.begin()
        status = self.hikyaku("status")
        self.assertEqual((status.returncode, status.stderr), (0, ""))
        self.assertIn("0 active, 0 waiting, 0 held", status.stdout)
        self.assertEqual(json.loads(self.hikyaku("status", "--json").stdout)["queue"]["active"], 0)
        self.assertEqual(self.hikyaku("queue", "retry", "--all").stdout, "retrying 0 mails\n")
        self.assertEqual(self.hikyaku("queue", "retry", "0000000000001").returncode, 66)
        with open(self.daemon.config, "r+", encoding="utf-8") as config:
            config.write("x")
        reload = self.hikyaku("reload", "--socket", self.control.path)
        self.assertEqual(reload.returncode, 78)
        self.assertIn("hikyaku.yaml:", reload.stderr)
        wrong = Control(self.control.path).ask("POST", "/v1/reload")
        self.assertEqual(wrong[0], 422)
        self.assertIn("hikyaku.yaml:", json.loads(wrong[1])["error"])
        self.daemon.stop()
        gone = self.hikyaku("status", "--socket", self.control.path)
        self.assertEqual(gone.returncode, 75)
        self.assertIn("hikyakud is not running", gone.stderr)
        self.assertFalse(os.path.exists(self.control.path))


    def test_a_daemon_that_is_stopped_is_noticed_within_seconds(self):
        self.begin()
        os.kill(self.daemon.pid, signal.SIGSTOP)
        try:
            done = self.hikyaku("status")
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn("does not respond", done.stderr)
        finally:
            os.kill(self.daemon.pid, signal.SIGCONT)
        self.assertEqual(self.hikyaku("status").returncode, 0)

    def test_a_file_that_was_broken_since_hides_no_daemon(self):
        self.begin()
        with open(self.daemon.config, encoding="utf-8") as config:
            text = config.read()
        with open(self.daemon.config, "w", encoding="utf-8") as config:
            config.write(text.replace("smarthosts", "smarthsots"))
        status = self.hikyaku("status")
        self.assertEqual((status.returncode, status.stderr.count("\n")), (0, 1), status.stderr)
        self.assertIn("unknown key; did you mean `smarthosts`?", status.stderr)
        queue = self.hikyaku("queue")
        self.assertEqual((queue.returncode, queue.stdout), (0, "the queue is empty\n"), queue.stderr)


class Waiting(Frame):
    """Nobody listens on the smarthost's port."""

    def test_every_command_says_why_mail_waits_and_when_it_is_tried(self):
        self.begin()
        mail = self.submit_as(ONE)
        until(lambda: self.hikyaku("status").returncode == 1, 30, "the smarthost is paused")
        reason = f"nobody listens on {self.place.address}:1"
        for words in (("queue", "--all"), ("queue", "show", mail)):
            done = self.hikyaku(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, f"\\A{mail} waiting")
            self.assertIn(reason, done.stdout)
            self.assertRegex(done.stdout, r"since 20\S+Z")
            self.assertRegex(done.stdout, r"next (attempt +)?20\S+Z")
        verbose = self.hikyaku("status", "--verbose").stdout
        self.assertRegex(verbose, f"its last session that failed\n  20\\S+ with main, {self.place.address} port 1 .*, without a connection\n"
                                  f"  failed: .*{reason}")
        queued = json.loads(self.hikyaku("queue", "--json").stdout)
        self.assertEqual((queued["state"], queued["waits_for"], queued["attempts"]), ("deferred", "smarthost", 0))
        status = json.loads(self.hikyaku("status", "--json").stdout)
        self.assertEqual(status["queue"], {"active": 0, "deferred": 1, "held": 0})
        retry = self.hikyaku("queue", "retry", mail)
        self.assertEqual(retry.returncode, 75, retry.stderr)
        self.assertIn(f"{mail} waits for the smarthost since ", retry.stdout)
        self.assertIn(reason, retry.stdout)
        self.assertEqual(self.hikyaku("queue", "retry", "--no-wait", mail).stdout, "retrying 1 mail\n")

    def test_its_sender_reads_why_without_names(self):
        self.begin()
        mail = self.submit_as(ONE)
        until(lambda: self.hikyaku("status").returncode == 1, 30, "the smarthost is paused")
        status, text = self.control.ask_as(ONE, USER_ID, "GET", "/v1/queue?format=postfix")
        self.assertEqual(status, 200)
        self.assertRegex(text, rf"(?m)^{mail} ")  # no asterisk: it is not active
        self.assertRegex(text, r"\(waits since .*, next attempt .*: the smarthost cannot be reached, or does not answer; "
                               r"it is tried again by itself\)")
        self.assertNotIn(self.place.address, text)

    def test_without_a_daemon_the_queue_waits_for_it(self):
        self.begin()
        mail = self.submit_as(ONE)
        self.daemon.stop()
        done = self.hikyaku("queue", "--all")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, f"\\A{mail} waiting .*, hikyakud is not running: mail waits until it is started\n")


class Delivery(Frame):
    """The smarthost is `hikyaku sink`."""

    def sink(self, *options):
        sink = Process([binary("hikyaku"), "sink", "--listen", f"{self.place.address}:2527", *options],
                       self.place.part().join("out"))
        self.addCleanup(sink.kill)
        until(lambda: "2527" in sink.said() or not sink.runs(), 20, "the sink listens")
        self.assertTrue(sink.runs(), sink.said())
        return sink

    def test_a_mail_is_tried_again_when_its_sender_says_so_and_its_outcome_is_told(self):
        sink = self.sink("--refuse", "rcpt:you@dest.example=451 4.2.1 later")
        self.begin(2527, queue={"retry": {"first": "1h", "max": "1h"}})
        self.daemon.submit(CONTENT, recipients=["other@dest.example"])
        self.daemon.wait_for("delivered")  # the smarthost is not suspected
        mail = self.submit_as(ONE)
        self.daemon.wait_for("deferred")
        target = f"/v1/mails/{mail}/outcome"
        now = json.loads(until(lambda: self.tried(target), 20, "the attempt is told"))
        self.assertEqual((now["state"], now["attempts"]), ("deferred", 1))
        self.assertEqual(now["recipients"][0]["last_reply"], "451 4.2.1 later")
        sink.kill()
        self.sink()
        lines = []
        waiting = threading.Thread(target=lambda: lines.extend(self.control.lines(target + "?wait=60&format=lines")))
        waiting.start()
        status, body = self.control.ask_as(ONE, USER_ID, "POST", "/v1/queue/retry", json.dumps({"ids": [mail]}))
        self.assertEqual((status, json.loads(body)["retried"]), (200, 1))
        self.hikyaku("queue", "retry", mail)  # the operator, in case the smarthost is paused by now
        waiting.join()
        self.assertEqual([line["status"] for line in lines][-1], "delivered")
        self.assertEqual(json.loads(self.control.get(target))["state"], "ended")

    def test_after_a_mail_has_failed_its_senders_mailq_says_so(self):
        self.sink("--refuse", "rcpt:you@dest.example=550 5.1.1 nobody here")
        self.begin(2527)
        self.daemon.submit(CONTENT, recipients=["other@dest.example"])
        self.daemon.wait_for("delivered")  # the smarthost is not suspected
        mail = self.submit_as(ONE)
        self.daemon.wait_for("failed")
        text = until(lambda: self.mailq_with(ONE, mail), 30, "the failure is told")
        self.assertRegex(text, r"\A-- 1 mail of yours failed in the last day:\n   \S+ .*  you@dest.example: 550 5.1.1 nobody")
        self.assertTrue(text.endswith("\n\nMail queue is empty\n"), text)
        self.assertEqual(self.control.ask_as(TWO, USER_ID, "GET", "/v1/queue?format=postfix")[1], "Mail queue is empty\n")
        self.assertIn("failed         1 mail in the last day", self.hikyaku("status").stdout)

    def mailq_with(self, uid, mail):
        text = self.control.ask_as(uid, USER_ID, "GET", "/v1/queue?format=postfix")[1]
        return text if mail in text else None

    def tried(self, target):
        body = self.control.get(target)
        return body if json.loads(body)["attempts"] else None


class Seeing(Frame):
    """The smarthost is the catcher, which refuses mail for you@ when it has the whole of it."""

    MAIL = (b"Received: here\r\nFrom: Me <me@example.com>\r\nX-Secret: 1\r\nSubject: x\r\n\r\n.\r\n..dots\r\n"
            + b"long \xc3\xa9 lines\r\n" * 20000 + b".end\r\n")

    def setUp(self):
        self.catcher.refuse = lambda stage, whom: "450 4.2.1 later" if stage == "message" and "you@dest.example" in whom else None
        self.addCleanup(setattr, self.catcher, "refuse", lambda stage, whom: None)
        ours = {"host": self.catcher.address, "port": self.catcher.port, "tls": "none", "auth": "none"}
        rules = {"from": "account@example.com", "headers": {"add": {"X-Tag": "shop"}, "remove": ["X-Secret"]}}
        self.run_hikyakud({"smarthosts": [{"name": "main", **ours, **rules}, {"name": "plain", **ours}],
                           "routes": [{"via": ["main"]}], "queue": {"retry": {"first": "1h", "max": "1h"}}, "user": "nobody"})
        self.daemon.submit(CONTENT, recipients=["other@dest.example"])
        self.daemon.wait_for("delivered")  # the smarthost is not suspected
        self.catcher.mails.clear()
        self.daemon.submit(self.MAIL)
        self.id = self.daemon.wait_for("deferred")["id"]

    def bytes_of(self, *words):
        done = subprocess.run([binary("hikyaku"), "queue", "cat", self.id, *words, "-c", self.daemon.config],
                              capture_output=True, check=True, timeout=60)
        return done.stdout

    def test_what_is_shown_as_sent_is_what_the_smarthost_gets(self):
        shown, plain, stored = self.bytes_of("--as-sent"), self.bytes_of("--as-sent", "--via", "plain"), self.bytes_of()
        self.assertEqual(split_signatures(plain)[1], stored)
        self.assertIn(b"X-Secret", stored)
        for signed in (shown, plain):
            self.assertEqual(self.verifiers.signatures(signed), [("example.com", "interop")])
        self.catcher.refuse = lambda stage, whom: None
        self.assertEqual(self.hikyaku("queue", "retry", self.id).returncode, 0)
        self.assertEqual(split_signatures(self.catcher.wait().content)[1], split_signatures(shown)[1])  # each has its own time
        for wanted in (b"From: Me <account@example.com>", b"X-Tag: shop", b"\r\n.\r\n..dots\r\n", b"\r\n.end\r\n"):
            self.assertIn(wanted, shown)
        self.assertNotIn(b"X-Secret", shown)

    def test_what_was_said_is_shown_until_the_daemon_is_started_anew(self):
        text = self.hikyaku("queue", "show", self.id).stdout
        for wanted in (f"via  main ({self.catcher.address} port {self.catcher.port}, up)", "-> MAIL FROM:<account@example.com>",
                       "<- 354 go on", "-> .", "<- 450 4.2.1 later", f"({self.catcher.address}:{self.catcher.port})"):
            self.assertIn(wanted, text)
        self.assertNotIn("dots", text)
        shown = json.loads(self.hikyaku("queue", "show", self.id, "--json").stdout)
        self.assertEqual(shown["dialogue"]["lines"][-1]["text"], "450 4.2.1 later")
        self.assertEqual([way["recipients"] for way in shown["ways"]], [["you@dest.example"]])
        self.assertLess(len(json.dumps(shown["dialogue"])), 16384)
        self.assertRegex(shown["dialogues_since"], r"\A20\S+Z\Z")
        self.daemon.stop()
        self.assertIsNone(json.loads(self.hikyaku("queue", "show", self.id, "--json").stdout)["dialogues_since"])
        self.assertIn("not known: only a running hikyakud keeps it", self.hikyaku("queue", "show", self.id).stdout)
        self.daemon.start()
        self.assertIn("not known: hikyakud keeps it in memory, and was started at 20",
                      self.hikyaku("queue", "show", self.id).stdout)
        self.assertIn("no session has failed since the start", self.hikyaku("status", "--verbose").stdout)


class Hostility(Frame):
    def setUp(self):
        self.begin()
        self.daemon.submit(CONTENT)
        self.control.get("/v1/queue")
        self.before = self.descriptors()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def tearDown(self):
        """Mail is taken, others are answered, and nothing is left behind."""
        self.daemon.submit(CONTENT)
        until(self.answers, 30, "others are answered")
        until(lambda: self.answers() and self.descriptors() <= self.before + 1, 30, "every descriptor is closed")

    def answers(self):
        try:
            return self.control.ask("GET", "/v1/status")[0] == 200
        except (OSError, smtplib.SMTPException):
            return False

    def say(self, text):
        with self.control.connect() as client:
            try:
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: client.recv(4096), b""))
            except OSError:
                return b""

    def test_a_thousand_connections_that_say_nothing(self):
        with contextlib.ExitStack() as crowd:
            for _ in range(1000):
                crowd.enter_context(self.control.connect())
            self.daemon.submit(CONTENT)

    def test_half_messages(self):
        whole = b"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 12\r\n\r\n{\"all\":true}"
        for length in range(len(whole)):
            answer = self.say(whole[:length])
            self.assertFalse(answer.startswith(b"HTTP/1.1 200"), whole[:length])
        self.assertEqual(self.daemon.log().count("all mail is due now"), 0)
        self.assertTrue(self.say(whole).startswith(b"HTTP/1.1 200"))

    def test_lengths_beyond_all_bounds(self):
        for length in (b"4294967295", b"4294967296", b"18446744073709551615", b"18446744073709551616", b"-1"):
            answer = self.say(b"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n" + b"x" * 5000)
            self.assertRegex(answer, rb"\AHTTP/1.1 4(13|00) ")
        self.say(b"GET /" + b"a" * 10_000_000)
        self.say(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1_000_000)
        self.say(b"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"[" * 1_000_000)

    def test_descriptors_are_not_taken(self):
        ours, theirs = socket.socketpair()
        with self.control.connect() as client:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()] * 100))]
            client.sendmsg([b"GET /v1/status HTTP/1.1\r\n\r\n"], rights)
            theirs.close()
            self.assertIn(b"200 OK", client.recv(100))
            self.assertEqual(ours.recv(1), b"")  # nobody has the other end
        ours.close()

    def test_bytes_of_any_kind(self):
        for seed in range(300):
            self.say(bytes((seed * 7919 + i * 104729) % 256 for i in range(seed * 10)))


class ManyMails(Frame):
    """As many as a smarthost's bad week leaves."""

    @classmethod
    def start_peers(cls):
        cls.full = cls.place.directory("full", 0o711, USER_ID)
        subprocess.run([binary("fill_spool"), cls.full, str(MANY)], check=True, timeout=600)
        for folder, folders, files in os.walk(cls.full):
            for name in (*folders, *files):
                os.chown(os.path.join(folder, name), USER_ID, USER_ID)

    def setUp(self):
        self.begin(spool={"directory": self.full, "segment_size": "1MiB", "min_free": "1MiB"})
        self.stop_submitting, self.submitted = threading.Event(), []
        self.submitting = threading.Thread(target=self.keep_submitting)

    def keep_submitting(self):
        while not self.stop_submitting.is_set():
            self.daemon.submit(CONTENT)
            self.submitted.append(1)

    def while_mail_comes(self, work):
        """What `work` gives, during which mail has been taken."""
        self.submitting.start()
        try:
            before = len(self.submitted)
            result = work()
            until(lambda: len(self.submitted) > before or not self.submitting.is_alive(), 60, "mail is taken")
        finally:
            self.stop_submitting.set()
            self.submitting.join()
        self.assertGreater(len(self.submitted), 0)
        return result

    def test_all_of_a_great_queue_is_listed_while_mail_comes(self):
        text = self.while_mail_comes(lambda: self.control.get("/v1/queue?format=postfix"))
        summary = re.fullmatch(r"-- \d+ Kbytes in (\d+) Requests\.", text.splitlines()[-1])
        self.assertGreaterEqual(int(summary.group(1)), MANY)
        self.assertEqual(len(re.findall(r"^[0-9a-z]{13}\*? ", text, re.MULTILINE)), int(summary.group(1)))

    def test_pages_are_the_whole_queue_in_order(self):
        ids = self.while_mail_comes(lambda: [mail["id"] for mail in self.control.pages(1000)])
        self.assertGreaterEqual(len(ids), MANY)
        self.assertEqual(ids, sorted(set(ids)))

    def test_a_user_without_mail_sees_none_of_it(self):
        self.assertEqual(self.ids(ONE), [])

    def test_what_fits_is_hurried_and_everything_else_stays(self):
        answer = self.control.post("/v1/queue/retry", {"to": "r1*@example.net"})
        self.assertEqual(answer["retried"], sum(1 for number in range(MANY) if str(number).startswith("1")))

    def test_the_daemon_stops_while_it_is_asked(self):
        mail = self.daemon.spool and next(self.control.pages(1))["id"]
        asked = [self.control.connect() for _ in range(6)]
        for client, text in zip(asked, (b"", b"GET", b"GET /v1/queue?format=lines HTTP/1.1\r\n\r\n",
                                        b"GET /v1/queue?format=postfix HTTP/1.0\r\n\r\n",
                                        b"POST /v1/queue/retry HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
                                        f"GET /v1/mails/{mail}/outcome?wait=300 HTTP/1.1\r\n\r\n".encode())):
            client.sendall(text)
        for client in asked[2:4]:
            self.assertTrue(client.recv(10).startswith(b"HTTP"))  # its list has begun, and is not read on
        self.daemon.stop()
        rest = b"".join(iter(lambda: asked[5].recv(4096), b""))
        self.assertTrue(rest == b"" or rest.startswith(b"HTTP/1.1 200"), rest)
        for client in asked:
            client.close()


if __name__ == "__main__":
    main()
