#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The root folder of hikyaku's image: the package of build/packages, the libraries that it needs, and nothing else: no
# shell, no package manager. etc/package.sh image makes an image of it, and so does etc/Containerfile.
#   etc/image.sh debs FOLDER          brings Debian's packages into the folder, unless they are there
#   etc/image.sh root DEBS FOLDER     fills the new folder FOLDER
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What hikyaku depends on (etc/debian/control) without what only maintainer scripts need.
debs=(base-files ca-certificates libbrotli1 libc-ares2 libc6 libcap2 libcpp-httplib0.11 libdb5.3 libfmt9 libgcc-s1
  libgcrypt20 libgpg-error0 libidn2-0 liblz4-1 liblzma5 libprometheus-cpp-core1.0 libsasl2-2 libsasl2-modules
  libspdlog1.10 libssl3 libstdc++6 libsystemd0 libunistring2 libuv1 libxxhash0 libyaml-cpp0.7 libzstd1 netbase tzdata
  zlib1g)
# libpq5, for a shared spool, and what it needs.
debs+=(libpq5 libcom-err2 libffi8 libgmp10 libgnutls30 libgssapi-krb5-2 libhogweed6 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0
  libldap-2.5-0 libnettle8 libp11-kit0 libtasn1-6)

bring_debs() { # bring_debs FOLDER
  mkdir -p "$1"
  [ "$(cat "$1/packages" 2> /dev/null)" != "${debs[*]}" ] || return 0
  rm -f "$1"/*.deb
  (
    cd "$1"
    apt-get download -qq -o APT::Sandbox::User=root "${debs[@]}" && exit
    apt-get update -qq
    apt-get download -qq -o APT::Sandbox::User=root "${debs[@]}"
  )
  echo "${debs[*]}" > "$1/packages"
}

unpack() { # unpack DEB FOLDER: what people read stays out, licences excepted; scanners find what there is in status.d
  local name
  # tar fails where a package has none of its own, since its folder is a link to another's.
  dpkg-deb --fsys-tarfile "$1" | tar -x --no-same-owner -C "$2" --wildcards './usr/share/doc/*/copyright' 2> /dev/null || true
  dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C "$2" --exclude='./usr/share/doc/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/info/*' \
    --exclude='*/gconv/*' --exclude='./usr/share/zoneinfo/right/*' --exclude='./usr/share/zoneinfo/posix/*' \
    --exclude='*/engines-3/*' --exclude='./usr/share/base-files/*' --exclude='./lib/systemd/*' --exclude='./etc/apparmor.d/*' \
    --exclude='./usr/share/bash-completion/*' --exclude='./usr/share/fish/*' --exclude='./usr/share/zsh/*' \
    --exclude='./usr/sbin/update-ca-certificates' --exclude='./usr/sbin/tzconfig'
  name=$(dpkg-deb -f "$1" Package)
  dpkg-deb -f "$1" > "$2/var/lib/dpkg/status.d/$name"
}

fill_root() { # fill_root DEBS FOLDER
  local shell name
  mkdir "$2"
  mkdir -p "$2"/usr/{bin,sbin,lib,lib64} "$2"/{dev,etc,proc,sys,tmp,run} "$2/var/lib/dpkg/status.d"
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$2/$name"; done
  for name in "$1"/*.deb "$root"/build/packages/hikyaku_*.deb; do unpack "$name" "$2"; done
  # What the packages' own scripts would do.
  cat "$2"/usr/share/ca-certificates/mozilla/*.crt > "$2/etc/ssl/certs/ca-certificates.crt"
  rm -r "$2/usr/share/ca-certificates"
  mkdir -p "$2/usr/lib/ssl"
  ln -s /etc/ssl/certs "$2/usr/lib/ssl/certs"
  ln -s /etc/ssl/certs/ca-certificates.crt "$2/usr/lib/ssl/cert.pem"
  printf '%s\n' 'root:x:0:0:root:/root:/usr/sbin/nologin' 'hikyaku:x:10025:10025:hikyaku:/var/spool/hikyaku:/usr/sbin/nologin' \
    > "$2/etc/passwd"
  printf '%s\n' 'root:x:0:' 'hikyaku:x:10025:' > "$2/etc/group"
  printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' 'services: files' > "$2/etc/nsswitch.conf"
  # Whoever runs it, by whatever uid, is alone in it; what hikyaku makes in there is nobody else's.
  mkdir -p "$2/etc/hikyaku" "$2/var/spool/hikyaku"
  chmod 1777 "$2/tmp" "$2/var/spool/hikyaku"
  shell=$(find "$2" -name sh -o -name bash -o -name dash | head -n 1)
  [ -z "$shell" ] || { echo "there is a shell in the image: $shell" >&2; return 1; }
}

case ${1:-} in
  debs) bring_debs "$2" ;;
  root) fill_root "$2" "$3" ;;
  *) echo "usage: bash etc/image.sh debs FOLDER | root DEBS FOLDER" >&2; exit 64 ;;
esac
