# SPDX-License-Identifier: MIT
"""The control socket's other end: HTTP over a Unix socket, as ourselves or as another user."""

import http.client
import json
import socket
import subprocess

# Another user may not get to where we are: all of its program is here.
ASK = """
import http.client, socket, sys
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(sys.argv[1])
connection.request(*sys.argv[2:])
answer = connection.getresponse()
print(answer.status)
sys.stdout.write(answer.read().decode())
"""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
        self.sock.settimeout(self.timeout)


class Control:
    def __init__(self, path):
        self.path = path

    def connect(self):
        """A bare socket."""
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.path)
        client.settimeout(60)
        return client

    def ask(self, method, target, body=None):
        """Status and body, as text."""
        connection = _Connection(self.path)
        try:
            connection.request(method, target, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask_as(self, uid, gid, *request):
        """The same by another user: a process of its own, with one group."""
        done = subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--", "python3", "-c", ASK,
                               self.path, *request], capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip().rpartition("\n")[2])
        status, _, body = done.stdout.partition("\n")
        return int(status), body

    def get(self, target):
        status, body = self.ask("GET", target)
        assert status == 200, body
        return body

    def post(self, target, value=None):
        status, body = self.ask("POST", target, None if value is None else json.dumps(value))
        assert status == 200, body
        return json.loads(body)

    def lines(self, target):
        return [json.loads(line) for line in self.get(target).splitlines()]

    def pages(self, limit):
        """All mails, from as many pages as it takes."""
        after = ""
        while after is not None:
            page = json.loads(self.get(f"/v1/queue?limit={limit}" + (f"&after={after}" if after else "")))
            yield from page["mails"]
            after = page["next"]
