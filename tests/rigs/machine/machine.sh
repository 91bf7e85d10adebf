#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A fresh Debian machine with systemd, in namespaces of its own: what roles are tried on. It is a copy-on-write view of
# a base that debootstrap makes once, with the packages that roles install at hand: it needs no network. Inside it has
# the address NET.2, and this machine is NET.1.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/../../setup/lib.sh"

NET=${HOSTLER_RIG_NET:-10.83.0}
SUITE=bookworm
BASE=$ROOT/.cache/rigs/machine/$SUITE
STATE=$ROOT/.cache/rigs/machine/$NET
LINK=hm${NET//./}
# What the machine has from the start, and what the roles install.
START=(systemd systemd-sysv dbus python3 python3-apt iproute2 ca-certificates openssh-server)
LATER=(
  libvirt-daemon-system libvirt-clients qemu-system-x86 ovmf qemu-utils dnsmasq-base openssl nftables ufw firewalld openvswitch-switch
  prometheus-node-exporter prometheus-libvirt-exporter
)

usage() {
  cat >&2 <<USAGE
usage: $(basename "$0") COMMAND
  base        make the base, unless it is there
  up          start the machine, as new
  exec CMD... run a command inside
  pid         print the number of its first process
  down        stop it and forget what it had
USAGE
  exit 2
}

make_base() {
  local part=$BASE.part
  mkdir -p "$(dirname "$BASE")"
  exec 9>"$BASE.lock"
  flock 9 # another test may be making it
  [ ! -d "$BASE" ] || return 0
  command -v debootstrap >/dev/null || die "debootstrap is not installed: make setup"
  rm -rf "$part"
  quietly "$BASE.log" debootstrap --variant=minbase --include="$(IFS=, && echo "${START[*]}")" "$SUITE" "$part" \
    http://deb.debian.org/debian
  echo force-unsafe-io >"$part/etc/dpkg/dpkg.cfg.d/rig"
  quietly "$BASE.log" chroot "$part" apt-get -q update
  quietly "$BASE.log" chroot "$part" apt-get -q -y --no-install-recommends --download-only install "${LATER[@]}"
  rm -f "$part"/etc/ssh/ssh_host_* "$part/etc/hostname"
  : >"$part/etc/machine-id"
  mv "$part" "$BASE"
}

first_pid() {
  local pid
  pid=$(cat "$STATE/nspawn.pid" 2>/dev/null) || return 1
  grep -qs systemd-nspawn "/proc/$pid/comm" || return 1
  ps --ppid "$pid" -o pid= | tr -d ' ' | head -n 1 | grep .
}

inside() {
  local pid
  pid=$(first_pid) || die "the machine is not up: $(basename "$0") up"
  nsenter --target "$pid" --mount --net --uts --pid --ipc --cgroup --root --wd -- "$@"
}

is_up() { inside systemctl is-system-running 2>/dev/null | grep -qx -e running -e degraded; }

up() {
  (make_base)
  down
  mkdir -p "$STATE"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$STATE/upper,workdir=$STATE/work" "$STATE/root"
  echo "hostler-machine" >"$STATE/root/etc/hostname"
  quietly "$STATE/keys.log" ssh-keygen -A -f "$STATE/root"
  setsid systemd-nspawn --quiet --register=no --keep-unit --network-veth-extra="$LINK:host0" --private-network \
    --console=read-only --machine="hostler-${NET//./-}" --directory="$STATE/root" --boot \
    </dev/null >"$STATE/console.log" 2>&1 &
  echo $! >"$STATE/nspawn.pid"
  local deadline=$((SECONDS + 60))
  until first_pid >/dev/null 2>&1 && is_up; do
    [ $SECONDS -lt $deadline ] || die "the machine is not up within 60 s (see $STATE/console.log)"
    sleep 0.2
  done
  ip address add "$NET.1/24" dev "$LINK"
  ip link set "$LINK" up
  inside ip address add "$NET.2/24" dev host0
  inside ip link set host0 up
  say machine "$NET.2 is up"
}

down() {
  local pid
  if pid=$(cat "$STATE/nspawn.pid" 2>/dev/null) && grep -qs systemd-nspawn "/proc/$pid/comm"; then
    kill "$(first_pid)" 2>/dev/null || true
    kill -KILL "$(first_pid)" 2>/dev/null || true
    tail --pid="$pid" -f /dev/null
  fi
  ! mountpoint -q "$STATE/root" || umount "$STATE/root"
  rm -rf "$STATE"
}

case ${1:-} in
  base) make_base ;;
  up) up ;;
  down) down ;;
  pid) first_pid ;;
  exec)
    shift
    inside "$@"
    ;;
  *) usage ;;
esac
