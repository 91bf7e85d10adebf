# SPDX-License-Identifier: Apache-2.0
"""Generated pairs: a domain that is there, and a VM as it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

NAME = "pair"
POOL = "/var/lib/libvirt/images"
FOREIGN = (
    "<f:thing xmlns:f='https://example.org/foreign/1' a='1'>"
    "<f:in>t &amp; &lt;x&gt;</f:in></f:thing>"
)
OURS = (
    "<hostler:vm xmlns:hostler='https://hostler.dev/vm/1' created='2026-01-01T00:00:00+00:00'>"
    "<hostler:os type='linux' version='Debian 12'/><hostler:label name='env'>prod</hostler:label>"
    "<hostler:data name='owner'>ops</hostler:data></hostler:vm>"
)
OSINFO = (
    "<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
    "<l:os id='http://debian.org/debian/12'/></l:libosinfo>"
)

# What is not modelled. Whole elements, by where they go: under the root or under <devices>.
ROOT_EXTRAS = (
    "<sysinfo type='smbios'><system><entry name='vendor'>A &amp; B</entry></system></sysinfo>",
    "<iothreads>2</iothreads>",
    "<cputune><shares>512</shares></cputune>",
    "<blkiotune><weight>300</weight></blkiotune>",
    "<pm><suspend-to-mem enabled='no'/></pm>",
    "<clock offset='variable' adjustment='-7'><timer name='hpet' present='no'/></clock>",
    "<on_crash>preserve</on_crash>",
    "<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>",
    (
        "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        "<qemu:arg value='-name'/><qemu:arg value='x&lt;y'/></qemu:commandline>"
    ),
)
DEVICE_EXTRAS = (
    "<vsock model='virtio'><cid auto='yes'/></vsock>",
    "<shmem name='shm0'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>",
    "<panic model='isa'/>",
    "<sound model='ich9'/>",
    "<input type='tablet' bus='usb'/>",
    "<hub type='usb'/>",
    "<redirdev bus='usb' type='spicevmc'/>",
    "<channel type='unix'><target type='virtio' name='org.example.other.0'/></channel>",
    "<filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>",
    "<controller type='usb' model='qemu-xhci' ports='8'/>",
    "<memballoon model='virtio' autodeflate='on'/>",
)

_AGENT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
_RNG = "<rng model='virtio'><rate bytes='99'/><backend model='random'>/dev/urandom</backend></rng>"


@dataclass(frozen=True)
class Existing:
    """A domain as text, and what a wanted VM may refer to."""

    xml: str
    disks: tuple[str, ...]
    cdroms: tuple[str, ...]
    macs: tuple[str, ...]
    cpus_max: int
    memory_max: int
    running: bool


def _disk(target: str, extra: str) -> str:
    bus = {"v": "virtio", "s": "scsi"}[target[0]]
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2' {extra}/>"
        f"<source file='{POOL}/{NAME}-{target}.qcow2'/><target dev='{target}' bus='{bus}'/>"
        f"<iotune><total_iops_sec>1000</total_iops_sec></iotune><alias name='ua-{target}'/></disk>"
    )


def _cdrom(target: str, image: str | None) -> str:
    source = f"<source file='{image}'/>" if image else ""
    return (
        f"<disk type='file' device='cdrom'>{source}<target dev='{target}' bus='sata'/>"
        "<readonly/></disk>"
    )


def _card(mac: str, model: str | None, extra: str) -> str:
    kind = f"<model type='{model}'/>" if model else ""
    return (
        f"<interface type='network'><mac address='{mac}'/><source network='default'/>{kind}"
        f"{extra}</interface>"
    )


@st.composite
def qemu_domains(draw: st.DrawFn, *, running: bool, rom: str) -> Existing:
    """Generate a domain of the QEMU driver."""
    cpus_max = draw(st.integers(1, 4))
    cpus = draw(st.integers(1, cpus_max))
    memory_max = draw(st.sampled_from([65536, 131072, 1048576 if not running else 98304]))
    memory = draw(st.sampled_from([memory_max, memory_max - 4096]))
    disks = tuple(sorted(draw(st.sets(st.sampled_from(["vda", "vdb", "sdc"])))))
    if running:
        disks = ()  # halted guests never let a disk go: plugging is for real guests
    cdroms = tuple(sorted(draw(st.sets(st.sampled_from(["sda", "sdb"])))))
    macs = tuple(f"52:54:00:aa:bb:{n:02x}" for n in range(draw(st.integers(0, 2))))
    roots = draw(st.lists(st.sampled_from(ROOT_EXTRAS), unique=True, max_size=4))
    extras = draw(st.lists(st.sampled_from(DEVICE_EXTRAS), unique=True, max_size=4))
    if running:
        roots = [r for r in roots if "commandline" not in r and "tune" not in r]
        extras = [e for e in extras if not e.startswith(("<vsock", "<filesystem", "<redirdev"))]
    metadata = draw(st.lists(st.sampled_from([FOREIGN, OURS, OSINFO]), unique=True))
    graphics = draw(
        st.sampled_from(
            [
                "",
                "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>",
                "<graphics type='vnc' port='5999' autoport='no'/>",
                "<graphics type='vnc' passwd='abc'/><graphics type='spice' autoport='yes'/>",
            ]
        )
    )
    if "spicevmc" in "".join(extras) and "spice" not in graphics:
        extras = [e for e in extras if "spicevmc" not in e]
    some = st.sampled_from
    text = "".join(
        [
            "<domain type='qemu'><!-- a comment -->",
            f"<name>{NAME}</name><uuid>11111111-2222-4333-8444-555555555555</uuid>",
            draw(some(["", "<title>a title</title>"])),
            draw(some(["", "<description>two\nlines</description>"])),
            f"<metadata>{''.join(metadata)}</metadata>" if metadata else "",
            f"<memory>{memory_max}</memory><currentMemory>{memory}</currentMemory>",
            f"<vcpu placement='static' current='{cpus}'>{cpus_max}</vcpu>",
            "<os><type arch='x86_64' machine='q35'>hvm</type>",
            f"<loader type='rom'>{rom}</loader>",
            draw(some(["", "<boot dev='hd'/><boot dev='cdrom'/>", "<bootmenu enable='yes'/>"])),
            "</os><features><acpi/><apic/>",
            draw(some(["", "<hap state='on'/>", "<vmport state='off'/>"])),
            "</features>",
            *roots,
            "<devices>",
            *(
                _disk(t, draw(some(["", "cache='none'", "discard='unmap' io='threads'"])))
                for t in disks
            ),
            *(_cdrom(t, draw(some([None, f"{POOL}/{NAME}-a.iso"]))) for t in cdroms),
            *(
                _card(
                    mac,
                    draw(some(["virtio", "e1000e"])),
                    draw(some(["", "<link state='down'/>", "<filterref filter='clean-traffic'/>"])),
                )
                for mac in macs
            ),
            draw(
                some(
                    ["", "<serial type='pty'/>", "<serial type='pty'><alias name='ua-s'/></serial>"]
                )
            ),
            draw(
                some(
                    [
                        "",
                        _AGENT,
                    ]
                )
            ),
            graphics,
            draw(
                some(
                    [
                        "",
                        _RNG,
                    ]
                )
            ),
            draw(some(["", "<watchdog model='i6300esb' action='none'/>"])),
            *extras,
            "</devices></domain>",
        ]
    )
    return Existing(text, disks, cdroms, macs, cpus_max, memory_max * 1024, running)


@st.composite
def test_domains(draw: st.DrawFn, *, running: bool) -> Existing:
    """Generate a domain of libvirt's test driver."""
    cpus_max = draw(st.integers(1, 4))
    cpus = draw(st.integers(1, cpus_max))
    memory = draw(st.sampled_from([65536, 131072]))
    metadata = draw(st.lists(st.sampled_from([FOREIGN, OURS, OSINFO]), unique=True))
    macs = tuple(f"52:54:00:aa:bb:{n:02x}" for n in range(draw(st.integers(0, 2))))
    disks = () if running else tuple(sorted(draw(st.sets(st.sampled_from(["vda", "vdb"])))))
    text = "".join(
        [
            f"<domain type='test'><name>{NAME}</name>",
            "<uuid>11111111-2222-4333-8444-555555555555</uuid>",
            draw(st.sampled_from(["", "<title>a title</title>"])),
            f"<metadata>{''.join(metadata)}</metadata>" if metadata else "",
            f"<memory>131072</memory><currentMemory>{memory}</currentMemory>",
            f"<vcpu current='{cpus}'>{cpus_max}</vcpu>",
            "<os><type arch='x86_64'>hvm</type></os>",
            draw(st.sampled_from(["", *ROOT_EXTRAS[1:3], ROOT_EXTRAS[5]])),
            "<devices>",
            *(_disk(t, "") for t in disks),
            *(_card(mac, "virtio", "") for mac in macs),
            draw(st.sampled_from(["", *DEVICE_EXTRAS[3:5]])),
            "</devices></domain>",
        ]
    )
    return Existing(text, disks, (), macs, cpus_max, 131072 * 1024, running)


def _maybe(
    draw: st.DrawFn, wanted: dict[str, Any], key: str, values: st.SearchStrategy[Any]
) -> None:
    if draw(st.booleans()):
        wanted[key] = draw(values)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=12)
_KEYS = st.sampled_from(["env", "owner", "tier", "<odd> & \"key'"])


@st.composite
def wanted_vms(draw: st.DrawFn, have: Existing, *, devices: bool = True) -> dict[str, Any]:
    """Generate a task for an existing domain, as a mapping."""
    wanted: dict[str, Any] = {"name": NAME}
    _maybe(draw, wanted, "cpus", st.integers(1, 4 if have.running else 6))
    _maybe(draw, wanted, "cpus_max", st.integers(max(1, wanted.get("cpus", 1)), 8))
    if not have.running:
        _maybe(
            draw, wanted, "memory", st.sampled_from(["60MiB", "64MiB", "96MiB", "128MiB", "1GiB"])
        )
    _maybe(draw, wanted, "memory_max", st.sampled_from(["1GiB", "2GiB"]))
    _maybe(draw, wanted, "title", st.sampled_from(["", "a title", "new <title> & é"]))
    _maybe(draw, wanted, "description", st.sampled_from(["", "plain", "über\nzwei"]))
    _maybe(draw, wanted, "labels", st.dictionaries(_KEYS, st.none() | _TEXTS, max_size=3))
    _maybe(draw, wanted, "metadata", st.dictionaries(_KEYS, st.none() | _TEXTS, max_size=3))
    _maybe(draw, wanted, "os_type", st.sampled_from(["linux", "debian", "windows"]))
    _maybe(draw, wanted, "os_version", st.sampled_from(["12", "Ubuntu 22.04"]))
    _maybe(draw, wanted, "autostart", st.booleans())
    if devices:
        _devices(draw, wanted, have)
    if not have.running:
        _maybe(draw, wanted, "networks", _networks(have))
        _maybe(draw, wanted, "disks", _disks(have))
    state = st.sampled_from(["present", "stopped" if not have.running else "present"])
    wanted["state"] = draw(state)
    return wanted


def _devices(draw: st.DrawFn, wanted: dict[str, Any], have: Existing) -> None:
    for key in ("agent", "rng", "console"):
        _maybe(draw, wanted, key, st.just(True) if key == "console" else st.booleans())
    if have.running:
        wanted.pop("agent", None)
    _maybe(draw, wanted, "watchdog", st.sampled_from([False, True, {"action": "poweroff"}]))
    _maybe(draw, wanted, "tpm", st.sampled_from([False, True, {"model": "tpm-tis"}]))
    _maybe(draw, wanted, "video", st.sampled_from(["virtio", "vga", "none"]))
    _maybe(
        draw,
        wanted,
        "graphics",
        st.sampled_from(
            [
                {"type": "vnc"},
                {"type": "vnc", "port": 5901, "listen": "0.0.0.0"},  # noqa: S104
                [{"type": "spice"}, {"type": "vnc", "port": -1}],
                {"type": "none"},
            ]
        ),
    )
    if wanted.get("video") == "none":
        wanted["graphics"] = {"type": "none"}
    _maybe(draw, wanted, "cpu", st.sampled_from([{"mode": "maximum"}, {"disable": ["svm"]}]))
    if not have.running:
        _maybe(draw, wanted, "firmware", st.sampled_from(["uefi", "bios"]))
        _maybe(draw, wanted, "kernel_boot", st.just({"kernel": "/boot/k", "cmdline": 'a=b "c"'}))
        _maybe(draw, wanted, "host_devices", st.just([{"address": "0000:3b:00.0"}]))
    cdroms: list[dict[str, Any]] = [
        {
            "target": t,
            **draw(st.sampled_from([{}, {"eject": True}, {"image": f"{POOL}/{NAME}-b.iso"}])),
        }
        for t in have.cdroms
    ]
    if not have.running and draw(st.booleans()):
        cdroms.append({"image": f"{POOL}/{NAME}-a.iso"})
    if cdroms:
        _maybe(draw, wanted, "cdroms", st.just(cdroms))


@st.composite
def _networks(draw: st.DrawFn, have: Existing) -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = []
    for mac in have.macs:
        kind = draw(st.sampled_from(["keep", "edit", "drop", "by mac"]))
        if kind == "drop":
            cards.append({"mac": mac, "state": "absent"})
        else:
            card: dict[str, Any] = (
                {} if kind == "keep" else {"link": draw(st.sampled_from(["up", "down"]))}
            )
            if draw(st.booleans()):
                card |= draw(
                    st.sampled_from([{"mtu": 9000}, {"model": "e1000e"}, {"boot_order": 3}])
                )
            cards.append(card if kind != "by mac" else {**card, "mac": mac.upper()})
    if draw(st.booleans()):
        cards.append({"mac": "52:54:00:ee:00:01", "network": "default"})
    if draw(st.booleans()):
        cards.append(
            {"bridge": "br-none", "vlan": 7} if draw(st.booleans()) else {"network": "default"}
        )
    return cards


@st.composite
def _disks(draw: st.DrawFn, have: Existing) -> list[dict[str, Any]]:
    disks: list[dict[str, Any]] = []
    for target in have.disks:
        change: dict[str, Any] = draw(
            st.sampled_from(
                [
                    {},
                    {"state": "absent"},
                    {"cache": "writeback"},
                    {"size": "3MiB"},
                    {"serial": "S-1 .+"},
                    {"discard": "unmap", "boot_order": 2},
                    {"shared": True},
                ]
            )
        )
        disks.append({"target": target, **change})
    if draw(st.booleans()):
        disks.append(
            {"size": "1MiB", **draw(st.sampled_from([{}, {"bus": "scsi"}, {"format": "raw"}]))}
        )
    if draw(st.booleans()):
        disks.append({"path": f"{POOL}/{NAME}-elsewhere.img"})
    return disks


@st.composite
def new_vms(draw: st.DrawFn) -> dict[str, Any]:
    """Generate a task for a VM that is not there."""
    nothing = Existing("", (), (), (), 1, 0, running=False)
    wanted = draw(wanted_vms(nothing))
    _maybe(draw, wanted, "machine", st.sampled_from(["q35", "pc"]))
    _maybe(draw, wanted, "cloud_init", st.sampled_from([{}, {"hostname": "h"}]))
    return wanted
