# SPDX-License-Identifier: MIT
"""nsd as the DNS server: it answers for the zones it is given, as fast as it can, and refuses all others."""

import glob
import os
import socket
import struct

from rig_common.waiting import until

from .process import Process

CONFIG = """
server:
  ip-address: {address}@{port}
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  logfile: "{folder}/log"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
ZONE = "zone:\n  name: {name}\n  zonefile: {folder}/{name}.zone\n"
HEAD = "$ORIGIN {name}.\n$TTL 300\n@ SOA ns.{name}. root.{name}. 1 3600 600 86400 60\n@ NS ns.{name}.\nns A {address}\n"


class NameServer:
    """Started by its constructor. `zones` maps a zone's name to its records, as they stand in a zone file."""

    def __init__(self, place, zones, port=53):
        self.port = port
        self.address, self._folder = place.address, place.part().path
        config = CONFIG.format(address=place.address, port=self.port, folder=self._folder)
        for name, records in zones.items():
            self._write(f"{name}.zone", HEAD.format(name=name, address=place.address) + records)
            config += ZONE.format(name=name, folder=self._folder)
        root = f"{place.peers}/nsd"
        libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu") + glob.glob(f"{place.peers}/libraries/usr/lib/*-linux-gnu")
        command = [f"{root}/usr/sbin/nsd", "-d", "-c", self._write("nsd.conf", config)]
        self._process = Process(command, f"{self._folder}/out", {"LD_LIBRARY_PATH": ":".join(libraries)})
        until(lambda: self._answers() or not self._process.runs(), 20, "nsd answers")
        assert self._process.runs(), self.log()

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def stop(self):
        self._process.kill()

    def log(self):
        text = self._process.said()
        if os.path.exists(f"{self._folder}/log"):
            with open(f"{self._folder}/log", encoding="utf-8", errors="replace") as log:
                text += log.read()
        return text

    def _write(self, name, text):
        path = os.path.join(self._folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _answers(self):
        """Whether it answers the question for the root's SOA, with whatever."""
        question = struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + b"\0" + struct.pack(">HH", 6, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            try:
                asking.sendto(question, (self.address, self.port))
                return bool(asking.recv(512))
            except OSError:
                return False
