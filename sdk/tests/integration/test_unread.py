# SPDX-License-Identifier: Apache-2.0
"""A read that fails: the result says null, and says why; each failure here is a real one."""

from __future__ import annotations

from contextlib import ExitStack

import libvirt
import pytest

from hostler import Fleet
from hostler.models.vm_task import VmQuery

from .conftest import MakeFleet
from .rig import Rig
from .test_defects import frozen, halting, run

pytestmark = pytest.mark.fault

CARD = "<interface type='network'><source network='default'/></interface>"
DISK = (
    "<disk type='file'><driver type='qcow2'/><target dev='vda'/>"
    "<source file='/var/lib/libvirt/images/{}.qcow2'/></disk>"
)
LEASES = "/var/lib/libvirt/dnsmasq/virbr0.status"
NO_DHCP = "<network><name>bare</name><ip address='10.99.99.1' netmask='255.255.255.0'/></network>"


def test_leases_that_cannot_be_read(host: Rig, fleet: Fleet) -> None:
    names = ["a", "b", "c", "d", "e"]
    for name in names[:4]:
        run(fleet, name=name, xml=halting(name, CARD), state="running")
    run(fleet, name="e", xml=halting("e"), state="running")
    assert fleet.vms.find().warnings == []
    host.inside("sh", "-c", f"echo broken > {LEASES}")
    try:
        page = fleet.vms.find()
        [task] = fleet.vms.run([{"name": "a", "state": "running"}])
    finally:
        host.inside("rm", LEASES)
    assert [vm.name for vm in page.vms] == names
    assert all(vm.network.ip_address is None for vm in page.vms)
    assert [bool(vm.warnings) for vm in page.vms] == [True, True, True, True, False]
    [sentence] = page.warnings
    assert sentence.startswith(f"a, b, c and 1 more on {host.uri}: addresses by lease: ")
    assert "virbr0" in sentence
    assert task.vm is not None
    assert task.vm.warnings == page.vms[0].warnings
    assert (task.changed, task.error) == (False, None)


def test_network_without_dhcp_has_no_leases(fleet: Fleet, connection: libvirt.virConnect) -> None:
    """That there are none is an answer, and not a failure."""
    network = connection.networkCreateXML(NO_DHCP)
    try:
        run(fleet, name="v", xml=halting("v", CARD.replace("default", "bare")), state="running")
        page = fleet.vms.find()
        assert (page.vms[0].network.ip_address, page.warnings) == (None, [])
        run(fleet, name="v", state="absent", force=True)
    finally:
        network.destroy()


def test_arp_table_is_asked_where_it_is_needed(
    fleet: Fleet, connection: libvirt.virConnect
) -> None:
    """Some kernels answer older versions of libvirt in a way that these can't read."""
    for name in ("v", "w"):
        run(fleet, name=name, xml=halting(name, CARD), state="running")
    source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP
    try:
        connection.lookupByName("v").interfaceAddresses(source)
        expected = []
    except libvirt.libvirtError as error:
        text = error.get_error_message()
        expected = [f"v, w on {fleet.uri}: addresses by arp: {text}"]
    assert fleet.vms.find().warnings == []
    assert fleet.vms.find(VmQuery(fields=frozenset({"addresses"}))).warnings == expected


def test_statistics_of_a_stuck_vm(host: Rig, fleet: Fleet, make_fleet: MakeFleet) -> None:
    for name in ("a", "b", "c"):
        host.inside(
            "qemu-img", "create", "-q", "-f", "qcow2", f"/var/lib/libvirt/images/{name}.qcow2", "1M"
        )
        run(fleet, name=name, xml=halting(name, DISK.format(name)), state="running")
    with ExitStack() as stack:
        for name in ("a", "b"):
            stack.enter_context(frozen(host, name))
        page = make_fleet(host.uri).vms.find(fields=frozenset({"stats"}))
    assert [vm.disk_gb is None for vm in page.vms] == [True, True, False]
    assert [bool(vm.warnings) for vm in page.vms] == [True, True, False]
    assert [vm.stats is None for vm in page.vms][2] is False
    told = [w for w in page.warnings if "statistics and sizes of disks" in w]
    assert told
    assert "c" not in told[0].split(" on ")[0]
