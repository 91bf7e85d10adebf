# SPDX-License-Identifier: Apache-2.0
"""``xml``: whole documents as people have them; applied twice they change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from hostler import Fleet

from .state import differences, dump

HEAD = "<domain type='qemu'><name>v</name><memory unit='{}'>{}</memory><vcpu>2</vcpu>"
OS = "<os><type arch='x86_64' machine='{}'>hvm</type>{}</os>"
CARD = "<interface type='network'><source network='default'/><model type='virtio'/></interface>"

DOCUMENTS = {
    "smallest": HEAD.format("MiB", 64) + "<os><type>hvm</type></os></domain>",
    "as virt-install writes it": HEAD.format("KiB", 65536)
    + "<currentMemory unit='KiB'>65536</currentMemory>"
    + OS.format("q35", "<boot dev='hd'/>")
    + "<features><acpi/><apic/><vmport state='off'/></features>"
    "<cpu mode='host-passthrough' check='none' migratable='on'/>"
    "<clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='hpet' present='no'/>"
    "</clock><pm><suspend-to-mem enabled='no'/></pm><devices>"
    "<emulator>/usr/bin/qemu-system-x86_64</emulator>"
    "<controller type='usb' model='qemu-xhci' ports='15'/>"
    + CARD
    + "<console type='pty'/><channel type='unix'><source mode='bind'/>"
    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
    "<input type='tablet' bus='usb'/><graphics type='vnc' port='-1'/>"
    "<video><model type='vga'/></video><memballoon model='virtio'/>"
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices></domain>",
    "old, with comments and short addresses": "<?xml version='1.0'?><!-- kept by hand -->\n"
    + HEAD.format("GiB", 1)
    + OS.format("pc", "<bootmenu enable='yes'/>")
    + "<!-- devices --><devices><disk type='file' device='disk'><source file='/srv/Disk.IMG'/>"
    "<target dev='hda'/><address type='drive' controller='0' bus='0' unit='0'/></disk>"
    "<interface type='bridge'><mac address='52:54:00:AB:CD:EF'/><source bridge='br0'/>"
    "<address type='pci' slot='7'/></interface>"
    "<sound model='ac97'/></devices></domain>",
    "UEFI with a TPM": HEAD.format("MiB", 128).replace("<domain", "<domain", 1)
    + "<os firmware='efi'><type machine='q35'>hvm</type></os><features><acpi/></features>"
    "<devices><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
    "</devices></domain>",
    "with memory that can be plugged": "<domain type='qemu'><name>v</name>"
    "<maxMemory slots='4' unit='GiB'>4</maxMemory><memory unit='GiB'>1</memory><vcpu>2</vcpu>"
    "<os><type machine='q35'>hvm</type></os>"
    "<cpu><numa><cell id='0' cpus='0-1' memory='512' unit='MiB'/></numa></cpu>"
    "<devices><memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target>"
    "</memory></devices></domain>",
    "namespaces and metadata": "<domain type='qemu'"
    " xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
    "<name>v</name><uuid>AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee</uuid>"
    "<metadata><a:b xmlns:a='urn:a'>x</a:b></metadata><memory unit='MiB'>64</memory>"
    "<vcpu>1</vcpu><os><type>hvm</type></os><devices/>"
    "<q:commandline><q:arg value='-S'/></q:commandline></domain>",
}


def run(fleet: Fleet, **wanted: Any) -> Any:
    [result] = fleet.vms.run([wanted])
    assert result.error is None, result.error
    return result


@pytest.mark.parametrize("case", DOCUMENTS)
def test_second_run_changes_nothing(fleet: Fleet, case: str) -> None:
    assert run(fleet, name="v", xml=DOCUMENTS[case]).changed
    before = dump(fleet.uri)
    for check in (True, False):
        [again] = fleet.vms.run([{"name": "v", "xml": DOCUMENTS[case]}], check=check)
        assert (again.changed, again.error) == (False, None)
    assert differences(before, dump(fleet.uri)) == []


@pytest.mark.parametrize("case", DOCUMENTS)
def test_what_libvirt_wrote_changes_nothing(fleet: Fleet, case: str) -> None:
    run(fleet, name="v", xml=DOCUMENTS[case])
    xml = fleet.hypervisor().domains.xml("v")
    assert not run(fleet, name="v", xml=xml).changed or not run(fleet, name="v", xml=xml).changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/srv/Disk.IMG", "/srv/disk.img"),
        ("<sound model='ac97'/>", ""),
        ("<sound model='ac97'/>", "<sound model='ac97'/><sound model='es1370'/>"),
        ("br0", "br1"),
        ("<vcpu>2</vcpu>", "<vcpu>3</vcpu>"),
        ("machine='pc'", "machine='q35'"),
        ("<bootmenu enable='yes'/>", "<bootmenu enable='no'/>"),
    ],
)
def test_change(fleet: Fleet, connection: libvirt.virConnect, old: str, new: str) -> None:
    """Each change arrives, whatever its kind; identity stays."""
    document = DOCUMENTS["old, with comments and short addresses"]
    run(fleet, name="v", xml=document)
    uuid = connection.lookupByName("v").UUIDString()
    assert old in document
    changed = document.replace(old, new)
    if "q35" in new:  # has no IDE
        changed = changed.replace("dev='hda'", "dev='sda'").replace("controller='0' bus='0' ", "")
    [said] = fleet.vms.run([{"name": "v", "xml": changed}], check=True)
    done = run(fleet, name="v", xml=changed)
    assert said.changed
    assert done.changed
    assert not run(fleet, name="v", xml=changed).changed
    domain = connection.lookupByName("v")
    tree = etree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    assert domain.UUIDString() == uuid
    assert str(tree.xpath("string(devices/interface/mac/@address)")).lower() == "52:54:00:ab:cd:ef"
    text = etree.tostring(tree, encoding="unicode")
    wanted = new or old
    word = wanted.split("'")[1] if "'" in wanted else wanted.replace("<vcpu>", "").split("<")[0]
    assert (word in text) == bool(new)


def test_password_is_a_secret_here_too(fleet: Fleet, connection: libvirt.virConnect) -> None:
    xml = (
        HEAD.format("MiB", 64)
        + OS.format("q35", "")
        + "<devices><graphics type='vnc' {}/></devices></domain>"
    )
    with_password = xml.format("passwd='geh31m'")
    result = run(fleet, name="v", xml=with_password)
    assert "geh31m" not in result.model_dump_json()
    assert fleet.config.store
    folder = Path(fleet.config.store.removeprefix("sqlite:///")).parent
    assert all(b"geh31m" not in file.read_bytes() for file in folder.glob("journal.db*"))
    secure = connection.lookupByName("v").XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
    assert "geh31m" in secure
    assert not run(fleet, name="v", xml=with_password).changed
    assert run(fleet, name="v", xml=xml.format("passwd='other1'")).changed
    assert "other1" in connection.lookupByName("v").XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)


def test_metadata_of_others_and_our_own_stay(fleet: Fleet, connection: libvirt.virConnect) -> None:
    run(fleet, name="v", labels={"env": "prod"})
    before = etree.fromstring(connection.lookupByName("v").XMLDesc())
    xml = HEAD.format("MiB", 64) + OS.format("q35", "") + "</domain>"
    run(fleet, name="v", xml=xml)
    assert fleet.vms.get("v").labels == {"env": "prod"}
    assert fleet.vms.get("v").created_at is not None
    assert before.findtext("uuid") == connection.lookupByName("v").UUIDString()
