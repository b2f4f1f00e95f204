# SPDX-License-Identifier: MIT
"""What the servers have in common that the daemon relays through: they listen on a port of the place, take mail for
anybody, hand it to the catcher, and keep a log in which every line that is not everyday counts as a complaint. With an
address of their own and port 25 they are recipients' own servers."""

import re

from rig_common.waiting import until

from .listening import is_bound



class Smarthost:
    """Started by its constructor. With a certificate it offers STARTTLS. A subclass has EVERYDAY (regular expressions, one of which fits each everyday line of
    its log), ACCEPTED (one for the line that tells of a message taken), launch(), and prepare() if there is anything to."""

    def __init__(self, place, catcher, address=None, port=2500, certificate=None):
        self.place, self.catcher = place.part(), catcher
        self.place.address, self.port, self.certificate = address or place.address, port, certificate
        self.prepare()
        self._process = self.launch()
        until(self._is_ready, 20, lambda: f"{type(self).__name__} listens: {self.log()}")

    def prepare(self):
        """Makes what is there before it starts."""

    def stop(self):
        self._process.stop()

    def log(self):
        return self._process.said()

    def accepted(self):
        """How many messages it has taken, by its own account."""
        return len(re.findall(self.ACCEPTED, self.log(), re.MULTILINE))

    def complaints(self):
        everyday = re.compile("|".join(self.EVERYDAY))
        return [line for line in self.log().splitlines() if line and not everyday.search(line)]

    def _is_ready(self):
        assert self._process.runs(), f"{type(self).__name__} has ended: {self._process.said()}"
        return is_bound(self.place.address, self.port)
