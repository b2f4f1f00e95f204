# SPDX-License-Identifier: MIT
"""A smarthost that repeats the account's password, or its token, in every reply, in every form that it could think of, and
what it was sent besides; and a token endpoint that does so with the client's secret."""

import base64
import http.server
import json
import quopri
import socketserver
import threading
import urllib.parse

from .catcher import ARRIVED


def percent(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def forms(user, password):
    """Texts without line ends, except where the password goes over one."""
    response = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    aligned = [base64.b64encode((before + password + "&c").encode()).decode() for before in ("", "u", "us")]
    half = len(password) // 2
    return [password, f'"{password}"', response, response[len(response) // 2:], *aligned,
            base64.urlsafe_b64encode(password.encode()).decode(), percent(password), urllib.parse.quote(password, ""),
            urllib.parse.quote_plus(password), quopri.encodestring(password.encode(), quotetabs=True).decode(),
            percent(response), password[1:9], f"{password[:half]}\n{password[half:]}", f"{response[:9]}\n{response[9:]}"]


class EchoSmarthost:
    """Without TLS; offers these mechanisms. A token, other than a password, it says from the log-in on alone. `refuses_login` may be set at any time. Refuses recipients no@ for good and
    later@ for now. `notices` are the contents of mails from <>, `replies` counts what it has said, `newest` is the last."""

    def __init__(self, address, user, password, mechanisms="PLAIN LOGIN"):
        self._mechanisms, self._session = mechanisms, threading.local()
        self.refuses_login, self.notices, self.replies, self.newest = True, [], 0, b""
        self._forms = forms(user, password)
        serve = self._serve

        class Session(socketserver.BaseRequestHandler):
            def handle(self):
                with self.request.makefile("rwb") as stream:
                    serve(stream)

        self._server = socketserver.ThreadingTCPServer((address, 0), Session)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, stream):
        self._session.knows_it = "PLAIN" in self._mechanisms
        self._reply(stream, "220", "")
        sender = None
        while line := stream.readline().decode().rstrip("\r\n"):
            command = line.upper()
            if command.startswith("MAIL"):
                sender = line
            if not self._obey(stream, line, command, sender):
                return

    def _obey(self, stream, line, command, sender):
        if command.startswith("EHLO"):
            self._reply(stream, "250", "", line, (f"AUTH {self._mechanisms}", "ENHANCEDSTATUSCODES"))
        elif command.startswith("AUTH"):
            self._log_in(stream, line)
        elif command.startswith("RCPT TO:<NO@"):
            self._reply(stream, "550", "5.1.1 ", line)
        elif command.startswith("RCPT TO:<LATER@"):
            self._reply(stream, "450", "4.2.1 ", line)
        elif command == "DATA":
            self._reply(stream, "354", "")
            self._take(stream, sender)
        elif command == "QUIT":
            self._reply(stream, "221", "2.0.0 ")
            return False
        else:
            self._reply(stream, "250", "2.0.0 ", line)
        return True

    def _log_in(self, stream, line):
        questions = {"AUTH LOGIN": ("Username:", "Password:"), "AUTH XOAUTH2": ("",)}.get(line.upper())
        if questions:
            for question in questions:
                stream.write(b"334 " + base64.b64encode(question.encode()) + b"\r\n")
                stream.flush()
                line += " " + stream.readline().decode().rstrip("\r\n")
        refused, self._session.knows_it = self.refuses_login, True
        self._reply(stream, "535" if refused else "235", "5.7.8 " if refused else "2.7.0 ", line)

    def _take(self, stream, sender):
        content = b""
        while (line := stream.readline()) not in (b".\r\n", b""):
            content += line
        ARRIVED.append(content)
        if "<>" in sender:
            self.notices.append(content)
        self._reply(stream, "250", "2.6.0 ")

    def _reply(self, stream, code, status, line="", keywords=()):
        """Some forms first, so that they are seen although few lines of a reply are."""
        self.replies += 1
        start = self.replies % len(self._forms)
        said = [*self._forms[start:], *self._forms[:start]] if self._session.knows_it else []
        text = "\n".join([*said, line, *keywords, "end"])
        lines = [f"{code}-{part if part in keywords else status + part}\r\n" for part in text.split("\n")]
        lines[-1] = f"{code} {status}end\r\n"
        self.newest = "".join(lines).encode()
        stream.write(self.newest)
        stream.flush()


class EchoTokenEndpoint:
    """Refuses the client, and says its secret in the error, each time in another form; once it has a `token`, it gives that.
    `forms_said` are those forms."""

    def __init__(self, secret, client):
        self.token, self.forms_said = None, forms(client, secret)
        self._said = 0
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = endpoint.answer()
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()

    def answer(self):
        if self.token:
            return 200, {"access_token": self.token, "expires_in": 3600}
        form = self.forms_said[self._said % len(self.forms_said)]
        self._said += 1
        return 401, {"error": "invalid_client", "error_description": f"of {form} or {form} nothing is known {form}"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()
