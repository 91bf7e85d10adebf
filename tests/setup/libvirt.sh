#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Leaves a libvirt that answers at qemu:///system, with a NAT network and a storage pool named 'default'.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

HERE=$ROOT/tests/setup
export LIBVIRT_DEFAULT_URI=qemu:///system
export LC_ALL=C

virsh_root() { as_root env LIBVIRT_DEFAULT_URI=$LIBVIRT_DEFAULT_URI timeout 20 virsh -q "$@" </dev/null; }

# Without access to /dev/kvm libvirt drops its capability cache and probes QEMU again, for seconds, in every
# define. udev sets the access; where there is none (containers, small VMs) nobody does.
open_kvm() {
  [ -c /dev/kvm ] || { say kvm "no /dev/kvm: guests run under plain QEMU"; return; }
  if ! [[ $(stat -c '%G %a' /dev/kvm) =~ ^(kvm .[67].|.*[67])$ ]]; then
    getent group kvm >/dev/null || die "/dev/kvm is closed to QEMU and there is no group 'kvm' to open it to"
    as_root chgrp kvm /dev/kvm
    as_root chmod 0660 /dev/kvm
    say kvm "opened /dev/kvm to the group 'kvm'"
  fi
}

# libvirtd resolves its own host name at each start of a VM; an unreachable resolver costs 15 s each time.
resolve_own_name() {
  local name
  name=$(uname -n)
  timeout 2 getent ahosts "$name" >/dev/null && return
  echo "127.0.1.1 $name" | as_root tee -a /etc/hosts >/dev/null
  say hosts "added '127.0.1.1 $name' to /etc/hosts"
}

# Where PID 1 is no service manager it often reaps late or never, and libvirt then waits for the zombie QEMU in
# every destroy. So libvirtd gets a parent of its own that does.
start_reaped() { start_daemon "$ROOT/.venv/bin/python" "$HERE/reaper.py" "$@"; }

# Starts a daemon that keeps nothing of the caller: no open file (a CI step waits for its pipes to close), no
# variable, no folder.
start_daemon() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  as_root env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin setsid --fork bash -c '
    cd /
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -gt 2 ] && eval "exec $fd>&-"
    done
    exec "$@" </dev/null >/dev/null 2>&1' start-daemon "$@"
}

wait_for_libvirt() {
  local try
  for try in $(seq 100); do
    virsh_root uri >/dev/null 2>&1 && return
    sleep 0.1
  done
  die "libvirtd does not answer at $LIBVIRT_DEFAULT_URI after $((try / 10)) s; see 'journalctl -u libvirtd' or /var/log/libvirt"
}

start_libvirt() {
  if virsh_root uri >/dev/null 2>&1; then
    say libvirtd "answers at $LIBVIRT_DEFAULT_URI"
    return
  fi
  if ! on_systemd; then
    pgrep --pidfile /run/virtlogd.pid >/dev/null 2>&1 || start_reaped virtlogd
    start_reaped libvirtd
  elif systemctl cat libvirtd.service >/dev/null 2>&1; then
    as_root systemctl enable --now --quiet virtlogd.socket libvirtd.service
  else
    as_root systemctl enable --now --quiet virtlogd.socket virtqemud.socket virtnetworkd.socket virtstoraged.socket
  fi
  wait_for_libvirt
  say libvirtd "started, answers at $LIBVIRT_DEFAULT_URI"
}

# A 'default' that is there already is the user's own: it is only started.
default_network() {
  if ! virsh_root net-info default >/dev/null 2>&1; then
    virsh_root net-define "$HERE/network.xml" >/dev/null
    say network "defined 'default' (NAT)"
  fi
  start_and_autostart network net-info net-start net-autostart
}

default_pool() {
  if ! virsh_root pool-info default >/dev/null 2>&1; then
    virsh_root pool-define-as default dir --target /var/lib/libvirt/images >/dev/null
    virsh_root pool-build default >/dev/null
    say pool "defined 'default' (/var/lib/libvirt/images)"
  fi
  start_and_autostart pool pool-info pool-start pool-autostart
}

# $1 network|pool, then the virsh commands that tell about, start and autostart one.
start_and_autostart() {
  local what=$1 info
  info=$(virsh_root "$2" default)
  grep -Eq '^(Active|State): +(yes|running)' <<<"$info" || virsh_root "$3" default >/dev/null
  grep -Eq '^Autostart: +yes' <<<"$info" || virsh_root "$4" default >/dev/null
  say "$what" "'default' is active and starts with libvirt"
}

open_kvm
resolve_own_name
start_libvirt
default_network
default_pool
