#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""etc/compose.fleet.yaml, each service run as a container runtime does, with this build's programs in the image's place: two
nodes and a database with a password; and mail that one has accepted goes out by the other after it was killed."""

import os
import shutil
import smtplib
import unittest

import yaml

from rig import main, until
from rig.certificates import Authority
from rig.hikyakud import binary
from rig.machines import Machine, Switch
from rig.messages import message
from rig.place import ROOT, Place
from rig.postgresql import Server
from rig.process import Process
from rig_common.network import PROCESSES

SMARTHOST, ACCOUNT, PASSWORD = "smtp.example.com", "shop@shop.example", "correct horse"
DATABASE_PASSWORD = "battery staple"
NETWORKS = {"mail": "10.89.26", "database": "10.90.1", "out": "10.90.2"}
QUICK = ', lease: 2s, takeover: 1s}'  # what a user leaves as it is
PREPARE = """
set -e
name=$1 hosts=$2 secrets=$3
shift 3
hostname "$name"
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
mount --bind "$hosts" /etc/hosts
mount -t tmpfs tmpfs /run
mkdir /run/secrets
for secret in "$@"; do cp -p "$secrets/$secret" /run/secrets; done
mount -t tmpfs tmpfs /var/spool
mkdir -m 1777 /var/spool/hikyaku
"""


class Database(Server):
    auth = "scram-sha-256"


class Container:
    """A service's machine, user, mounts and environment; run() starts its program, or another one."""

    def __init__(self, test, name, number):
        service, self._place = test.services[name], test.place.part()
        self.machine = Machine(self._place, number, [test.switches[network] for network in service["networks"]])
        test.addCleanup(self.machine.end)
        self._environment = {"HIKYAKU_RUNTIME_DIRECTORY": "/var/spool/hikyaku/run", **test.adapted(service["environment"])}
        uid, gid = service["user"].split(":")
        self._user = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
                      "--"]
        for secret in service["secrets"]:
            os.chown(f"{test.secrets}/{secret}", int(uid), int(gid))
        self.machine.run("sh", "-c", PREPARE, "sh", service.get("hostname", name), test.place.hosts, test.secrets,
                         *service["secrets"])
        self._program = service.get("entrypoint", ["/usr/sbin/hikyakud"])
        self._folder = test.programs

    def start(self, program=None):
        path, *arguments = program or self._program
        command = ["env", "-i", *(f"{name}={value}" for name, value in self._environment.items()), *self._user,
                   f"{self._folder}/{os.path.basename(path)}", *arguments]
        return Process(self.machine.inside(command), self._place.join("said"))


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.remove)
        with open(f"{ROOT}/etc/compose.fleet.yaml", encoding="utf-8") as file:
            cls.compose = yaml.safe_load(file)
        cls.services = cls.compose["services"]
        cls.programs = cls.place.directory("programs")
        for name in ("hikyaku", "hikyakud"):
            shutil.copy(binary(name), cls.programs)
        cls.authority = Authority(cls.place, "authority")
        cls.switches = {name: Switch(name, network) for name, network in NETWORKS.items()}
        cls.secrets = cls.place.directory("secrets")
        cls.place.file("secrets/authinfo", f'machine {SMARTHOST} login {ACCOUNT} password "{PASSWORD}"\n', 0o600)
        cls.place.file("secrets/pgpass", f"database:5432:mail:hikyaku:{DATABASE_PASSWORD}\n", 0o600)
        cls.place.name_host(SMARTHOST, cls.switches["out"].address)
        cls.place.name_host("database", cls.switches["database"].at(9))
        machine = Machine(cls.place, 9, [cls.switches["database"]])
        cls.addClassCleanup(machine.end)
        cls.database = Database(cls.place, machine, cls.switches["database"], 9)
        cls.addClassCleanup(cls.database.end)
        cls.database.ask("CREATE DATABASE mail")
        cls.database.ask(f"ALTER USER hikyaku PASSWORD '{DATABASE_PASSWORD}'")

    def adapted(self, environment):
        """Only what the test must have otherwise: an authority of its own, and less patience."""
        config = environment.get("HIKYAKU_CONFIG", "")
        config = config.replace(f"smarthost: submission://{SMARTHOST}",
                                f'smarthost: {{url: "submission://{SMARTHOST}", tls_ca_file: {self.authority.cert}}}')
        config = config.replace('/mail"}', '/mail"' + QUICK)
        return environment | ({"HIKYAKU_CONFIG": config} if config else {})

    def test_all_that_is_named_is_there_and_no_password_is_in_it(self):
        for service in self.services.values():
            for kind in ("secrets", "networks", "depends_on"):
                named = self.compose["services" if kind == "depends_on" else kind]
                self.assertLessEqual(set(service.get(kind, ())), set(named))
            for volume in service.get("volumes", ()):
                self.assertIn(volume.partition(":")[0], self.compose["volumes"])
            self.assertNotIn("hikyaku:", str(service).replace("/hikyaku:", ""))
        nodes = [self.services[name] for name in ("relay1", "relay2")]
        self.assertEqual(len({service["hostname"] for service in nodes}), len(nodes))
        self.assertEqual(self.compose["networks"]["mail"]["ipam"]["config"], [{"subnet": f"{NETWORKS['mail']}.0/24"}])

    def test_mail_of_a_node_that_is_killed_goes_out_by_the_other(self):
        init = Container(self, "spool-init", 10).start()
        self.assertEqual(init.wait(120), 0, init.said())
        self.assertIn("is ready for a shared spool", init.said())
        nodes = []
        for number, name in enumerate(("relay1", "relay2"), 11):
            container = Container(self, name, number)
            node = container.start()
            self.addCleanup(node.kill)
            until(lambda node=node: "started version=" in node.said() or not node.runs(), 60, node.said)
            health = container.start(self.services[name]["healthcheck"]["test"][1:])
            self.assertEqual(health.wait(60), 0, node.said())
            nodes.append(node)
        with smtplib.SMTP(self.switches["mail"].at(11), 25, timeout=60) as client:
            client.sendmail("app@shop.example", ["you@dest.example"], message("either"))
        nodes[0].kill()
        arrived = self.begin_smarthost()
        until(lambda: any(name.endswith(".eml") for name in os.listdir(arrived)), 120, nodes[1].said)
        self.assertNotIn(DATABASE_PASSWORD, nodes[1].said())

    def begin_smarthost(self):
        certificate, folder = self.authority.issue(SMARTHOST), self.place.directory("arrived")
        sink = Process([binary("hikyaku"), "sink", "--listen", f"{self.switches['out'].address}:587", "--hostname", SMARTHOST,
                        "--tls", "starttls", "--cert", certificate.cert, "--key", certificate.key, "--user", ACCOUNT,
                        "--password-file", self.place.file("password", PASSWORD), "--require-auth", "--directory", folder],
                       self.place.join("sink"))
        self.addCleanup(sink.kill)
        until(lambda: "listening on" in sink.said() or not sink.runs(), 60, sink.said)
        return folder


if __name__ == "__main__":
    main(*PROCESSES)
