# SPDX-License-Identifier: MIT
"""The relays that are measured, each with an empty spool of its own, given the same work and the same smarthost.

A relay starts with its constructor. kill() is kill -9 of all its processes, start() starts it again on the same spool,
deliver() has it try at once what waits, and flushes() tells what it has flushed so far, counted from outside. `addresses` are
where it takes mail, with commas between them.
"""

import json
import os
import shutil
import struct
import subprocess

from rig import Listener, until
from rig import postfix
from rig.hikyakud import USER_ID, binary
from rig.process import Process
from rig.listening import listens

RELAY_PORT, SMARTHOST_PORT = 2525, 2526
CONNECTIONS = 20  # to the smarthost, or to each destination: Postfix's default, and so ours
# What the rig's Postfix is told not to do: to ask the DNS for the recipients' own servers.
DIRECT = """
default_transport = smtp
smtp_host_lookup = dns
disable_dns_lookups = no
"""


class FlushCounter:
    """A number that all processes of a relay share, and the environment that makes them count (flushes.cc)."""

    def __init__(self, place):
        self._path = place.file("flushes", "\0" * 8, 0o666)
        library = shutil.copy(binary("bench_flushes.so"), place.path)
        self.environment = {"LD_PRELOAD": library, "BENCH_FLUSHES": self._path}

    def count(self):
        with open(self._path, "rb") as counter:
            return struct.unpack("=Q", counter.read(8))[0]


class Hikyakud:
    name = "hikyaku"

    def __init__(self, place, queued=0, deferred_for=None, dns=None, signs=False, **settings):
        self.place, self._counter = place, FlushCounter(place)
        self._dns, self._signs, self.addresses = dns, signs, place.address
        # A copy: the checkout may lie where the user that the daemon becomes may not go.
        self._program = shutil.copy(binary("hikyakud"), place.path)
        self.config = place.file("hikyaku.yaml", json.dumps(self._settings() | settings))
        if queued:
            _fill(place.join("spool"), queued, deferred_for)
        self.start()

    def start(self):
        """Until it listens."""
        log = self.place.join("hikyakud.log")
        self._process = Process([self._program, "-c", self.config], log, self._counter.environment)
        until(lambda: listens(self.place.address, RELAY_PORT), 20, lambda: f"hikyakud listens: {self._process.said()}")

    def kill(self):
        self._process.kill()

    def deliver(self):
        """It does so by itself."""

    def flushes(self):
        return self._counter.count()

    @property
    def pid(self):
        return self._process.pid

    def memory(self, name):
        """Bytes: VmRSS, VmHWM (proc(5))."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(name + ":"))

    def processor_seconds(self):
        """Of all its threads so far, as proc(5) has them."""
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as status:
            user, system = status.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _make_keys(self):
        """None, or one for the domain of the load's From."""
        keys = self.place.directory("keys")
        if self._signs:
            key = subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                                 check=True, stdout=subprocess.PIPE, text=True).stdout
            self.place.directory("keys/src.example")
            self.place.file("keys/src.example/bench.key", key, 0o600, USER_ID)
        return keys

    def _settings(self):
        place = self.place
        smarthost = {"name": "sink", "connections": CONNECTIONS}
        if self._dns:
            smarthost |= {"url": "mx:"}
        else:
            smarthost |= {"host": place.address, "port": SMARTHOST_PORT, "tls": "none", "auth": "none"}
        return {"hostname": "relay.example", "listen": [f"{place.address}:{RELAY_PORT}"], "user": "nobody",
                "authinfo": place.file("authinfo", "", 0o600),
                "runtime_directory": place.directory("run", owner=USER_ID),
                "spool": {"directory": place.directory("spool", owner=USER_ID)},
                "dkim": {"directory": self._make_keys()},
                "smarthosts": [smarthost], "dns": self._dns and self._dns.endpoint}


def _fill(spool, queued, deferred_for):
    wait = [] if deferred_for is None else [deferred_for]
    subprocess.run([str(word) for word in [binary("bench_spool"), "fill", spool, queued, *wait]], check=True)
    for folder, _, files in os.walk(spool):
        for path in [folder, *(os.path.join(folder, file) for file in files)]:
            os.chown(path, USER_ID, -1)


class Postfix(postfix.Postfix):
    """A null client as Postfix's own documentation has it; what the rig sets beside that takes work from it."""

    name = "postfix"

    def __init__(self, place, port=RELAY_PORT, dns=None):
        self._counter, self.addresses = FlushCounter(place), place.address
        self._resolv_conf = place.file("resolv.conf", f"nameserver {dns.address}\n") if dns else None
        self._postqueue = f"{place.peers}/root/usr/sbin/postqueue"
        self.sendmail = f"{place.peers}/root/usr/sbin/sendmail"
        counting = " ".join(f"{name}={value}" for name, value in self._counter.environment.items())
        super().__init__(place, _Smarthost(place.address), [Listener(port, {})], name="relay.example", extra=f"""
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_destination_concurrency_limit = {CONNECTIONS}
export_environment = TZ MAIL_CONFIG LANG LD_LIBRARY_PATH
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C TZ {counting}
{DIRECT if dns else ""}""")

    @property
    def environment(self):
        """Of its commands."""
        return {"LD_LIBRARY_PATH": self._library}

    def kill(self):
        self.process.kill()

    def deliver(self):
        """Without this, what it deferred waits for five minutes."""
        subprocess.run([self._postqueue, "-c", f"{self.here}/etc", "-f"], check=True,
                       env=self.environment)

    def flushes(self):
        return self._counter.count()

    def _command(self):
        """With a name server of its own where it has to find one."""
        own = ["unshare", "--mount", "--", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"']
        return [*(own + [self._resolv_conf] if self._resolv_conf else []), *super()._command()]

    def _write(self, name, text):
        """main.cf with each parameter once, as it was set last: postlogd hangs when it has too much to warn of."""
        if name == "main.cf":
            settings = dict(line.split(" =", 1) for line in text.splitlines() if line)
            text = "".join(f"{key} ={value}\n" for key, value in settings.items())
        super()._write(name, text)


class _Smarthost:
    """What the rig's Postfix wants to know about where mail goes."""

    def __init__(self, address):
        self.address, self.port = address, SMARTHOST_PORT
