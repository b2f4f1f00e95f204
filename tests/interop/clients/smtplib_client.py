# SPDX-License-Identifier: MIT
"""Python's smtplib, as Django uses it, sends the message in the file MESSAGE.

smtplib_client.py HOST PORT MESSAGE
"""

import smtplib
import sys

host, port, file = sys.argv[1:]
with open(file, "rb") as message, smtplib.SMTP(host, int(port)) as client:
    refused = client.sendmail("me@example.com", ["you@dest.example", "her@dest.example"], message.read())
sys.exit(1 if refused else 0)
