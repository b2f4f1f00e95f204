# SPDX-License-Identifier: MIT
"""OpenSMTPD as a smarthost, with its own accounts and its queue in a room where it expects them."""

from .room import Room
from .smarthost import Smarthost

ACCOUNTS = {"opensmtpd": 64020, "opensmtpq": 64021}
# As it comes it opens a connection every five seconds for a relay, and closes it after a hundred messages.
CONFIG = """
mta limit max-conn-per-route 10 max-conn-per-host 10 conn-delay-route 0 conn-delay-relay 0 reconn-delay-route 0
mta limit task-hiwat 10000 task-lowat 5000
smtp limit max-mails 100000
smtp max-message-size 40M
listen on {address} port {port} hostname smtp.interop.test
action "relay" relay host smtp://{catcher.address}:{catcher.port}
match from any for any action "relay"
"""


class OpenSmtpd(Smarthost):
    ACCEPTED = r" smtp message "
    EVERYDAY = [r"^\w{16} smtp (?:connected|message|envelope|disconnected reason=quit$)",
                r"^\w{16} mta (?:connecting|connected$|delivery .* result=\"Ok\"|disconnected reason=quit)",
                # At start, and at the end; its processes begin and end in any order.
                r"^info: OpenSMTPD \S+ starting$", r"^warn: purge_task: opendir: No such file", r"^Exiting$",
                r"^warn: \w+ -> \w+: imsg_read: Connection reset by peer$", r"^\w+: exiting: Connection reset"]

    def prepare(self):
        self._room = Room(self.place, "opensmtpd", ACCOUNTS)
        self._room.directory("lib", at="/var/lib")
        self._room.directory("lib/opensmtpd/empty")
        self._room.directory("spool", at="/var/spool")
        self._room.directory("spool/smtpd", 0o711)
        self._room.directory("run", at="/run")

    def launch(self):
        config = self._room.file("smtpd.conf", CONFIG.format(address=self.place.address, port=self.port,
                                                             catcher=self.catcher))
        return self._room.run([f"{self.place.peers}/opensmtpd/usr/sbin/smtpd", "-d", "-f", config])
