#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into an empty DESTDIR, twice, and looks at what is there: every path of INTERFACES.md, and a
# configuration that somebody has changed is left alone.
#   check_install.sh BUILD
set -euo pipefail
build=$1
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

expect() { # expect MODE PATH
  local mode
  mode=$(stat -c %a "$dest$2" 2> /dev/null) || { echo "not installed: $2"; exit 1; }
  [ "$mode" = "$1" ] || { echo "$2 has mode $mode, not $1"; exit 1; }
}

umask 022
DESTDIR=$dest cmake --install "$build" --prefix /usr > /dev/null
expect 755 /usr/sbin/hikyakud
expect 755 /usr/bin/hikyaku
expect 644 /etc/hikyaku/hikyaku.yaml
expect 644 /usr/lib/systemd/system/hikyaku.service
expect 644 /usr/lib/systemd/system/hikyaku.socket
expect 644 /usr/lib/sysusers.d/hikyaku.conf
expect 644 /usr/lib/tmpfiles.d/hikyaku.conf
expect 644 /usr/share/doc/hikyaku/README.md
expect 644 /usr/share/doc/hikyaku/authinfo.example
! find "$dest/etc" -name authinfo | grep . || { echo "credentials are nothing to install"; exit 1; }

echo 'smarthost: smtps://mine.example.com' > "$dest/etc/hikyaku/hikyaku.yaml"
DESTDIR=$dest cmake --install "$build" --prefix /usr > /dev/null
grep -q mine.example.com "$dest/etc/hikyaku/hikyaku.yaml" || { echo "the configuration was overwritten"; exit 1; }
