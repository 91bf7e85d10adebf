# SPDX-License-Identifier: Apache-2.0
"""The smallest domain that a new VM starts from; all else is edited into it."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from hostler.errors import InvalidInput
from hostler.models.size import MIB
from hostler.models.vm import VmSpec
from hostler.vms.domain.tree import Element, add

DEFAULT_MEMORY = 1024 * MIB
BALLOON_PERIOD = "5"
"""Seconds between two memory reports of the guest; without them its memory use is unknown."""


HOTPLUG_PORTS = 12
"""Root ports of a new PCI Express machine: each takes one device, and none can be added later."""


def skeleton(
    spec: VmSpec, *, uuid: str, virt_type: str, arch: str, machines: Mapping[str, str]
) -> Element:
    """Return a domain with nothing but what libvirt insists on.

    What libvirt would choose (versioned machine, CPU) is chosen here, so that a preview knows it.

    Args:
        spec: the VM.
        uuid: its UUID.
        virt_type: its domain type.
        arch: its CPU architecture.
        machines: the versioned machine behind each alias.
    """
    domain = etree.Element("domain", type=virt_type)
    add(domain, "name", spec.name)
    add(domain, "uuid", uuid)
    memory = spec.memory or spec.memory_max or DEFAULT_MEMORY
    add(domain, "memory", str(-(-(spec.memory_max or memory) // 1024)), unit="KiB")
    add(domain, "currentMemory", str(-(-memory // 1024)), unit="KiB")
    vcpu = add(domain, "vcpu", str(spec.cpus_max or spec.cpus or 1))
    if spec.cpus and spec.cpus_max and spec.cpus != spec.cpus_max:
        vcpu.set("current", str(spec.cpus))
    system = add(domain, "os")
    kind = add(system, "type", "hvm", arch=arch)
    if spec.machine or virt_type in ("kvm", "qemu"):
        machine = spec.machine or _machine(arch)
        kind.set("machine", machines.get(machine, machine))
    if virt_type in ("kvm", "qemu"):
        _for_qemu(domain, virt_type, arch)
    else:
        add(domain, "devices")
    return domain


def _machine(arch: str) -> str:
    machines = {"x86_64": "q35", "i686": "pc", "ppc64le": "pseries", "s390x": "s390-ccw-virtio"}
    return machines.get(arch, "virt")


def _for_qemu(domain: Element, virt_type: str, arch: str) -> None:
    features = add(domain, "features")
    if arch in ("x86_64", "i686", "aarch64"):
        add(features, "acpi")
    if arch in ("x86_64", "i686"):
        add(features, "apic")
    _add_cpu(domain, virt_type, arch)
    parts = add(domain, "devices")
    machine = str(domain.find("os/type").get("machine"))
    if "q35" in machine or machine.startswith("virt"):
        models = ["pcie-root", *["pcie-root-port"] * HOTPLUG_PORTS]
        for index, model in enumerate(models):
            add(parts, "controller", type="pci", index=str(index), model=model)
    balloon = add(parts, "memballoon", model="virtio")
    add(balloon, "stats", period=BALLOON_PERIOD)


def _add_cpu(domain: Element, virt_type: str, arch: str) -> None:
    """KVM guests get the host's CPU; others get QEMU's own default by its name."""
    plain = {"x86_64": "qemu64", "i686": "qemu32"}.get(arch)
    if virt_type == "kvm":
        add(domain, "cpu", mode="host-model")
    elif plain is not None:
        cpu = add(domain, "cpu", mode="custom", match="exact", check="none")
        add(cpu, "model", plain, fallback="forbid")


def with_defaults(spec: VmSpec, virt_type: str, *, default_network: bool) -> VmSpec:
    """Return a new VM's spec with the defaults for what it leaves out.

    A serial console, the guest agent's channel, a random number generator, VNC on the loopback
    address, and a card on the network ``default`` where there is one.
    """
    defaults: dict[str, object] = {}
    if virt_type in ("kvm", "qemu"):
        defaults = {"console": True, "agent": True, "rng": True, "graphics": {"type": "vnc"}}
    if default_network:
        defaults["networks"] = [{"network": "default"}]
    missing = {k: v for k, v in defaults.items() if getattr(spec, k) is None}
    parsed = VmSpec.model_validate({"name": spec.name, **missing})
    return spec.model_copy(update={k: getattr(parsed, k) for k in missing})


def choose_virt_type(spec: VmSpec, types: list[str], kvm_works: bool | None) -> str:
    """Return the domain type; ``auto`` takes KVM only where a guest is known to boot under it.

    Raises:
        InvalidInput: the host does not have the type that is wanted.
    """
    wanted = spec.virt_type or "auto"
    if wanted != "auto":
        if types and wanted not in types:
            raise InvalidInput(
                f"the host has no virt_type {wanted}; it has {', '.join(sorted(set(types)))}",
                hint="Use virt_type: auto." if wanted != "kvm" else "See 'hostler doctor'.",
            )
        return wanted
    if "kvm" in types and kvm_works:
        return "kvm"
    return "qemu" if "qemu" in types or not types else types[0]
