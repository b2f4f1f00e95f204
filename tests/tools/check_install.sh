#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs a build into an empty DESTDIR, twice, and looks at what is there: every path that README.md names, and a
# configuration that somebody has changed is left alone, as are the names of another mail server.
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
for name in sbin/sendmail lib/sendmail bin/mailq bin/newaliases; do
  [ "$(readlink "$dest/usr/$name")" = ../lib/hikyaku/sendmail ] || { echo "no link to sendmail: /usr/$name"; exit 1; }
done
if getent group hikyaku-submit > /dev/null; then expect 2755 /usr/lib/hikyaku/sendmail; else expect 755 /usr/lib/hikyaku/sendmail; fi
for page in man1/hikyaku.1 man5/hikyaku.yaml.5 man5/authinfo.5 man8/hikyakud.8 man8/sendmail.8; do
  expect 644 /usr/share/man/$page
done
for schema in "$(dirname "${BASH_SOURCE[0]}")"/../../etc/schema/*.json; do expect 644 "/usr/share/hikyaku/schema/${schema##*/}"; done
for script in bash-completion/completions/hikyaku zsh/vendor-completions/_hikyaku fish/vendor_completions.d/hikyaku.fish; do
  expect 644 /usr/share/$script
  grep -q 'completion of hikyaku(1)' "$dest/usr/share/$script" || { echo "no completion in $script"; exit 1; }
done
expect 644 /etc/hikyaku/hikyaku.yaml
expect 644 /usr/lib/systemd/system/hikyaku.service
expect 644 /usr/lib/systemd/system/hikyaku.socket
expect 644 /usr/lib/sysusers.d/hikyaku.conf
expect 644 /usr/lib/tmpfiles.d/hikyaku.conf
expect 644 /usr/share/doc/hikyaku/README.md
expect 644 /usr/share/doc/hikyaku/authinfo.example
! find "$dest/etc" -name authinfo | grep . || { echo "credentials are nothing to install"; exit 1; }

ln -sf /usr/sbin/other "$dest/usr/sbin/sendmail"
rm "$dest/usr/bin/mailq"
echo mine > "$dest/usr/bin/mailq"
echo 'smarthost: smtps://mine.example.com' > "$dest/etc/hikyaku/hikyaku.yaml"
DESTDIR=$dest cmake --install "$build" --prefix /usr > /dev/null
grep -q mine.example.com "$dest/etc/hikyaku/hikyaku.yaml" || { echo "the configuration was overwritten"; exit 1; }
[ "$(readlink "$dest/usr/sbin/sendmail")" = /usr/sbin/other ] || { echo "another server's sendmail was overwritten"; exit 1; }
[ "$(cat "$dest/usr/bin/mailq")" = mine ] || { echo "another server's mailq was overwritten"; exit 1; }
