#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts behind sendmail(1) on a real ext4: the image under the file system is copied the moment it has ended with 0.

What was not flushed is not in the image. No daemon runs, and the caller may put files into the drop directory and not
list it, so the new name is made durable by flushing the file once more; whether that is enough is seen here.

Usage: drop_power_test.py PATH/TO/hikyakud PATH/TO/sendmail
"""
import os
import subprocess

from rig import Failed, Place, main
from rig.place import OWNER

IMAGE = 32 << 20
GROUP = 54321  # of nobody on this machine; sendmail's is the same by its set-gid bit
SIZES = (1, 300, 70_000, 3_000_000)  # the last one goes through a draft
ROUNDS = 3


def make_drop(disk):
    drop = os.path.join(disk, "drop")
    os.mkdir(drop)
    os.chown(drop, OWNER.pw_uid, GROUP)
    os.chmod(drop, 0o1730)
    subprocess.run(["sync", "--file-system", drop], check=True)
    return drop


def sends(place, sendmail, drop, size, *through):
    """Hands in a message of so many bytes as a caller who may only put things there. It must be taken."""
    places = place.join("places")
    with open(places, "w", encoding="ascii") as file:
        file.write(f"hikyaku-sendmail 1\nsubmit_socket {place.join('nobody-there')}\ndrop {drop}\ndomain a.example\nmin_free 0\n")
    caller = ["setpriv", f"--reuid={OWNER.pw_uid}", f"--regid={GROUP}", "--clear-groups"]
    done = subprocess.run([*caller, *through, sendmail, "-C", places, "-i", "b@example.org"], check=False,
                          input=b"Subject: x\n\n" + b"x" * size + b"\n", capture_output=True)
    if done.returncode != 0:
        raise Failed(f"sendmail ended with {done.returncode}: {done.stderr.decode()}")


def whole_drops(place, name):
    """How many drops the copy holds that are as long as their first line says."""
    mounted = place.mount_image(place.join(name + ".img"), name)
    try:
        count = 0
        for entry in os.scandir(os.path.join(mounted, "drop")):
            with open(entry.path, "rb") as file:
                first = file.readline().split()
                rest = file.read()
            count += not entry.name.startswith(".") and first[:2] == [b"hikyaku-drop", b"1"] and len(rest) == int(first[2])
        return count
    finally:
        place.unmount(mounted)


def cut(place, number):
    name = f"cut{number}"
    subprocess.run(["cp", "--sparse=always", place.join("disk.img"), place.join(name + ".img")], check=True)
    count = whole_drops(place, name)
    os.unlink(place.join(name + ".img"))
    return count


def test(_, original):
    with Place() as place:
        sendmail = place.program(original)
        drop = make_drop(place.ext4("disk", IMAGE))
        sent = 0
        for size in SIZES * ROUNDS:
            sends(place, sendmail, drop, size)
            sent += 1
            found = cut(place, sent)
            if found != sent:
                raise Failed(f"{sent} messages were taken, the cut has left {found}")
        # The test itself: without the flushes the cut does cost the message.
        sends(place, sendmail, drop, 300, "env", "ASAN_OPTIONS=detect_leaks=0", "strace", "-f", "-o", "/dev/null",
              "-e", "inject=fsync,fdatasync:retval=0")
        if cut(place, sent + 1) > sent:
            raise Failed("a message that was never flushed has outlived the cut: the cuts prove nothing")
    print(f"{sent} power cuts, nothing lost; a message without flushes was")
    return 0


main(test, __doc__)
