# SPDX-License-Identifier: MIT
"""Postfix's smtp-sink: a smarthost that fails as its options say. It keeps what has come up to the final dot, a file a
mail, whether it then takes it or not."""

import collections
import glob
import re

from rig_common.waiting import until

from .catcher import ARRIVED
from .listening import is_bound
from .process import Process

MAIL_ID = 8


class SmtpSink:
    """Started by its constructor, with smtp-sink's options."""

    port = 2526

    def __init__(self, place, *options):
        part = place.part()
        self._folder = part.directory("mails", owner=MAIL_ID)
        library = f"{place.peers}/root/usr/lib/postfix"
        command = [f"{place.peers}/root/usr/sbin/smtp-sink", "-u", "mail", "-d", f"{self._folder}/%s.", *options,
                   f"{place.address}:{self.port}", "100"]
        self._process = Process(command, part.join("out"), {"LD_LIBRARY_PATH": library})
        until(lambda: is_bound(place.address, self.port) or not self._process.runs(), 20, "smtp-sink listens")
        assert self._process.runs(), self._process.said()

    def stop(self):
        self._process.kill()

    def kept(self):
        """How often which body has come for which recipient. (The body's lines end in LF in the file.)"""
        kept = collections.Counter()
        for path in glob.glob(f"{self._folder}/*"):
            with open(path, "rb") as file:
                content = file.read()
            ARRIVED.append(content.replace(b"\n", b"\r\n"))
            header, _, body = content.partition(b"\n\n")
            for recipient in re.findall(rb"^X-Rcpt-Args: <(.*?)>", header, re.MULTILINE):
                kept[recipient.decode(), body.removesuffix(b"\n").replace(b"\n", b"\r\n")] += 1
        return kept
