#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts and terminals get: every JSON answer held against its schema in etc/schema, and every page for people at
the width of a terminal, from a daemon that has mail in every state."""

import json
import os
import re
import subprocess
import unicodedata

from rig import Case, main, until
from rig.control import Control
from rig.hikyakud import USER_ID, binary
from rig.motley import CONTENT, Motley
from rig.place import ROOT
from rig.process import Process
from rig.schemas import Schemas
from rig.terminal import Terminal

STATES = {("active", None), ("deferred", "time"), ("deferred", "smarthost"), ("deferred", "rate"), ("held", None)}
NOBODYS = "0000000000000"
WIDTHS = (80, 200)


class Frame(Case):
    def setUp(self):
        self.motley = Motley(self.place, self.catcher)
        self.addCleanup(self.motley.close)
        self.run_hikyakud(self.motley.settings | {"user": "nobody"}, f"machine {self.place.address} login me password secret\n")
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def hikyaku(self, *words, code=0, said=""):
        done = subprocess.run([binary("hikyaku"), "-c", self.daemon.config, *words], input=said, capture_output=True, text=True,
                              check=False, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def sink(self):
        """HOST:PORT of a smarthost with STARTTLS, whose certificate nobody vouches for."""
        where = f"{self.place.address}:2527"
        sink = Process([binary("hikyaku"), "sink", "--listen", where, "--tls", "starttls"], self.place.part().join("out"))
        self.addCleanup(sink.kill)
        until(lambda: where in sink.said() or not sink.runs(), 60, "the sink listens")
        return where

    def fill(self):
        return self.motley.fill(self.daemon, self.hikyaku)


class Scripts(Frame):
    def setUp(self):
        super().setUp()
        self.schemas, self.states = Schemas(), set()

    def ask(self, name, method, target, body=None, status=200, uid=None):
        """An answer of the control socket, which must be as this schema says."""
        request = (method, target) if body is None else (method, target, json.dumps(body))
        found = self.control.ask(*request) if uid is None else self.control.ask_as(uid, USER_ID, *request)
        self.assertEqual(found[0], status, found[1])
        return self.schemas.check(name, found[1])

    def test_every_json_answer_is_as_its_schema_says(self):
        held = self.fill()
        self.check_status()
        self.check_queue()
        self.check_changes(held)
        self.check_requests()
        self.check_other_commands()
        self.check_keys_and_consents()
        for worsen, what in ((self.motley.pause, "smarthost"), (self.motley.use_up_rate, "rate")):
            worsen(self.daemon)
            until(lambda what=what: self.holds_up_mail(what), 60, self.daemon.log)
            self.check_queue()
            self.assertTrue(self.ask("status", "GET", "/v1/status?verbose=1")["smarthosts"][0]["last_failure"])
        self.check_drain()
        self.assertEqual(self.states, STATES)
        self.assertEqual(self.schemas.unused, set(), "schemas that nothing was held against")

    def holds_up_mail(self, what):
        """Whether the smarthost does, and mail waits for this; the status that says so is as it should be."""
        return self.ask("status", "GET", "/v1/status")["smarthosts"][0]["why"] and any(
            mail["waits_for"] == what for mail in self.control.pages(100))

    def check_status(self):
        status = self.schemas.check("status", self.hikyaku("status", "--json", code=1))
        self.assertEqual(status, self.ask("status", "GET", "/v1/status") | {"uptime": status["uptime"]})
        self.assertIsNone(status["drain"])
        self.ask("version", "GET", "/v1/version")
        self.ask("health", "GET", "/healthz")
        self.ask("health", "GET", "/healthz?live=1")
        self.schemas.check("health", self.hikyaku("health", "--ready", "--json"))

    def check_drain(self):
        self.assertIn(self.ask("drain", "POST", "/v1/drain", {})["stage"], ("trying", "left_over"))
        self.ask("drain", "POST", "/v1/drain", {"end": True})
        self.assertIsNotNone(self.ask("status", "GET", "/v1/status")["drain"])

    def check_queue(self):
        mails = self.schemas.check_lines("queue", self.hikyaku("queue", "--json"))
        self.states |= {(mail["state"], mail["waits_for"]) for mail in mails}
        self.assertLessEqual({each["status"] for mail in mails for each in mail["recipients"]}, {"pending", "delivered", "failed"})
        listed = self.schemas.check_lines("queue", self.control.get("/v1/queue?format=lines"))
        self.assertEqual([mail["id"] for mail in listed], [mail["id"] for mail in mails])
        page = self.ask("queue-page", "GET", "/v1/queue?limit=2")
        self.assertEqual(page["next"], page["mails"][-1]["id"])
        self.assertNotIn("unreadable", self.ask("queue-page", "GET", "/v1/queue", uid=4001))
        shown = [self.schemas.check("queue-show", self.hikyaku("queue", "show", mail["id"], "--json")) for mail in mails]
        self.assertTrue(any(mail["history"] for mail in shown))
        self.assertTrue(any(each["last_reply"] for mail in mails for each in mail["recipients"]))
        self.assertIn("headers", [mail["ret"] for mail in shown])
        for what in ("domain", "age", "reason", "sender", "smarthost"):
            self.schemas.check("queue-groups", self.hikyaku("queue", "--by", what, "--json"))
        folder = self.place.part().join("exported")
        self.hikyaku("spool", "export", folder)
        for mail in mails:
            with open(f"{folder}/{mail['id']}.json", encoding="utf-8") as file:
                self.assertNotIn("history", self.schemas.check("queue-show", file.read()))
        for mail in mails:
            self.assertEqual(self.ask("outcome", "GET", f"/v1/mails/{mail['id']}/outcome")["id"], mail["id"])
            self.assertEqual(self.ask("dialogue", "GET", f"/v1/mails/{mail['id']}/dialogue")["id"], mail["id"])

    def check_requests(self):
        self.ask("reload", "POST", "/v1/reload", {})
        self.schemas.check("reload", self.hikyaku("reload", "--json"))
        self.ask("aliases-reload", "POST", "/v1/aliases/reload", {})
        errors = [self.ask("error", "GET", "/v1/nothing", status=404), self.ask("error", "GET", "/v1/status", status=403, uid=4001),
                  self.ask("error", "POST", "/v1/queue/hold", {}, status=400)]
        everything = {"all": True}
        self.ask("queue-retry", "POST", "/v1/queue/retry", everything, uid=4001)
        errors.append(self.ask("error", "POST", "/v1/queue/retry", everything, status=429, uid=4001))
        self.assertIn("retry_after", errors[-1])
        good = self.place.join("good.yaml")
        os.rename(self.daemon.config, good)
        self.place.file("hikyakud/hikyaku.yaml", "smarthsot: x\n")
        self.assertTrue(self.ask("error", "POST", "/v1/reload", {}, status=422)["problems"])
        os.rename(good, self.daemon.config)

    def check_changes(self, held):
        self.assertEqual(self.ask("queue-count", "POST", "/v1/queue/remove?count=1", {"ids": [held]}), {"count": 1})
        retried = self.ask("queue-retry", "POST", "/v1/queue/retry", {"ids": [held, NOBODYS]})
        self.assertEqual((retried["held"], retried["unknown"]), ([held], [NOBODYS]))
        answer, outcome = self.hikyaku("queue", "retry", held, "--json", code=69).splitlines()
        self.assertEqual(self.schemas.check("queue-retry", answer)["held"], [held])
        self.assertEqual(self.schemas.check("outcome", outcome)["state"], "held")
        done = self.schemas.check("queue-steering", self.hikyaku("queue", "hold", held, NOBODYS, "--json", code=66))
        self.assertEqual((done["unchanged"], done["unknown"]), (1, [NOBODYS]))
        done = self.ask("queue-steering", "POST", "/v1/queue/release", {"ids": [held, NOBODYS]})
        self.assertEqual((done["done"], done["unknown"]), (1, [NOBODYS]))
        sent = json.loads(self.control.get(f"/v1/queue?to={Motley.SENT}"))["mails"][0]["id"]
        busy = self.ask("queue-steering", "POST", "/v1/queue/bounce", {"ids": [sent]}, status=409)
        self.assertEqual((busy["under_way"], busy["done"]), ([sent], 0))
        waiting = next(mail["id"] for mail in self.control.pages(100) if mail["waits_for"] == "time")
        self.assertEqual(self.ask("queue-steering", "POST", "/v1/queue/remove", {"ids": [waiting]})["done"], 1)
        self.assertEqual(self.ask("outcome", "GET", f"/v1/mails/{waiting}/outcome")["state"], "ended")

    def check_other_commands(self):
        presets = self.schemas.check_lines("presets", self.hikyaku("presets", "--json"))
        self.schemas.check("presets", self.hikyaku("presets", presets[0]["name"], "--json"))
        self.schemas.check("config-show", self.hikyaku("config", "show", "--json"))
        self.schemas.check("explain", self.hikyaku("explain", "--from", "anna", "--to", "root", "--to", "x@dest.example", "--json",
                                                   said="From: anna\n\nbody\n"))
        self.schemas.check_lines("authinfo-list", self.hikyaku("authinfo", "list", "--json"))
        self.schemas.check("spool-check", self.hikyaku("spool", "check", "--json"))
        self.schemas.check("check", self.hikyaku("check", "main", "--json"))
        sink = self.sink()
        self.schemas.check("probe", self.hikyaku("probe", f"{self.place.address}:{self.catcher.port}", "--json"))
        found = self.schemas.check("probe", self.hikyaku("probe", sink, "--json", code=1))
        self.assertTrue(found["hosts"][0]["ports"][0]["tls"]["certificate"]["chain"])
        host, port = sink.split(":")
        for verifies in (False, True):
            with_tls = {"name": "tls", "host": host, "port": int(port), "tls": "starttls", "tls_verify": verifies, "auth": "none"}
            self.daemon.configure({"smarthosts": [with_tls], "user": "nobody"})
            report = self.schemas.check("check", self.hikyaku("check", "--json", code=int(verifies)))["smarthosts"][0]
            self.assertTrue(report["certificate"]["chain"])
            self.assertEqual(report["failure"] is None, not verifies)

    def check_keys_and_consents(self):
        """Of a daemon with a smarthost by OAuth2, which goes on as it was before."""
        with open(self.daemon.config, encoding="utf-8") as file:
            before = file.read()
        consented = {"name": "cloud", "host": self.place.address, "port": self.catcher.port, "tls": "starttls", "user": "me@dest.example",
                     "oauth": {"provider": "google", "client_id": "x"}}
        settings = self.motley.settings
        self.daemon.configure(settings | {"smarthosts": [*settings["smarthosts"], consented],
                                          "dkim": {"directory": self.place.directory("keys")}, "dns": self.place.address})
        self.ask("reload", "POST", "/v1/reload", {})
        authinfo = f"{self.daemon.folder}/authinfo"
        os.chown(authinfo, 0, 0)  # this command reads it as the configuration's user, who is root here
        self.schemas.check_lines("oauth-status", self.hikyaku("oauth", "status", "--json", code=1))
        os.chown(authinfo, USER_ID, USER_ID)
        self.assertEqual(self.ask("oauth", "GET", "/v1/oauth")["smarthosts"][0]["smarthost"], "cloud")
        self.ask("error", "POST", "/v1/oauth/NAME/refresh", {}, status=422)
        self.ask("status", "GET", "/v1/status")
        for selector in ("s1", "s2"):
            made = self.schemas.check("dkim-key", self.hikyaku("dkim", "new", "dest.example", "--selector", selector, "--json"))
            self.assertEqual(made["state"], "prepared")
            self.hikyaku("dkim", "use", "dest.example", selector, "--json", code=1)  # no DNS answers here
            used = self.schemas.check("dkim-use", self.hikyaku("dkim", "use", "dest.example", selector, "--force", "--json"))
        self.assertEqual(used["retired"], ["s1"])
        self.assertEqual(len(self.schemas.check_lines("dkim-key", self.hikyaku("dkim", "list", "--json"))), 2)
        self.assertFalse(self.schemas.check("dkim-check", self.hikyaku("dkim", "check", "--json", code=1))["good"])
        retired = self.schemas.check("dkim-key", self.hikyaku("dkim", "retire", "dest.example", "s2", "--json"))
        self.assertTrue(retired["record_until"])
        self.place.file(os.path.relpath(self.daemon.config, self.place.path), before)
        self.ask("reload", "POST", "/v1/reload", {})

    def test_nothing_answers_in_json_without_a_schema(self):
        """By the help of each command, and by the page about the control socket."""
        with open(os.path.join(ROOT, "tests", "interop", "contracts_test.py"), encoding="utf-8") as file:
            asked = re.sub(r'", f?"', " ", file.read())
        with_json = [words for words, text in commands() if "--json" in text and words != "queue"]
        self.assertGreater(len(with_json), 8)
        self.assertEqual([words for words in with_json if not re.search(rf'\("{words}\b', asked)], [])
        with open(os.path.join(ROOT, "daemon", "CONTROL.md"), encoding="utf-8") as file:
            requests = re.findall(r"^\| `((?:GET|POST) /[^?`]*)", file.read(), re.MULTILINE)
        self.assertGreater(len(requests), 8)
        plain = re.sub(r"/\{[^}]*\}/", "/ID/", asked)
        self.assertEqual([each for each in requests if each != "GET /metrics" and each not in plain], [])


def commands(*words):
    """Each command with its help, by `--help` of the one above it."""
    text = subprocess.run([binary("hikyaku"), *words, "--help"], capture_output=True, text=True, check=True).stdout
    yield " ".join(words), text
    for name in re.findall(r"^  ([a-z]+) ", text.partition("Subcommands:\n")[2], re.MULTILINE):
        if name != "help":
            yield from commands(*words, name)


class Terminals(Frame):
    def at_terminal(self, width, *words, env=None):
        env = os.environ | {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | (env or {})
        terminal = Terminal([binary("hikyaku"), "-c", self.daemon.config, *words], env, width)
        self.addCleanup(terminal.close)
        terminal.leave()
        return terminal

    def show(self, width, *words, env=None):
        """The lines that a terminal shows; what makes them bold is left out."""
        return re.sub("\x1b\\[[01]m", "", self.at_terminal(width, *words, env=env).screen).splitlines()

    def check_lines(self, lines, width):
        self.assertTrue(lines)
        for line in lines:
            self.assertNotRegex(line, "[\x00-\x1f\x7f-\x9f\u202a-\u202e]")
            self.assertTrue(columns_of(line) <= width or is_unbreakable(line), f"{columns_of(line)} columns:\n{line}")

    def test_every_page_fits_the_terminal(self):
        held = self.fill()
        ids = [mail["id"] for mail in self.control.pages(100)]
        of_mail = [["status"], ["queue"], ["queue", "--all"], ["queue", "--by", "reason"], ["queue", "--by", "sender"],
                   *(["queue", "show", one] for one in ids)]
        self.check_pages([*of_mail, ["explain", "--from", "anna", "--to", f"root@{'department.' * 9}example"], ["check", "main"],
                          ["spool", "check"], ["authinfo", "list"], ["presets"], ["presets", "gmail"], ["presets", "ses"],
                          *([*words.split(), "--help"] for words, _ in commands())])
        self.check_names_and_replies(held, ids)
        self.check_columns()
        self.check_narrow_and_piped(ids)
        self.motley.pause(self.daemon)
        self.check_pages([*of_mail, ["check"]])

    def check_pages(self, pages):
        for width in WIDTHS:
            for words in pages:
                with self.subTest(words=words, width=width):
                    self.check_lines(self.show(width, *words), width)

    def check_names_and_replies(self, held, ids):
        """Names stay readable; what a reply has in it to steer a terminal is shown as escapes."""
        overview, everything = "".join(self.show(200, "queue")), "".join(self.show(200, "queue", "--all"))
        self.assertIn(held, overview)
        self.assertIn("<配送状況のお知らせ.担当者@飛脚運送.例え.jp>", overview)
        shown = "".join(line for one in ids for line in self.show(200, "queue", "show", one))
        for text in (everything, shown):
            self.assertIn("\\x1b[31mred\\x1b[0m \\x07bell", text)
            self.assertIn("\\u{202e}reversed", text)

    def check_columns(self):
        """Each cell begins below its heading, whatever stands before it."""
        for width in WIDTHS:
            lines = self.show(width, "queue")
            head = next(line for line in lines if line.startswith("ID "))
            rows = [line for line in lines[lines.index(head) + 1:] if not line.startswith("...")]
            self.assertEqual(len(rows), len(list(self.control.pages(100))))
            for row in rows:
                self.assertRegex(row[head.index("STATE"):], "^(active |waiting|held   ) [A-Z][a-z]{2} [ 0-9][0-9] ")
                self.assertEqual(row[head.index("FROM") - 1:][:2], " <")
            head, *rows = "\n".join(self.show(width, "presets")).split("\n\n")[0].splitlines()
            self.assertEqual("SERVER" in head, width == 200)
            for row in rows:
                for cell in head.split():
                    self.assertRegex(row[head.index(cell) - 1:] if cell != "NAME" else " " + row, "^ [^ ]")

    def check_narrow_and_piped(self, ids):
        self.check_lines(self.show(80, "queue", "--all", env={"COLUMNS": "50"}), 50)
        self.assertEqual(self.show(80, "queue", "--all", env={"COLUMNS": "nonsense"}), self.show(80, "queue", "--all"))
        os.environ["COLUMNS"] = "30"
        self.addCleanup(os.environ.pop, "COLUMNS")
        self.assertEqual([line[:13] for line in self.hikyaku("queue", "--all").splitlines()], ids)  # a line a mail
        self.assertNotIn("\n               ", self.hikyaku("status", code=1))

    def test_colours_are_for_terminals_that_want_them(self):
        self.daemon.submit(CONTENT, recipients=[Motley.SENT])
        for env, has_some in (({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)):
            terminal = self.at_terminal(80, "queue", env=env)
            self.assertEqual("\x1b" in terminal.screen, has_some, env)
        self.assertNotIn("\x1b", self.hikyaku("queue"))


def columns_of(text):
    """By Unicode's own tables."""
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def is_unbreakable(line):
    """One word, or what is to be pasted."""
    return not re.search(" ", re.sub("`[^`]*`", "", line.strip()))


if __name__ == "__main__":
    main()
