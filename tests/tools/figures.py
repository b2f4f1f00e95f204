#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the figures of the tree (how many units a folder has, how long its files are, how many functions a class has)
and fails where one is out of bounds.

    figures.py [--crumbs] [ROOT]

--crumbs lists the headers under 40 lines that one file includes besides their own source: they belong into it.
A class that needs more member functions than the bound says why in the comment above it: "// Many functions: REASON"."""

import collections
import dataclasses
import pathlib
import re
import statistics
import sys

FOLDERS = ("daemon/*", "smtpd", "smtpc", "spool")
SHORT = 40
MOST_LINES = 500
MOST_FUNCTIONS = 30
MOST_UNITS = 45  # in a folder
MOST_SHORT = 90  # files
LEAST_MEDIAN = 75  # lines of a file

REASON = re.compile(r"// Many functions: \S")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
CLASS = re.compile(r"\b(?:class|struct)\s+(?:[A-Z_]+(?:\([^)]*\))?\s+)?(?P<name>[\w:]+)(?:\s+final)?(?:\s*:[^:{;(][^{;]*)?\s*\{")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
NO_FUNCTION = re.compile(r"\s*(?:using|friend|typedef|static_assert|enum|struct|class)\b")
ATTRIBUTE = re.compile(r"\b[A-Z][A-Z_]{3,}\s*\([^()]*\)|\balignas\([^()]*\)|\[\[[^\]]*\]\]")
FUNCTION = re.compile(r"(?P<name>operator\s*(?:\(\)|[^\s\w(]+|[\w:]+)|~?\w+)\s*\(")


@dataclasses.dataclass
class Source:
    path: str
    text: str

    @property
    def lines(self):
        return self.text.count("\n")

    @property
    def folder(self):
        return self.path.rpartition("/")[0]

    @property
    def unit(self):
        return self.path.rpartition(".")[0]


def sources(root):
    found = (path for folder in FOLDERS for place in root.glob(folder) for path in place.rglob("*")
             if path.suffix in (".h", ".cc"))
    return [Source(str(path.relative_to(root)), path.read_text(encoding="utf-8")) for path in sorted(found)]


def body(code, start):
    """From behind the brace at `start` - 1 to the one that closes it."""
    depth = 1
    for at in range(start, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return code[start:at]
    return code[start:]


def statements(text):
    """Those of a class itself: what stands in braces inside of it is left out."""
    depth, kept = 0, []
    for char in text:
        if char == "}":
            depth -= 1
            kept.append(";" if depth == 0 else "")
        elif char == "{":
            kept.append("{" if depth == 0 else "")
            depth += 1
        elif depth == 0:
            kept.append(char)
    return "".join(kept).split(";")


def without_arguments(text):
    """Of templates: std::function<void(int)> is no function."""
    before = None
    while before != text:
        before, text = text, re.sub(r"(?<!operator)(?<!-)<[^<>;{}]*>", "", text)
    return text


def is_function(statement, name):
    """Constructors, destructors and what is defaulted or deleted do not count."""
    text = ATTRIBUTE.sub("", without_arguments(re.sub(r"\b(?:public|private|protected)\s*:", "", statement)))
    found = FUNCTION.search(text)
    if NO_FUNCTION.match(text) or not found or re.search(r"=\s*(?:default|delete)\b", text):
        return False
    value = text.find("=")
    is_value = 0 <= value < found.start() or "{" in text[:found.start()]
    return not is_value and found["name"] not in (name, "~" + name, "operator=")


def classes(source):
    """(name, number of member functions, whether a reason stands above it) of each class."""
    code = NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source.text)
    lines = source.text.splitlines()
    for match in CLASS.finditer(code):
        name = match["name"].rpartition("::")[2]
        functions = sum(is_function(statement, name) for statement in statements(body(code, match.end())))
        at, has_reason = code.count("\n", 0, match.start()), False
        while at > 0 and lines[at - 1].lstrip().startswith(("//", "template")):
            at -= 1
            has_reason = has_reason or bool(REASON.search(lines[at]))
        yield match["name"], functions, has_reason


def crumbs(files):
    users = collections.defaultdict(set)
    for source in files:
        for included in INCLUDE.findall(source.text):
            if included.rpartition(".")[0] != source.unit:
                users[included].add(source.path)
    return [(source, *users[source.path]) for source in files
            if source.path.endswith(".h") and len(users[source.path]) == 1 and source.lines < SHORT]


class Figures:
    def __init__(self):
        self.wrong = 0

    def tell(self, what, figure, is_right, bound, remark=""):
        self.wrong += not is_right
        print(f"{'' if is_right else 'WRONG: '}{what}: {figure} ({bound}){remark}")


def check(files):
    figures = Figures()
    units = collections.Counter(unit.rpartition("/")[0] for unit in {source.unit for source in files})
    for folder, count in units.most_common():
        figures.tell(f"units in {folder}", count, count <= MOST_UNITS, f"at most {MOST_UNITS}")
    lengths = sorted(source.lines for source in files)
    short = sum(length < SHORT for length in lengths)
    figures.tell(f"of {len(files)} files under {SHORT} lines", short, short <= MOST_SHORT, f"at most {MOST_SHORT}")
    median = int(statistics.median(lengths))
    figures.tell("median of their lines", median, median >= LEAST_MEDIAN, f"at least {LEAST_MEDIAN}")
    longest = max(files, key=lambda source: source.lines)
    figures.tell(f"longest file, {longest.path}", longest.lines, longest.lines <= MOST_LINES, f"at most {MOST_LINES}")
    found = [(functions, name, source.path, has_reason) for source in files for name, functions, has_reason in classes(source)]
    found.sort(reverse=True)
    for at, (functions, name, path, has_reason) in enumerate(found):
        if functions > MOST_FUNCTIONS or at < 3:
            figures.tell(f"member functions of {name}, {path}", functions, has_reason or functions <= MOST_FUNCTIONS,
                         f"at most {MOST_FUNCTIONS}", ", with its reason" if has_reason else "")
    return figures.wrong


def main(words):
    places = [word for word in words if word != "--crumbs"]
    root = pathlib.Path(places[0]) if places else pathlib.Path(__file__).resolve().parents[2]
    files = sources(root)
    if "--crumbs" not in words:
        return 1 if check(files) else 0
    lines = {source.path: source.lines for source in files}
    for source, user in crumbs(files):
        print(f"{source.path} ({source.lines} lines, {lines.get(source.unit + '.cc', 0)} of source): only {user} includes it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
