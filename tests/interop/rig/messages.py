# SPDX-License-Identifier: MIT
"""Messages that must arrive as they were sent. Each is complete, so that the daemon has nothing to add to it."""

HEADER = (b"Date: Sun, 22 Nov 2026 03:14:04 +0000\r\nFrom: Me <me@example.com>\r\nTo: you@dest.example\r\n"
          b"Message-ID: <%s@example.com>\r\nSubject: %s\r\n\r\n")


def message(name, body=b"hello\r\n"):
    return HEADER % (name.encode(), name.encode()) + body


PLAIN = message("plain")
AWKWARD = {
    "dots": message("dots", b".\r\n..\r\n...\r\n.a\r\n\r\n.\r\nQUIT\r\n"),
    "empty": message("empty", b""),
    "blank": message("blank", b"\r\n\r\n  \r\n\t\r\n\r\n"),
    "8bit": message("8bit", "grüße, 日本語\r\n".encode() + bytes(range(128, 256)) + b"\r\n"),
    "long": message("long", b"x" * 20000 + b"\r\n" + b"y" * 998 + b"\r\n"),
    "control": message("control", bytes(set(range(1, 32)) - {10, 13}) + b"\x7f\r\n"),
    "fields": b"Received: by elsewhere; Sat, 21 Nov 2026 00:00:00 +0000\r\nBcc: them@dest.example\r\n"
              b"X-Odd:no blank\r\nX-Folded: a\r\n\tb\r\n   c\r\n" + message("fields"),
    "large": message("large", b"".join(b"%07d 0123456789 abcdefghijklmnopqrstuvwxyz .\r\n" % i for i in range(40000))),
}
