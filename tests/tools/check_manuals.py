#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The man pages and the programs know the same words: every sub-command and option of `hikyaku` and `hikyakud` stands in
its page and the other way round, and every key of the configuration in hikyaku.yaml(5).

    check_manuals.py BIN"""

import pathlib
import re
import subprocess
import sys
import tempfile

MANUALS = pathlib.Path(__file__).resolve().parents[2] / "etc" / "man"
EVERYWHERE = {"--help", "--version"}


def page(name):
    return (MANUALS / f"{name}.scd").read_text(encoding="utf-8")


def help_of(*words):
    done = subprocess.run([*words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def options_in(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) - EVERYWHERE


def commands_in(text):
    listed = text.partition("Subcommands:\n")[2]
    return re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)


def walk(words):
    """Each sub-command that does something, as its words, with its help."""
    text = help_of(*words)
    yield words[1:], text
    for name in commands_in(text):
        if name != "help":
            yield from walk([*words, name])


def unpaired(what, ours, theirs):
    return [f"{what}: {word} stands in one of help and page only" for word in sorted(ours ^ theirs)]


def check_hikyaku(program):
    manual, options, missing = page("hikyaku.1"), set(), []
    for words, text in walk([program]):
        options |= options_in(text)
        if words and not re.search(rf"\*(?:\w+ )?(?:[\w*|]*[|*])?{words[-1]}\b", manual):
            missing.append(f"hikyaku.1: no word about `{' '.join(words)}`")
    return missing + unpaired("hikyaku.1", options, options_in(manual))


def check_hikyakud(program):
    return unpaired("hikyakud.8", options_in(help_of(program)), options_in(page("hikyakud.8")))


def check_keys(program):
    """`config show` prints every key there is, whatever the configuration."""
    manual = page("hikyaku.yaml.5")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("smarthosts: [{name: main, url: 'smtp://smtp.example.com'}]\nroutes: [{via: [main]}]\n")
        config.flush()
        done = subprocess.run([program, "config", "show", "-c", config.name], capture_output=True, text=True, check=True)
    keys = set(re.findall(r"^[# -]*([a-z][a-z_]+):", done.stdout, re.MULTILINE))
    if len(keys) < 40:
        return [f"config show has only {len(keys)} keys"]
    return [f"hikyaku.yaml.5: no word about `{key}`" for key in sorted(keys) if f"*{key}*" not in manual
            and not re.search(rf"\b{key}: ", manual)]


def main():
    programs = pathlib.Path(sys.argv[1])
    problems = (check_hikyaku(str(programs / "hikyaku")) + check_hikyakud(str(programs / "hikyakud")) +
                check_keys(str(programs / "hikyaku")))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
