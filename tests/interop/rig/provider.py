# SPDX-License-Identifier: MIT
"""Providers that insist on an address, played as strictly as any of them is known to be: each has its row of demands, and
refuses, in its own words, a mail that does not meet them."""

import base64
import collections
import dataclasses
import email
import email.utils
import re
import socketserver
import ssl
import threading

from .catcher import ARRIVED, Mail
from .credentials import PASSWORD

COMMAND = re.compile(rb"(MAIL FROM|RCPT TO):<([^<>\s]*)>((?: [A-Z0-9]+(?:=[\x21-\x7e]+)?)*)\r\n")
ONCE = ["from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "return-path"]
NOBODY = "nobody@dest.example"


@dataclasses.dataclass(frozen=True)
class Provider:
    """`senders` and `writers`: the addresses, or @domains, that may stand in MAIL and in From; None is any. `also` names
    fields that are held to the same as From. `needs` is a field with one of its values."""

    name: str
    host: str
    port: int
    account: str
    senders: tuple = None
    takes_null: bool = True
    writers: tuple = None
    also: tuple = ()
    needs: tuple = None
    others: tuple = ()  # more accounts
    not_owned: str = "550 5.7.1 sender address not owned by the account"
    not_written: str = "550 5.7.1 this From is not the account's"


def _own(address):
    return (address,)


PROVIDERS = [
    Provider("docomo", "smtp.spmode.ne.jp", 465, "shop@docomo.ne.jp", _own("shop@docomo.ne.jp"), False,
             _own("shop@docomo.ne.jp"), not_owned="553 sender is not authorized", not_written="554 From is not authorized"),
    Provider("Yahoo! JAPAN", "ybbsmtp.mail.yahoo.co.jp", 465, "shop@yahoo.co.jp", _own("shop@yahoo.co.jp"), False,
             not_owned="553 Requested action not taken: mailbox name not allowed (#5.7.1)"),
    Provider("goo", "smtp.mail.goo.jp", 587, "shop@goo.jp", ("@goo.jp", "@shop.example.com"),
             not_owned="450 4.1.8 Sender address rejected: Domain not found"),
    Provider("Gmail", "smtp.gmail.com", 465, "shop@gmail.com", None, True, _own("shop@gmail.com")),
    Provider("Amazon SES", "email-smtp.eu-west-1.amazonaws.com", 587, "AKIAEXAMPLE", ("@shop.example.com",), False,
             ("@shop.example.com",), ("Sender", "Return-Path"), ("X-SES-CONFIGURATION-SET", "main"),
             not_owned="554 Message rejected: Email address is not verified",
             not_written="554 Message rejected: Email address is not verified"),
    Provider("Microsoft 365", "smtp.office365.com", 587, "shop@shop.example.com", _own("shop@shop.example.com"), False,
             _own("shop@shop.example.com"), ("Sender",), not_owned="550 5.7.60 SMTP; Client does not have permissions to "
             "send as this sender", not_written="554 5.2.252 SendAsDenied; shop@shop.example.com not allowed to send as x"),
]


def _fits(address, allowed):
    return allowed is None or address in allowed or f"@{address.rpartition('@')[2]}" in allowed


class ProviderDouble:
    """Listens at once. `mails` is what it has taken, `refusals` each refusal of a mail that did not meet the demands."""

    def __init__(self, provider, address, certificate):
        self.provider, self.mails, self.refusals = provider, [], []
        self.logins = []  # the account that each of the mails came from
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate.cert, certificate.key)
        self._server = _Server((address, provider.port), self)
        threading.Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def objection(self, sender, announced, content):
        """The refusal of a mail that has come completely, or None."""
        provider, message = self.provider, email.message_from_bytes(content)
        counts = collections.Counter(name.lower() for name in message.keys())
        if re.search(rb"(?<!\r)\n|\r(?!\n)", content):
            return "451 See http://pobox.com/~djb/docs/smtplf.html."
        if message.defects or not counts["from"] or not counts["date"]:
            return "554 the header is broken"
        if [name for name in ONCE if counts[name] > 1]:
            return "550 5.7.1 messages with multiple addresses in From, or with several of a field, are not accepted"
        if announced != len(content):
            return f"552 SIZE={announced} was announced, {len(content)} have come"
        if provider.needs and message[provider.needs[0]] != provider.needs[1]:
            return f"554 the field {provider.needs[0]} does not name a configuration set that exists"
        return self._objection_to_writers(message)

    def _objection_to_writers(self, message):
        for name in ("From", *self.provider.also):
            writers = [address for _, address in email.utils.getaddresses(message.get_all(name, []))]
            if not all(_fits(writer, self.provider.writers) for writer in writers):
                return self.provider.not_written
            if name == "From" and len(writers) != 1:
                return "550 5.7.1 From must have one address"
        return None


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address, double):
        self.double = double
        super().__init__(address, _Session)

    def get_request(self):
        connection, peer = super().get_request()
        connection.settimeout(60)
        return connection, peer

    def handle_error(self, request, client_address):
        pass  # a client that has gone away


class _Session(socketserver.BaseRequestHandler):
    def handle(self):
        self.double, self.provider = self.server.double, self.server.double.provider
        self.is_secure = self.is_logged_in = False
        self.stream = self.request.makefile("rwb")
        if self.provider.port == 465:
            self.secure()
        self.reset()
        self.reply("220 ready")
        while (line := self.stream.readline()) and self.obey(line):
            pass

    def finish(self):
        self.stream.close()
        self.request.close()

    def secure(self):
        self.request = self.double.tls.wrap_socket(self.request, server_side=True)
        self.stream, self.is_secure = self.request.makefile("rwb"), True

    def reset(self):
        self.sender, self.announced, self.recipients = None, 0, []

    def reply(self, text):
        self.stream.write(text.encode() + b"\r\n")
        self.stream.flush()
        return True

    def refuse(self, text):
        self.double.refusals.append(text)
        return self.reply(text)

    def obey(self, line):
        if not line.endswith(b"\r\n"):
            return self.refuse("500 a command ends with CR LF")
        verb = line.split()[0].upper() if line.split() else b""
        act = {b"EHLO": self.on_ehlo, b"STARTTLS": self.on_starttls, b"AUTH": self.on_auth, b"MAIL": self.on_mail,
               b"RCPT": self.on_rcpt, b"DATA": self.on_data, b"RSET": self.on_rset, b"QUIT": self.on_quit}
        return act.get(verb, self.on_other)(line)

    def on_ehlo(self, _):
        tls = ["AUTH PLAIN LOGIN"] if self.is_secure else ["STARTTLS"]
        names = [self.provider.host, "SIZE 15727616", "8BITMIME", "PIPELINING", *tls]
        return self.reply("\r\n".join(f"250{' ' if name is names[-1] else '-'}{name}" for name in names))

    def on_starttls(self, _):
        self.reply("220 go on")
        self.secure()
        return True

    def on_auth(self, line):
        _, mechanism, response = line.split()
        _, user, password = base64.b64decode(response).decode().split("\0")
        self.user = user
        is_known = user in (self.provider.account, *self.provider.others)
        self.is_logged_in = is_known and (mechanism, password) == (b"PLAIN", PASSWORD)
        return self.reply("235 2.7.0 accepted" if self.is_logged_in else "535 5.7.8 bad credentials")

    def on_mail(self, line):
        command = COMMAND.fullmatch(line)
        if not command:
            return self.refuse("501 Syntax error")
        if not self.is_logged_in:
            return self.refuse("530 5.7.0 Authentication required")
        sender = command[2].decode()
        if not (_fits(sender, self.provider.senders) if sender else self.provider.takes_null):
            return self.refuse(self.provider.not_owned)
        self.sender = sender
        self.announced = int(dict(word.split("=") for word in command[3].decode().split())["SIZE"])
        return self.reply("250 ok")

    def on_rcpt(self, line):
        command = COMMAND.fullmatch(line)
        if not command or self.sender is None:
            return self.reply("501 Syntax error")
        if command[2].decode() == NOBODY:
            return self.reply("550 5.1.1 no such user")
        self.recipients.append(command[2].decode())
        return self.reply("250 ok")

    def on_data(self, _):
        if not self.recipients:
            return self.reply("503 nobody to send it to")
        self.reply("354 go ahead")
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        content = b"".join(lines)
        refusal = self.double.objection(self.sender, self.announced, content)
        if refusal:
            return self.refuse(refusal)
        self.double.logins.append(self.user)
        ARRIVED.append(content)
        self.double.mails.append(Mail(self.sender, self.recipients, content))
        return self.on_rset(_)

    def on_rset(self, _):
        self.reset()
        return self.reply("250 ok")

    def on_quit(self, _):
        self.reply("221 bye")
        return False

    def on_other(self, _):
        return self.reply("502 not here")
