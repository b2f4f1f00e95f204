# SPDX-License-Identifier: MIT
"""Postfix as a smarthost: one instance with as many listeners as the tests need, each with its own TLS mode, certificate
and log-in. What it takes it hands to the catcher, without a change below the header lines that it puts on top."""

import dataclasses
import os
import signal

from rig_common.waiting import until

from .listening import is_bound
from .process import Process, text_of

# Accounts that every Debian has; Postfix wants them distinct and unprivileged.
MAIN = """
compatibility_level = 3.6
queue_directory = {here}/queue
data_directory = {here}/data
daemon_directory = {library}/sbin
command_directory = {root}/usr/sbin
shlib_directory = {library}
meta_directory = {here}/etc
mail_owner = mail
setgid_group = games
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C TZ
maillog_file = {here}/log
maillog_file_prefixes = /
myhostname = {name}
inet_interfaces = loopback-only
inet_protocols = ipv4
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
default_transport = smtp:[{catcher.address}]:{catcher.port}
smtp_host_lookup = native
disable_dns_lookups = yes
default_database_type = texthash
smtputf8_enable = yes
message_size_limit = 100000000
smtpd_error_sleep_time = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_sasl_type = dovecot
smtpd_tls_session_cache_database =
smtpd_tls_loglevel = 1
smtpd_client_connection_count_limit = 0
local_header_rewrite_clients =
message_drop_headers =
disable_mime_input_processing = yes
disable_mime_output_conversion = yes
smtp_line_length_limit = 0
smtp_send_xforward_command = no
"""

MASTER = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# The queue's directories and whether mail_owner owns them; what `postfix start` would make.
DIRECTORIES = {"active": 1, "bounce": 1, "corrupt": 1, "defer": 1, "deferred": 1, "flush": 1, "hold": 1, "incoming": 1,
               "maildrop": 1, "pid": 0, "private": 1, "public": 1, "saved": 1, "trace": 1}
MAIL_UID, GAMES_GID = 8, 60


@dataclasses.dataclass
class Listener:
    """`options` are main.cf parameters for this port alone."""
    port: int
    options: dict


def starttls(certificate, **options):
    return {"smtpd_tls_security_level": "encrypt", "smtpd_tls_auth_only": "yes", **_files(certificate), **options}


def may_start_tls(certificate):
    return {"smtpd_tls_security_level": "may", **_files(certificate)}


def implicit(certificate, **options):
    return {"smtpd_tls_wrappermode": "yes", "smtpd_tls_security_level": "encrypt", **_files(certificate), **options}


def login(dovecot, **options):
    return {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_path": dovecot.socket,
            "smtpd_sasl_security_options": "noanonymous", **options}


def _files(certificate):
    return {"smtpd_tls_cert_file": certificate.cert, "smtpd_tls_key_file": certificate.key}


class Postfix:
    """Started by its constructor. start() and stop() may follow, any number of times."""

    def __init__(self, place, catcher, listeners, name="smtp.interop.test", extra="", folder="postfix"):
        self.address, self.listeners = place.address, listeners
        self.here = place.directory(folder)
        root = f"{place.peers}/root"
        self._library = f"{root}/usr/lib/postfix"
        self._make_directories()
        self._write("main.cf", MAIN.format(here=self.here, root=root, library=self._library, name=name,
                                           catcher=catcher) + extra)
        self._write("master.cf", MASTER + "".join(self._service(listener) for listener in listeners))
        self.process = None
        self.start()

    def start(self):
        self.process = Process(self._command(), f"{self.here}/out",
                               {"LD_LIBRARY_PATH": self._library, "MAIL_CONFIG": f"{self.here}/etc"})
        until(self._is_ready, 20, lambda: "postfix listens: " + self.process.said() + self.log())

    def stop(self):
        self.process.stop()

    def log(self):
        return text_of(f"{self.here}/log")

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def _command(self):
        return [f"{self._library}/sbin/master", "-d", "-c", f"{self.here}/etc"]

    def _is_ready(self):
        assert self.process.runs(), "postfix has ended: " + self.process.said() + self.log()
        return all(is_bound(self.address, listener.port) for listener in self.listeners)

    def _service(self, listener):
        options = "".join(f"  -o {{ {key} = {value} }}\n" for key, value in listener.options.items())
        return f"{self.address}:{listener.port} inet n - n - - smtpd\n{options}"

    def _write(self, name, text):
        """Dated back, because Postfix waits until a file that has just been changed is two seconds old."""
        path = f"{self.here}/etc/{name}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.utime(path, (0, 0))

    def _make_directories(self):
        for name in ("etc", "data", "queue", *(f"queue/{name}" for name in DIRECTORIES)):
            os.makedirs(f"{self.here}/{name}", exist_ok=True)
        os.chown(f"{self.here}/data", MAIL_UID, -1)
        for name, owned in DIRECTORIES.items():
            if owned:
                os.chown(f"{self.here}/queue/{name}", MAIL_UID, GAMES_GID if name in ("maildrop", "public") else -1)
