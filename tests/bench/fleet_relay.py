# SPDX-License-Identifier: MIT
"""Nodes that share a spool, as a relay to be measured (relays.py has the others): so many daemons, and a PostgreSQL as it
comes, over TCP, with its data on the same disk that the others' spools are on."""

import signal
import subprocess

from relays import CONNECTIONS, SMARTHOST_PORT, FlushCounter, Hikyakud
from rig import postgresql
from rig.hikyakud import USER_ID, binary

COPIES = """
INSERT INTO hikyaku.mail (id, origin, due, size, pieces, checksum, envelope, content)
SELECT nextval('hikyaku.mail_id'), origin, clock_timestamp() + interval '{due}' + random() * interval '1 minute' - interval '1 minute',
       size, pieces, checksum, envelope, content
  FROM (SELECT * FROM hikyaku.mail LIMIT 1) one, generate_series(1, {count})"""
CLAIMS = "FROM pg_stat_statements WHERE query LIKE '%SKIP LOCKED%'"


class Database(postgresql.Postgresql):
    def __init__(self, place):
        self._counter = FlushCounter(place.part())
        super().__init__(place)

    @property
    def url(self):
        return f"postgresql://{postgresql.USER}@127.0.0.1/{postgresql.DATABASE}"

    def prepare(self):
        super().prepare()
        self._env |= self._counter.environment

    def settings(self):
        return {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.socket,
                "shared_preload_libraries": "pg_stat_statements"}

    def flushes(self):
        return self._counter.count()


class Node(Hikyakud):
    """At an address of its own."""

    def __init__(self, place, number, url, times):
        part = place.part()
        part.address = f"127.70.0.{number}"
        smarthost = {"name": "sink", "connections": CONNECTIONS, "host": place.address, "port": SMARTHOST_PORT, "tls": "none",
                     "auth": "none"}
        spool = {"directory": part.directory("spool", owner=USER_ID), "url": url, **times}
        super().__init__(part, node=f"node{number}", smarthosts=[smarthost], spool=spool)

    def log(self):
        return self._process.said()

    def stop(self):
        """Its mail is anybody's."""
        self._process.signal(signal.SIGTERM)
        self._process.wait(60)
        self._process.kill()


class Nodes:
    LEASE, TAKEOVER = 2, 2  # seconds

    def __init__(self, place, count):
        self.name, self.database = f"nodes-{count}", Database(place)
        subprocess.run([binary("hikyaku"), "spool", "init", self.database.url], check=True, stdout=subprocess.DEVNULL)
        self.database.ask("CREATE EXTENSION pg_stat_statements")
        times = {"lease": f"{self.LEASE}s", "takeover": f"{self.TAKEOVER}s"}
        self.nodes = [Node(place, number, self.database.url, times) for number in range(1, count + 1)]
        self.addresses = ",".join(node.addresses for node in self.nodes)

    def start(self):
        self.database.start()
        for node in self.nodes:
            node.start()

    def kill(self):
        """The database, too."""
        for node in self.nodes:
            node.kill()
        self.database.stop()

    def deliver(self):
        """They do so by themselves."""

    def flushes(self):
        return self.database.flushes()

    def stop(self):
        for node in self.nodes:
            node.stop()

    def restart(self):
        self.database.ask("SELECT pg_stat_statements_reset()")
        for node in self.nodes:
            node.start()

    def fill(self, count, due):
        """Copies of a mail that is there; nobody may ask for their content, whose checksum is another's."""
        self.database.ask(COPIES.format(count=count, due=due))

    def claims(self):
        return int(self.database.ask(f"SELECT coalesce(sum(calls), 0) {CLAIMS}"))

    def claim_ms(self):
        return float(self.database.ask(f"SELECT sum(total_exec_time) / sum(calls) {CLAIMS}"))

    def log(self):
        return "\n".join(node.log() for node in self.nodes)
