# SPDX-License-Identifier: Apache-2.0
"""Bad input: each is one sentence that says what, on what and what to do; nothing is touched."""

from __future__ import annotations

from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import HostlerError

from .state import differences, dump

BOMB = (
    "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>"
    "<domain type='qemu'><name>v</name><description>&d;&d;&d;</description></domain>"
)
EXTERNAL = (
    "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    "<domain type='qemu'><name>v</name><description>&x;</description></domain>"
)
PARAMETER = (
    "<!DOCTYPE d SYSTEM 'http://127.0.0.1:1/x.dtd'><domain type='qemu'><name>v</name></domain>"
)
DIMM = "<domain type='qemu'><name>v</name><devices><memory model='dimm'/></devices></domain>"
HALF = "<domain type='qemu'><name>v</name><memory>65536</memory><vcpu>1</vcpu>"

# What is asked for, and a word of the sentence.
NEW: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": ""}, "name"),
    "name that leaves its folder": ({"name": "../etc/x"}, "leave its folder"),
    "name with a slash": ({"name": "a/b"}, "'/'"),
    "name with a dot first": ({"name": ".hidden"}, "leading '.'"),
    "name of spaces": ({"name": "   "}, "spaces"),
    "name with a space at its end": ({"name": "v "}, "spaces"),
    "name with a newline": ({"name": "v\nw"}, "control"),
    "name with a zero": ({"name": "v\0w"}, "control"),
    "name of 300 characters": ({"name": "v" * 300}, "300 bytes"),
    "name of 120 wide characters": ({"name": "ü" * 120}, "240 bytes"),
    "name that is a number": ({"name": 7}, "name"),
    "negative memory": ({"memory": "-1GiB"}, "-1GiB"),
    "memory without unit": ({"memory": 4096}, "unit"),
    "memory that is a word": ({"memory": "much"}, "not a size"),
    "no memory": ({"memory": "0GiB"}, "above zero"),
    "memory beyond the machine": ({"memory": "9999999PiB"}, "v"),
    "negative cpus": ({"cpus": -1}, "cpus"),
    "no cpus": ({"cpus": 0}, "cpus"),
    "too many cpus": ({"cpus": 5000}, "cpus"),
    "more cpus than the maximum": ({"cpus": 4, "cpus_max": 2}, "cpus_max"),
    "more cpus than the machine takes": ({"cpus": 4096}, "v"),
    "topology that does not fit": ({"cpus": 3, "cpu": {"sockets": 2, "cores": 2}}, "v"),
    "negative disk": ({"disks": [{"size": "-1GiB"}]}, "disks[0].size"),
    "disk without size": ({"disks": [{}]}, "no size"),
    "disk in no pool": ({"disks": [{"size": "1MiB", "pool": "nope"}]}, "no storage pool 'nope'"),
    "volume that leaves its pool": ({"disks": [{"volume": "../x", "size": "1MiB"}]}, "volume"),
    "targets twice": ({"disks": [{"target": "vda", "size": "1MiB"}] * 2}, "given twice"),
    "volumes twice": ({"disks": [{"volume": "x", "size": "1MiB"}] * 2}, "given twice"),
    "target of no bus": ({"disks": [{"target": "xyz", "size": "1MiB"}]}, "target"),
    "disk and drive on one target": (
        {"disks": [{"target": "sda", "size": "1MiB"}], "cdroms": [{"target": "sda"}]},
        "given twice",
    ),
    "backing that is not there": ({"disks": [{"backing": "nope"}]}, "no volume 'nope'"),
    "clone that is not there": ({"disks": [{"clone": "nope"}]}, "no volume 'nope'"),
    "two sources": ({"disks": [{"backing": "a", "clone": "b"}]}, "one source"),
    "image that is not there": ({"disks": [{"image": "/nowhere/i.img"}]}, "no such file"),
    "relative path": ({"disks": [{"path": "x.img"}]}, "absolute"),
    "shared qcow2": ({"disks": [{"size": "1MiB", "shared": True}]}, "raw"),
    "serial with odd characters": ({"disks": [{"size": "1MiB", "serial": "<1>"}]}, "serial"),
    "iso that is relative": ({"cdroms": [{"image": "x.iso"}]}, "absolute"),
    "iso volume that is not there": ({"cdroms": [{"volume": "x.iso"}]}, "no volume 'x.iso'"),
    "unknown network": ({"networks": [{"network": "nope"}]}, "no network 'nope'"),
    "no MAC address": ({"networks": [{"mac": "zz"}]}, "MAC address"),
    "multicast MAC address": ({"networks": [{"mac": "01:00:5e:00:00:01"}]}, "multicast"),
    "MAC addresses twice": ({"networks": [{"mac": "52:54:00:00:00:01"}] * 2}, "given twice"),
    "VLAN 5000": ({"networks": [{"bridge": "b", "vlan": 5000}]}, "vlan"),
    "address without prefix": ({"networks": [{"address": "10.0.0.1"}]}, "prefix"),
    "address that is none": ({"networks": [{"address": "300.0.0.1/24"}]}, "address"),
    "bridge without name": ({"networks": [{"type": "bridge"}]}, "needs 'bridge'"),
    "boot orders twice": (
        {"disks": [{"size": "1MiB", "boot_order": 1}, {"size": "1MiB", "boot_order": 1}]},
        "boot order 1",
    ),
    "unknown virt_type": ({"virt_type": "bochs"}, "virt_type"),
    "virt_type that the host lacks": ({"virt_type": "xen"}, "no virt_type xen"),
    "unknown architecture": ({"arch": "vax"}, "v"),
    "unknown machine": ({"machine": "toaster"}, "toaster"),
    "CPU model that does not exist": ({"cpu": {"model": "abacus"}, "state": "running"}, "abacus"),
    "secure boot without UEFI": ({"firmware": {"type": "bios", "secure_boot": True}}, "uefi"),
    "no PCI address": ({"host_devices": [{"address": "gpu0"}]}, "PCI address"),
    "long VNC password": ({"graphics": {"password": "123456789"}}, "8 characters"),
    "option that does not exist": ({"colour": "red"}, "no such option"),
    "SSH key that is none": ({"cloud_init": {"ssh_keys": ["x"]}}, "SSH public key"),
    "seed in no pool": ({"cloud_init": {"pool": "nope"}}, "no storage pool 'nope'"),
    "control character in text": ({"title": "a\x07b"}, "control"),
    "template that is not there": ({"from_template": {"vm": "nope"}}, "no VM 'nope'"),
    "template volume not there": ({"from_template": {"volume": "nope"}}, "no volume 'nope'"),
    "template that is two": ({"from_template": {"vm": "a", "volume": "b"}}, "either"),
    "unknown state": ({"state": "flying"}, "state"),
    "reset of nothing": ({"state": "reset"}, "no such VM"),
    "broken XML": ({"xml": HALF}, "not well-formed"),
    "no XML": ({"xml": "hello"}, "not well-formed"),
    "XML of something else": ({"xml": "<network/>"}, "not <domain>"),
    "XML of another name": ({"xml": "<domain><name>other</name></domain>"}, "names the domain"),
    "XML that libvirt refuses": ({"xml": "<domain type='qemu'><name>v</name></domain>"}, "v"),
    "entity bomb": ({"xml": BOMB}, "document type"),
    "external entity": ({"xml": EXTERNAL}, "document type"),
    "external DTD": ({"xml": PARAMETER}, "document type"),
    "XML beside fields": ({"xml": "<domain/>", "cpus": 1}, "leave out cpus"),
    "memory device in the XML without sense": (
        {"xml": DIMM},
        "v",
    ),
}

# The same for a VM that is there: it has one disk of 2 MiB and one card.
OLD: dict[str, tuple[dict[str, Any], str]] = {
    "shrink a disk": ({"disks": [{"target": "vda", "size": "1MiB"}]}, "shrinking"),
    "another bus": ({"disks": [{"target": "vda", "bus": "scsi"}]}, "bus can't be changed"),
    "another source": (
        {"disks": [{"target": "vda", "path": "/var/lib/libvirt/images/other"}]},
        "can't be replaced",
    ),
    "a new disk without size": ({"disks": [{"target": "vda"}, {"target": "vdb"}]}, "no size"),
    "a card of another type": ({"networks": [{"bridge": "b"}]}, "type can't be changed"),
    "reset of a stopped VM": ({"state": "reset"}, "does not run"),
    "rename to a bad name": ({"new_name": "a/b"}, "'/'"),
    "rename to another VM's name": ({"new_name": "w"}, "another VM 'w'"),
    "less maximum than now": ({"memory_max": "1MiB", "memory": "2MiB"}, "memory"),
    "another UUID": (
        {"xml": "<domain><uuid>99999999-9999-4999-8999-999999999999</uuid></domain>"},
        "UUID",
    ),
    "broken XML": ({"xml": HALF}, "not well-formed"),
    "entity bomb": ({"xml": BOMB}, "document type"),
}


@pytest.mark.parametrize("case", NEW)
def test_new_vm(fleet: Fleet, case: str) -> None:
    wanted, word = NEW[case]
    refused(fleet, {"name": "v", **wanted}, word)


@pytest.mark.parametrize("case", OLD)
def test_vm_that_is_there(fleet: Fleet, case: str) -> None:
    made = fleet.vms.run([{"name": "v", "disks": [{"size": "2MiB"}]}, {"name": "w"}])
    assert [r.error for r in made] == [None, None]
    wanted, word = OLD[case]
    refused(fleet, {"name": "v", **wanted}, word)


def refused(fleet: Fleet, task: dict[str, Any], word: str) -> None:
    before = dump(fleet.uri)
    for check in (True, False):
        [result] = fleet.vms.run([task], check=check, read_back=False)
        if check and result.error is None:
            continue  # only libvirt can know; what it refuses is undone
        assert result.error, "it was not refused"
        assert not result.changed
        assert word in result.error
        assert "\n" not in result.error
        assert result.error.endswith(".")
        assert len(result.error) < 700
        assert result.error_code not in ("internal", "error")
        assert "root:" not in result.error
        for bad in ("Traceback", "ValidationError", "pydantic", "internal error,", "NoneType"):
            assert bad not in result.error
    assert differences(before, dump(fleet.uri)) == []


@pytest.mark.parametrize(
    "name", ["<b>&amp;", "a b", "名前-ü", "quo'te\"s", "*?[x]", "-rf", "%s{}$(id)", "v" * 190]
)
def test_odd_names_are_data(fleet: Fleet, name: str) -> None:
    """Odd is not bad: the whole life of a VM of such a name."""
    task = {"name": name, "disks": [{"size": "1MiB"}], "cloud_init": {}, "labels": {name: name}}
    for changed in (True, False):
        [result] = fleet.vms.run([task])
        assert (result.changed, result.error) == (changed, None)
    assert fleet.vms.get(name).labels == {name: name}
    for changed in (True, False):
        [result] = fleet.vms.run([{"name": name, "state": "absent", "delete_disks": True}])
        assert (result.changed, result.error) == (changed, None)
    assert dump(fleet.uri)["pools"]["default"]["volumes"] == {}


def test_same_vm_twice(fleet: Fleet) -> None:
    with pytest.raises(HostlerError, match="named twice"):
        fleet.vms.run([{"name": "v"}, {"name": "v"}])


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"limit": -1}, {"status": ["flying"]}, {"colour": 1}, {"sort": "x"}]
)
def test_bad_query(fleet: Fleet, query: dict[str, Any]) -> None:
    with pytest.raises(HostlerError, match="VM query"):
        fleet.vms.find(**query)


@pytest.mark.parametrize(
    "wanted",
    [
        {"vm": "nope", "name": "s"},
        {"vm": "v", "name": "s", "state": "reverted"},
        {"vm": "v", "name": "s", "external": True},
        {"vm": "v", "name": "s", "quiesce": True},
        {"vm": "v", "name": "a/b"},
        {"vm": "v", "name": ""},
        {"vm": "v"},
        {"vm": "v", "name": "s", "state": "odd"},
    ],
    ids=str,
)
def test_bad_snapshot(fleet: Fleet, wanted: dict[str, Any]) -> None:
    fleet.vms.run([{"name": "v"}])
    before = dump(fleet.uri)
    [result] = fleet.snapshots.run([wanted])
    assert result.error
    assert result.error_code not in ("internal", "error")
    assert differences(before, dump(fleet.uri)) == []
