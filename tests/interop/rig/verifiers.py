# SPDX-License-Identifier: MIT
"""Three programs that verify DKIM signatures and share no code with us or with each other: dkimpy, opendkim, and
mailauth from npm. The records come from a table, not from the DNS."""

import base64
import email.utils
import glob
import json
import os
import re
import subprocess
import sys

from .hikyakud import USER_ID


class Verifiers:
    """`records` maps names to texts; others may be added later."""

    def __init__(self, place):
        self.records, self._place, self._root = {}, place.part(), f"{place.peers}/verifiers"
        self._modules = f"{place.peers}/mailauth/node_modules"
        self._script = os.path.join(os.path.dirname(place.clients), "verifiers", "mailauth.js")
        sys.path.append(f"{self._root}/usr/lib/python3/dist-packages")
        import dkim  # pylint: disable=import-outside-toplevel
        self._dkim = dkim

    def make_key(self, *domains, selector="interop", owner=USER_ID):
        """A directory with a key that signs for these domains, whose record we know."""
        key = subprocess.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             check=True, stdout=subprocess.PIPE).stdout
        public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=key, check=True,
                                stdout=subprocess.PIPE).stdout
        for domain in domains:
            self.records[f"{selector}._domainkey.{domain}"] = "v=DKIM1; p=" + base64.b64encode(public).decode()
            self._place.directory(f"keys/{domain}")
            self._place.file(f"keys/{domain}/{selector}.key", key.decode(), 0o600, owner)
        return self._place.join("keys")

    def publish(self, key):
        """What `hikyaku dkim new|list --json` says of a key."""
        self.records[key["record_name"]] = key["record"]

    def traces_of(self, path, domain, selector):
        """Pieces of the second half of the private key in this file, where only the private numbers are, in Base64 at each
        offset, and in hex."""
        with open(path, encoding="ascii") as file:
            secret = base64.b64decode("".join(file.read().splitlines()[1:-1]))
        public = base64.b64decode(self.records[f"{selector}._domainkey.{domain}"].split("p=")[1])
        half = secret[len(public) + 40:]
        pieces = [half[at:at + 24] for at in range(0, len(half) - 24, 24)]
        return {piece.hex() for piece in pieces} | {
            base64.b64encode(b"x" * offset + piece).decode()[4:28] for piece in pieces for offset in range(3)}

    def signatures(self, content):
        """[(domain, selector)] of a message, from the first to the last, where all of them verify by dkimpy."""
        fields = [tags(value) for name, value in self._dkim.rfc822_parse(content)[0]
                  if name.lower() == b"dkim-signature"]
        for at, field in enumerate(fields):
            assert self._dkim.DKIM(content).verify(at, dnsfunc=self._record), (field, content[:4000])
        return [(field["d"], field["s"]) for field in fields]

    def check_all(self, contents):
        """Each signature verifies, and whose author is in a domain that we have a key of, or below it, has that one's. Of very
        many, one or two hundred are looked at."""
        for content in contents[::max(1, len(contents) // 100)]:
            signer = self._signer_for(content)
            found = [domain for domain, _ in self.signatures(content)]
            assert signer is None or signer in found, f"by {found}, not by {signer}:\n{content[:4000]}"

    def _signer_for(self, content):
        """None where the author is not one, in one domain."""
        authors = [value.decode("utf-8", "replace") for name, value in self._dkim.rfc822_parse(content)[0] if name.lower() == b"from"]
        domains = {address.rpartition("@")[2].lower() for _, address in email.utils.getaddresses(authors)}
        if len(authors) != 1 or len(domains) != 1:
            return None
        author = f".{domains.pop()}"
        signers = [name.partition("._domainkey.")[2] for name in self.records]
        return next((signer for signer in signers if author.endswith(f".{signer}")), None)

    def fails(self, content):
        """Whether dkimpy does not believe the first signature."""
        try:
            return not self._dkim.DKIM(content).verify(0, dnsfunc=self._record)
        except self._dkim.DKIMException:
            return True

    def relaxed_forms(self, bodies, fields):
        """dkimpy's, of the bodies and then of the header fields."""
        from dkim.canonicalization import Relaxed  # pylint: disable=import-outside-toplevel
        of_fields = [Relaxed.canonicalize_headers([tuple(field.split(b":", 1))])[0] for field in fields]
        return [Relaxed.canonicalize_body(body) for body in bodies] + [b":".join(field) for field in of_fields]

    def verdicts_of_opendkim(self, content):
        """The verdict for each signature: "pass" where all is well."""
        keys = "".join(f"{name} {text}\n" for name, text in self.records.items())
        config = f"Mode v\nSyslog no\nTestPublicKeys {self._place.file('keys', keys)}\n"
        command = [f"{self._root}/usr/sbin/opendkim", "-x", self._place.file("opendkim.conf", config), "-vv", "-t",
                   self._store(content)]
        libraries = [f"{self._root}/usr/lib", *glob.glob(f"{self._root}/usr/lib/*-linux-gnu"),
                     *glob.glob(f"{self._place.peers}/libraries/usr/lib/*-linux-gnu")]
        run = subprocess.run(command, env=os.environ | {"LD_LIBRARY_PATH": ":".join(libraries)}, check=True, timeout=120,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return re.findall(r"\bdkim=(\w+)", run.stdout.decode("utf-8", "replace"))

    def verdicts_of_mailauth(self, *contents):
        """A list of [domain, selector, verdict] for each message."""
        records = self._place.file("records.json", json.dumps(self.records))
        files = [self._store(content, f"mail.{at}") for at, content in enumerate(contents)]
        run = subprocess.run(["node", self._script, self._modules, records, *files], check=True, timeout=120,
                             stdout=subprocess.PIPE)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def _record(self, name, timeout=5):
        return self.records.get(name.decode().rstrip("."), "").encode()

    def _store(self, content, name="mail"):
        path = self._place.join(name)
        with open(path, "wb") as file:
            file.write(content)
        return path


def tags(value):
    """Of a signature, without blanks."""
    bare = re.sub(rb"\s", b"", value).decode()
    return dict(tag.split("=", 1) for tag in bare.rstrip(";").split(";"))


def without_signatures(header):
    return re.sub(rb"(?m)^DKIM-Signature:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"", header)


def split_signatures(content):
    """The DKIM-Signature fields that stand first, and the rest."""
    found = re.match(rb"(?:DKIM-Signature:[^\r]*\r\n(?:[ \t][^\r]*\r\n)*)*", content)
    return found.group(), content[found.end():]
