#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A spool directory that goes away under the running daemon: moved, emptied, removed, made anew, not to be changed, on
a file system that has turned read-only.

While it is away a client is told 4yz, or 250 for what is durable all the same; when it is back, mail is taken again by
itself and everything acknowledged arrives.

Usage: gone_test.py PATH/TO/hikyakud
"""
import os
import shutil
import subprocess

from rig import CONNECTIONS, FOREVER, SMALL, Daemon, Failed, Place, Scenario, main, until

PATIENCE = 20


class Story:
    """One daemon on an ext4, with mail that waits in it."""

    def __init__(self, program, place):
        self.place = place
        self.scenario = Scenario({"wait": FOREVER})
        self.disk = place.ext4("disk", 48 << 20)
        self.spool = place.directory("disk/spool")
        self.daemon = Daemon(program, place, "daemon", self.spool, self.scenario.smarthost)
        self.kills = 0

    def start(self):
        self.daemon.start()
        for _ in range(5):
            self.submit()
        self.scenario.play(self.daemon)

    def submit(self):
        return self.scenario.submit(self.daemon, SMALL, "wait")

    def until_refused(self):
        until(lambda: not self.submit(), PATIENCE, "mail is refused")

    def until_served(self):
        self.scenario.until_served(self.daemon, PATIENCE)
        self.daemon.check_runs()

    def kill(self):
        """What each connection had sent last may come twice: its outcome could not be written any more."""
        self.daemon.kill()
        self.kills += 1

    def end(self):
        """A start finds all that is still to be delivered."""
        self.daemon.stop()
        self.scenario.smarthost.deferred.clear()
        self.daemon.start()
        self.scenario.until_relayed(self.daemon, PATIENCE)
        self.scenario.ledger.wait_for_all(PATIENCE)
        self.daemon.stop()
        if len(self.scenario.ledger.twice()) > self.kills * CONNECTIONS:
            raise Failed(f"arrived twice: {self.scenario.ledger.twice()[:5]}")


def moved_away(story):
    """And back. What is written meanwhile through open descriptors is in it, wherever it is."""
    os.rename(story.spool, story.spool + ".away")
    story.until_refused()
    os.rename(story.spool + ".away", story.spool)
    story.until_served()


def another_in_its_place(story):
    """An empty directory stands there for a while: mail does not go into the one that nobody will find again."""
    os.rename(story.spool, story.spool + ".away")
    story.place.directory("disk/spool")
    story.until_refused()
    shutil.rmtree(story.spool)
    os.rename(story.spool + ".away", story.spool)
    story.until_served()


def emptied(story):
    """rm -rf of all that is in it: that mail is gone, but what is acknowledged from then on is kept again."""
    forget(story)
    until(lambda: remove_all_in(story.spool), PATIENCE, "everything is removed")
    story.until_served()


def remove_all_in(directory):
    """False where the daemon has put something there meanwhile."""
    paths = [os.path.join(directory, name) for name in os.listdir(directory)]
    return subprocess.run(["rm", "-rf", *paths], capture_output=True, check=False).returncode == 0


def forget(story):
    """What is acknowledged up to here may be lost."""
    story.scenario.ledger.acknowledged.clear()


def unchangeable(story):
    """No name in log/ and large/ can be made, changed or removed."""
    directories = [os.path.join(story.spool, name) for name in ("log", "large")]
    subprocess.run(["chattr", "+i", *directories], check=True)
    try:
        story.until_refused()
    finally:
        subprocess.run(["chattr", "-i", *directories], check=True)
    story.until_served()


def read_only(story):
    """The kernel has found an error on the disk. A repair needs the daemon to end, which it still does."""
    subprocess.run(["mount", "-o", "remount,abort", story.disk], check=True)
    story.until_refused()
    story.kill()
    story.place.unmount(story.disk)
    story.place.mount_image(story.disk + ".img", "disk")
    story.daemon.start()
    story.until_served()


def test(program, only=""):
    for trouble in moved_away, another_in_its_place, emptied, unchangeable, read_only:
        if only not in trouble.__name__:
            continue
        print(trouble.__name__, flush=True)
        with Place() as place:
            story = Story(program, place)
            with story.daemon:
                story.start()
                trouble(story)
                story.end()
            story.scenario.smarthost.close()
    return 0


main(test, __doc__)
