# SPDX-License-Identifier: Apache-2.0
"""The pool on real hypervisors: reached by TCP, ssh and TLS; VMs placed on them and found again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hostler import Fleet
from hostler.errors import BackendError, HostlerError
from hostler.models.host import HostResult

from .hypervisors import NAMES, Hypervisors, MakePool

SMALL: dict[str, Any] = {
    "memory": "64MiB",
    "networks": [],
    "virt_type": "qemu",
    "machine": "q35",
}

CREATES = """
import json, sys
from hostler import Fleet
from hostler.config import FleetConfig
config, name, number = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
small = json.loads(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
with Fleet(FleetConfig.model_validate(config)) as fleet:
    results = fleet.vms.run([{"name": f"{name}{n}", **small} for n in range(number)])
    print(json.dumps([(r.placement and r.placement.host, r.error) for r in results]))
"""


def register(fleet: Fleet, uri: str, **task: Any) -> HostResult:
    (result,) = fleet.hosts.run([{"id": "new", "uri": uri, **task}])
    return result


def where(fleet: Fleet) -> dict[str, str]:
    """Return the host of each VM, as the hosts tell it."""
    return {
        vm.name: str(vm.host_id) for i in fleet.hosts.info(fields=["vms"]) for vm in i.vms or ()
    }


def test_hosts_by_tcp_ssh_and_tls(pool: Fleet, hypervisors: Hypervisors) -> None:
    found = pool.hosts.info(fields=["load", "capabilities", "devices", "vms"])
    assert [(info.id, info.status, info.hostname) for info in found] == [
        (name, "active", f"hostler-{name}") for name in NAMES
    ]
    assert [info.ip_address for info in found] == [hypervisors.address(name) for name in NAMES]
    assert len({info.uuid for info in found}) == 3
    for info, host in zip(found, pool.hosts.list(), strict=True):
        assert info.notes == []
        assert info.uuid == host.uuid
        assert (info.driver, info.arch, info.vm_count, info.vms) == ("QEMU", "x86_64", 0, [])
        assert info.cpu
        assert info.cpu_cores == info.cpu.cpus > 0
        assert info.memory_mb
        assert info.memory_free_mb
        assert info.memory_used_mb
        assert info.memory_free_mb + info.memory_used_mb == pytest.approx(info.memory_mb, abs=2)
        assert [pool.name for pool in info.pools or ()] == ["default", "shared"]
        assert info.storage_gb == (info.pools or [])[0].capacity_gb  # one file system
        assert [(n.name, n.mode, n.active) for n in info.networks or ()] == [
            ("default", "nat", True)
        ]
        assert info.load
        assert info.load.cpu_percent is not None
        assert 0 <= info.load.cpu_percent <= 100
        assert info.capabilities
        assert "qemu" in info.capabilities["domain_types"]["x86_64"]
        assert "virtio" in info.capabilities["values"]["devices.disk.bus"]
        assert info.numa


def test_one_machine_in_two_ways_is_one_host(pool: Fleet, hypervisors: Hypervisors) -> None:
    for uri, other in ((hypervisors.tcp("b"), "b"), (hypervisors.tcp("c"), "c")):
        result = register(pool, uri)
        assert result.error_code == "conflict"
        assert result.error
        assert result.error.startswith(f"host 'new': it is in the pool already, as '{other}' (UUID")
    assert len(pool.hosts.list()) == 3


def test_bad_ways_are_sentences(make_pool: MakePool, hypervisors: Hypervisors) -> None:
    fleet = make_pool()
    ways = {
        hypervisors.ssh("b", client="ssh-wrong"): ("denied", "ssh must get in without a password"),
        hypervisors.ssh("a"): ("unreachable", "Connection refused"),
        hypervisors.tls("c", pki="pki-wrong"): ("denied", "be from the authority in cacert.pem"),
        hypervisors.tls("a"): ("unreachable", "Connection refused"),
        f"qemu+tls://{hypervisors.address('c')}/system": ("unreachable", "?pkipath=FOLDER"),
        "qemu+tcp://127.0.0.1:1/system": ("unreachable", "Connection refused"),
    }
    for uri, (code, words) in ways.items():
        result = register(fleet, uri)
        assert (result.error_code, result.changed) == (code, False), result.error
        assert result.error
        assert words in result.error
        assert "\n" not in result.error
    assert fleet.hosts.list() == []


def test_the_certificate_of_another_host(make_pool: MakePool, hypervisors: Hypervisors) -> None:
    hypervisors.run("tls", "c", "a")
    try:
        result = register(make_pool(), hypervisors.tls("c"))
    finally:
        hypervisors.run("tls", "c")
    assert result.error_code == "denied"
    assert result.error
    assert "certificate must carry the name or address that the URI has" in result.error


def test_who_may_only_read(make_pool: MakePool, hypervisors: Hypervisors) -> None:
    fleet = make_pool()
    result = register(fleet, hypervisors.ssh("b", user="reader"))
    assert result.changed
    assert result.plan
    (warning,) = result.plan.warnings
    assert "VMs can't be managed there" in warning
    assert [info.status for info in fleet.hosts.info()] == ["active"]
    (made,) = fleet.vms.run([{"name": "x", **SMALL, "host": "new"}])
    assert made.error
    assert "This user may only read there" in made.error
    assert where(fleet) == {}


def test_vms_are_placed_and_found_again(pool: Fleet) -> None:
    wanted = [{"name": f"v{n}", **SMALL, "labels": {"app": "v"}} for n in range(6)]
    predicted = pool.vms.run(wanted, check=True)
    made = pool.vms.run(wanted)
    assert [r.error for r in made] == [None] * 6
    assert [r.placement for r in made] == [r.placement for r in predicted]
    assert where(pool) == {"v0": "a", "v1": "b", "v2": "c", "v3": "a", "v4": "b", "v5": "c"}
    assert [r.vm and r.vm.host for r in made[:3]] == ["hostler-a", "hostler-b", "hostler-c"]
    again = pool.vms.run(wanted)
    assert [(r.changed, r.placement, r.error) for r in again] == [(False, None, None)] * 6
    assert [r.vm for r in again] == [r.vm for r in made]
    rules = {"anti_affinity": {"app": "v"}}
    (nowhere,) = pool.vms.run([{"name": "lone", **SMALL, "placement": rules}])
    assert nowhere.error_code == "no_room"
    kept = pool.hosts.run([{"id": "a", "state": "absent"}])[0]
    assert kept.error
    assert "VMs on it are managed here: v0, v3" in kept.error
    gone = pool.vms.run([{"name": f"v{n}", "state": "absent"} for n in range(6)])
    assert [r.changed for r in gone] == [True] * 6
    assert where(pool) == {}
    assert not any(info.reserved and info.reserved.cpus for info in pool.hosts.info())


@pytest.mark.parametrize("strategy", ["pack", "most_free"])
def test_strategies(pool: Fleet, strategy: str) -> None:
    pool.vms.run([{"name": "first", **SMALL, "host": "b"}])
    rules = {"strategy": strategy}
    (made,) = pool.vms.run([{"name": "second", **SMALL, "placement": rules}])
    assert made.placement
    assert made.placement.host == ("b" if strategy == "pack" else "a")


def test_a_host_that_has_died(pool: Fleet, hypervisors: Hypervisors) -> None:
    pool.vms.run([{"name": "there", **SMALL, "host": "c"}])
    assert where(pool) == {"there": "c"}
    hypervisors.run("crash", "c")
    states = {info.id: info for info in pool.hosts.info(fields=["vms"], timeout=2)}
    assert [info.status for info in states.values()] == ["active", "active", "unreachable"]
    assert [vm.name for vm in states["c"].vms or ()] == ["there"]
    with pytest.raises(BackendError, match="--stored"):
        pool.hosts.vms("c", timeout=2)
    (stored,) = pool.hosts.vms("c", stored=True)
    assert (stored.name, stored.status) == ("there", "stopped")
    (lost,) = pool.vms.run([{"name": "there", **SMALL}])
    assert lost.error
    assert "it was last seen on host c, which can't be reached" in lost.error
    (made,) = pool.vms.run([{"name": "new", **SMALL}])
    assert made.placement
    assert made.placement.host == "a"
    assert "is unreachable" in made.placement.others["c"]
    stats = pool.hosts.stats(timeout=2)
    assert (stats.total_hosts, stats.active_hosts, list(stats.unreachable_hosts)) == (3, 2, ["c"])


def test_two_playbooks_at_once_fill_the_pool_exactly(
    make_pool: MakePool, hypervisors: Hypervisors, tmp_path: Path
) -> None:
    """Ten VMs of two processes on hosts with room for six and four."""
    hosts = {
        "a": {"uri": hypervisors.tcp("a"), "cpu_limit": 6},
        "b": {"uri": hypervisors.tcp("b"), "cpu_limit": 4},
    }
    make_pool(hosts=hosts)
    config = json.dumps({"hosts": hosts, "store": f"sqlite:///{tmp_path}/pool.db"})
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CREATES, config, name, "6", json.dumps(SMALL)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("p", "q")
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    told = [json.loads(process.communicate("\n")[0]) for process in processes]
    placed = [host for each in told for host, error in each if error is None]
    assert sorted(placed) == ["a"] * 6 + ["b"] * 4
    errors = [error for each in told for _, error in each if error is not None]
    assert len(errors) == 2
    for error in errors:
        assert "virtual CPUs left" in error
    there = where(make_pool(hosts=hosts))
    assert sorted(there.values()) == ["a"] * 6 + ["b"] * 4


def test_a_plan_that_fails_gives_its_room_back(pool: Fleet, hypervisors: Hypervisors) -> None:
    bad = {**SMALL, "kernel_boot": {"kernel": "/nowhere/vmlinuz"}, "state": "running"}
    (failed,) = pool.vms.run([{"name": "bad", **bad}])
    assert failed.error
    assert where(pool) == {}
    assert pool.hosts.rooms.reservations.read(NAMES) == []
    assert hypervisors


def test_taking_back_a_placed_vm(pool: Fleet) -> None:
    (plan,) = pool.vms.plan([{"name": "back", **SMALL}])
    plan.apply()
    assert where(pool) == {"back": "a"}
    plan.undo()
    assert where(pool) == {}
    assert pool.hosts.rooms.reservations.read(NAMES) == []


def test_a_host_that_is_named_must_be_there(pool: Fleet) -> None:
    assert pool.vms.list(host="a") == []
    with pytest.raises(HostlerError, match="there is no such host in the pool"):
        pool.vms.list(host="z")
