#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Becomes a small machine of its own with systemd as its first process: every namespace new, the root an overlay over LOWER
# with BROUGHT on top, /run, /tmp and /dev fresh, the network a loopback. The machine outside never hears of it.
#   boot_systemd.sh BASE LOWER BROUGHT CGROUP
# BASE is an empty directory, LOWER the root of a Debian, this machine's for instance, BROUGHT a directory, CGROUP an empty
# directory of a cgroup2 mount: two systems must never share one. The caller ends it all by killing this process.
set -eu
base=$1 lower=$2 brought=$3 cgroup=$4

if [ -z "${HIKYAKU_INNER:-}" ]; then
  echo $$ > "$cgroup/cgroup.procs"
  exec env HIKYAKU_INNER=1 unshare --mount --net --uts --ipc --cgroup --pid --fork --kill-child --propagation private \
    bash "$0" "$@"
fi

hostname app1.shop.example
ip link set lo up
mount -t tmpfs -o size=4g,mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
cp -a "$brought/." "$base/upper" # no layer of its own: it lies inside the lower one
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$base/upper,workdir=$base/work" "$base/root"
root=$base/root

mount -t proc proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid,strictatime tmpfs "$root/dev"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
  read -r name major minor <<< "$node"
  mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for link in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${link%:*}" "$root/dev/${link#*:}"; done
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/tmp"

# Nothing of this machine's own starts there, and of its users only the system's are known, without those of a hikyaku.
rm -f "$root"/etc/systemd/system/{multi-user,timers,sysinit,getty,sockets}.target.wants/*
people=$(awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }' "$root/etc/passwd" "$root/etc/group" | sort -u)
for name in 'hikyaku[^:]*' $people; do
  sed -i "/^$name:/d" "$root"/etc/passwd "$root"/etc/shadow "$root"/etc/group "$root"/etc/gshadow
done
sed -i 's/\(:\|,\)hikyaku$/\1/' "$root/etc/group"
echo app1.shop.example > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 app1.shop.example app1\n127.0.0.10 smtp.example.com\n' > "$root/etc/hosts"
rm -rf "$root/var/log/journal" "$root/var/spool/hikyaku"
mkdir -p "$root/var/log/journal"
: > "$root/etc/machine-id" # empty: "uninitialized" would be a first boot, which enables every unit there is

cd "$root"
mkdir .outside
pivot_root . .outside
mount --make-rshared / # credentials of units are mounted from inside
# shellcheck disable=SC2016
exec chroot . /bin/sh -c 'umount -l /.outside; rmdir /.outside; exec env -i container=unshare \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal' \
  > /tmp/console.log 2>&1 < /dev/null
