# SPDX-License-Identifier: MIT
"""Exim as a smarthost. It waits 20 ms for a client that talks before its turn (smtp_enforce_sync, on as it comes)."""

from .room import Room
from .smarthost import Smarthost

EXIM_ID = 64010
CONFIG = """
primary_hostname = smtp.interop.test
exim_path = {program}
spool_directory = {here}/spool
log_file_path = {here}/log/%slog
pid_file_path = {here}/pid
log_selector = +all_parents +smtp_connection +smtp_incomplete_transaction +smtp_no_mail +smtp_protocol_error \\
  +smtp_syntax_error
local_interfaces = {address}
daemon_smtp_ports = {port}
disable_ipv6
keep_environment = LD_LIBRARY_PATH
# No delivery as root, because the program is not set-user-id here.
deliver_drop_privilege
# It has no DNS server to ask for a key; dkimpy verifies.
acl_smtp_rcpt = accept control = dkim_disable_verify
acl_smtp_data = accept
host_lookup =
rfc1413_hosts =
{tls}
message_size_limit = 40M
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
begin routers
smart:
  driver = manualroute
  route_list = * {catcher.address}
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = {catcher.port}
  message_linelength_limit = 100000
begin retry
* * F,2h,1m
"""


TLS = "tls_advertise_hosts = *\ntls_certificate = {certificate.cert}\ntls_privatekey = {key}"


class Exim(Smarthost):
    ACCEPTED = r"^\S+ \S+ \S+ <= "
    EVERYDAY = [r"^\S+ \S+ (?:\S+ (?:<=|=>|->) |\S+ Completed$)", r" exim \S+ daemon started", r" (?:Start|End) queue run: ",
                r" SMTP connection from .* (?:closed by QUIT|\(TCP/IP connection count = \d+\))$",
                # Of `hikyaku check` and `hikyaku probe`.
                r" incomplete transaction \(RSET\) from <root@", r" no MAIL in SMTP connection from .* C=EHLO,QUIT$"]

    def prepare(self):
        self._room = Room(self.place, "exim", {"Debian-exim": EXIM_ID})
        self._room.directory("spool", owner=EXIM_ID)
        self._room.directory("log", owner=EXIM_ID)

    def launch(self):
        program = f"{self.place.peers}/exim/usr/sbin/exim4"
        config = self._room.file("exim.conf", CONFIG.format(program=program, here=self._room.here, port=self.port, tls=self.tls(),
                                                            address=self.place.address, catcher=self.catcher))
        return self._room.run([program, "-C", config, "-bdf", "-q1m"])

    def tls(self):
        """It reads the key as its own user."""
        if not self.certificate:
            return "tls_advertise_hosts ="
        with open(self.certificate.key, encoding="ascii") as key:
            own = self.place.file("exim.key", key.read(), 0o600, EXIM_ID)
        return TLS.format(certificate=self.certificate, key=own)

    def log(self):
        """All its logs: what goes into the reject log and the panic log counts, too."""
        return self._process.said() + "".join(self._room.read(f"log/{name}log") for name in ("main", "reject", "panic"))
