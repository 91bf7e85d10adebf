#!/usr/bin/env bash
# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the small guest that tests and demo boot, from Debian's packages: build.sh [--force].
# Leaves in .cache/guest:
#   hostler-guest.qcow2       boots from its own disk (BIOS)
#   vmlinuz, initrd.img       the same, for direct kernel boot
#   halt.rom                  a firmware that halts: a running VM that costs nothing
# root/ beside this script is copied over the guest's root file system.

# shellcheck source=tests/setup/lib.sh
. "$(dirname "$0")/../../setup/lib.sh"

HERE=$ROOT/tests/rigs/guest
OUT=$ROOT/.cache/guest
STAMP=$OUT/sources.sha256
CMDLINE="console=tty0 console=ttyS0 quiet panic=1 tsc=reliable net.ifnames=0"
DISK_MIB=64
PACKAGES=(busybox-static qemu-guest-agent dropbear-bin)
# Debian's cloud kernel boots in half the time of the plain one under plain QEMU (lz4 against xz), and knows
# virtio but neither SATA nor e1000. KERNEL=amd64 builds with the plain one.
KERNEL=${KERNEL:-cloud-amd64}
MODULES=(
  virtio_pci virtio_net virtio_blk virtio_scsi virtio_console virtio_balloon virtio_mem virtio-rng
  sd_mod sr_mod isofs vfat nls_cp437 nls_ascii nls_utf8 button qemu_fw_cfg
)
MODULES_IF_THERE=(ahci e1000 e1000e ext4 evdev i6300esb)

sources() { { echo "$KERNEL" && find "$HERE" -type f -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -d' ' -f1; }

# The packages above, the kernel and every library they need.
package_list() {
  local image
  image=$(apt-cache depends "linux-image-$KERNEL" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [ -n "$image" ] || die "apt knows no Debian kernel; build on Debian, or give your own image: make demo IMAGE=..."
  echo "$image" "${PACKAGES[@]}"
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances "${PACKAGES[@]}" | grep '^lib'
}

download() {
  mkdir -p "$WORK/debs" "$WORK/debian"
  # shellcheck disable=SC2046  # a list of words
  (cd "$WORK/debs" && quietly "$OUT/download.log" apt-get -q download $(package_list))
  local deb
  for deb in "$WORK"/debs/*.deb; do dpkg-deb -x "$deb" "$WORK/debian"; done
  KERNEL_VERSION=$(basename "$WORK"/debian/lib/modules/*)
}

# Copies a program and the libraries that it is linked with.
add_program() {
  local program=$WORK/debian$1 libs=lib/x86_64-linux-gnu library
  install -D -m 755 "$program" "$WORK/root/usr/sbin/$(basename "$1")"
  for library in $(LD_LIBRARY_PATH=$WORK/debian/$libs:$WORK/debian/usr/$libs \
    "$WORK/debian/$libs/ld-linux-x86-64.so.2" --list "$program" | awk '/=>/ { print $3 }'); do
    install -D -m 755 "$library" "$WORK/root/$libs/$(basename "$library")"
  done
  install -D -m 755 "$WORK/debian/$libs/ld-linux-x86-64.so.2" "$WORK/root/lib64/ld-linux-x86-64.so.2"
}

show_depends() { modprobe -d "$WORK/debian" -S "$KERNEL_VERSION" --show-depends "$1"; }

# The modules above and what they depend on, uncompressed, with an index for the guest's modprobe.
add_modules() {
  local module file
  depmod -b "$WORK/debian" "$KERNEL_VERSION"
  {
    for module in "${MODULES[@]}"; do show_depends "$module" || die "the kernel has no module $module"; done
    for module in "${MODULES_IF_THERE[@]}"; do show_depends "$module" 2>/dev/null || true; done
  } | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
    install -D -m 644 "$file" "$WORK/root/${file#"$WORK/debian/"}"
  done
  find "$WORK/root/lib/modules" -name '*.xz' -exec unxz {} +
  cp "$WORK/debian/lib/modules/$KERNEL_VERSION"/modules.{order,builtin,builtin.modinfo} "$WORK/root/lib/modules/$KERNEL_VERSION/"
  depmod -b "$WORK/root" "$KERNEL_VERSION"
  rm -f "$WORK/root/lib/modules/$KERNEL_VERSION"/*.bin
}

make_root() {
  local applet
  mkdir -p "$WORK"/root/{bin,sbin,usr/bin,usr/sbin,etc,proc,sys,dev,tmp,run,root,var,persist,mnt}
  install -m 755 "$WORK/debian/bin/busybox" "$WORK/root/bin/busybox"
  for applet in $("$WORK/root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s /bin/busybox "$WORK/root/bin/$applet"
  done
  ln -s /bin/modprobe "$WORK/root/sbin/modprobe" # the path the kernel calls
  ln -s bin/init "$WORK/root/init"
  ln -s /run "$WORK/root/var/run"
  add_program /usr/sbin/qemu-ga
  add_program /usr/sbin/dropbear
  add_modules
  echo 'root:*:0:0:root:/root:/bin/sh' >"$WORK/root/etc/passwd"
  echo 'root:x:0:' >"$WORK/root/etc/group"
  echo '/bin/sh' >"$WORK/root/etc/shells"
  printf 'ID=hostler-guest\nNAME=hostler-guest\nPRETTY_NAME="Hostler test guest"\nVERSION_ID=1\n' >"$WORK/root/etc/os-release"
  cp -r "$HERE/root/." "$WORK/root/"
}

make_initrd() {
  (cd "$WORK/root" && find . -print0 | sort -z | cpio --null --create --format newc --owner 0:0 --quiet) |
    gzip -6 >"$WORK/initrd.img"
  cp "$WORK/debian/boot/vmlinuz-$KERNEL_VERSION" "$WORK/vmlinuz"
}

# One FAT partition with the boot loader, written without mounting (and so without root).
make_disk() {
  local disk=$WORK/disk.raw mbr=/usr/lib/SYSLINUX/mbr.bin offset=$((1024 * 1024))
  truncate -s "${DISK_MIB}M" "$disk"
  echo 'start=2048, type=e, bootable' | PATH=$PATH:/sbin:/usr/sbin sfdisk --quiet "$disk"
  dd if="$mbr" of="$disk" conv=notrunc status=none
  mformat -i "$disk@@$offset" -T $(((DISK_MIB - 1) * 2048)) -h 64 -s 32 -H 2048 -v HOSTLER ::
  syslinux --offset $offset --install "$disk"
  printf 'DEFAULT guest\nPROMPT 0\nLABEL guest\n  KERNEL vmlinuz\n  APPEND initrd=initrd.img %s\n' "$CMDLINE" >"$WORK/syslinux.cfg"
  mcopy -i "$disk@@$offset" "$WORK/vmlinuz" "$WORK/initrd.img" "$WORK/syslinux.cfg" ::
  qemu-img convert -f raw -O qcow2 "$disk" "$WORK/hostler-guest.qcow2"
}

# 128 KiB whose last 16 bytes, where the CPU starts, are: cli; hlt; jmp back to the hlt.
make_halt_rom() {
  head -c 131072 /dev/zero >"$WORK/halt.rom"
  printf '\xfa\xf4\xeb\xfd' | dd of="$WORK/halt.rom" bs=1 seek=$((0x1fff0)) conv=notrunc status=none
}

mkdir -p "$OUT"
if [ "${1:-}" != --force ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$(sources)" ] && [ -r "$OUT/hostler-guest.qcow2" ]; then
  say guest "image all there (.cache/guest)"
  exit
fi
say guest "building the guest image in .cache/guest"
WORK=$(mktemp -d "$OUT/build.XXXXXX")
chmod 755 "$WORK"
trap 'rm -rf "$WORK"' EXIT
download
make_root
make_initrd
make_disk
make_halt_rom
mv "$WORK"/{vmlinuz,initrd.img,hostler-guest.qcow2,halt.rom} "$OUT/"
chmod 644 "$OUT"/{vmlinuz,initrd.img,hostler-guest.qcow2,halt.rom}
sources >"$STAMP"
