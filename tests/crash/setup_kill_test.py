#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 before each system call of `hikyaku setup` that changes its files: each file is the old one or the new one, whatever else
is left can be read by nobody else, and the next run succeeds. A kill before a call that only looks (read, fstat, close) leaves what one
before the next change leaves.

Usage: setup_kill_test.py PATH/TO/hikyaku
"""
import itertools
import os
import socket
import stat
import subprocess

from rig import Failed, Place, main

CHANGES = ("openat", "unlink", "fchown", "fchmod", "write", "fdatasync", "rename", "fsync")
FILES = [name + end for name in ("hikyaku.yaml", "authinfo") for end in ("", ".new", ".before-setup", ".before-setup.new")]
OLD_CONFIG = "# mine\nsmarthost: smtps://old.example\n"
OLD_SECRETS = "machine old.example login me password 0ldSecret\n"
PASSWORD = "n3wSecret"
WRITTEN = 1  # the exit code: all is written, and nobody answers on that port


class Machine:
    """One directory with a configuration, on which setup is killed again and again."""

    def __init__(self, place, program):
        self._place, self._program = place, program
        self.here = place.join("etc")
        self._password = place.join("password")
        self._write(self._password, PASSWORD)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]  # free again, and on loopback of our own

    def reset(self):
        os.makedirs(self.here, exist_ok=True)
        for name in os.listdir(self.here):
            os.remove(f"{self.here}/{name}")
        self._write(f"{self.here}/hikyaku.yaml", OLD_CONFIG + f"authinfo: {self.here}/authinfo\n")
        self._write(f"{self.here}/authinfo", OLD_SECRETS)

    def set_up(self, *wrapper):
        command = [*wrapper, self._program, "setup", "-c", f"{self.here}/hikyaku.yaml", "--yes", "--host",
                   f"submission://127.0.0.1:{self._port}", "--user", "me", "--password-file", self._password,
                   "--root-mail", "ops@example.com"]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    def saboteur(self, syscall, count):
        """Only calls on our files count."""
        paths = [word for path in (self.here, *(f"{self.here}/{name}" for name in FILES)) for word in ("-P", path)]
        return ["strace", *paths, "-e", f"trace={syscall}", "-e", f"inject={syscall}:signal=KILL:when={count}", "-o",
                "/dev/null"]

    def texts(self):
        return self._read("hikyaku.yaml"), self._read("authinfo")

    def check_modes(self):
        """Whatever has a password in it, under any name."""
        for name in os.listdir(self.here):
            mode = stat.S_IMODE(os.stat(f"{self.here}/{name}").st_mode)
            if "Secret" in self._read(name) and mode & 0o037:
                raise Failed(f"{name} has mode {mode:o}")

    def _read(self, name):
        with open(f"{self.here}/{name}", encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def _write(path, text):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)


def strike(machine, old, new, syscall, count):
    """False: there are fewer calls."""
    machine.reset()
    done = machine.set_up(*machine.saboteur(syscall, count))
    for text, before, after in zip(machine.texts(), old, new):
        if text not in (before, after):
            raise Failed(f"killed before {syscall} {count}: {text!r}")
    machine.check_modes()
    if done.returncode == WRITTEN:
        return False
    again = machine.set_up()
    if again.returncode != WRITTEN or machine.texts() != new:
        raise Failed(f"after a kill before {syscall} {count}: {again.stdout}{again.stderr}")
    machine.check_modes()
    return True


def test(program):
    with Place() as place:
        machine = Machine(place, place.program(program))
        machine.reset()
        old = machine.texts()
        done = machine.set_up()
        new = machine.texts()
        if done.returncode != WRITTEN or PASSWORD not in new[1] or "127.0.0.1" not in new[0]:
            raise Failed(f"setup left with {done.returncode}: {done.stdout}{done.stderr}")
        kills = 0
        for syscall in CHANGES:
            first = next(count for count in itertools.count(1) if not strike(machine, old, new, syscall, count))
            kills += first - 1
        print(f"{kills} kills")


if __name__ == "__main__":
    main(test, __doc__)
