# SPDX-License-Identifier: Apache-2.0
"""What a host can run, from libvirt's capabilities."""

from __future__ import annotations

from dataclasses import dataclass, field

import libvirt
from lxml import etree

from hostler.backends.libvirt.faults import translated


@dataclass(frozen=True)
class HostFacts:
    """A hypervisor.

    Attributes:
        uuid: the host's UUID; None where it has none.
        version: the hypervisor's version, ``7.2.22``.
        driver: libvirt's driver: QEMU, TEST, Xen ...
        arch: the host's CPU architecture.
        types: domain types (kvm, qemu ...) by guest architecture.
        cpu_flags: whether the host CPU itself has vmx or svm: KVM is the machine's own.
        local: the URI names this machine.
    """

    hostname: str
    uuid: str | None
    version: str | None
    driver: str
    arch: str
    types: dict[str, list[str]] = field(default_factory=dict)
    hardware_virt: bool = False
    local: bool = False


def read_facts(connection: libvirt.virConnect, uri: str) -> HostFacts:
    """Read a host's facts: four calls."""
    with translated(f"hypervisor {uri}"):
        capabilities = etree.fromstring(connection.getCapabilities().encode())
        hostname, driver = connection.getHostname(), connection.getType()
        version = connection.getVersion()
    types: dict[str, list[str]] = {}
    for arch in capabilities.iterfind("guest/arch"):
        names = [str(d.get("type")) for d in arch.iterfind("domain")]
        types.setdefault(str(arch.get("name")), []).extend(names)
    features = {f.get("name") for f in capabilities.iterfind("host/cpu/feature")}
    return HostFacts(
        hostname=hostname,
        uuid=capabilities.findtext("host/uuid"),
        version=f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}",
        driver=driver,
        arch=capabilities.findtext("host/cpu/arch") or "x86_64",
        types=types,
        hardware_virt=bool(features & {"vmx", "svm"}),
        local="://" in uri and uri.split("://", 1)[1].startswith("/") and "+" not in uri,
    )
