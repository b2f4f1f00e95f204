# SPDX-License-Identifier: MIT
"""An authorization server, npm's oidc-provider, a person with a browser who consents there, and Dovecot as a smarthost's
log-in that asks it about each token (RFC 7662)."""

import http.cookiejar
import html
import json
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request

from rig_common.network import free_port
from rig_common.waiting import until

from .dovecot import LOGIN_ALONE, Dovecot
from .listening import listens
from .process import Process

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "oauth", "provider.mjs")
CLIENT, APP, APP_SECRET = "people", "app@interop.test", "app secret/+&"
MICROSOFT = {"token": "/common/oauth2/v2.0/token", "device_authorization": "/common/oauth2/v2.0/devicecode",
             "authorization": "/common/oauth2/v2.0/authorize"}
FORM = re.compile(r"<form[^>]*?action=\"([^\"]*)\".*?</form>", re.S)
FIELD = re.compile(r"<input[^>]*?name=\"([^\"]*)\"(?:[^>]*?value=\"([^\"]*)\")?")


class AuthorizationServer:
    """Listens when it is there. `http` is its base URL on loopback; with a `certificate` it is reached by https as well, at
    `address`, port 443. `app` is the client that may have tokens of its own. Where it was stopped, start() begins anew."""

    def __init__(self, place, scopes, ttl=3600, routes=None, certificate=None, address=None, issuer=None, app=APP):
        self.port = free_port()
        self.http = f"http://127.0.0.1:{self.port}"
        self.routes = routes or {}
        wanted = {"modules": f"{place.peers}/oauth", "http": self.port, "issuer": issuer or self.http, "scopes": scopes,
                  "ttl": ttl, "routes": self.routes, "app": app}
        if certificate:
            wanted |= {"https": 443, "address": address, "cert": certificate.cert, "key": certificate.key}
        self._command = ["node", SCRIPT, json.dumps(wanted)]
        self._log = place.join(f"authorization-{self.port}.log")
        self.process = None
        self.start()

    def start(self):
        if self.process is not None and self.process.runs():
            return
        self.process = Process(self._command, self._log)
        until(lambda: self._answers() or not self.process.runs(), 60, "the authorization server listens")
        assert self.process.runs(), self.process.said()

    def _answers(self):
        try:
            return self.counts() is not None
        except OSError:
            return False

    def counts(self):
        """How many requests each path has had."""
        with urllib.request.urlopen(f"{self.http}/counts", timeout=30) as answer:
            return json.load(answer)

    def url(self, route, path):
        return self.http + self.routes.get(route, path)

    def revoke(self, token, client=CLIENT):
        form = urllib.parse.urlencode({"token": token, "client_id": client}).encode()
        urllib.request.urlopen(self.url("revocation", "/token/revocation"), form, timeout=30).close()

    def stop(self):
        self.process.kill()


class FalsifyingServer:
    """npm's oauth2-mock-server, with these answers first: pairs of a status and a body; None: its own, without expires_in."""

    def __init__(self, place, answers):
        self.port = free_port()
        self.token_url = f"http://127.0.0.1:{self.port}/token"
        wanted = {"modules": f"{place.peers}/oauth", "port": self.port,
                  "answers": [{"status": status, "body": body} for status, body in answers]}
        script = os.path.join(os.path.dirname(SCRIPT), "falsifying.mjs")
        self.process = Process(["node", script, json.dumps(wanted)], place.join(f"falsifying-{self.port}.log"))
        until(lambda: listens("127.0.0.1", self.port) or not self.process.runs(), 60, "the mock server listens")
        assert self.process.runs(), self.process.said()

    def stop(self):
        self.process.kill()


class Person:
    """Somebody with a browser, who logs in as `account` and says yes to everything."""

    def __init__(self, account, ca_file=None):
        self.account = account
        context = ssl.create_default_context(cafile=ca_file)
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
                                                    urllib.request.HTTPSHandler(context=context))

    def _open(self, url, form=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self._browser.open(url, data, timeout=60) as answer:
                return answer.geturl(), answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.geturl(), error.read().decode("utf-8", "replace")

    def consent(self, url, code=None):
        """From the URL that hikyaku shows to the page that has no form any more; returns that page."""
        where, page = self._open(url)
        for _ in range(8):
            form = FORM.search(page)
            if not form:
                return page
            fields = {name: html.unescape(value) for name, value in FIELD.findall(form.group(0))}
            fields |= {name: value for name, value in
                       {"login": self.account, "password": "x", "user_code": code}.items() if name in fields and value}
            fields.pop("abort", None)
            where, page = self._open(urllib.parse.urljoin(where, html.unescape(form.group(1))), fields)
        raise AssertionError(f"no end of forms at {where}:\n{page}")


def introspecting_dovecot(place, *servers, user="sub"):
    """Offers OAUTHBEARER and XOAUTH2, and takes the tokens of these servers; `user` is the claim that must be the user."""
    passdbs = ""
    for server in servers:
        file = place.file(f"introspection-{server.port}.conf", f"""introspection_mode = post
introspection_url = http://rs:rs-secret@127.0.0.1:{server.port}/token/introspection
username_attribute = {user}
active_attribute = active
active_value = true
""")
        passdbs += f"passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"
    return Dovecot(place, ["OAUTHBEARER", "XOAUTH2"], LOGIN_ALONE + passdbs)
