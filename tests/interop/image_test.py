#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The container image, unpacked and run in namespaces as a container runtime does: as a user that nobody knows, without
capabilities, on a root that cannot be written to, with one volume and a secret that everybody may read."""

import json
import os
import signal
import subprocess
import unittest

from rig import main, until
from rig.certificates import Authority
from rig.place import ROOT, Place
from rig.process import Process

IMAGE = os.path.join(ROOT, "build", "packages", "hikyaku.oci")
UID = "10001"
MOST = 60 << 20  # bytes
SMARTHOST, ACCOUNT, PASSWORD = "smtp.example.com", "shop@shop.example", "correct horse"
CONFIG = f"""
smarthost: {{url: "submission://{SMARTHOST}", tls_ca_file: /etc/hikyaku/ca.pem}}
listen: ["0.0.0.0:25"]
allow: ["127.0.0.0/8"]
hostname: app.shop.example
"""
# What a runtime does before it starts the image's program: $1 is the unpacked image, $2 a folder for this run, $3 a command
# that mounts the volume, $4 what is mounted at /etc/hikyaku; then the program.
RUN = """
set -e
image=$1 here=$2 volume=$3 secrets=$4
shift 4
mount --make-rprivate /
ip link set lo up
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
mkdir "$here"/root "$here"/above "$here"/work
mount -t overlay overlay -o "lowerdir=$image,upperdir=$here/above,workdir=$here/work" "$here/root"
cd "$here/root"
touch etc/hosts
mount -t proc proc proc
mount --bind "$secrets" etc/hikyaku
mount -o remount,bind,ro etc/hikyaku
mount --bind "$secrets/hosts" etc/hosts
eval "$volume"
mount -o remount,ro "$here/root"
exec setpriv --no-new-privs -- chroot --userspec="$UID_INSIDE:$UID_INSIDE" --groups= . "$@"
"""
VOLUMES = {  # how it is mounted, and what is said of it
    "disk": ('mkdir -m 1777 "$here/spool"; mount --bind "$here/spool" var/spool/hikyaku', None),
    "tmpfs": ("mount -t tmpfs -o mode=1777 tmpfs var/spool/hikyaku", "tmpfs, which is memory"),
    "overlayfs": ('mkdir -m 1777 "$here/a"; mkdir "$here/w"; mount -t overlay overlay -o '
                  '"lowerdir=$image/var/spool/hikyaku,upperdir=$here/a,workdir=$here/w" var/spool/hikyaku',
                  "overlayfs, where a container's own files are"),
}
SEND = f"""
import smtplib
client = smtplib.SMTP("127.0.0.1", 25, timeout=60)
client.sendmail("shop@shop.example", ["you@dest.example"], "Subject: from a container\\r\\n\\r\\nHello.\\r\\n")
client.quit()
"""


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        debs = os.path.join(cls.place.peers, "image")
        subprocess.run(["bash", f"{ROOT}/etc/package.sh", "image", "--packaged"], check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {"HIKYAKU_DEBS": debs})
        cls.authority = Authority(cls.place, "authority")
        cls.secrets = cls.place.directory("secrets")
        cls.place.file("secrets/authinfo", f'machine {SMARTHOST} login {ACCOUNT} password "{PASSWORD}"\n', 0o444)
        cls.place.file("secrets/hosts", f"127.0.0.1 localhost {SMARTHOST}\n")
        cls.place.file("password", PASSWORD)
        with open(cls.authority.cert, encoding="ascii") as certificate:
            cls.place.file("secrets/ca.pem", certificate.read())
        bundle = cls.place.join("bundle")
        subprocess.run(["umoci", "unpack", "--image", f"{IMAGE}:latest", bundle], check=True, capture_output=True)
        cls.image = f"{bundle}/rootfs"
        with open(f"{bundle}/config.json", encoding="utf-8") as file:
            cls.process = json.load(file)["process"]

    def test_it_is_small_and_has_no_shell(self):
        sizes = [os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(self.image)
                 for name in names]
        print(f"image: {sum(sizes) / (1 << 20):.1f} MiB unpacked", flush=True)
        self.assertLessEqual(sum(sizes), MOST)
        self.assertEqual(self.process["args"], ["/usr/sbin/hikyakud"])
        self.assertNotEqual(self.process["user"]["uid"], 0)
        programs = [name for folder in ("bin", "sbin") for name in os.listdir(f"{self.image}/usr/{folder}")]
        self.assertEqual(sorted(programs), ["hikyaku", "hikyakud"])

    def test_any_user_runs_it_and_what_becomes_of_its_spool_is_said(self):
        for volume, (mount, words) in VOLUMES.items():
            with self.subTest(volume):
                self.folder = self.place.part().path
                self.run_on(mount)
                self.pass_a_mail_on()
                self.assertEqual(self.inside("/usr/bin/hikyaku", "health", "--ready").returncode, 0)
                self.assertEqual(self.state("CapEff"), "0000000000000000")
                said = self.end()
                self.assertIn(f" spool={'durable' if words is None else 'not-durable'}\n", said)
                self.assertEqual("the spool is not durable" in said, words is not None, said)
                self.assertIn(words or "started", said)
                self.assertEqual(said.count("(mode 0444) is open to others, and accepted: it is on a read-only mount"), 1, said)
                self.assertNotIn(PASSWORD, said)
                self.assertIn("stopped queued=0", said)

    def run_on(self, volume):
        environment = {**self.environment(), "HIKYAKU_CONFIG": CONFIG, "UID_INSIDE": UID}
        self.container = Process(
            ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", "bash", "-c", RUN, "run",
             self.image, self.folder, volume, self.secrets, *self.process["args"]], f"{self.folder}/said")
        self.addCleanup(self.container.kill)
        until(lambda: "started version=" in self.container.said() or not self.container.runs(), 60, self.container.said)
        self.assertTrue(self.container.runs(), self.container.said())

    def environment(self):
        return dict(entry.split("=", 1) for entry in self.process["env"])

    def first_process(self):
        with open(f"/proc/{self.container.pid}/task/{self.container.pid}/children", encoding="ascii") as children:
            return children.read().split()[0]

    def state(self, name):
        with open(f"/proc/{self.first_process()}/status", encoding="utf-8") as status:
            return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)[name]

    def beside(self, *command):
        """In the container's network only."""
        return ["nsenter", f"--target={self.first_process()}", "--net", "--", *command]

    def inside(self, *command):
        """As `docker exec` does it."""
        return subprocess.run(
            ["nsenter", f"--target={self.first_process()}", "--mount", "--pid", "--net", "--root", "--wd", f"--setuid={UID}",
             f"--setgid={UID}", "--", *command], env=self.environment() | {"HIKYAKU_CONFIG": CONFIG}, capture_output=True,
            text=True, timeout=120, check=False)

    def pass_a_mail_on(self):
        certificate = self.authority.issue(SMARTHOST)
        folder = f"{self.folder}/arrived"
        os.mkdir(folder)
        sink = Process(self.beside(
            f"{self.image}/usr/bin/hikyaku", "sink", "--listen", "127.0.0.1:587", "--hostname", SMARTHOST, "--tls",
            "starttls", "--cert", certificate.cert, "--key", certificate.key, "--user", ACCOUNT, "--password-file",
            self.place.join("password"), "--require-auth", "--directory", folder), f"{self.folder}/sink")
        self.addCleanup(sink.kill)
        until(lambda: "listening on" in sink.said() or not sink.runs(), 60, sink.said)
        subprocess.run(self.beside("python3", "-c", SEND), check=True)
        until(lambda: any(name.endswith(".eml") for name in os.listdir(folder)), 60,
              self.container.said)
        until(lambda: " delivered id=" in self.container.said(), 60, self.container.said)
        sink.kill()

    def end(self):
        os.kill(int(self.first_process()), signal.SIGTERM)
        self.assertEqual(self.container.wait(60), 0)
        return self.container.said()


if __name__ == "__main__":
    main()
