# SPDX-License-Identifier: MIT
"""Sendmail 8.17 as a smarthost, its sendmail.cf made by m4 as an administrator would."""

import socket
import subprocess
import threading

from .room import Room
from .smarthost import Smarthost

CONFIG = """divert(0)dnl
OSTYPE(`linux')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
undefine(`ALIAS_FILE')dnl
define(`STATUS_FILE',`')dnl
define(`QUEUE_DIR',`/var/spool/queue')dnl
define(`confPID_FILE',`/var/spool/pid')dnl
define(`confDOMAIN_NAME',`smtp.interop.test')dnl
define(`confBIND_OPTS',`')dnl
define(`confLOG_LEVEL',`14')dnl
define(`confMAX_DAEMON_CHILDREN',`0')dnl
define(`confREFUSE_LA',`1000')dnl
define(`confQUEUE_LA',`1000')dnl
define(`confDELAY_LA',`0')dnl
define(`confTRUSTED_USERS',`root')dnl
define(`confTO_IDENT',`0')dnl
define(`SMART_HOST',`relay:[{catcher.address}]')dnl
define(`RELAY_MAILER_ARGS',`TCP $h {catcher.port}')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port={port},Addr={address},Name=MTA')dnl
MAILER(`smtp')dnl
"""


class Syslog:
    """A stand-in for /dev/log that keeps what it is told."""

    def __init__(self, path):
        self.text = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while line := self._socket.recv(1 << 16):
            self.text += line.decode(errors="replace").rstrip("\n\0") + "\n"

    def close(self):
        if self._socket.fileno() >= 0:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


class Sendmail(Smarthost):
    # It says so of what `hikyaku check` begins and takes back, too: that is root's.
    ACCEPTED = r"from=<(?!root@)\S*>, size=\d+, class=0, nrcpts="
    EVERYDAY = [r"\]: \w{14}: (?:from=<|to=<.* stat=(?:Sent|RSET)|done; |SMTP outgoing connect on |Milter: no active filter$)",
                r"\]: (?:NOQUEUE: connect from |AUTH: available mech=|poststats: statistics: No such file)",
                # Of `hikyaku probe`.
                r"\]: \w{14}: \S+ \[\S+\] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA$",
                # At start, and at the end.
                r"\]: (?:starting daemon |started as: |STARTTLS: ServerCertFile missing$|gethostbyaddr|engine=)",
                r"\]: (?:error: safesasl|NOQUEUE: stopping daemon, )"]

    def prepare(self):
        self._room = Room(self.place, "sendmail", {})
        self._room.directory("spool", at="/var/spool")
        self._room.directory("spool/queue", 0o700)
        self._syslog = Syslog(f"{self._room.here}/syslog")
        self._room.syslog(f"{self._room.here}/syslog")

    def launch(self):
        root = f"{self.place.peers}/sendmail"
        return self._room.run([f"{root}/usr/libexec/sendmail/sendmail", "-C", self._compile(root), "-bD", "-q1m"])

    def stop(self):
        super().stop()
        self._syslog.close()

    def log(self):
        return self._process.said() + self._syslog.text

    def _compile(self, root):
        source = self._room.file("sendmail.mc", CONFIG.format(catcher=self.catcher, port=self.port,
                                                              address=self.place.address))
        folder = f"{root}/usr/share/sendmail/cf"
        made = subprocess.run([f"{root}/usr/bin/m4", f"-D_CF_DIR_={folder}/", f"{folder}/m4/cf.m4", source],
                              capture_output=True, text=True, check=True)
        return self._room.file("sendmail.cf", made.stdout)
