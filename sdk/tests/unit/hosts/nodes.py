# SPDX-License-Identifier: Apache-2.0
"""Hypervisors of libvirt's own test driver, made as a test wants them."""

from __future__ import annotations

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

GPUS = {"l40s": ("0x26b9", "AD102GL [L40S]"), "h100": ("0x2330", "GH100 [H100 SXM5 80GB]")}

NODE = """
<node>
  <cpu><mhz>2600</mhz><model>i686</model><active>{cpus}</active>
    <nodes>1</nodes><sockets>1</sockets><cores>{cpus}</cores><threads>1</threads></cpu>
  <memory>{memory}</memory>
  <network><name>lan</name><bridge name='virbr9'/><forward mode='nat'/>
    <ip address='192.168.9.1' netmask='255.255.255.0'/></network>
  <pool type='dir'><name>default</name><uuid>dfe224cb-28fb-8dd0-c4b2-64eb3f0f4566</uuid>
    <target><path>/default</path></target></pool>
  {devices}{domains}
</node>
"""
DEVICE = """
<device><name>pci_{bus}</name><parent>computer</parent><path>/sys/devices/pci0/{bus}</path>
  <capability type='pci'><class>0x{pci_class}</class>
    <domain>0</domain><bus>{bus}</bus><slot>0</slot><function>0</function>
    <product id='{model_id}'>{model}</product><vendor id='{vendor_id}'>{vendor}</vendor>
    <iommuGroup number='{bus}'>
      <address domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/></iommuGroup>
  </capability></device>
"""
DOMAIN = """
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
  <name>{name}</name><uuid>{uuid}</uuid>{metadata}
  <memory unit='MiB'>{memory_mb}</memory><vcpu>{cpus}</vcpu><os><type>hvm</type></os>
  <devices>{devices}</devices><test:runstate>{state}</test:runstate>
</domain>
"""
OURS = """
<metadata><hostler:vm xmlns:hostler='https://hostler.dev/vm/1'>{labels}</hostler:vm></metadata>
"""
GIVEN = """
<hostdev mode='subsystem' type='pci' managed='yes'><source>
  <address domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/></source></hostdev>
"""


def vm(
    name: str,
    *,
    cpus: int = 1,
    memory_mb: int = 1024,
    labels: dict[str, str] | None = None,
    gpu: int | None = None,
    running: bool = True,
) -> str:
    """Return a VM's XML; ``gpu`` is the bus of one that it has; labels make it one of ours."""
    texts = "".join(
        f"<hostler:label name='{k}'>{v}</hostler:label>" for k, v in (labels or {}).items()
    )
    return DOMAIN.format(
        name=name,
        uuid=uuid5(NAMESPACE_URL, name),
        metadata="" if labels is None else OURS.format(labels=texts),
        memory_mb=memory_mb,
        cpus=cpus,
        devices="" if gpu is None else GIVEN.format(bus=gpu),
        state=1 if running else 5,
    )


def gpu(bus: int, model: str = "l40s", *, pci_class: str = "030200") -> str:
    """Return a GPU's XML."""
    model_id, name = GPUS[model]
    return DEVICE.format(
        bus=bus,
        pci_class=pci_class,
        model_id=model_id,
        model=name,
        vendor_id="0x10de",
        vendor="NVIDIA Corporation",
    )


def screen(bus: int) -> str:
    """Return the XML of what a management board shows."""
    return DEVICE.format(
        bus=bus,
        pci_class="030000",
        model_id="0x2000",
        model="ASPEED Graphics Family",
        vendor_id="0x1a03",
        vendor="ASPEED Technology, Inc.",
    )


def node(
    path: Path,
    *vms: str,
    cpus: int = 8,
    memory_mb: int = 16384,
    devices: tuple[str, ...] = (),
) -> str:
    """Write a hypervisor down; return its URI."""
    text = NODE.format(
        cpus=cpus, memory=memory_mb * 1024, devices="".join(devices), domains="".join(vms)
    )
    path.write_text(text)
    return f"test://{path}"
