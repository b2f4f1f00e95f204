#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The drop directory against people who may put things there: whatever stands there, only true drops become mail.

  objects   links, FIFOs, devices, directories, sockets, a terabyte of nothing, foreign files, odd names
  swaps     names that lead to another file at every look, and files that change while they are read
  links     the spool, drop/, taken/ and refused/ replaced by symbolic links: nobody's owner or mode changes
  kills     the daemon killed before each system call of a pickup: the mail comes, and comes once

Usage: drop_test.py PATH/TO/hikyakud PATH/TO/sendmail [PART]
"""
import contextlib
import itertools
import os
import random
import socket
import stat
import subprocess
import threading
import time

from rig import CONNECTIONS, Daemon, Failed, Place, Saboteur, Smarthost, main, until
from rig.copies import Copies
from rig.drops import DROP, drop_name, drop_of, leave
from rig.sendmail_program import CALLER, GROUP_ID, SPOOL, Sendmail, left_in

PATIENCE = 40
SWAP_SECONDS = 6
VICTIM = 64124  # another uid that nobody has
EX_CANTCREAT = 73
ONE_WORKER = {"UV_THREADPOOL_SIZE": "1"}
MOST_CALLS = 4
CALLS = ("renameat2", "fdatasync", "pwritev", "unlinkat", "fsync")


class Scene:
    """A daemon that does not run yet, and drops made while it did not."""

    def __init__(self, place, hikyakud, sendmail_program):
        self.place, self.ledger, self.count = place, Copies(), 0
        self.sendmail = Sendmail(place, sendmail_program)
        self.daemon = Daemon(hikyakud, place, "daemon", SPOOL, Smarthost(self.ledger))
        self.daemon.start()  # makes drop/
        self.daemon.stop()

    def drop(self, label="mail", size=2000):
        self.count += 1
        return drop_of(self.sendmail, self.ledger, f"{label}-{self.count}", size)

    def good(self):
        """For leave(); while the daemon is stopped."""
        return self.drop("good")

    def leave(self, good):
        """Must arrive, whatever stands beside it."""
        name, content = good
        self.count += 1
        leave(drop_name(10_000 + self.count), content)
        self.ledger.acknowledge(name)

    def stop_and_judge(self):
        self.daemon.check_runs()
        self.daemon.stop()
        self.ledger.judge()
        stolen = [name for name in self.ledger.names() if name.startswith("secret")]
        if stolen:
            raise Failed(f"became mail: {stolen}")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


def objects(scene):
    _, secret = scene.drop("secret")
    elsewhere = scene.place.join("secret")
    with open(elsewhere, "wb") as file:
        file.write(secret)
    hidden = f"{SPOOL}/anothers"
    with open(hidden, "wb") as file:
        file.write(secret)
    os.chown(hidden, VICTIM, GROUP_ID)
    os.chmod(hidden, 0o640)
    names = map(drop_name, itertools.count(1))
    os.symlink("/etc/shadow", f"{DROP}/{next(names)}")
    os.symlink(elsewhere, f"{DROP}/{next(names)}")
    os.symlink("nowhere", f"{DROP}/{next(names)}")
    os.link(hidden, f"{DROP}/{next(names)}")
    os.mkfifo(f"{DROP}/{next(names)}", 0o660)
    os.mknod(f"{DROP}/{next(names)}", stat.S_IFCHR | 0o660, os.makedev(1, 5))  # /dev/zero
    os.mkdir(f"{DROP}/{next(names)}")
    make_socket(f"{DROP}/{next(names)}")
    leave(next(names), secret, owner=VICTIM, group=VICTIM)
    leave(next(names), secret, mode=0o666)
    odd = ["x", "a\nb", "\x1b[2J", "n" * 255, "...", "\udcff\udcfe", drop_name(1).upper(), drop_name(1) + "\n"]
    for name in odd:
        with open(f"{DROP}/{name}", "wb") as file:
            file.write(secret)
    ignored = 10 + len(odd)
    told = ignored - 1  # "..." may be one that is still being written
    huge = drop_name(99)
    leave(huge, secret)
    os.truncate(f"{DROP}/{huge}", 1 << 40)
    good = [scene.good() for _ in range(2)]
    scene.leave(good[0])
    scene.daemon.start()
    scene.ledger.wait_for_all(PATIENCE)
    until(lambda: left_in("refused") == [huge], PATIENCE, "the terabyte is set aside")
    scene.leave(good[1])  # noticed beside all that
    scene.ledger.wait_for_all(PATIENCE)
    if len(os.listdir(DROP)) != ignored:
        raise Failed(f"of {ignored} files that are none {len(os.listdir(DROP))} are there")
    scene.stop_and_judge()
    lines = [line for line in scene.daemon.log_tail(1000).splitlines() if "stays where it is" in line]
    if len(lines) != told:
        raise Failed(f"{len(lines)} lines in the log about {told} files")
    print(f"{ignored} files ignored with a line each, 1 set aside")


class Swapper(threading.Thread):
    """Leaves a drop, and puts something else in its place at once; so on, under ever new names."""

    def __init__(self, content, secret_file):
        super().__init__(daemon=True)
        self._content, self._secret = content, secret_file
        self._enough, self.rounds = threading.Event(), 0

    def run(self):
        fresh, dice = f"{DROP}/.swap", random.Random(2)
        kinds = [lambda: os.symlink(self._secret, fresh), lambda: os.link(self._secret, fresh), lambda: os.mkfifo(fresh)]
        while not self._enough.is_set():
            name = drop_name(1_000_000 + self.rounds)
            kinds[self.rounds % len(kinds)]()
            leave(name, self._content)
            time.sleep(dice.uniform(0, 0.002))
            os.rename(fresh, f"{DROP}/{name}")
            time.sleep(dice.uniform(0, 0.002))
            with contextlib.suppress(FileNotFoundError):  # it has just been put aside, and comes back
                os.unlink(f"{DROP}/{name}")
            self.rounds += 1

    def stop(self):
        self._enough.set()
        self.join()


def swaps(scene):
    _, secret = scene.drop("secret", 2000)
    name, content = scene.drop("swapped")
    secret_file = f"{SPOOL}/anothers"
    with open(secret_file, "wb") as file:
        file.write(secret)
    os.chown(secret_file, VICTIM, GROUP_ID)
    os.chmod(secret_file, 0o640)
    good = scene.good()
    drops = [scene.drop("changing", 400_000) for _ in range(30)]
    swapper = Swapper(content, secret_file)
    scene.daemon.start()
    swapper.start()
    dice, deadline = random.Random(1), time.monotonic() + SWAP_SECONDS
    for count, (_, changing) in enumerate(drops):
        change_soon(drop_name(2_000 + count), changing, dice)
    until(lambda: time.monotonic() > deadline, SWAP_SECONDS + 1, "time passes")
    swapper.stop()
    if name not in scene.ledger.names():
        raise Failed("no drop was ever faster than its swap")
    scene.leave(good)
    scene.ledger.wait_for_all(PATIENCE)
    until(lambda: not left_in("taken"), PATIENCE, "what was taken is settled")
    scene.stop_and_judge()
    came = sum(name.startswith("changing") for name in scene.ledger.names())
    print(f"{swapper.rounds} swaps: {scene.ledger.arrived.total()} mails, all of them as they were written; "
          f"of {len(drops)} that changed {came} came as they were, {len(left_in('refused'))} files were set aside")


def change_soon(name, content, dice):
    """A drop of which a byte changes at some moment after its name is there."""
    unfinished = f"{DROP}/.test-{name}"  # no name of a draft: nobody takes it for one that a killed sendmail has left
    with open(unfinished, "xb", buffering=0) as file:
        file.write(content)
        os.chown(unfinished, CALLER, GROUP_ID)
        os.chmod(unfinished, 0o640)
        os.rename(unfinished, f"{DROP}/{name}")
        time.sleep(dice.uniform(0, 0.2))
        file.seek(dice.randrange(len(content)))
        file.write(b"\0")


def state_of(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid, status.st_mode, sorted(os.listdir(path)) if os.path.isdir(path) else None


def links(scene):
    victim = scene.place.join("victim")
    os.makedirs(victim + "/inside")
    with open(victim + "/" + drop_name(1), "wb") as file:
        file.write(scene.drop("secret")[1])
    before = state_of(victim), state_of(victim + "/inside")
    for part in "drop", "taken", "refused":
        at = f"{SPOOL}/{part}"
        os.rename(at, at + ".away")
        os.symlink(victim, at)
        scene.daemon.start()  # serves all the same
        scene.daemon.stop()
        os.unlink(at)
        os.rename(at + ".away", at)
        if (state_of(victim), state_of(victim + "/inside")) != before:
            raise Failed(f"{part}/ was a link, and what it led to has changed")
        if "mail that sendmail leaves there is not picked up" not in scene.daemon.log_tail():
            raise Failed(f"{part}/ is a link, and nobody was told")
    os.rename(SPOOL, SPOOL + ".away")
    os.symlink(victim, SPOOL)
    if scene.daemon.start_or_die() or scene.daemon.wait_for_end() != EX_CANTCREAT:
        raise Failed("the spool is a link, and the daemon has started")
    os.unlink(SPOOL)
    os.rename(SPOOL + ".away", SPOOL)
    if (state_of(victim), state_of(victim + "/inside")) != before:
        raise Failed("the spool was a link, and what it led to has changed")
    linked = scene.place.join("linked")  # a root's file that somebody has linked into the spool
    if subprocess.run(["cp", "/etc/passwd", f"{SPOOL}/.anothers"], check=False).returncode == 0:
        os.link(f"{SPOOL}/.anothers", f"{DROP}/{drop_name(5)}")
    before = os.lstat(f"{SPOOL}/.anothers")
    scene.leave(scene.good())
    scene.daemon.start()
    scene.ledger.wait_for_all(PATIENCE)
    scene.stop_and_judge()
    after = os.lstat(f"{SPOOL}/.anothers")
    if (before.st_uid, before.st_mode, before.st_nlink) != (after.st_uid, after.st_mode, after.st_nlink):
        raise Failed(f"a file that was linked into the spool has changed: {after}, see {linked}")
    print("no link was followed")


def kills(scene):
    moments = list(itertools.product(CALLS, range(1, MOST_CALLS + 1)))
    drops = [scene.drop() for _ in moments]
    struck = 0
    scene.daemon.start(**ONE_WORKER)
    for (syscall, count), (name, content) in zip(moments, drops):
        scene.ledger.acknowledge(name)
        with Saboteur(scene.daemon, scene.place.join("trace"), syscall, "signal=KILL", count):
            leave(drop_name(len(moments) + struck), content)
            until(lambda name=name: not scene.daemon.runs() or is_over(scene, name), PATIENCE, f"{syscall} {count}")
        struck += not scene.daemon.runs()
        scene.daemon.kill()
        scene.daemon.start(**ONE_WORKER)
        until(lambda name=name: is_over(scene, name), PATIENCE, f"{name} comes after a kill before {syscall} {count}")
    scene.stop_and_judge()
    twice, relayed = scene.ledger.stored_twice(), scene.ledger.relayed_twice()
    print(f"{struck} kills, all {len(drops)} mails arrived, {relayed} relayed twice")
    if twice or relayed > struck * CONNECTIONS or struck < len(CALLS):
        raise Failed(f"{struck} kills; stored twice: {twice}, relayed twice: {relayed}")


def is_over(scene, name):
    return name in scene.ledger.names() and not left_in("drop") and not left_in("taken")


PARTS = (objects, swaps, links, kills)


def test(hikyakud, sendmail_program, only=""):
    for part in PARTS:
        if only in part.__name__:
            with Place() as place:
                scene = Scene(place, hikyakud, sendmail_program)
                with scene.daemon:
                    print(part.__name__, flush=True)
                    part(scene)
    return 0


main(test, __doc__)
