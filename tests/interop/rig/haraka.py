# SPDX-License-Identifier: MIT
"""Haraka, from npm, as a smarthost."""

import os

from .process import Process
from .smarthost import Smarthost

FILES = {
    "config/me": "smtp.interop.test\n",
    "config/plugins": "take_all\nqueue/smtp_forward\n",
    "config/log.ini": "[main]\nlevel=info\ntimestamps=false\nformat=default\n",
    "config/smtp.ini": "listen={address}:{port}\nnodes=0\n",
    "config/smtp_forward.ini": "host={catcher.address}\nport={catcher.port}\n",
    "plugins/take_all.js": "'use strict'\nexports.hook_rcpt = (next) => next(OK)\n",
    "package.json": "{{}}\n",
}


class Haraka(Smarthost):
    ACCEPTED = r"^\[NOTICE\] \[\S+\] \[core\] queue .*"
    EVERYDAY = [r"^\[NOTICE\] \[\S+\] \[core\] (?:connect|disconnect .* errors=0 |sender|recipient|message|queue code=OK)",
                r"^\[INFO\] \[\S+\] \[\S+\] +(?:hook=|\[smtp_client\]|forwarding)",
                # At start, and at the end.
                r"^\[INFO\] \[\S+\] \[\S+\] +(?:load|Load|.* files in)",
                r"^Using iconv-lite|^log|^loaded |^Starting up Haraka",
                r"^\[ERROR\] \[-\] \[core\] tls (?:key|cert) \S+ could not be loaded",
                r"^\[NOTICE\] \[-\] \[server\] Listening",
                r"^\[NOTICE\] \[-\] \[\S+\] (?:Shutting|.* shut)"]

    def prepare(self):
        self._program = f"{self.place.peers}/haraka/node_modules/Haraka"
        self._here = self.place.directory("haraka")
        for name, text in FILES.items():
            self.place.directory(f"haraka/{os.path.dirname(name)}")
            self.place.file(f"haraka/{name}", text.format(address=self.place.address, port=self.port,
                                                          catcher=self.catcher))

        # 992 as it comes, where RFC 5321 4.5.3.1.6 asks for 1000 and a doubled dot: longer lines it would break.
        with open(f"{self._program}/config/connection.ini", encoding="utf-8") as file:
            own = file.read()
        self.place.file("haraka/config/connection.ini", own.replace("data_line_length=992", "data_line_length=1001"))

    def launch(self):
        return Process(["node", f"{self._program}/bin/haraka", "-c", self._here], f"{self._here}/out")
