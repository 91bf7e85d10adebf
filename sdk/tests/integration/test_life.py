# SPDX-License-Identifier: Apache-2.0
"""Templates, renames, restarts for cold changes, and hardware that can only be defined here."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest
from lxml import etree

from hostler import Fleet

from .state import differences, dump
from .test_defects import halting, make, run, volumes


def tree(fleet: Fleet, name: str = "v") -> Any:
    """Return the definition of a VM."""
    return etree.fromstring(fleet.hypervisor().domains.xml(name))


@pytest.mark.parametrize("linked", [True, False])
def test_clone_of_a_vm(fleet: Fleet, connection: libvirt.virConnect, linked: bool) -> None:
    make(connection, "tool.iso")
    card = {"network": "default", "link": "down"}
    run(
        fleet,
        name="golden",
        disks=[{"size": "1MiB"}, {"size": "2MiB", "format": "raw"}],
        cdroms=[{"volume": "tool.iso"}],
        networks=[card],
        cloud_init={},
        labels={"role": "template"},
        firmware="uefi",
    )
    wanted = {
        "name": "v",
        "from_template": {"vm": "golden", "linked": linked},
        "cpus": 2,
        "cloud_init": {"hostname": "clone"},
    }
    run(fleet, **wanted)
    assert not run(fleet, **wanted).changed
    golden, clone = tree(fleet, "golden"), tree(fleet)
    for path in ("uuid", "devices/interface/mac/@address"):
        assert golden.xpath(f"string({path})") != clone.xpath(f"string({path})")
    assert clone.xpath("string(devices/interface/link/@state)") == "down"
    files = clone.xpath("devices/disk[not(@device='cdrom')]/source/@file")
    assert all("/v-vd" in file for file in files)
    iso = clone.xpath("devices/disk[@device='cdrom']/source/@file")
    assert len([f for f in iso if "-seed-" in f]) == 1
    assert any(f.endswith("tool.iso") for f in iso)
    backing = fleet.hypervisor().volumes.find("default", files[0].rsplit("/", 1)[1])
    assert backing is not None
    assert bool(backing.backing) == linked
    kept = run(fleet, name="v", state="absent", delete_disks=True)
    assert {v for v in volumes(fleet) if v.startswith("v-")} == set(), kept.plan
    assert {"golden-vda.qcow2", "golden-vdb.raw", "tool.iso"} <= volumes(fleet)


@pytest.mark.parametrize("linked", [True, False])
def test_clone_of_a_volume(fleet: Fleet, connection: libvirt.virConnect, linked: bool) -> None:
    make(connection, "base.qcow2")
    wanted = {
        "name": "v",
        "from_template": {"volume": "base.qcow2", "linked": linked},
        "disks": [{"size": "3MiB"}],
    }
    run(fleet, **wanted)
    assert not run(fleet, **wanted).changed
    volume = fleet.hypervisor().volumes.find("default", "v-vda.qcow2")
    assert volume is not None
    assert volume.capacity == 3 * 1024**2
    assert bool(volume.backing) == linked


def test_running_template_is_refused(fleet: Fleet) -> None:
    run(fleet, name="golden", xml=halting("golden"), state="running")
    before = dump(fleet.uri)
    [result] = fleet.vms.run([{"name": "v", "from_template": {"vm": "golden"}}])
    assert "Stop the template first" in str(result.error)
    assert differences(before, dump(fleet.uri)) == []


def test_rename(fleet: Fleet) -> None:
    made = run(fleet, name="v", disks=[{"size": "1MiB"}], cloud_init={"hostname": "h"})
    task = {"name": "v", "new_name": "w", "title": "renamed", "cloud_init": {"hostname": "h"}}
    [said] = fleet.vms.run([task], check=True)
    done = run(fleet, **task)
    assert said.after["name"] == done.after["name"] == "w"
    assert [vm.uuid for vm in fleet.vms.list(names=["w"])] == [made.vm.uuid]
    again = run(fleet, **task)
    assert (again.changed, again.plan.commands) == (False, ())
    assert len(tree(fleet, "w").xpath("devices/disk[@device='cdrom']")) == 1
    run(fleet, name="w", state="absent", delete_disks=True)
    assert volumes(fleet) == set()


def test_rename_of_a_running_vm(fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"), state="running")
    before = dump(fleet.uri)
    [refused] = fleet.vms.run([{"name": "v", "new_name": "w"}])
    assert "must be stopped before it is renamed" in str(refused.error)
    assert differences(before, dump(fleet.uri)) == []
    hard = {"allow_restart": True, "force": True, "timeout": 0}
    run(fleet, name="v", new_name="w", **hard)
    assert fleet.vms.get("w").status == "running"


def test_cold_changes_restart_only_where_allowed(fleet: Fleet) -> None:
    run(fleet, name="v", xml=halting("v"), state="running")
    wanted = {"cpus_max": 4, "cpus": 2, "watchdog": {"action": "poweroff"}, "video": "virtio"}
    waits = run(fleet, name="v", **wanted)
    assert waits.restart_required
    assert {"cpus", "cpus_max", "watchdog", "video"} == set(waits.changes_pending)
    hard = {"allow_restart": True, "force": True, "timeout": 0}
    [said] = fleet.vms.run([{"name": "v", **wanted, "cpus": 3, **hard}], check=True)
    done = run(fleet, name="v", **{**wanted, "cpus": 3}, **hard)
    assert said.plan
    assert [c.split()[3] for c in said.plan.commands] == ["destroy", "define", "start"]
    assert not done.restart_required
    vm = fleet.vms.get("v")
    assert (vm.status, vm.changes_pending, vm.cpu_cores) == ("running", [], 3)


DEFINITIONS: dict[str, tuple[dict[str, Any], str]] = {
    "GPU": (
        {"host_devices": [{"address": "3b:00.0"}]},
        "devices/hostdev[@managed='yes']/source/address[@bus='0x3b']",
    ),
    "GPU that we bind ourselves": (
        {"host_devices": [{"address": "0000:3b:00.1", "managed": False}]},
        "devices/hostdev[@managed='no']",
    ),
    "TPM": ({"tpm": True}, "devices/tpm[@model='tpm-crb']/backend[@version='2.0']"),
    "UEFI": ({"firmware": "uefi"}, "self::*[os/@firmware='efi']"),
    "secure boot": (
        {"firmware": {"type": "uefi", "secure_boot": True}},
        "os/firmware/feature[@name='secure-boot'][@enabled='yes']",
    ),
    "watchdog": ({"watchdog": True}, "devices/watchdog[@action='reset']"),
    "OVS": (
        {"networks": [{"type": "ovs", "bridge": "br-int", "vlan": [7, 8]}]},
        "devices/interface[virtualport/@type='openvswitch'][vlan/@trunk='yes']/vlan/tag[@id='8']",
    ),
    "bridge": ({"networks": [{"bridge": "br0"}]}, "devices/interface[source/@bridge='br0']"),
    "direct": (
        {"networks": [{"dev": "eth0", "mode": "private"}]},
        "devices/interface[@type='direct']/source[@dev='eth0'][@mode='private']",
    ),
    "portgroup": (
        {"networks": [{"network": "default", "portgroup": "red"}]},
        "devices/interface/source[@portgroup='red']",
    ),
    "no network": ({"networks": []}, "self::*[not(devices/interface)]"),
    "SPICE": ({"graphics": {"type": "spice"}}, "devices/graphics[@type='spice']"),
    "no graphics": ({"graphics": {"type": "none"}}, "self::*[not(devices/graphics)]"),
    "console with a log": (
        {"console": {"log": "/var/log/libvirt/v.log"}},
        "devices/serial/log[@file='/var/log/libvirt/v.log']",
    ),
    "kernel": (
        {"kernel_boot": {"kernel": "/k", "initrd": "/i", "cmdline": "a='<b>' \"c\""}},
        "os[kernel='/k'][contains(cmdline, '<b>')]",
    ),
    "ARM": ({"arch": "aarch64", "machine": "virt"}, "os/type[@arch='aarch64']"),
    "named CPU": ({"cpu": {"model": "Nehalem"}}, "cpu[@mode='custom'][model='Nehalem']"),
    "topology": (
        {"cpus": 4, "cpu": {"sockets": 1, "cores": 2, "threads": 2}},
        "cpu/topology[@cores='2'][@threads='2']",
    ),
    "OS": ({"os_type": "linux", "os_version": "Ubuntu 22.04"}, "metadata//*[local-name()='os']"),
    "SATA disk with a boot order": (
        {"disks": [{"size": "1MiB", "bus": "sata", "boot_order": 1}]},
        "devices/disk[target/@dev='sda']/boot[@order='1']",
    ),
}


@pytest.mark.parametrize("case", DEFINITIONS)
def test_definition(fleet: Fleet, case: str) -> None:
    """It is defined as asked, by the first run and by a change; a second run changes nothing."""
    wanted, path = DEFINITIONS[case]
    emulated = fleet.hypervisor().facts.types
    if "arch" in wanted and wanted["arch"] not in emulated:
        [result] = fleet.vms.run([{"name": "v", **wanted}])
        assert result.error
        assert "aarch64" in result.error
        return
    run(fleet, name="v", **wanted)
    assert tree(fleet).xpath(path), etree.tostring(tree(fleet)).decode()
    assert not run(fleet, name="v", **wanted).changed
    if case in ("ARM", "no network", "no graphics"):
        return
    run(fleet, name="w", networks=[], cpus=wanted.get("cpus", 1))
    assert run(fleet, name="w", **wanted).changed
    assert tree(fleet, "w").xpath(path), etree.tostring(tree(fleet, "w")).decode()
    assert not run(fleet, name="w", **wanted).changed
