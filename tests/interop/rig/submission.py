# SPDX-License-Identifier: MIT
"""Dovecot's submission service as a smarthost: it answers for itself, and hands each command on to its relay. It takes
no mail without a log-in."""

from .dovecot import Dovecot
from .room import Room
from .smarthost import Smarthost

CONFIG = """
protocols = submission
listen = {address}
hostname = smtp.interop.test
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:/nonexistent
submission_relay_host = {catcher.address}
submission_relay_port = {catcher.port}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
"""


class Submission(Smarthost):
    ACCEPTED = r"Successfully relayed message"
    EVERYDAY = [r" Info: (?:Dovecot .* starting up|Login: |Disconnected: |Successfully relayed message)"]

    def launch(self):
        config = CONFIG.format(address=self.place.address, port=self.port, catcher=self.catcher)
        room = Room(self.place, "submission", {})
        room.add(f"{self.place.peers}/root/usr/lib", "/usr/lib")  # the login process has the path of its modules compiled in
        self._dovecot = Dovecot(self.place, ["PLAIN"], config, room)
        return self._dovecot.process

    def stop(self):
        self._dovecot.stop()

    def log(self):
        return self._process.said() + self._dovecot.log()
