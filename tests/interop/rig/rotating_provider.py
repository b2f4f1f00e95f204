# SPDX-License-Identifier: MIT
"""A token endpoint that gives a new refresh token with each access token, and kills the grant when an old one is used."""

import http.server
import json
import threading
import time
import urllib.parse


class RotatingProvider:
    """Listens when it is there. The first refresh token is `refresh-0`."""

    def __init__(self, ttl):
        self.ttl, self.issued, self.is_dead, self.most_at_once = ttl, 0, False, 0
        self._under_way = 0
        self._lock = threading.Lock()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, answer = provider.answer(form["refresh_token"][0])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, used):
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        time.sleep(0.1)  # as a provider far away: two that ask at once would meet
        with self._lock:
            self._under_way -= 1
            self.is_dead = self.is_dead or used != f"refresh-{self.issued}"
            if self.is_dead:
                return 400, {"error": "invalid_grant"}
            self.issued += 1
            return 200, {"access_token": f"access-{self.issued}", "refresh_token": f"refresh-{self.issued}",
                         "expires_in": self.ttl, "token_type": "Bearer"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()
