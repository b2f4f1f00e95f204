#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes a release of the commit that is checked out, in build/release-VERSION: the sources, what has changed, what it is made
# of (SPDX), the packages, the image, and checksums of them all; and the tag vVERSION. Nothing leaves this machine.
#   etc/release.sh [--dry-run]
# The version is the one in CMakeLists.txt, and CHANGELOG.md begins with it. --dry-run leaves out tag, packages and image.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
version=$(sed -n 's/^project(hikyaku VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
tag=v$version
name=hikyaku-$version
folder=$root/build/release-$version

refuse() { echo "etc/release.sh: $*" >&2; exit 65; }

check() {
  [ -z "$(git status --porcelain)" ] || refuse "there are changes that are not committed; commit or stash them first"
  local first tagged
  first=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
  [ "$first" = "$version" ] || refuse "CHANGELOG.md begins with '$first' and not with '$version', the version of CMakeLists.txt"
  tagged=$(git rev-parse -q --verify "$tag^{commit}" || true)  # empty: there is none yet
  [ -z "$tagged" ] || [ "$tagged" = "$(git rev-parse HEAD)" ] || refuse "the tag $tag is on another commit; raise the version"
}

changes() { # of this version
  awk -v heading="## $version" '$0 == heading { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md
}

make_files() { # each the same from each checkout of the commit
  mkdir -p "$folder"
  rm -rf "${folder:?}"/*
  git archive --format=tar --prefix="$name/" HEAD | gzip -9n > "$folder/$name.tar.gz"
  changes > "$folder/$name.changes.md"
  python3 etc/sbom.py "$version" "$folder/$name.tar.gz" > "$folder/$name.spdx.json"
}

make_packages() {
  git rev-parse -q --verify "$tag" > /dev/null || git tag -a "$tag" -m "hikyaku $version"
  bash etc/package.sh image
  cp build/packages/*.deb "$folder"
  gzip -9n < build/packages/hikyaku.oci.tar > "$folder/$name.oci.tar.gz"
}

case ${1:-} in
  '') dry=0 ;;
  --dry-run) dry=1 ;;
  *) echo "usage: bash etc/release.sh [--dry-run]" >&2; exit 64 ;;
esac
check
make_files
[ $dry = 1 ] || make_packages
(cd "$folder" && sha256sum -- * > SHA256SUMS)
ls -1 "$folder"
[ $dry = 1 ] || echo "To publish it: git push origin $tag"
