# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a VM that are no devices: identity, size, system, boot."""

from __future__ import annotations

FIELDS = r"""
new_name:
  description:
    - Rename the VM to this.
    - Where a VM of this name exists already and the old one is gone, nothing is changed.
  type: str
title:
  description: Short title.
  type: str
description:
  description: Free text.
  type: str
cpus:
  description:
    - Number of virtual CPUs.
    - Changed while the VM runs up to O(cpus_max); beyond it with the next start.
  type: int
cpus_max:
  description: Number of virtual CPUs that a running VM can grow to.
  type: int
cpu_cores:
  description: Another spelling of O(cpus).
  type: int
cpu:
  description:
    - Model and topology of the virtual CPU.
    - Sockets times dies times cores times threads is O(cpus_max).
  type: dict
  suboptions:
    mode:
      description: How the model is chosen; left to libvirt where not given.
      type: str
      choices: [host-passthrough, host-model, maximum, custom]
    model:
      description: Name of the model, for example V(Skylake-Server); goes with V(custom) only.
      type: str
    sockets:
      description: Number of sockets.
      type: int
    dies:
      description: Dies per socket.
      type: int
    cores:
      description: Cores per die.
      type: int
    threads:
      description: Threads per core.
      type: int
    disable:
      description: CPU features that are kept from the guest.
      type: list
      elements: str
memory:
  description:
    - Memory, as text with a unit such as V(4GiB) or V(512MiB); a number without a unit is refused.
    - Changed while the VM runs up to O(memory_max); beyond it with the next start.
  type: str
memory_max:
  description: Memory that a running VM can grow to, with a unit.
  type: str
memory_mb:
  description: Another spelling of O(memory), in MiB.
  type: int
memory_gb:
  description: Another spelling of O(memory), in GiB.
  type: float
disk_gb:
  description: Another spelling of the first disk's size, in GiB.
  type: float
storage_gb:
  description: Another spelling of the first disk's size, in GiB.
  type: float
os_type:
  description: Kind of operating system, for example V(linux), V(windows) or V(ubuntu).
  type: str
os_version:
  description: Version of the operating system, for example V(Debian 12).
  type: str
agent:
  description: Channel of the QEMU guest agent.
  type: bool
rng:
  description: Virtual random number generator.
  type: bool
autostart:
  description: Start the VM when the hypervisor starts.
  type: bool
machine:
  description: Machine type, for example V(q35).
  type: str
arch:
  description: Architecture, for example V(x86_64).
  type: str
virt_type:
  description: Kind of virtualisation; V(auto) takes KVM where guests boot under it, else V(qemu).
  type: str
  choices: [auto, kvm, qemu, test, xen, lxc]
labels:
  description: Labels to set; the others stay. A null value removes a label.
  type: dict
metadata:
  description: Metadata to set; the rest stays. A null value removes a key.
  type: dict
cloud_init:
  description: What the guest is told at its first boot, as a NoCloud seed.
  type: dict
  suboptions:
    user_data:
      description:
        - A mapping, written as C(#cloud-config), or text that is taken as it is.
        - A secret, never shown, logged or stored.
      type: raw
    network_config:
      description: Network configuration, a mapping or text; made of O(networks) where left out.
      type: raw
    ssh_keys:
      description: Public keys that may log in.
      type: list
      elements: str
    hostname:
      description: Host name; the VM's name where left out.
      type: str
    pool:
      description: Pool of the seed volume; that of the first disk where left out.
      type: str
kernel_boot:
  description: Boot a kernel directly; its files are on the hypervisor.
  type: dict
  suboptions:
    kernel:
      description: Path of the kernel.
      type: str
      required: true
    initrd:
      description: Path of the initial RAM disk.
      type: str
    cmdline:
      description: Kernel command line.
      type: str
from_template:
  description: What a new VM is cloned from, another VM or a volume.
  type: dict
  suboptions:
    vm:
      description: VM to clone with all of its disks.
      type: str
    pool:
      description: Pool of the volume.
      type: str
      default: default
    volume:
      description: Volume to clone.
      type: str
    linked:
      description: Make a linked clone, which needs the original for as long as it lives.
      type: bool
      default: false
xml:
  description:
    - The whole domain as libvirt XML.
    - Only O(name), O(new_name), O(autostart) and the options of the change go with it.
  type: str
"""
