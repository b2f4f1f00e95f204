# SPDX-License-Identifier: MIT
"""Certificates of every kind that a smarthost may show, made with the openssl command."""

import dataclasses
import subprocess
import time

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclasses.dataclass(frozen=True)
class Certificate:
    cert: str
    key: str


def _openssl(*arguments, cwd=None):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


class Authority:
    """An issuer. Those who trust it have its `cert` as their CA file."""

    def __init__(self, place, name):
        self.folder = place.directory(name)
        self.cert, self._key = f"{self.folder}/ca.pem", f"{self.folder}/ca.key"
        _openssl("req", "-x509", *KEY, "-subj", f"/CN={name}", "-days", "30", "-keyout", self._key, "-out", self.cert)
        with open(f"{self.folder}/ca.cnf", "w", encoding="utf-8") as config:
            config.write("[ca]\ndefault_ca=here\n[here]\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\n"
                         "policy=any\ncopy_extensions=copy\nrand_serial=yes\nunique_subject=no\n"
                         "[any]\ncommonName=supplied\n")
        open(f"{self.folder}/index.txt", "w", encoding="utf-8").close()

    def issue(self, name, expired=False):
        """For the DNS name `name`; valid from yesterday to tomorrow, or until an hour ago."""
        file = f"{self.folder}/{name}{'-expired' if expired else ''}"
        _openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                 "-keyout", f"{file}.key", "-out", f"{file}.csr")
        _openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", self.cert, "-keyfile", self._key,
                 "-startdate", _when(-86400), "-enddate", _when(-3600 if expired else 86400),
                 "-in", f"{file}.csr", "-out", f"{file}.pem", cwd=self.folder)
        return Certificate(f"{file}.pem", f"{file}.key")


def self_signed(place, name):
    file = place.join(f"self-signed-{name}")
    _openssl("req", "-x509", *KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "30",
             "-keyout", f"{file}.key", "-out", f"{file}.pem")
    return Certificate(f"{file}.pem", f"{file}.key")


def _when(seconds_from_now):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds_from_now))
