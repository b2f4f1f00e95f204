# SPDX-License-Identifier: MIT
"""Files in the drop directory as sendmail(1) leaves them, and as anybody else might (spool/FORMAT.md, "Drop")."""

import os

from .running import Failed
from .sendmail_program import CALLER, GROUP_ID, SPOOL, left_in

DROP = f"{SPOOL}/drop"


def drop_name(number):
    return f"{number:016x}.{number + 1}.{number * 2654435761 % 2**32:08x}"


def drop_of(sendmail, ledger, name, size=2000):
    """The name, and the bytes that sendmail leaves of that mail while no daemon runs; drop/ is as before afterwards."""
    before = set(left_in("drop"))
    content = ledger.write(name, size).replace(b"\r\n", b"\n")
    process = sendmail.start(content, "-i", "-f", "app@example.com", f"{name}@example.net")
    text, _ = process.communicate(timeout=60)
    if process.returncode != 0:
        raise Failed(f"sendmail ended with {process.returncode}: {text}")
    left = (set(left_in("drop")) - before).pop()
    with open(f"{DROP}/{left}", "rb") as file:
        dropped = file.read()
    os.unlink(f"{DROP}/{left}")
    return name, dropped


def leave(name, content, owner=CALLER, group=GROUP_ID, mode=0o640):
    """As sendmail does: under another name first."""
    unfinished = f"{DROP}/.test-{name}"
    with open(unfinished, "xb") as file:
        file.write(content)
    os.chown(unfinished, owner, group)
    os.chmod(unfinished, mode)
    os.rename(unfinished, f"{DROP}/{name}")
