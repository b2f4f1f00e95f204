#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""etc/release.sh on a clone: what it refuses, and that what it makes is whole, the same each time, and of the right form."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VERSION = "9.9.9"
COMMITTER = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "core.hooksPath=/dev/null")
IDENTIFIER = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")  # SPDX 2.3, 3.2 and 7.2
PACKAGE = {"SPDXID", "name", "versionInfo", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared",
           "copyrightText"}


class Release(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="hikyaku-release-")
        self.addCleanup(shutil.rmtree, folder)
        self.clone = pathlib.Path(folder, "clone")
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, self.clone], check=True)
        for name in ("release.sh", "sbom.py", "packages.txt"):  # those of the working tree
            shutil.copy(ROOT / "etc" / name, self.clone / "etc" / name)
        self.edit("CMakeLists.txt", r"(project\(hikyaku VERSION )[0-9.]+", rf"\g<1>{VERSION}")
        self.commit()

    def edit(self, name, pattern, by):
        path = self.clone / name
        text, count = re.subn(pattern, by, path.read_text("utf-8"), count=1, flags=re.M)
        self.assertEqual(count, 1, name)
        path.write_text(text, "utf-8")

    def commit(self):
        subprocess.run(["git", "-C", self.clone, "add", "-A"], check=True)
        subprocess.run(["git", "-C", self.clone, *COMMITTER, "commit", "-q", "-m", "tests: a release"], check=True)

    def release(self):
        return subprocess.run(["bash", self.clone / "etc/release.sh", "--dry-run"], capture_output=True, text=True, check=False)

    def refusal(self):
        done = self.release()
        self.assertEqual(done.returncode, 65, done.stdout + done.stderr)
        self.assertFalse((self.clone / "build").exists())
        return done.stderr

    def test_it_refuses_what_nobody_could_build_again(self):
        self.assertIn(f"and not with '{VERSION}'", self.refusal())
        self.edit("CHANGELOG.md", r"^## .*$", f"## {VERSION}")
        self.assertIn("changes that are not committed", self.refusal())
        self.commit()
        subprocess.run(["git", "-C", self.clone, *COMMITTER, "tag", f"v{VERSION}", "HEAD^"], check=True)
        self.assertIn(f"the tag v{VERSION} is on another commit", self.refusal())

    def test_it_makes_sources_changes_components_and_checksums(self):
        self.edit("CHANGELOG.md", r"^## .*$", f"## {VERSION}\n\n- The only change.\n\n## 9.9.8")
        self.commit()
        done = self.release()
        self.assertEqual(done.returncode, 0, done.stderr)
        folder = self.clone / "build" / f"release-{VERSION}"
        made = {path.name: path.read_bytes() for path in folder.iterdir()}
        sums = made.pop("SHA256SUMS").decode()
        self.assertEqual(sorted(made), [f"hikyaku-{VERSION}.{end}" for end in ("changes.md", "spdx.json", "tar.gz")])
        self.assertEqual(dict(line.split("  ")[::-1] for line in sums.splitlines()),
                         {name: hashlib.sha256(content).hexdigest() for name, content in made.items()})
        self.assertEqual(made[f"hikyaku-{VERSION}.changes.md"].strip(), b"- The only change.")
        self.check_components(json.loads(made[f"hikyaku-{VERSION}.spdx.json"]), made[f"hikyaku-{VERSION}.tar.gz"])
        self.assertEqual(self.release().returncode, 0)
        self.assertEqual((folder / "SHA256SUMS").read_text("utf-8"), sums)

    def check_components(self, document, sources):
        self.assertEqual((document["spdxVersion"], document["dataLicense"], document["SPDXID"]),
                         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(document["documentNamespace"], r"\Ahttps://[^#]+\Z")
        self.assertRegex(document["creationInfo"]["created"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertTrue(all(re.match(r"(Tool|Organization|Person): ", who) for who in document["creationInfo"]["creators"]))
        packages = {package["SPDXID"]: package for package in document["packages"]}
        self.assertEqual(len(packages), len(document["packages"]))
        for identifier, package in packages.items():
            self.assertTrue(IDENTIFIER.fullmatch(identifier), identifier)
            self.assertLessEqual(PACKAGE, package.keys())
        project = packages["SPDXRef-hikyaku"]
        self.assertEqual((project["versionInfo"], project["licenseDeclared"]), (VERSION, "MIT"))
        self.assertEqual(project["checksums"], [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(sources).hexdigest()}])
        related = [(each["spdxElementId"], each["relationshipType"], each["relatedSpdxElement"])
                   for each in document["relationships"]]
        self.assertEqual({one for one, _, other in related} | {other for one, _, other in related},
                         {"SPDXRef-DOCUMENT", *packages})
        self.assertIn(("SPDXRef-hikyaku", "DEPENDS_ON", "SPDXRef-libssl-dev"), related)


if __name__ == "__main__":
    unittest.main(verbosity=2)
