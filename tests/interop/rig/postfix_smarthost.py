# SPDX-License-Identifier: MIT
"""Postfix as a smarthost whose log is looked through. It refuses what calls itself spam."""

from .postfix import Listener, Postfix, may_start_tls
from .smarthost import Smarthost

OPEN = {"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject"}


class PostfixSmarthost(Smarthost):
    ACCEPTED = r"/cleanup\[\d+\]: \w+: message-id="
    # In the count of commands, one that was refused has a fraction: mail=3/4.
    EVERYDAY = [r"/smtpd\[\d+\]: (?:connect from |\w+: client=|disconnect from \S+(?: [a-z]+=\d+)+$)",
                r"/cleanup\[\d+\]: \w+: message-id=", r"/qmgr\[\d+\]: \w+: (?:from=<|removed$)",
                r"/smtp\[\d+\]: \w+: to=<.* status=sent ",
                # It compares two clocks that tick at different times.
                r": warning: (?:file system clock is 1 seconds ahead of|resetting file time stamps)",
                # At start, and at the end.
                r"/postfix-script|/master\[\d+\]: (?:daemon started|terminating on signal 15)|postfix/postlog"]

    def launch(self):
        checks = self.place.file("header_checks", "/^Subject: spam/ REJECT 5.7.1 this is spam\n")
        options = OPEN | (may_start_tls(self.certificate) if self.certificate else {})
        self._postfix = Postfix(self.place, self.catcher, [Listener(self.port, options)],
                                extra=f"header_checks = regexp:{checks}\n")
        return self._postfix.process

    def log(self):
        return self._postfix.log()
