#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the sources against the rules that a compiler does not know: the arrows between the folders and the places
of the libraries (layers.txt), the licence line, the size of a file, and no path of one person's machine.

  check_layers.py [ROOT]      prints each offence as FILE:LINE: text; exit code 1 if there is one
"""

import os
import re
import subprocess
import sys

MAX_LINES = 500
LICENCE = "SPDX-License-Identifier: MIT"
SOURCES = (".cc", ".h", ".py", ".sh", ".cmake", ".js", ".rb", "CMakeLists.txt")
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(?:work|root|home|Users)/\w")


def read_rules(path):
    """Folders and library prefixes, each with the folders that stand behind its colon."""
    folders, libraries = {}, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, allowed = line.split(":")
                library = name.startswith("<")
                (libraries if library else folders)[name.strip("<>")] = allowed.split()
    return folders, libraries


def folder_of(path, folders):
    return next((folder for folder in folders if path.startswith(folder + "/")), None)


def check_include(folder, quote, target, folders, libraries):
    """What is wrong with it, or None."""
    if quote == '"':
        other = folder_of(target, folders)
        if other is None:
            return f'"{target}" is not written from the root'
        if other != folder and other not in folders[folder]:
            return f"{folder} may not include {other}"
        return None
    for prefix, allowed in libraries.items():
        if target.startswith(prefix) and folder not in allowed:
            return f"{folder} may not include <{target}>; only {', '.join(allowed)} may"
    return None


def check_file(path, text, folders, libraries):
    lines = text.split("\n")
    if path.endswith(SOURCES):
        if not any(LICENCE in line for line in lines[:2]):
            yield 1, f"lacks '{LICENCE}' in its first line"
        if len(lines) > MAX_LINES + 1:
            yield len(lines) - 1, f"is longer than {MAX_LINES} lines"
    folder = folder_of(path, folders)
    for number, line in enumerate(lines, 1):
        if MACHINE_PATH.search(line):
            yield number, "names a path of one machine"
        include = folder and path.endswith((".cc", ".h")) and INCLUDE.match(line)
        if include and (wrong := check_include(folder, *include.groups(), folders, libraries)):
            yield number, wrong


def files(root):
    """Everything that git tracks or would track."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    return sorted(name for name in set(listed.split("\0")) if name and os.path.isfile(os.path.join(root, name)))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    rules = read_rules(os.path.join(here, "layers.txt"))
    checked, offences = 0, 0
    for name in files(root):
        with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape") as file:
            for number, wrong in check_file(name, file.read(), *rules):
                print(f"{name}:{number}: {wrong}")
                offences += 1
        checked += 1
    print(f"{checked} files, {offences} offences")
    sys.exit(1 if offences or not checked else 0)


if __name__ == "__main__":
    main()
