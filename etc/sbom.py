#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What hikyaku is made of, as an SPDX 2.3 document in JSON: its sources, and the packages of etc/packages.txt with the
versions that this machine builds it with.

    sbom.py VERSION ARCHIVE      ARCHIVE: the sources, for their checksum"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROJECT = "SPDXRef-hikyaku"
QUERY = "${binary:Package}\t${Version}\t${source:Package}\t${Homepage}\n"


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def build_packages():
    """Name, version, source and home page of each. What is missing here cannot have built it, and is an error."""
    listed = (re.sub(r"#.*", "", line).split() for line in (ROOT / "etc/packages.txt").read_text("utf-8").splitlines())
    names = [words[0] for words in listed if words]
    for line in output_of("dpkg-query", "-W", "-f", QUERY, *names).splitlines():
        name, version, source, home = line.split("\t")
        yield name.partition(":")[0], version, source, home


def package(spdx_id, name, version, **more):
    return {"SPDXID": spdx_id, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
            "copyrightText": "NOASSERTION", **more}


def of_debian(name, version, source, home):
    reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                 "referenceLocator": f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}"}
    more = {"homepage": home} if home.startswith("http") else {}
    return package(spdx_id(name), name, version, supplier="Organization: Debian", sourceInfo=f"Debian source package {source}",
                   externalRefs=[reference], **more)


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def relation(name):
    """A library is part of what is built, a tool is not."""
    if name.startswith("lib") or name.endswith("-dev"):
        return {"spdxElementId": PROJECT, "relationshipType": "DEPENDS_ON", "relatedSpdxElement": spdx_id(name)}
    return {"spdxElementId": spdx_id(name), "relationshipType": "BUILD_TOOL_OF", "relatedSpdxElement": PROJECT}


def document(version, archive):
    found = list(build_packages())
    digest = hashlib.sha256(pathlib.Path(archive).read_bytes()).hexdigest()
    project = package(PROJECT, "hikyaku", version, licenseConcluded="MIT", licenseDeclared="MIT",
                      packageFileName=pathlib.Path(archive).name, primaryPackagePurpose="APPLICATION",
                      checksums=[{"algorithm": "SHA256", "checksumValue": digest}])
    created = output_of("env", "TZ=UTC", "git", "show", "-s", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "HEAD").strip()
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"hikyaku-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/hikyaku-{version}-{digest[:32]}",
        "creationInfo": {"created": created, "creators": ["Tool: etc/sbom.py", "Organization: The hikyaku authors"]},
        "packages": [project, *(of_debian(*each) for each in found)],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": PROJECT},
                          *(relation(name) for name, *_ in found)],
    }


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(json.dumps(document(*sys.argv[1:]), indent=1))
