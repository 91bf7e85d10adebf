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
        machines: machine names by guest architecture; an alias (q35, pc) with what is behind it.
        emulator: path of the QEMU for the host's own architecture.
        local: the URI names this machine.
    """

    hostname: str
    uuid: str | None
    version: str | None
    driver: str
    arch: str
    types: dict[str, list[str]] = field(default_factory=dict)
    machines: dict[str, dict[str, str]] = field(default_factory=dict)
    emulator: str | None = None
    local: bool = False


def read_facts(connection: libvirt.virConnect, uri: str) -> HostFacts:
    """Read a host's facts: four calls."""
    with translated(f"hypervisor {uri}"):
        capabilities = etree.fromstring(connection.getCapabilities().encode())
        hostname, driver = connection.getHostname(), connection.getType()
        version = connection.getVersion()
    types: dict[str, list[str]] = {}
    machines: dict[str, dict[str, str]] = {}
    for arch in capabilities.iterfind("guest/arch"):
        names = [str(d.get("type")) for d in arch.iterfind("domain")]
        types.setdefault(str(arch.get("name")), []).extend(names)
        known = {str(m.text): str(m.get("canonical") or m.text) for m in arch.iterfind("machine")}
        machines.setdefault(str(arch.get("name")), {}).update(known)
    host_arch = capabilities.findtext("host/cpu/arch") or "x86_64"
    emulators = {a.get("name"): a.findtext("emulator") for a in capabilities.iterfind("guest/arch")}
    return HostFacts(
        hostname=hostname,
        uuid=capabilities.findtext("host/uuid"),
        version=f"{version // 1000000}.{version // 1000 % 1000}.{version % 1000}",
        driver=driver,
        arch=host_arch,
        types=types,
        machines=machines,
        emulator=emulators.get(host_arch),
        local="://" in uri and uri.split("://", 1)[1].startswith("/") and "+" not in uri,
    )


def has_virtualisation(connection: libvirt.virConnect, uri: str) -> bool:
    """Whether the host CPU itself has vmx or svm, which only x86 needs to tell."""
    with translated(f"hypervisor {uri}"):
        cpu = etree.fromstring(connection.getCapabilities().encode()).find("host/cpu")
    arch = "x86_64" if cpu is None else cpu.findtext("arch") or "x86_64"
    return "86" not in arch or bool(_cpu_features(connection, cpu) & {"vmx", "svm"})


def _cpu_features(connection: libvirt.virConnect, cpu: etree._Element | None) -> set[str | None]:
    """Return the host CPU's features, those that its model implies too (EPYC has svm)."""
    if cpu is None:
        return set()
    text = etree.tostring(cpu, encoding="unicode")
    try:
        expand = libvirt.VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES
        cpu = etree.fromstring(connection.baselineCPU([text], expand).encode())
    except libvirt.libvirtError:
        pass  # drivers without CPU models; the features of the host's XML must do
    return {feature.get("name") for feature in cpu.iterfind("feature")}
