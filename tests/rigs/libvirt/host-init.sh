#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PID 1 inside a host of the rig; started by hosts.sh in fresh namespaces: host-init.sh HOST STATE GUEST.
# Puts the host's own folders where libvirt looks, starts libvirtd, then reaps.

set -euo pipefail
host=$1 state=$2 guest=$3
disk=$state/$host

hostname "hostler-$host"
mount --bind "$disk/etc" /etc/libvirt
mount --bind "$disk/lib" /var/lib/libvirt
mount --bind "$disk/cache" /var/cache/libvirt
mount --bind "$disk/log" /var/log/libvirt
mount --bind "$state/shared" /var/lib/libvirt/shared
if [ -d "$guest" ]; then
  mount --bind "$guest" /var/lib/libvirt/guest
  mount -o remount,bind,ro /var/lib/libvirt/guest
fi
[ ! -c "$disk/dev/kvm" ] || mount --bind "$disk/dev/kvm" /dev/kvm
mount -t tmpfs tmpfs /run
mkdir -p /run/libvirt /run/lock

# Names must resolve at once: libvirtd asks for its own at every start of a VM.
mount --bind "$state/hosts" /etc/hosts
: >/run/resolv.conf
mount --bind /run/resolv.conf "$(readlink -f /etc/resolv.conf)"

libvirtd --daemon --listen --pid-file /run/libvirtd.pid

# bash reaps the orphans that come to it (QEMU, dnsmasq) whenever it wakes; SIGCHLD wakes it.
trap : CHLD
while :; do
  sleep 3600 &
  wait $!
done
