# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of a VM."""

from __future__ import annotations

FIELDS = r"""
disks:
  description:
    - Disks to have; those that are not named are left alone.
    - A disk is found by its target, volume or path, else by its place in the list.
  type: list
  elements: dict
  suboptions:
    target:
      description: Device name, for example V(vda).
      type: str
    pool:
      description: Storage pool.
      type: str
    volume:
      description: Name of the volume, made where it is not there.
      type: str
    path:
      description: Absolute path on the hypervisor, instead of a volume.
      type: str
    size:
      description: Size with a unit, for example V(20GiB); a disk grows, it never shrinks.
      type: str
    image:
      description: File on the machine that runs the task, uploaded once as the volume's content.
      type: str
    image_checksum:
      description: Digest of the file, C(sha256:) and 64 hexadecimal digits.
      type: str
    backing:
      description:
        - Volume that the disk is a linked clone of.
        - Its name, or a mapping with C(volume) and C(pool).
      type: raw
    clone:
      description:
        - Volume that the disk is a full copy of.
        - Its name, or a mapping with C(volume) and C(pool).
      type: raw
    format:
      description: Format of the volume.
      type: str
      choices: [qcow2, raw]
    bus:
      description: Bus.
      type: str
      choices: [virtio, scsi, sata, ide, usb]
    cache:
      description: Cache mode.
      type: str
      choices: [default, none, writethrough, writeback, directsync, unsafe]
    discard:
      description: What becomes of blocks that the guest trims.
      type: str
      choices: [unmap, ignore]
    serial:
      description: Serial number that the guest sees.
      type: str
    boot_order:
      description: Place in the boot order, from 1.
      type: int
    shared:
      description: Several VMs may use it at once.
      type: bool
    readonly:
      description: The guest can't write to it.
      type: bool
    state:
      description: Whether the disk should be there; a removed disk's volume is kept.
      type: str
      choices: [present, absent]
      default: present
cdroms:
  description: CD-ROM drives to have; those that are not named are left alone.
  type: list
  elements: dict
  suboptions:
    target:
      description: Device name, for example V(sda).
      type: str
    image:
      description: Absolute path on the hypervisor.
      type: str
    pool:
      description: Storage pool of the volume.
      type: str
    volume:
      description: Volume, instead of a path.
      type: str
    eject:
      description: Leave the drive empty.
      type: bool
      default: false
    bus:
      description: Bus.
      type: str
      choices: [sata, scsi, ide, usb]
    boot_order:
      description: Place in the boot order, from 1.
      type: int
    state:
      description: Whether the drive should be there.
      type: str
      choices: [present, absent]
      default: present
networks:
  description:
    - Network cards to have; those that are not named are left alone.
    - A card is found by its MAC address, else by its place in the list.
    - A new VM gets one card on the network V(default) where this is left out, and none with V([]).
  type: list
  elements: dict
  suboptions:
    type:
      description: What the card is plugged into; found out from the other options where left out.
      type: str
      choices: [network, bridge, direct, ovs]
    network:
      description: Name of the libvirt network.
      type: str
    bridge:
      description: Name of the bridge.
      type: str
    dev:
      description: The hypervisor's own card, for V(direct).
      type: str
    mode:
      description: Mode of V(direct).
      type: str
      choices: [vepa, bridge, private, passthrough]
    portgroup:
      description: Port group of the network.
      type: str
    vlan:
      description: VLAN tags; several make a trunk.
      type: list
      elements: int
    model:
      description: Model, for example V(virtio) or V(e1000e).
      type: str
    mac:
      description: MAC address; libvirt chooses one where left out.
      type: str
    link:
      description: State of the link.
      type: str
      choices: [up, down]
    mtu:
      description: Largest packet, in bytes.
      type: int
    boot_order:
      description: Place in the boot order, from 1.
      type: int
    address:
      description: Address and prefix length that cloud-init sets, such as V(192.0.2.10/24).
      type: str
    gateway:
      description: Default gateway that cloud-init sets.
      type: str
    nameservers:
      description: Name servers that cloud-init sets.
      type: list
      elements: str
    state:
      description: Whether the card should be there; one to remove is named by its MAC address.
      type: str
      choices: [present, absent]
      default: present
firmware:
  description: V(bios) or V(uefi), or a mapping with C(type) and C(secure_boot).
  type: raw
tpm:
  description:
    - V(true) for an emulated TPM, V(false) for none, or a mapping.
    - Its C(model) is V(tpm-crb) or V(tpm-tis), its C(version) V(2.0) or V(1.2).
  type: raw
graphics:
  description: VNC and SPICE servers.
  type: list
  elements: dict
  suboptions:
    type:
      description: Protocol; V(none) removes the servers.
      type: str
      choices: [vnc, spice, none]
      default: vnc
    listen:
      description: Address to listen on.
      type: str
    port:
      description: Port; V(-1) lets libvirt choose.
      type: int
    password:
      description: Password, changed while the VM runs; VNC takes 8 characters at most.
      type: str
video:
  description: Video card; V(virtio), V(qxl), V(vga), V(cirrus), V(bochs), V(ramfb) or V(none).
  type: raw
console:
  description:
    - V(true) for a serial console, or a mapping.
    - Its C(log) is a file on the hypervisor that keeps what was printed.
    - C(enabled=false) removes the console.
  type: raw
watchdog:
  description:
    - V(true) for a watchdog card, V(false) for none, or a mapping.
    - Its C(model) is V(i6300esb), V(ib700), V(itco) or V(diag288).
    - Its C(action) is V(reset), V(shutdown), V(poweroff), V(pause), V(none), V(dump) or
      V(inject-nmi).
  type: raw
host_devices:
  description: PCI devices of the hypervisor to pass through, for example GPUs.
  type: list
  elements: dict
  suboptions:
    address:
      description: PCI address, for example V(0000:3b:00.0).
      type: str
      required: true
    managed:
      description: Libvirt detaches the device from the hypervisor's driver and gives it back.
      type: bool
      default: true
    state:
      description: Whether the device should be there.
      type: str
      choices: [present, absent]
      default: present
"""
