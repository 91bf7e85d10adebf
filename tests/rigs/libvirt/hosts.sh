#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Several isolated hypervisors on one machine. Each has its own network, mount, host-name and process namespaces
# and a libvirtd of its own, reached from outside at qemu+tcp://10.77.0.N/system (no authentication: the bridge
# leads nowhere else) and from inside, with exec, at qemu:///system.
#
# On every host: network 'default' (NAT), pool 'default' (/var/lib/libvirt/images, private), pool 'shared'
# (/var/lib/libvirt/shared, the same folder everywhere), the guest's files in /var/lib/libvirt/guest.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/../../setup/lib.sh"

HERE=$ROOT/tests/rigs/libvirt
NET=${HOSTLER_RIG_NET:-10.77.0} # another /24 gives a second, independent rig
TAG=hr${NET//./}                # names of links are 15 characters at most
STATE=$ROOT/.cache/rigs/libvirt/$NET
BRIDGE=$TAG

usage() {
  cat >&2 <<USAGE
usage: $(basename "$0") COMMAND
  up [HOST...]          start hosts (default: a b); a crashed host comes back with what it had on disk
  down [HOST...]        stop hosts and remove what they left (default: all)
  status                list hosts
  exec HOST CMD...      run a command inside a host
  ssh HOST              let people in by ssh too (qemu+ssh)
  tls HOST [OTHER]      let people in by TLS too (qemu+tls); with the certificate of OTHER
  crash HOST            the whole hypervisor dies, with its VMs; what is on its disk stays
  kill-daemon HOST      kill -9 of libvirtd alone; its VMs live on
  restart-daemon HOST   start libvirtd again
USAGE
  exit 2
}

hosts() { find "$STATE" -mindepth 2 -maxdepth 2 -name number -printf '%h\n' 2>/dev/null | xargs -r -n 1 basename | sort; }
address() { echo "$NET.$(cat "$STATE/$1/number")"; }
uri() { echo "qemu+tcp://$(address "$1")/system"; }
answers() { timeout 2 virsh -c "$(uri "$1")" uri >/dev/null 2>&1; }

# shellcheck source=tests/rigs/libvirt/access.sh
. "$HERE/access.sh"

# The process that is PID 1 inside the host; nothing when the host is down.
init_pid() {
  local pid
  pid=$(cat "$STATE/$1/init.pid" 2>/dev/null) || return 0
  if [ -n "$pid" ] && grep -qs "$HERE/host-init.sh" "/proc/$pid/cmdline"; then echo "$pid"; fi
}

inside() {
  local host=$1 pid
  shift
  pid=$(init_pid "$host")
  [ -n "$pid" ] || die "host $host is not up: $(basename "$0") up $host"
  nsenter --target "$pid" --mount --net --uts --pid --wd=/ -- "$@"
}

wait_until() {
  local what=$1
  shift
  local deadline=$((SECONDS + 15))
  while [ $SECONDS -lt $deadline ]; do
    "$@" && return
    sleep 0.05
  done
  die "$what: not within 15 s (see $STATE/*/init.log and log/libvirtd.log)"
}

# Gives the host the first number that is free; it keeps it until it is taken down.
number_host() {
  local host=$1 n=1
  [ -f "$STATE/$host/number" ] && return
  while grep -qsx "$n" "$STATE"/*/number; do n=$((n + 1)); done
  mkdir -p "$STATE/$host"
  echo "$n" >"$STATE/$host/number"
  echo "$NET.$n hostler-$host" >>"$STATE/hosts" # one file, seen by all hosts
}

make_disk() {
  local dir=$STATE/$1
  mkdir -p "$dir"/{etc,cache,log/qemu,dev} \
    "$dir"/lib/{images,boot,dnsmasq,network,shared,guest,swtpm} \
    "$dir"/lib/qemu/{save,dump,snapshot,checkpoint,nvram,ram,channel/target} "$STATE/shared"
  cp -a /etc/libvirt/. "$dir/etc/"
  rm -rf "$dir"/etc/qemu "$dir"/etc/storage "$dir"/etc/secrets
  chown -R --reference=/var/lib/libvirt/qemu "$dir/lib/qemu"
  chmod 777 "$STATE/shared"
  if [ -c /dev/kvm ]; then
    mknod "$dir/dev/kvm" c 10 "$((0x$(stat -c %T /dev/kvm)))"
    chmod 666 "$dir/dev/kvm"
  fi
  write_config "$1"
}

write_config() {
  local etc=$STATE/$1/etc ip pool path
  ip=$(address "$1")
  cat >"$etc/libvirtd.conf" <<CONF
listen_tls = 0
listen_tcp = 1
listen_addr = "$ip"
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
host_uuid = "$(printf '1f1f1f1f-0000-4000-8000-%012d' "${ip##*.}")"
max_clients = 200
max_workers = 40
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
CONF
  cat >"$etc/qemu.conf" <<CONF
migration_host = "$ip"
migration_address = "$ip"
stdio_handler = "file"
security_driver = "none"
cgroup_controllers = [ ]
keepalive_interval = 5
CONF
  install -D -m 600 "$ROOT/tests/setup/network.xml" "$etc/qemu/networks/default.xml"
  mkdir -p "$etc"/qemu/networks/autostart "$etc"/storage/autostart
  ln -sf /etc/libvirt/qemu/networks/default.xml "$etc/qemu/networks/autostart/default.xml"
  for pool in default:images shared:shared; do
    path=/var/lib/libvirt/${pool#*:}
    pool=${pool%:*}
    echo "<pool type='dir'><name>$pool</name><target><path>$path</path></target></pool>" >"$etc/storage/$pool.xml"
    ln -sf "/etc/libvirt/storage/$pool.xml" "$etc/storage/autostart/$pool.xml"
  done
}

make_links() {
  local host=$1 ns=$TAG-$1 link=v${TAG#h}-$1
  if [ ! -e "/sys/class/net/$BRIDGE" ]; then
    [ -z "$(ip route show "$NET.0/24")" ] || die "$NET.0/24 is in use here; choose another: HOSTLER_RIG_NET=10.99.0"
    ip link add "$BRIDGE" type bridge
    ip address add "$NET.254/24" dev "$BRIDGE"
    ip link set "$BRIDGE" up
  fi
  ip netns add "$ns"
  # a host that comes back has the MAC that its neighbours remember
  ip link add "$link" type veth peer name eth0 netns "$ns" address "$(printf '52:54:00:77:00:%02x' "$(cat "$STATE/$host/number")")"
  ip link set "$link" master "$BRIDGE" up
  ip -n "$ns" address add "$(address "$host")/24" dev eth0
  ip -n "$ns" link set eth0 up
  ip -n "$ns" link set lo up
  ip -n "$ns" route add default via "$NET.254"
}

remove_links() {
  ip netns delete "$TAG-$1" 2>/dev/null || true
  ip link delete "v${TAG#h}-$1" 2>/dev/null || true
}

# The host's PID 1 must outlive this shell and hold none of its open files.
start_init() {
  local host=$1 starter
  # shellcheck disable=SC2016  # expanded by the inner shell
  setsid bash -c 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; exec "$@"' \
    start-init ip netns exec "$TAG-$host" unshare --mount --uts --pid --fork --mount-proc --propagation private \
    "$HERE/host-init.sh" "$host" "$STATE" "$ROOT/.cache/guest" </dev/null >"$STATE/$host/init.log" 2>&1 &
  starter=$!
  disown
  wait_until "process of host $host" child_of "$starter" "$STATE/$host/init.pid"
}

child_of() { pgrep --parent "$1" >"$2"; }

up_host() {
  local host=$1
  [[ $host =~ ^[a-z][a-z0-9]{0,4}$ ]] || die "host name '$host': one to five lower-case letters or digits"
  number_host "$host"
  if [ -n "$(init_pid "$host")" ] && answers "$host"; then
    say "host $host" "$(uri "$host") is up"
    return
  fi
  crash_host "$host"
  [ -d "$STATE/$host/etc" ] || make_disk "$host"
  make_links "$host"
  start_init "$host"
  wait_until "libvirtd of host $host" answers "$host"
  say "host $host" "$(uri "$host") started"
}

# Killing PID 1 of a process namespace kills everything in it.
crash_host() {
  local pid
  pid=$(init_pid "$1")
  if [ -n "$pid" ]; then
    kill -9 "$pid"
    wait_until "death of host $1" gone "$pid"
  fi
  rm -f "$STATE/$1/init.pid"
  remove_links "$1"
}

gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

down_host() {
  crash_host "$1"
  rm -rf "${STATE:?}/$1"
  [ ! -f "$STATE/hosts" ] || sed -i "/ hostler-$1\$/d" "$STATE/hosts"
  say "host $1" "down"
}

# Post-copy: QEMU, which runs without privileges, must be allowed to wait for pages. Of the whole machine.
allow_post_copy() {
  local setting=/proc/sys/vm/unprivileged_userfaultfd
  [ ! -w $setting ] || [ "$(cat $setting)" = 1 ] || echo 1 >$setting
}

up() {
  local host
  command -v libvirtd >/dev/null || die "libvirtd is not installed: make setup"
  allow_post_copy
  mkdir -p "$STATE"
  [ -f "$STATE/hosts" ] || echo '127.0.0.1 localhost' >"$STATE/hosts"
  for host in "$@"; do up_host "$host"; done
}

down() {
  local host
  for host in "$@"; do down_host "$host"; done
  if [ -z "$(hosts)" ]; then
    ip link delete "$BRIDGE" 2>/dev/null || true
    rm -rf "$STATE"
  fi
}

status() {
  local host state
  for host in $(hosts); do
    state="down"
    [ -z "$(init_pid "$host")" ] || state="libvirtd down"
    ! answers "$host" || state="up"
    printf '%s %s %s\n' "$host" "$(uri "$host")" "$state"
  done
}

kill_daemon() { inside "$1" kill -9 "$(inside "$1" cat /run/libvirtd.pid)"; }

restart_daemon() {
  inside "$1" libvirtd --daemon --listen --pid-file /run/libvirtd.pid
  wait_until "libvirtd of host $1" answers "$1"
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=HOSTLER_RIG_NET "$0" "$@"
command=${1:-}
shift || usage
case $command in
  up) if [ $# -eq 0 ]; then up a b; else up "$@"; fi ;;
  down) if [ $# -eq 0 ]; then mapfile -t all < <(hosts); down "${all[@]}"; else down "$@"; fi ;;
  status) status ;;
  exec) [ $# -ge 2 ] || usage; inside "$@" ;;
  ssh) [ $# -eq 1 ] || usage; open_ssh "$1" ;;
  tls) [ $# -eq 1 ] || [ $# -eq 2 ] || usage; open_tls "$@" ;;
  crash) [ $# -eq 1 ] || usage; crash_host "$1" ;;
  kill-daemon) [ $# -eq 1 ] || usage; kill_daemon "$1" ;;
  restart-daemon) [ $# -eq 1 ] || usage; restart_daemon "$1" ;;
  *) usage ;;
esac
