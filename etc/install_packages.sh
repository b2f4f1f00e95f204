#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing of the Debian packages listed in the given files, as root or with sudo. Asks no package
# server if nothing is missing, and refreshes the package lists only if what is there does not do.
#   etc/install_packages.sh FILE…       a line: PACKAGE [COMMAND that makes it unnecessary]
set -euo pipefail

missing_packages() {
  local package command
  sed 's/#.*//' "$@" | while read -r package command; do
    [ -n "$package" ] || continue
    [ -z "$command" ] || ! command -v "$command" > /dev/null || continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

mapfile -t missing < <(missing_packages "$@")
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
  echo "These Debian packages are missing, and installing them takes root or sudo: ${missing[*]}" >&2
  exit 77
fi
echo "Installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install "${missing[@]}" > "$log" 2>&1 && exit 0
as_root apt-get update -qq > "$log" 2>&1 || { cat "$log"; echo "The package lists could not be refreshed." >&2; exit 69; }
install "${missing[@]}" > "$log" 2>&1 || { cat "$log"; echo "The packages could not be installed." >&2; exit 69; }
