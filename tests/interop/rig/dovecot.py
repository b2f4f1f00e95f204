# SPDX-License-Identifier: MIT
"""Dovecot, offering exactly the mechanisms it is told to; as it comes, nothing but the log-in behind Postfix."""

import base64
import os

from rig_common.waiting import until

from .credentials import OTHER_USER, PASSWORD, USER
from .process import Process, text_of

CONFIG = """
base_dir = {here}/run
state_dir = {here}/state
libexec_dir = {library}
ssl = no
log_path = {here}/log
auth_verbose = yes
auth_failure_delay = 0
auth_mechanisms = {mechanisms}
default_internal_user = mail
default_internal_group = mail
default_login_user = games
import_environment = LD_LIBRARY_PATH
passdb {{
  driver = passwd-file
  args = {here}/users
}}
userdb {{
  driver = static
  args = uid=8 gid=8 home=/nonexistent
}}
service auth {{
  user = root
  unix_listener {socket} {{
    mode = 0666
  }}
}}
# No growing delays for an address from which passwords were wrong.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
LOGIN_ALONE = """
protocols =
listen = 127.0.0.1
"""


class Dovecot:
    """Started by its constructor; knows USER and OTHER_USER, each with PASSWORD. `services` are lines of its
    configuration, `room` is where it runs if not here."""

    def __init__(self, place, mechanisms, services=LOGIN_ALONE, room=None):
        self.here = place.directory("dovecot-" + "-".join(mechanisms).lower())
        self.socket = f"{self.here}/auth"
        os.makedirs(f"{self.here}/state", exist_ok=True)
        root = f"{place.peers}/root"
        library = f"{root}/usr/lib/dovecot"
        with open(f"{self.here}/users", "w", encoding="utf-8") as users:
            for user in (USER, OTHER_USER):
                users.write(f"{user}:{{PLAIN.b64}}{_base64(PASSWORD)}\n")
        with open(f"{self.here}/dovecot.conf", "w", encoding="utf-8") as config:
            config.write(CONFIG.format(here=self.here, library=library, socket=self.socket,
                                       mechanisms=" ".join(mechanisms).lower()) + services)
        # As dovecot(1) calls it, but for the path: that of doveconf is compiled in.
        config = f"{self.here}/dovecot.conf"
        command = [f"{root}/usr/bin/doveconf", "-f", "service=master", "-c", config, "-m", "master", "-e",
                   f"{root}/usr/sbin/dovecot", "-F", "-c", config]
        self.process = Process(room.inside(command) if room else command, f"{self.here}/out",
                               {"LD_LIBRARY_PATH": f"{library}:{library}/modules/old-stats"})
        until(lambda: os.path.exists(self.socket) or not self.process.runs(), 20, "dovecot's socket is there")
        assert self.process.runs(), self.process.said() + self.log()

    def log(self):
        return text_of(f"{self.here}/log")

    def stop(self):
        self.process.kill()  # it holds no state, and takes seconds to say good-bye


def _base64(text):
    return base64.b64encode(text.encode()).decode()
