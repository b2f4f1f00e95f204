#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that what comments and pages refer to is in the repository: a page (FORMAT.md), its heading (FORMAT.md,
"Recovery", or FORMAT.md#recovery), a promise of ARCHITECTURE.md by its number, a number of SECURITY.md (S1, M2, P3, C4),
a file by its path from the root, in C++ also a header by its name alone. RFCs and whatever else stands outside are not meant.

  check_references.py [ROOT]      prints each dead one as FILE:LINE: text; exit code 1 if there is one
"""

import bisect
import os
import posixpath
import re
import sys

from check_layers import files

# Literals come first, so that what looks like a comment inside one is none.
C_LIKE = re.compile(r'R"([^\s()]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|(//[^\n]*|/\*.*?\*/)', re.S)
HASHES = re.compile(r'(?:(?<=\s)|^)(#[^\n]*)', re.M)
PYTHON = re.compile(r'("""(?:[^\\]|\\.)*?""")|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|(#[^\n]*)', re.S)
LEADER = re.compile(r"\n[ \t]*(?:///?|#+|\*)?[ \t]*")

PAGE = r"(?:\.\./|[\w-]+/)*[A-Z][A-Z_]*\.md"
CITED_PAGE = re.compile(rf"(?<![\w/.~$}}-])({PAGE})(#[\w-]+|(?:'s)?,\s+(?:section\s+)?\"[^\"]+\")?")
PROMISE = re.compile(r"\bpromises?\s+(\d)\b")
NUMBER = re.compile(r"(?<![\w=\"'+.-])([SMPC])(\d{1,2})\b(?!['\w])")
SOURCE = re.compile(r"(?<![\w/.~$}-])((?:daemon|smtpd|smtpc|spool|systemd|etc|tests)/[\w./-]*\.(?:h|cc|py|sh|cmake|smtp|txt))\b")
HEADER = re.compile(r"(?<![<\w/.~$}-])(\w+\.(?:h|cc))\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)


def comments_of(path, text):
    """Each comment as (offset, text); comments on lines that follow each other are one."""
    if path.endswith(".md"):
        return [(0, text)]
    if path.endswith((".h", ".cc", ".js", ".cpp")):
        found = ((m.start(2), m.group(2)) for m in C_LIKE.finditer(text) if m.group(2))
    elif path.endswith(".py"):
        found = ((m.start(), m.group(1) or m.group(2)) for m in PYTHON.finditer(text) if m.group(1) or m.group(2))
    elif path.endswith((".sh", ".cmake", ".smtp", ".yaml", ".yml", ".txt", ".rb", ".service", ".socket", ".tmpfiles")):
        found = ((m.start(1), m.group(1)) for m in HASHES.finditer(text))
    else:
        return []
    joined = []
    for start, comment in found:
        if joined and text[joined[-1][0] + len(joined[-1][1]):start].strip(" \t") == "\n":
            start, comment = joined[-1][0], text[joined.pop()[0]:start] + comment
        joined.append((start, comment))
    return joined


def flat(comment):
    """The comment with every break of a line, and what leads the next one, as blanks of the same length."""
    return LEADER.sub(lambda m: " " * len(m.group()), comment)


def words(text):
    return " ".join(text.split())


def plain(heading):
    return words(heading.replace("`", ""))


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Repository:
    def __init__(self, texts):
        """`texts`: path -> text of each file, or "" where only its presence matters."""
        self.paths = set(texts)
        self.names = {posixpath.basename(path) for path in texts}
        self.pages = {path: text for path, text in texts.items() if path.endswith(".md")}
        promises = self.pages.get("daemon/ARCHITECTURE.md", "").partition("## The promises")[2].partition("\n## ")[0]
        self.promises = set(re.findall(r"^(\d+)\. \*\*", promises, re.M))
        rows = re.findall(r"^\| ([SMPC]\d[^|]*?) \|", self.pages.get("SECURITY.md", ""), re.M)
        self.numbers = set(re.findall(r"[SMPC]\d+", " ".join(rows)))

    def page(self, name, citing):
        """The path of a page as it is called in `citing`: from the root, from there or above, or by its only name."""
        folder = posixpath.dirname(citing)
        while True:
            path = posixpath.normpath(posixpath.join(folder, name))
            if path in self.pages:
                return path
            if not folder:
                break
            folder = posixpath.dirname(folder)
        same = [path for path in self.pages if posixpath.basename(path) == name]
        return same[0] if len(same) == 1 else None

    def has_heading(self, page, cited):
        headings = HEADING.findall(self.pages[page])
        if cited.startswith("#"):
            return cited[1:] in map(anchor, headings)
        return words(cited.partition('"')[2].rstrip('"')) in map(plain, headings)


def check_pages(path, text, repository):
    for found in CITED_PAGE.finditer(text):
        page = repository.page(found.group(1), path)
        if page is None:
            yield found.start(), f"{found.group(1)} is not in the repository"
        elif found.group(2) and not repository.has_heading(page, found.group(2)):
            yield found.start(), f"{page} has no heading {words(found.group(2)).lstrip(',').strip()}"


def check_numbers(path, text, repository):
    for found in PROMISE.finditer(text):
        if found.group(1) not in repository.promises:
            yield found.start(), f"daemon/ARCHITECTURE.md has no promise {found.group(1)}"
    for found in NUMBER.finditer(text):
        if found.group(1) + found.group(2) not in repository.numbers:
            yield found.start(), f"SECURITY.md has no number {found.group()}"


def check_sources(path, text, repository):
    for found in SOURCE.finditer(text):
        if found.group(1) not in repository.paths:
            yield found.start(), f"{found.group(1)} is not in the repository"


def check_headers(path, text, repository):
    for found in HEADER.finditer(text):
        if found.group(1) not in repository.names:
            yield found.start(), f"no file is called {found.group(1)}"


def check_links(path, text, repository):
    for found in LINK.finditer(text):
        target, _, heading = found.group(1).partition("#")
        if re.match(r"\w+:", target):
            continue
        page = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
        inside = page in repository.paths or any(other.startswith(page + "/") for other in repository.paths)
        if not inside:
            yield found.start(), f"the link {found.group(1)} leads nowhere"
        elif heading and not (page in repository.pages and repository.has_heading(page, "#" + heading)):
            yield found.start(), f"{page} has no heading #{heading}"


def check_file(path, text, repository):
    """Each dead reference as (line, what is wrong)."""
    checks = [check_pages, check_sources]
    if not path.endswith(("CHANGELOG.md", "SECURITY.md")):
        checks.append(check_numbers)
    if path.endswith(".md"):
        checks.append(check_links)
    if path.endswith((".h", ".cc")):
        checks.append(check_headers)
    breaks = [index for index, letter in enumerate(text) if letter == "\n"]
    for start, comment in comments_of(path, text):
        for check in checks:
            for offset, wrong in check(path, flat(comment), repository):
                yield bisect.bisect_left(breaks, start + offset) + 1, wrong


def is_read(path):
    return not path.startswith("tests/fuzz/corpus/") and "/corpus/" not in path


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    texts = {}
    for name in files(root):
        texts[name] = ""
        if is_read(name):
            with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape") as file:
                texts[name] = file.read()
    repository = Repository(texts)
    dead = [(name, *wrong) for name, text in texts.items() for wrong in check_file(name, text, repository)]
    for name, number, wrong in sorted(dead):
        print(f"{name}:{number}: {wrong}")
    print(f"{len(texts)} files, {len(dead)} dead references")
    sys.exit(1 if dead or not repository.promises or not repository.numbers else 0)


if __name__ == "__main__":
    main()
