# SPDX-License-Identifier: MIT
"""Machines that are only namespaces: each has a network of its own with cables to switches, which are bridges of the test's
own network, and file systems of its own. What runs on one ends without it; a cable is pulled somewhere on its way, so that
the machine sees nothing of it but silence."""

import itertools
import subprocess

from rig_common.waiting import until

from .process import Process

HOLD = 'ip link set lo up && echo ready && exec sleep infinity'
_numbers = itertools.count(1)


class Switch:
    """`network` is "10.77.1": the test itself has its address 1."""

    def __init__(self, name, network):
        self.name, self.network = name, network
        self.address = self.at(1)
        _ip("link", "add", name, "type", "bridge")
        _ip("address", "add", f"{self.address}/24", "dev", name)
        _ip("link", "set", name, "up")

    def at(self, number):
        return f"{self.network}.{number}"


class Machine:
    """It has the address `number` at each of the switches, and lasts until end()."""

    def __init__(self, place, number, switches):
        self._holder = Process(["unshare", "--net", "--mount", "--uts", "--", "sh", "-c", HOLD], place.part().join("machine"))
        until(lambda: self._holder.said() == "ready\n" or not self._holder.runs(), 60, "the namespaces are made")
        self._cables = {}
        for switch in switches:
            self._cables[switch] = cable = f"cable{next(_numbers)}"
            _ip("link", "add", cable, "type", "veth", "peer", "name", switch.name, "netns", str(self._holder.pid))
            self.plug(switch)
            self.run("ip", "address", "add", f"{switch.at(number)}/24", "dev", switch.name)
            self.run("ip", "link", "set", switch.name, "up")

    def plug(self, switch):
        _ip("link", "set", self._cables[switch], "master", switch.name, "up")

    def pull(self, switch):
        _ip("link", "set", self._cables[switch], "nomaster")

    def mount_memory(self, path, size):
        """A file system of so many bytes, with the mode and owner of the directory."""
        self.run("sh", "-c", 'mount -t tmpfs -o "size=$2,mode=$(stat -c %a "$1"),uid=$(stat -c %u "$1")" tmpfs "$1"', "sh", path,
                 str(size))

    def inside(self, command):
        return ["nsenter", "--net", "--mount", "--uts", f"--target={self._holder.pid}", "--", *command]

    def run(self, *command):
        done = subprocess.run(self.inside(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                              check=False)
        assert done.returncode == 0, f"{command} left with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def end(self):
        self._holder.kill()


def _ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=60)
