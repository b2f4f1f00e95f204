# SPDX-License-Identifier: MIT
"""The configurations that the README shows, those at the end of etc/hikyaku.yaml, and a daemon that runs with one of them."""

import json
import os
import re

from .hikyakud import Hikyakud
from .place import ROOT


def examples(section):
    """Of this section (its whole heading line), by the bold words in front of each."""
    text = _read("README.md").split(section + "\n")[1]
    text = re.split(r"^##", text, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\*\*([^*]+)\*\*.*?^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def examples_of_etc():
    """Their texts."""
    blocks = _read("etc/hikyaku.yaml").split("\n# ---- Examples")[1].split("\n\n")[1:]
    return [re.sub("^#", "", block.split("\n", 1)[1].rstrip(), flags=re.MULTILINE) + "\n" for block in blocks]


def _read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class Configured(Hikyakud):
    """With a text for a configuration, to which only what a test needs is added."""

    def __init__(self, place, text, authinfo, env, **more):
        self.text, self.more = text, more
        super().__init__(place, {}, authinfo, env)

    def configure(self, settings, authinfo=None):
        settings = self._defaults() | {"domain": "app.interop.test"} | self.more | settings
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in settings.items()]
        self.config = self.place.file("hikyakud/hikyaku.yaml", self.text + "".join(lines))
        self.place.file("hikyakud/authinfo", authinfo, 0o600, 65534)
