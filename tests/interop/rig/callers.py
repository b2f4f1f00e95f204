# SPDX-License-Identifier: MIT
"""Programs that call sendmail, each as it is used: by a shell line or a small script. Each sends one letter."""

import dataclasses
import email
import email.header
import re

TEXT = "Grüße, 日本語\n.\n..\n.three\nFrom here on\n\nEnde\n"
DATA = bytes(range(256)) * 40 + b"\r\n.\r\nMAIL FROM:<x>\r\n"


@dataclasses.dataclass
class Letter:
    subject: str
    attachment: str  # a file of DATA
    to: str = "you@dest.example"


@dataclasses.dataclass
class Caller:
    """`command` makes the command line from a Letter; the text comes on standard input."""

    name: str
    command: callable
    sender: str = "alice@app.interop.test"
    attaches: bool = True


def callers(scripts):
    """`scripts`: the folder of the small ones."""

    def script(name, program, sender, *words):
        path = f"{scripts}/{name}"
        return Caller(f"{name} {' '.join(words)}".strip(),
                      lambda letter: [*program, path, *words, letter.to, letter.subject, letter.attachment], sender)

    return [
        Caller("bsd-mailx", lambda letter: ["bsd-mailx", "-s", letter.subject, "-a", "Content-Type: text/plain; charset=UTF-8",
                                            letter.to], attaches=False),
        Caller("s-nail", lambda letter: ["s-nail", "-n", "-s", letter.subject, "-a", letter.attachment, letter.to]),
        Caller("mailutils", lambda letter: ["mail.mailutils", "-E", "set nodot", "-s", letter.subject, "-A", letter.attachment, letter.to]),
        Caller("mutt", lambda letter: ["mutt", "-F", "/dev/null", "-e", "set dsn_notify=failure dsn_return=hdrs",
                                       "-s", letter.subject, "-a", letter.attachment, "--", letter.to]),
        script("popen.py", ["/usr/bin/python3"], "alice@app.interop.test"),
        script("mail.php", ["php"], "php@example.com"),
        script("symfony.php", ["php"], "symfony@example.com", "sendmail://default"),
        script("symfony.php", ["php"], "symfony@example.com", "sendmail://default?command=/usr/sbin/sendmail%20-oi%20-t"),
        script("email_sender.pl", ["perl"], "perl@example.com"),
        script("mime_lite.pl", ["perl"], "lite@example.com"),
        script("mail_gem.rb", ["ruby"], "ruby@example.com"),
    ]


class Arrived:
    """What the catcher got, read as a person would."""

    def __init__(self, mail):
        self.sender, self.recipients = mail.sender, sorted(mail.recipients)
        self.message = email.message_from_bytes(mail.content)
        self._head = mail.content.split(b"\r\n\r\n", 1)[0].decode()

    def field(self, name):
        """Decoded, unfolded; a header in plain UTF-8 is as good as one in encoded words."""
        found = re.findall(rf"^{name}:[ \t]*((?:.*)(?:\r\n[ \t].*)*)", self._head, re.MULTILINE | re.IGNORECASE)
        assert len(found) == 1, f"{len(found)} fields {name} in\n{self._head}"
        unfolded = re.sub(r"\r\n([ \t])", r"\1", found[0])
        return str(email.header.make_header(email.header.decode_header(unfolded))).strip()

    def text(self):
        part = next(part for part in self.message.walk() if part.get_content_type() == "text/plain")
        return part.get_payload(decode=True).decode().replace("\r\n", "\n")

    def data(self):
        """Of all attachments."""
        return [part.get_payload(decode=True) for part in self.message.walk() if part.get_filename()]
