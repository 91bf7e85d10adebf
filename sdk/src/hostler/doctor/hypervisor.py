# SPDX-License-Identifier: Apache-2.0
"""What the doctor asks libvirt: networks, pools and their space, UEFI and TPM, versions."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib.metadata import version

import libvirt
from lxml import etree

from hostler import __version__
from hostler.doctor.finding import Finding, Fix, fail, ok, warn

LOW_PERCENT = 10
LOW_BYTES = 1024**3


@dataclass(frozen=True)
class QemuOf:
    """What a libvirt's capabilities say about its QEMU: path, and the user and group it runs as."""

    emulator: str | None
    user: int | None
    group: int | None


def qemu_of(capabilities: str) -> QemuOf:
    """Read libvirt's capabilities (https://libvirt.org/formatcaps.html)."""
    tree = etree.fromstring(capabilities.encode())
    arch = tree.findtext("host/cpu/arch")
    emulator = next(
        (a.findtext("emulator") for a in tree.iterfind("guest/arch") if a.get("name") == arch), None
    )
    for model in tree.iterfind("host/secmodel"):
        if model.findtext("model") == "dac":
            match = re.match(r"\+(\d+):\+(\d+)$", model.findtext("baselabel") or "")
            if match:
                return QemuOf(emulator, int(match[1]), int(match[2]))
    return QemuOf(emulator, None, None)


def network(connection: libvirt.virConnect, uri: str) -> Finding:
    """Look at the network 'default', which VMs get that name none."""
    found = {n.name(): n for n in connection.listAllNetworks()}
    if "default" not in found:
        return warn(
            "network",
            "there is no network 'default'; VMs must name theirs",
            "Define it: 'virsh net-define /usr/share/libvirt/networks/default.xml'.",
        )
    net = found["default"]
    state = (bool(net.isActive()), bool(net.autostart()))
    return _switched_on("network", "network 'default'", state, _virsh(uri, "net", state))


def pool(connection: libvirt.virConnect, uri: str) -> Finding:
    """Look at the pool 'default', where disks go that name none."""
    found = {p.name(): p for p in connection.listAllStoragePools()}
    if "default" not in found:
        define = "virsh pool-define-as default dir --target /var/lib/libvirt/images"
        return warn(
            "pool", "there is no pool 'default'; disks must name theirs", f"Define it: '{define}'."
        )
    one = found["default"]
    state = (bool(one.isActive()), bool(one.autostart()))
    return _switched_on("pool", "pool 'default'", state, _virsh(uri, "pool", state))


def _switched_on(name: str, what: str, state: tuple[bool, bool], fix: Fix) -> Finding:
    active, autostart = state
    if active and autostart:
        return ok(name, f"{what} is active and starts with libvirt")
    if not active:
        return fail(name, f"{what} is not active", "Start it.", fix)
    return warn(name, f"{what} does not start with libvirt", "Set its autostart.", fix)


def _virsh(uri: str, kind: str, state: tuple[bool, bool]) -> Fix:
    verbs = [verb for verb, on in zip(("start", "autostart"), state, strict=True) if not on]
    return Fix(tuple(("virsh", "-c", uri, f"{kind}-{verb}", "default") for verb in verbs))


def space(connection: libvirt.virConnect) -> list[Finding]:
    """Look at the free space of each active pool."""
    pools = connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    return [space_of(p.name(), *p.info()[1:4:2]) for p in pools]


def space_of(name: str, capacity: int, available: int) -> Finding:
    """Judge a pool's space; sizes in bytes."""
    free = f"{available / 1024**3:.1f} of {capacity / 1024**3:.1f} GiB are free"
    mend = "Delete volumes that no VM uses, or make the file system larger."
    if capacity and available < LOW_BYTES:
        return fail(f"pool {name}", free, mend)
    if capacity and available * 100 < capacity * LOW_PERCENT:
        return warn(f"pool {name}", free, mend)
    return ok(f"pool {name}", free)


def firmware_and_tpm(capabilities: str) -> list[Finding]:
    """Look whether UEFI guests and emulated TPMs are to be had (domain capabilities)."""
    tree = etree.fromstring(capabilities.encode())
    firmware = [v.text for v in tree.iterfind("os/enum[@name='firmware']/value")]
    tpm = [v.text for v in tree.iterfind("devices/tpm/enum[@name='backendModel']/value")]
    uefi = ok("UEFI", "there is firmware for UEFI guests")
    emulated = ok("TPM", "TPMs can be emulated")
    if "efi" not in firmware:
        uefi = warn("UEFI", "there is no firmware for UEFI guests", "Install ovmf (edk2-ovmf).")
    if "emulator" not in tpm:
        emulated = warn("TPM", "TPMs can't be emulated", "Install swtpm and swtpm-tools.")
    return [uefi, emulated]


def versions(connection: libvirt.virConnect) -> Finding:
    """Tell the versions of all that takes part."""
    parts = [
        f"hostler {__version__}",
        f"libvirt {_dotted(connection.getLibVersion())}",
        f"{connection.getType()} {_dotted(connection.getVersion())}",
        f"libvirt-python {version('libvirt-python')}",
        f"Python {platform.python_version()}",
    ]
    return ok("versions", ", ".join(parts))


def _dotted(number: int) -> str:
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"
