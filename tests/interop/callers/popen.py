# SPDX-License-Identifier: MIT
"""What Python programs do: the standard library's message, piped into sendmail.
popen.py TO SUBJECT ATTACHMENT < TEXT"""

import subprocess
import sys
from email.message import EmailMessage

to, subject, attachment = sys.argv[1:]
message = EmailMessage()
message["To"], message["Subject"] = to, subject
message.set_content(sys.stdin.read())
with open(attachment, "rb") as file:
    message.add_attachment(file.read(), maintype="application", subtype="octet-stream", filename="data.bin")
subprocess.run(["/usr/sbin/sendmail", "-t", "-oi", "-oem"], input=message.as_bytes(), check=True)
