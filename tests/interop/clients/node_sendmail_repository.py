# SPDX-License-Identifier: MIT
"""The dialogue of node-sendmail as it stands in its repository: EHLO only after a greeting with the word ESMTP, and then
it waits for an offer of STARTTLS that never comes; else HELO. A command after each reply, an empty line behind QUIT, and
whatever comes after that must be an orderly end.

  node_sendmail_repository.py HOST PORT MESSAGE
"""

import socket
import sys

host, port, file = sys.argv[1:]
with open(file, "rb") as message:
    content = message.read().removesuffix(b"\r\n")

connection = socket.create_connection((host, int(port)), timeout=30)
replies = connection.makefile("rb")


def reply():
    """All lines of one reply."""
    lines = [replies.readline()]
    while lines[-1][3:4] == b"-":
        lines.append(replies.readline())
    return b"".join(lines)


def say(line, code):
    connection.sendall(line + b"\r\n")
    said = reply()
    if not said.startswith(code):
        sys.exit(f"{line[:60]!r}: {said!r}")


greeting = reply()
if b"ESMTP" in greeting.upper().split():
    connection.sendall(b"EHLO example.com\r\n")
    if b"STARTTLS" not in reply():
        sys.exit(f"would now wait for ever: {greeting!r}")
say(b"HELO example.com", b"250")
say(b"MAIL FROM:<me@example.com>", b"250")
say(b"RCPT TO:<you@dest.example>", b"250")
say(b"RCPT TO:<her@dest.example>", b"250")
say(b"DATA", b"354")
connection.sendall(content + b"\r\n")
connection.sendall(b"\r\n")
say(b".", b"250")
say(b"QUIT", b"221")
connection.sendall(b"\r\n")
if replies.read():
    sys.exit("more came after 221")
