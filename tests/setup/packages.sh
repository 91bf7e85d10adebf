#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs the system packages that are missing: packages.sh [--demo]. The hypervisor, a compiler for
# libvirt-python and, without --demo, what only the tests run.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/lib.sh"

LOG=$ROOT/.cache/setup/packages.log

# The last line is what the guest image is built with.
DEBIAN=(
  libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils dnsmasq-base ovmf swtpm swtpm-tools osinfo-db
  iproute2 iptables nftables procps openssh-client dropbear-bin openssl rsync git
  gcc pkg-config libvirt-dev python3-venv python3-dev
  cpio dpkg-dev gzip mtools syslinux kmod fdisk xz-utils
)
DEBIAN_TESTS=(
  graphviz jq debootstrap systemd-container systemd prometheus prometheus-libvirt-exporter chromium
  default-jre-headless
)
FEDORA=(
  libvirt-daemon-driver-qemu libvirt-daemon-config-network libvirt-daemon-driver-storage libvirt-client
  libvirt-daemon qemu-system-x86-core qemu-img dnsmasq edk2-ovmf swtpm swtpm-tools osinfo-db
  iproute iptables-nft nftables procps-ng openssh-clients dropbear openssl rsync git
  gcc pkgconf libvirt-devel python3-devel
  cpio gzip mtools syslinux kmod util-linux xz
)
FEDORA_TESTS=(
  graphviz jq debootstrap systemd-container systemd golang-github-prometheus chromium java-21-openjdk-headless
)
[ "${1:-}" = --demo ] || { DEBIAN+=("${DEBIAN_TESTS[@]}"); FEDORA+=("${FEDORA_TESTS[@]}"); }

missing_debian() {
  local package
  for package in "${DEBIAN[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_debian() {
  quietly "$LOG" as_root apt-get -q update
  quietly "$LOG" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-install-recommends install "$@"
  stop_services "$@"
}

# Debian starts what it installs; the tests start their own.
stop_services() {
  local package
  on_systemd || return 0
  for package in prometheus prometheus-libvirt-exporter; do
    [[ " $* " == *" $package "* ]] && as_root systemctl disable --now --quiet "$package"
  done
  return 0
}

missing_fedora() {
  local package
  for package in "${FEDORA[@]}"; do rpm -q --quiet "$package" || echo "$package"; done
}

install_fedora() { quietly "$LOG" as_root dnf -q -y --setopt=install_weak_deps=False install "$@"; }

if command -v apt-get >/dev/null; then
  family=debian
elif command -v dnf >/dev/null; then
  family=fedora
else
  die "only apt (Debian, Ubuntu) and dnf (Fedora) are known here; install what tests/setup/packages.sh lists yourself"
fi

mapfile -t missing < <("missing_$family")
if [ ${#missing[@]} -eq 0 ]; then
  say packages "all there"
else
  say packages "installing ${missing[*]}"
  "install_$family" "${missing[@]}"
fi
