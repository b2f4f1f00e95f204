#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the real daemon tells a monitoring system: promtool, the Prometheus project's own judge, reads the metrics and our
alarms; alarms and dashboard speak of nothing that the daemon does not tell."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

from rig import Case, main, until
from rig.control import Control
from rig.hikyakud import binary
from rig.process import Process

ETC = pathlib.Path(__file__).resolve().parents[2] / "etc"
RULES = ETC / "prometheus" / "hikyaku.rules.yaml"
DASHBOARD = ETC / "grafana" / "hikyaku.json"
PORT, SINK_PORT = 9725, 2527
CONTENT = b"Subject: x\r\n\r\nbody\r\n"
DELIVERED = 'hikyaku_recipients_delivered_total{smarthost="main"}'
CERTIFICATE = 'hikyaku_smarthost_certificate_left_seconds{smarthost="main"}'
DAY = 86400
OVER_TLS = 'hikyaku_smarthost_tls_connections_total{{smarthost="main",version="{}"}}'
REFUSED = 'hikyaku_recipients_failed_total{reason="recipient_refused",smarthost="main"}'


class Metrics(Case):
    @classmethod
    def start_peers(cls):
        cls.catcher.refuse = lambda _, recipients: "550 5.1.1 nobody" if "nobody@dest.example" in recipients else None

    def setUp(self):
        self.host = {"name": "main", "host": self.place.address, "port": self.catcher.port, "tls": "none", "rate": "1000/day"}
        self.run_hikyakud({"smarthosts": [self.host], "metrics": f"{self.place.address}:{PORT}"})
        self.control = Control(self.place.join("hikyakud", "run", "control.sock"))

    def ask(self, target, data=None):
        """Status, type and text."""
        try:
            with urllib.request.urlopen(f"http://{self.place.address}:{PORT}{target}", data, timeout=60) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def series(self):
        lines = self.ask("/metrics")[2].splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def promtool(self, *words, text=None):
        tool = os.path.join(self.place.peers, "prometheus", "usr", "bin", "promtool")
        done = subprocess.run([tool, *words], input=text, capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def hikyaku(self, *words):
        return subprocess.run([binary("hikyaku"), *words, "-c", self.daemon.config], capture_output=True, text=True,
                              check=False, timeout=120)

    def test_promtool_finds_no_fault_and_the_counts_are_those_of_the_mail(self):
        before = self.series()
        self.assertEqual((before[DELIVERED], before[REFUSED]), ("0", "0"))
        self.assertEqual([before[OVER_TLS.format(version)] for version in ("1.2", "1.3", "none")], ["0", "0", "0"])
        self.assertEqual([before[f"hikyaku_drops_{kind}"] for kind in ("waiting", "taken_total", "refused_total")], ["0"] * 3)
        self.daemon.submit(CONTENT)
        self.catcher.wait()
        self.daemon.submit(CONTENT, recipients=("nobody@dest.example",))
        self.catcher.wait(wanted=lambda mail: mail.sender == "")  # the bounce
        until(lambda: self.series()[DELIVERED] == "2", 60, "both mails are counted")
        after = self.series()
        self.assertEqual((after[REFUSED], after['hikyaku_notices_total{kind="failed"}']), ("1", "1"))
        self.assertEqual(after["hikyaku_accepted_messages_total"], "2")
        self.assertEqual(after[OVER_TLS.format("none")], after['hikyaku_smarthost_connections_opened_total{smarthost="main"}'])
        self.assertGreaterEqual(int(after['hikyaku_client_connections_total{over="tcp"}']), 2)
        self.assertGreaterEqual(int(after["hikyaku_spool_flush_seconds_count"]), 4)  # both mails, their ends, the bounce
        status, kind, text = self.ask("/metrics")
        self.assertEqual((status, kind), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.promtool("check", "metrics", text=text)
        self.assertNotIn("dest.example", text)
        self.assertEqual(set(re.findall(r"^# TYPE (\S+)", self.control.get("/metrics"), re.M)),
                         set(re.findall(r"^# TYPE (\S+)", text, re.M)))

    def test_alarms_and_dashboard_know_only_what_there_is(self):
        self.promtool("check", "rules", str(RULES))
        panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        asked = [target["expr"] for panel in panels for target in panel["targets"]]
        asked += re.findall(r"expr: (.*)", RULES.read_text(encoding="utf-8"))
        names = {name for text in asked for name in re.findall(r"hikyaku_[a-z_]+", text)}
        known = {series.partition("{")[0] for series in self.series()} | {CERTIFICATE.partition("{")[0]}
        self.assertGreater(len(names), 10)
        self.assertEqual(names - known, set())

    def test_how_long_a_certificate_holds_is_told_once_a_mail_has_gone_there(self):
        sink = Process([binary("hikyaku"), "sink", "--listen", f"{self.place.address}:{SINK_PORT}", "--tls", "implicit"],
                       self.place.part().join("out"))  # its certificate is made anew, for 30 days
        self.addCleanup(sink.kill)
        until(lambda: str(SINK_PORT) in sink.said() or not sink.runs(), 60, "the sink listens")
        self.daemon.configure({"smarthosts": [self.host | {"port": SINK_PORT, "tls": "implicit", "tls_verify": False}],
                               "metrics": f"{self.place.address}:{PORT}"})
        self.daemon.reload()
        self.assertNotIn(CERTIFICATE, self.series())
        for _ in range(2):  # the second session may be resumed
            self.daemon.submit(CONTENT)
        until(lambda: self.series()[DELIVERED] == "2", 60, "both mails are delivered")
        self.assertGreaterEqual(int(self.series()[OVER_TLS.format("1.3")]), 1)
        left = float(self.series()[CERTIFICATE])
        self.assertTrue(29 * DAY < left <= 30 * DAY, left)

    def test_health_is_no_matter_of_smarthosts_and_the_port_serves_nothing_else(self):
        self.daemon.configure({"smarthosts": [self.host | {"port": 1}], "metrics": f"{self.place.address}:{PORT}"})
        self.daemon.reload()
        self.daemon.submit(CONTENT)
        until(lambda: self.series()['hikyaku_smarthost_paused{smarthost="main"}'] == "1", 60, "the smarthost is paused")
        paused = self.series()
        self.assertEqual(paused['hikyaku_smarthost_pauses_total{smarthost="main"}'], "1")
        self.assertGreaterEqual(int(paused['hikyaku_smarthost_connections_failed_total{reason="refused",smarthost="main"}']), 1)
        self.assertEqual(self.ask("/healthz")[0], 200)
        for question in ("--live", "--ready"):
            done = self.hikyaku("health", question)
            self.assertEqual((done.returncode, done.stdout), (0, "ready to take mail\n"))
        self.assertEqual([self.ask(target)[0] for target in ("/v1/status", "/v1/queue", "/")], [404, 404, 404])
        self.assertEqual([self.ask(target, b"{}")[0] for target in ("/v1/reload", "/metrics")], [404, 405])
        self.daemon.configure({"smarthosts": [self.host], "metrics": None})
        self.assertIn("needs a restart to change: metrics", self.hikyaku("reload").stdout)
        self.daemon.stop()
        gone = self.hikyaku("health", "--live")
        self.assertEqual((gone.returncode, gone.stderr), (1, ""))
        self.assertIn("hikyakud is not running", gone.stdout)


if __name__ == "__main__":
    main()
