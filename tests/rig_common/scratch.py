# SPDX-License-Identifier: MIT
"""Temporary directories that users without rights can reach, wherever TMPDIR points."""

import os
import pathlib
import tempfile

EVERYBODYS = 0o001  # may go through


def scratch_directory(prefix):
    """A new one with mode 755, in TMPDIR if everybody may go there."""
    path = tempfile.mkdtemp(prefix=prefix, dir=next(filter(_is_open, (tempfile.gettempdir(), "/tmp", "/var/tmp"))))
    os.chmod(path, 0o755)
    return path


def _is_open(folder):
    way = pathlib.Path(folder).resolve()
    return all(place.is_dir() and place.stat().st_mode & EVERYBODYS for place in (way, *way.parents))
