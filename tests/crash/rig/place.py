# SPDX-License-Identifier: MIT
"""A temporary directory in memory (an image's flushes cost nothing there), with file systems mounted below it."""

import os
import pwd
import shutil
import subprocess

from rig_common.scratch import scratch_directory

OWNER = pwd.getpwnam("nobody")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Place:
    """A context. Everything is gone at its end."""

    def __enter__(self):
        self.path = scratch_directory("hikyaku-crash-")
        self._mounts = []
        self._mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", self.path)
        return self

    def __exit__(self, *_):
        for target in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", target], capture_output=True, check=False)
        shutil.rmtree(self.path, ignore_errors=True)

    def join(self, *names):
        return os.path.join(self.path, *names)

    def directory(self, name):
        """A directory that the daemon may write to; it may be there already."""
        path = self.join(name)
        os.makedirs(path, exist_ok=True)
        os.chown(path, OWNER.pw_uid, OWNER.pw_gid)
        return path

    def program(self, original):
        """A copy that the daemon's user can reach. Only one: a file that is being written cannot be executed, and
        another thread's child may have it open for writing for a moment."""
        copy = self.join(os.path.basename(original))
        return copy if os.path.exists(copy) else shutil.copy(original, copy)

    def tmpfs(self, name, options):
        path = self.directory(name)
        self._mount("-t", "tmpfs", "-o", f"{options},uid={OWNER.pw_uid}", "tmpfs", path)
        return path

    def ext4(self, name, size, make=(), options="commit=600"):
        """An ext4 of its own, mounted; its image is NAME.img. Nothing reaches the image but by a flush."""
        image = self.join(name + ".img")
        with open(image, "wb") as file:
            file.truncate(size)
        run("mkfs.ext4", "-q", "-m", "0", "-F", *make, image)
        return self.mount_image(image, name, options)

    def mount_image(self, image, name, options="commit=600"):
        path = self.directory(name)
        self._mount("-o", f"loop,{options}", image, path)
        os.chown(path, OWNER.pw_uid, OWNER.pw_gid)
        return path

    def bind(self, file, over):
        """Until the end, whoever opens `over` gets `file`."""
        self._mount("--bind", file, over)

    def hide(self, path):
        """An empty directory in memory stands over it."""
        self._mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", path)

    def unmount(self, path):
        run("umount", path)
        self._mounts.remove(path)

    def _mount(self, *words):
        run("mount", *words)
        self._mounts.append(words[-1])
