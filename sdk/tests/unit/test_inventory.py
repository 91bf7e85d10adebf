# SPDX-License-Identifier: Apache-2.0
"""Inventories are read in bulk, as plain data, and one host's trouble stays its own."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostler.backends.libvirt.bulk import Listed
from hostler.backends.libvirt.side_by_side import side_by_side
from hostler.errors import Timeout
from hostler.vms.domain.tree import parse
from hostler.vms.inventory import Wanted, collect, own_addresses
from hostler.vms.inventory_row import VmRow, vm_row

HYPERVISOR = """
<node>
  <network>
    <name>lan</name><bridge name='virbr9'/><ip address='192.168.9.1' netmask='255.255.255.0'/>
  </network>
  <domain type='test'>
    <name>web1</name><uuid>11111111-1111-4111-8111-111111111111</uuid>
    <title>Web server</title><description>The first one</description>
    <metadata>
      <hostler:vm xmlns:hostler='https://hostler.dev/vm/1'>
        <hostler:os type='linux' version='Debian 12'/>
        <hostler:label name='role'>web</hostler:label>
        <hostler:data name='owner'>ops</hostler:data>
      </hostler:vm>
      <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
        <libosinfo:os id='http://debian.org/debian/12'/>
      </libosinfo:libosinfo>
    </metadata>
    <memory unit='GiB'>2</memory><currentMemory unit='GiB'>1</currentMemory>
    <vcpu current='2'>4</vcpu>
    <os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><source file='/images/web1.qcow2'/><target dev='vda'/></disk>
      <disk type='volume'><source pool='fast' volume='data'/><target dev='vdb'/></disk>
      <disk type='file' device='cdrom'><target dev='sda'/></disk>
      <interface type='network'>
        <mac address='52:54:00:AA:BB:01'/><source network='lan'/>
      </interface>
      <interface type='bridge'><mac address='52:54:00:aa:bb:02'/><source bridge='br0'/></interface>
    </devices>
  </domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <name>web2</name><uuid>22222222-2222-4222-8222-222222222222</uuid>
    <memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
    <test:runstate>5</test:runstate>
  </domain>
  <domain type='test'>
    <name>db1</name><uuid>33333333-3333-4333-8333-333333333333</uuid>
    <memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  </domain>
</node>
"""


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A hypervisor of libvirt's test driver."""
    (tmp_path / "node.xml").write_text(HYPERVISOR)
    return f"test://{tmp_path}/node.xml"


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"


def vms(uri: str, wanted: Wanted | None = None) -> dict[str, VmRow]:
    (host,) = collect([uri], wanted)
    assert host["error"] is None
    return {vm["name"]: vm for vm in host["vms"]}


def test_a_vm_is_described_by_its_xml(uri: str) -> None:
    web1 = vms(uri)["web1"]
    del web1["addresses"]
    assert web1 == {
        "name": "web1",
        "uuid": "11111111-1111-4111-8111-111111111111",
        "status": "running",
        "uri": uri,
        "host": socket.gethostname(),
        "cpu_cores": 2,
        "memory_mb": 1024,
        "autostart": False,
        "title": "Web server",
        "description": "The first one",
        "os_type": "linux",
        "os_version": "Debian 12",
        "os_id": "http://debian.org/debian/12",
        "labels": {"role": "web"},
        "metadata": {"owner": "ops"},
        "interfaces": {"52:54:00:aa:bb:01": "lan", "52:54:00:aa:bb:02": "br0"},
        "disks": {"vda": "/images/web1.qcow2", "vdb": "data", "sda": None},
    }


def test_what_a_vm_does_not_have_is_left_out(uri: str) -> None:
    assert set(vms(uri, Wanted(sources=()))["db1"]) == {
        *("name", "uuid", "status", "uri", "host", "cpu_cores", "memory_mb", "autostart"),
    }


def test_rows_are_plain_data(uri: str) -> None:
    hosts = collect([uri], Wanted(xml=True))
    assert json.loads(json.dumps(hosts)) == hosts


def test_xml_only_on_request(uri: str) -> None:
    assert "xml" not in vms(uri)["web1"]
    assert "<name>web1</name>" in vms(uri, Wanted(xml=True))["web1"]["xml"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), {"web1", "web2", "db1"}),
        (Wanted(names=("web*",)), {"web1", "web2"}),
        (Wanted(names=("WEB*",)), set()),
        (Wanted(names=("db1", "web2")), {"db1", "web2"}),
        (Wanted(states=("running",)), {"web1", "db1"}),
        (Wanted(states=("stopped",)), {"web2"}),
        (Wanted(names=("web*",), states=("running",)), {"web1"}),
    ],
)
def test_only_what_is_wanted_is_read(uri: str, wanted: Wanted, expected: set[str]) -> None:
    assert set(vms(uri, wanted)) == expected


def test_a_source_that_fails_is_unknown_not_empty(uri: str) -> None:
    """The test driver knows no leases (an error), and makes up ARP entries."""
    (host,) = collect([uri], Wanted(sources=("lease", "arp")))
    web1 = next(vm for vm in host["vms"] if vm["name"] == "web1")
    assert web1["addresses"]["lease"] is None
    assert web1["addresses"]["arp"]
    assert any("lease addresses of" in note and "not supported" in note for note in host["notes"])


def test_stopped_vms_are_asked_for_no_address(uri: str) -> None:
    assert "addresses" not in vms(uri)["web2"]


def test_a_host_that_fails_is_a_row_with_the_reason(uri: str) -> None:
    nowhere = "qemu+tcp://127.0.0.1:1/system"
    good, bad = collect([uri, nowhere])
    assert len(good["vms"]) == 3
    assert bad["vms"] == []
    assert nowhere in str(bad["error"])
    assert "refused" in str(bad["error"])


def test_a_silent_host_costs_its_time_and_no_more(uri: str, silent: str) -> None:
    good, bad = collect([uri, silent], Wanted(timeout=0.5))
    assert len(good["vms"]) == 3
    assert bad["error"] == (
        f"hypervisor {silent}: no answer in 0.5 s. Is the host up? 'timeout' says how long to wait."
    )


def test_the_same_host_is_read_once(uri: str) -> None:
    assert len(collect([uri, uri])) == 1


def test_addresses_that_nobody_can_reach_are_left_out() -> None:
    card = "<interface><mac address='52:54:00:00:00:01'/></interface>"
    tree = parse(f"<domain><devices>{card}</devices></domain>")
    vm = vm_row(Listed("a", "u", "running", False, None), tree, uri="u", host="h")
    found = {
        "02:42:00:00:00:01": ["172.17.0.1"],
        "00:00:00:00:00:00": ["127.0.0.1", "::1"],
        "52:54:00:00:00:01": [
            "fe80::1",
            "fe80::1%eth0",
            "10.0.0.5",
            "-oProxyCommand=id",
            "2001:db8::5",
        ],
    }
    assert own_addresses(vm, found, others=False) == ["10.0.0.5", "2001:db8::5"]
    assert own_addresses(vm, found, others=True) == ["10.0.0.5", "2001:db8::5", "172.17.0.1"]


def test_side_by_side_keeps_the_order_and_the_errors() -> None:
    def fail() -> int:
        raise ValueError("no")

    answers = side_by_side([lambda: 1, fail, lambda: 3], threads=2, until=time.monotonic() + 10)
    assert answers[0] == 1
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 3


def test_side_by_side_leaves_the_late_behind() -> None:
    never = threading.Event()
    answers = side_by_side([never.wait, lambda: True], threads=2, until=time.monotonic() + 0.2)
    never.set()
    assert isinstance(answers[0], Timeout)
    assert answers[1] is True


def test_side_by_side_runs_as_many_as_it_may_where_nobody_comes_back() -> None:
    together = threading.Barrier(40)
    answers = side_by_side([together.wait] * 40, threads=64, until=time.monotonic() + 10)
    assert sorted(answers) == list(range(40))  # type: ignore[type-var]


def test_side_by_side_runs_no_more_threads_than_allowed() -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    side_by_side([call] * 20, threads=3, until=time.monotonic() + 10)
    assert most == 3
