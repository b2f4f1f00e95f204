# SPDX-License-Identifier: MIT
"""`hikyaku probe`, where /etc/hosts names the smarthosts and the machine trusts the tests' authority."""

import json
import os
import subprocess

from .hikyakud import NAMESPACE, binary
from .terminal import Terminal


class Prober:
    """`dns`: the name server for records, ADDRESS:PORT; without one all look-ups are refused."""

    def __init__(self, place, authority, dns=None):
        self._place = place
        self._env = os.environ | {"SSL_CERT_FILE": authority.cert}
        settings = {"hostname": "app.interop.test", "dns": dns or f"{place.address}:1"}
        self._config = place.file("probe.yaml", json.dumps(settings))

    def says(self, *arguments, returncode=0, password=None):
        """All that it prints; `password` comes over a pipe."""
        words = [*self._command(*arguments), *(["--password-file", "-"] if password else [])]
        return self.run(words, returncode, password)

    def finds(self, *arguments, returncode=0, password=None):
        """The same as JSON."""
        return json.loads(self.says("--json", *arguments, returncode=returncode, password=password))

    def at_terminal(self, *arguments):
        return Terminal([*NAMESPACE, self._place.hosts, *self._command(*arguments)], self._env)

    def _command(self, *arguments):
        return [binary("hikyaku"), "probe", "-c", self._config, *arguments]

    def run(self, words, returncode=0, given=None):
        """Any command in the same surroundings."""
        done = subprocess.run([*NAMESPACE, self._place.hosts, *words], input=given or "", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=120, env=self._env)
        assert done.returncode == returncode, f"{words} left with {done.returncode}:\n{done.stdout}"
        return done.stdout
