#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts on a real ext4: the image under the file system is copied at the instant a client has read `250`.

What was not flushed is not in the image, so the copy is what a power cut leaves. It is mounted elsewhere (which replays
the file system's journal), a second daemon recovers it, and everything that was acknowledged must reach a second
smarthost, byte for byte, unless the first has had it already. One mail stays for the whole time, so that the log's ring
turns by copying, and the cuts fall on recycled segments: a file system treats blocks that were written before
differently from fresh ones.

Usage: power_test.py PATH/TO/hikyakud [FAULT]
With FAULT, a switch of a build with HIKYAKU_FAULTS, the test passes if an acknowledged mail is lost.
"""
import array
import concurrent.futures
import fcntl
import os
import random
import subprocess
import threading
import time

from rig import FOREVER, Client, Daemon, Failed, Ledger, Place, Smarthost, main

IMAGE = 48 << 20
SENDERS = 3
CUTS = 24
WARM_UP = 160  # mails before the first cut; the ring has turned many times then
BETWEEN = 12  # mails between two cuts, on average
SIZES = (300, 2_000, 20_000, 120_000, 200_000, 200_000, 200_000)
LARGE = 1_200_000  # has a file of its own
PATIENCE = 20
FS_IOC_GETVERSION = 0x80087601


class Files:
    """Which segment files there are. A file is the same one if inode and generation are: a rename keeps both."""

    def __init__(self, spool):
        self._log = os.path.join(spool, "log")
        self._first_numbers = {}  # (inode, generation) -> the number it was first seen with
        self.highest = self.most = self.recycled = 0

    def look(self):
        """The daemon stands still."""
        names = [name for name in os.listdir(self._log) if len(name) == 16]
        for name in names:
            first = self._first_numbers.setdefault(self._identity(name), int(name, 16))
            self.recycled += int(name, 16) > first
        self.highest = max(int(name, 16) for name in names)
        self.most = max(self.most, len(names))

    def _identity(self, name):
        with open(os.path.join(self._log, name), "rb") as file:
            generation = array.array("q", [0])
            fcntl.ioctl(file.fileno(), FS_IOC_GETVERSION, generation)
            return os.fstat(file.fileno()).st_ino, generation[0]

    def check(self):
        print(f"{self.most} segment files at most, numbers up to {self.highest}; {self.recycled} times was one seen "
              "under a later number", flush=True)
        if self.recycled < CUTS:
            raise Failed("hardly a recycled segment: the cuts prove nothing about them")


class Run:
    """The daemon under load, and the copies of its disk."""

    def __init__(self, place, daemon, ledger, seed):
        self._place, self._daemon, self._ledger = place, daemon, ledger
        self._seed = seed
        self._turn = threading.Lock()
        self._until_cut = WARM_UP
        self._dice = random.Random(seed)
        self.files = Files(daemon.spool)
        self.cuts = []  # (image, ledger)
        self._problems = []

    def load(self):
        threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._problems:
            raise Failed(f"a client had trouble: {self._problems[0]!r}")

    def _send(self, number):
        dice = random.Random(f"{self._seed} {number}")
        count = 0
        try:
            with Client(self._daemon.port, self._ledger) as client:
                while len(self.cuts) < CUTS and not self._problems:
                    count += 1
                    kind = dice.choice(("now", "now", "later"))
                    client.send(f"{kind}-{number}-{count}", LARGE if count % 25 == 0 else dice.choice(SIZES))
                    self._acknowledged()
        except Exception as error:  # pylint: disable=broad-except
            self._problems.append(error)

    def _acknowledged(self):
        with self._turn:
            self._until_cut -= 1
            if self._until_cut > 0 or len(self.cuts) == CUTS:
                return
            self._until_cut = self._dice.randint(1, 2 * BETWEEN)
            self._daemon.freeze()
            image = self._place.join(f"cut{len(self.cuts)}.img")
            self.cuts.append((image, self._ledger.fork()))
            subprocess.run(["cp", "--sparse=always", self._place.join("disk.img"), image], check=True)
            self.files.look()
            self._daemon.thaw()


def recover(place, program, image, ledger, patience):
    """What is wrong with what a cut has left; nothing if all is well."""
    name = os.path.basename(image).removesuffix(".img")
    smarthost = Smarthost(ledger)
    mounted = place.mount_image(image, name)
    try:
        with Daemon(program, place, name + "-daemon", mounted + "/spool", smarthost) as daemon:
            daemon.start()
            ledger.wait_for_all(patience)
            daemon.stop()
    except AssertionError as error:
        return f"{name}: {error}"
    finally:
        smarthost.close()
        place.unmount(mounted)
        os.unlink(image)
    return None


def cut_and_recover(place, program, fault):
    ledger = Ledger()
    smarthost = Smarthost(ledger, {"stayer": FOREVER, "later": 2})
    disk = place.ext4("disk", IMAGE)
    with Daemon(program, place, "daemon", place.directory("disk/spool"), smarthost) as daemon:
        daemon.start(HIKYAKU_FAULT=fault)
        with Client(daemon.port, ledger) as client:
            client.send("stayer")
        run = Run(place, daemon, ledger, seed=str(time.time_ns()))
        run.load()
        daemon.kill()
    smarthost.close()
    place.unmount(disk)
    ledger.judge()
    if not fault:
        run.files.check()
    return run.cuts, losses(place, program, run.cuts, fault)


def losses(place, program, cuts, fault):
    """What the cuts have cost; with a fault only the first that cost anything."""
    patience = 3 if fault else PATIENCE
    lost = []
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for trouble in pool.map(lambda cut: recover(place, program, *cut, patience), cuts):
            if trouble:
                lost.append(trouble)
            if lost and fault:
                pool.shutdown(cancel_futures=True)
                break
    return lost


def test(program, fault=""):
    with Place() as place:
        cuts, lost = cut_and_recover(place, program, fault)
    waiting = sum(len(ledger.acknowledged) for _, ledger in cuts)
    print(f"{len(cuts)} power cuts, {waiting} mails waited in them, {len(lost)} seen to lose one", *lost, sep="\n")
    return 0 if bool(lost) == bool(fault) else 1


main(test, __doc__)
