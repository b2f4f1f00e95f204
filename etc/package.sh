#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes packages of this checkout in build/packages.
#   etc/package.sh deb [BUILD]      Debian packages: hikyaku and hikyaku-mta. With the folder of a Release build that is
#                                   there already, nothing is compiled
#   etc/package.sh image [BUILD]    the same, and an image of the OCI's layout, hikyaku.oci and hikyaku.oci.tar, to be
#                                   loaded by podman, skopeo and others. --packaged in BUILD's place: of the packages
#                                   that are in build/packages already
# $HIKYAKU_DEBS may name a folder for the packages of Debian that are in the image.
# The top level has no debian/: the packaging is in etc/debian, and is put beside a copy of the sources.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
packages=$root/build/packages

# What is told apart by apt, and by time: two builds of the same commit have the same version and dates.
version() {
  local version
  version=$(sed -n 's/^project(hikyaku VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  if git describe --exact-match --match "v$version" > /dev/null 2>&1; then
    echo "$version"
  else
    echo "$version+git$(TZ=UTC git show -s --format=%cd --date=format-local:%Y%m%d%H%M%S HEAD)"
  fi
}

copy_sources() { # copy_sources FOLDER: what git knows, as it is in the working tree
  git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --ignore-failed-read -cf - 2> /dev/null | tar -xf - -C "$1"
  cp -r "$1/etc/debian" "$1/debian"
  {
    printf 'hikyaku (%s) unstable; urgency=medium\n\n  * See /usr/share/doc/hikyaku/changelog.gz.\n\n' "$(version)"
    printf ' -- The hikyaku authors <hikyaku@packages.invalid>  %s\n' "$(git show -s --format=%cD HEAD)"
  } > "$1/debian/changelog"
}

make_deb() { # make_deb [BUILD]
  bash etc/install_packages.sh etc/packages.txt etc/debian/packages.txt
  local work
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  mkdir "$work/hikyaku"
  copy_sources "$work/hikyaku"
  SOURCE_DATE_EPOCH=$(git show -s --format=%ct HEAD)
  export SOURCE_DATE_EPOCH
  [ $# = 0 ] || HIKYAKU_BUILD=$(realpath "$1")
  [ $# = 0 ] || export HIKYAKU_BUILD
  # The same source in another folder is the same to ccache.
  export CCACHE_DIR=${CCACHE_DIR:-$(ccache -k cache_dir 2> /dev/null || echo "$work/ccache")} CCACHE_BASEDIR=$work/hikyaku CCACHE_NOHASHDIR=1
  (cd "$work/hikyaku" && dpkg-buildpackage -b -us -uc -rfakeroot) > "$work/log" 2>&1 || { cat "$work/log"; return 1; }
  mkdir -p "$packages"
  rm -rf "$packages"/hikyaku*
  cp "$work"/*.deb "$work"/*.buildinfo "$work"/*.changes "$packages"
  (cd "$packages" && ls -1 ./*.deb)
}

# Without root, everything in it is root's all the same.
with_umoci() { # with_umoci COMMAND IMAGE ARGUMENT…
  local command=$1 image=$2 rootless=()
  shift 2
  [ "$(id -u)" = 0 ] || [ "$command" != insert ] || rootless=(--rootless)
  umoci "$command" "${rootless[@]}" --image "$image" "$@"
}

make_image() { # make_image [BUILD|--packaged]
  [ "${1:-}" = --packaged ] || make_deb "$@"
  rm -rf "$packages/hikyaku.oci"
  command -v umoci > /dev/null || bash etc/install_packages.sh <(echo umoci)
  local work image=$packages/hikyaku.oci debs
  work=$(mktemp -d)
  debs=${HIKYAKU_DEBS:-$work/debs}
  bash etc/image.sh debs "$debs"
  bash etc/image.sh root "$debs" "$work/root"
  umoci init --layout "$image"
  with_umoci new "$image:latest"
  with_umoci insert "$image:latest" "$work/root" /
  with_umoci config "$image:latest" --config.user 10025:10025 --config.entrypoint /usr/sbin/hikyakud \
    --config.env HIKYAKU_RUNTIME_DIRECTORY=/var/spool/hikyaku/run --config.volume /var/spool/hikyaku \
    --config.exposedports 25/tcp --config.exposedports 587/tcp --config.workingdir / --config.stopsignal SIGTERM \
    --config.label org.opencontainers.image.title=hikyaku --config.label "org.opencontainers.image.version=$(version)" \
    --config.label org.opencontainers.image.licenses=MIT
  tar -C "$image" -cf "$image.tar" .
  echo "$image: $(du -sm "$work/root" | cut -f1) MB unpacked"
  rm -r "$work"
}

case ${1:-} in
  deb) shift; make_deb "$@" ;;
  image) shift; make_image "$@" ;;
  *) echo "usage: bash etc/package.sh deb|image [BUILD]" >&2; exit 64 ;;
esac
