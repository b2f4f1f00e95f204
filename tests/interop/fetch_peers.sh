#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Brings the real mail servers and npm clients that the interop tests run against into a cache folder. The servers are
# unpacked, never installed: no service starts, no user is made, and a machine's own mail system stays as it is. Those
# that would overwrite each other's sendmail have a folder each, and none keeps a set-user-id bit.
#   tests/interop/fetch_peers.sh [FOLDER]     default: $HIKYAKU_PEERS, else .cache/peers in the checkout
set -euo pipefail
interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${1:-${HIKYAKU_PEERS:-$interop/../../.cache/peers}}
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

download() { # download PACKAGE…: into the current folder; the package lists are refreshed only if they do not do
  apt-get download -qq -o APT::Sandbox::User=root "$@" && return
  apt-get update -qq
  apt-get download -qq -o APT::Sandbox::User=root "$@"
}

fetch_packages() { # fetch_packages FOLDER PACKAGE…: all of them anew when the list changes, so that their versions fit
  local folder=$1 package
  shift
  [ "$(cat "$cache/$folder.packages" 2> /dev/null)" != "$*" ] || return 0
  echo "fetching $*"
  mkdir "$work/$folder"
  (cd "$work/$folder" && download "$@")
  rm -rf "${cache:?}/$folder"
  for package in "$work/$folder"/*.deb; do dpkg -x "$package" "$cache/$folder"; done
  find "$cache/$folder" -type f -perm /6000 -exec chmod ug-s {} +
  echo "$*" > "$cache/$folder.packages"
}

fetch_npm() { # fetch_npm FOLDER PACKAGE_JSON NPM_OPTION…
  local folder=$cache/$1 wanted=$2
  shift 2
  cmp -s "$wanted" "$folder/installed.json" && return
  echo "fetching npm packages for $wanted"
  mkdir -p "$folder"
  cp "$wanted" "$folder/package.json"
  npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error "$@"
  cp "$wanted" "$folder/installed.json"
}

fetch_bare() { # fetch_bare LIST…: a Debian with systemd and nothing else, and what each list names, downloaded but not installed
  local list hooks=() wanted="$*"
  [ "$(cat "$cache/bare.packages" 2> /dev/null)" != "$wanted" ] || return 0
  echo "fetching a bare Debian"
  rm -rf "${cache:?}/bare"
  for list in "$@"; do hooks+=("--customize-hook=chroot \"\$1\" apt-get install -y -qq --no-install-recommends --download-only $list"); done
  mmdebstrap --quiet --mode=root --variant=minbase --include=systemd,systemd-sysv,ca-certificates --skip=cleanup/apt,cleanup/reproducible \
    --aptopt='Binary::apt-get::APT::Keep-Downloaded-Packages "true"' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "${hooks[@]}" bookworm "$cache/bare"
  echo "$wanted" > "$cache/bare.packages"
}

fetch_packages root postfix dovecot-core dovecot-submissiond
fetch_packages exim exim4-daemon-light
fetch_packages opensmtpd opensmtpd
fetch_packages sendmail sendmail-bin sendmail-cf m4
fetch_packages nsd nsd libfstrm0 libprotobuf-c1
fetch_packages prometheus prometheus
# A database for shared spools, with the libraries of its server.
fetch_packages postgresql postgresql-15 postgresql-client-15 libpq5 libicu72 libldap-2.5-0 libxml2 libxslt1.1
# Programs that send mail, with their libraries; some of them would bring a mail server along, or start services.
fetch_packages callers cron bsd-mailx s-nail mailutils mutt logwatch smartmontools guile-3.0-libs libassuan0 libfribidi0 \
  libgpgme11 libgsasl18 libgssglue1 libidn12 liblockfile1 libltdl7 libmailutils9 libmariadb3 libntlm0 libpq5 \
  libpython3.11 libtokyocabinet9
# What reads Postfix's log.
fetch_packages log_readers pflogsumm fail2ban
# What watches a mail queue: check_mailq and its Perl module.
fetch_packages monitoring monitoring-plugins-standard monitoring-plugins-common
# What verifies DKIM signatures, with its libraries.
fetch_packages verifiers opendkim python3-dkim python3-nacl python3-cffi-backend python3-dnspython libhashkit2 libldap-2.5-0 \
  liblua5.3-0 libmemcached11 libmilter1.0.1 libopendbx1 libopendkim11 librbl1 libunbound8 libvbr2
# What the mail servers link that a Debian with tests/packages.txt lacks.
fetch_packages libraries libevent-2.1-7 libgnutls-dane0 libidn12 libldap-2.5-0 liblockfile1 libunbound8
# A machine to install our packages on: what they depend on (etc/debian/control), the mail servers whose place they take,
# and programs that want a mail server.
fetch_bare "debconf libsasl2-modules libc-ares2 libcpp-httplib0.11 libfmt9 libidn2-0 libprometheus-cpp-core1.0 libsasl2-2 libspdlog1.10-fmt9 \
  libssl3 libsystemd0 libuv1 libxxhash0 libyaml-cpp0.7" exim4-daemon-light postfix "exim4-daemon-light cron bsd-mailx logwatch"
bash "$interop/../../etc/image.sh" debs "$cache/image"
fetch_npm npm "$interop/clients/package.json"
fetch_npm oauth "$interop/oauth/package.json"
fetch_npm haraka "$interop/smarthosts/package.json" --omit=optional
fetch_npm mailauth "$interop/verifiers/package.json"
