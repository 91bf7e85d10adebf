# SPDX-License-Identifier: Apache-2.0
"""Pools on libvirt's own test driver."""

from __future__ import annotations

from collections.abc import Callable

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import NotFound
from hostler.models.storage import StoragePoolResult

OpenFleet = Callable[..., Fleet]
WISH = {"name": "vms", "path": "/srv/vms"}
DISK = "<disk type='file'><source file='/srv/vms/web.qcow2'/><target dev='vda'/></disk>"
ELSEWHERE = DISK.replace("/srv/vms/", "/srv/vms-old/")
BY_POOL = (
    "<disk type='volume'><source pool='vms' volume='web'/><target dev='vda' bus='virtio'/></disk>"
)


def run(fleet: Fleet, *, check: bool = False, **wish: object) -> StoragePoolResult:
    (result,) = fleet.storage.run_pools([{**WISH, **wish}], check=check)
    return result


def domain(connection: libvirt.virConnect, disk: str) -> None:
    connection.defineXML(
        f"<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os>"
        f"<devices>{disk}</devices></domain>"
    )


def test_the_life_of_a_pool(open_fleet: OpenFleet, connection: libvirt.virConnect) -> None:
    fleet = open_fleet()
    shown = run(fleet, check=True)
    assert shown.changed
    assert "vms" not in connection.listDefinedStoragePools() + connection.listStoragePools()
    made = run(fleet)
    assert made.error is None
    assert made.after == shown.after
    assert made.pool
    assert (made.pool.active, made.pool.autostart, made.pool.path) == (True, True, "/srv/vms")
    assert not run(fleet).changed
    assert run(fleet, active=False).changed
    assert not run(fleet).changed  # what is left out stays
    (pool,) = fleet.storage.pools(["vm*"])
    assert not pool.active
    assert pool.capacity is None
    assert pool.volumes is None
    assert run(fleet, state="absent").changed
    gone = run(fleet, state="absent")
    assert not gone.changed
    assert gone.error is None
    assert gone.pool is None


@pytest.mark.parametrize("wish", [{"state": "absent"}, {"active": False}, {"path": "/srv/x"}])
def test_check_mode_touches_nothing(
    open_fleet: OpenFleet, connection: libvirt.virConnect, wish: dict[str, object]
) -> None:
    fleet = open_fleet()
    run(fleet)
    before = connection.storagePoolLookupByName("vms").XMLDesc()
    assert run(fleet, check=True, **wish).changed
    pool = connection.storagePoolLookupByName("vms")
    assert (pool.XMLDesc(), pool.isActive()) == (before, 1)


@pytest.mark.parametrize("disk", [DISK, BY_POOL])
def test_a_pool_that_is_used_stays(
    open_fleet: OpenFleet, connection: libvirt.virConnect, disk: str
) -> None:
    fleet = open_fleet()
    run(fleet)
    domain(connection, disk)
    refused = run(fleet, state="absent")
    assert refused.error_code == "conflict"
    assert connection.storagePoolLookupByName("vms").isActive()
    assert run(fleet, state="absent", force=True).error is None
    assert "web" in connection.listDefinedDomains()


def test_a_folder_that_only_starts_alike_is_another(
    open_fleet: OpenFleet, connection: libvirt.virConnect
) -> None:
    fleet = open_fleet()
    run(fleet)
    domain(connection, ELSEWHERE)
    assert run(fleet, state="absent").error is None


def test_a_removed_pool_comes_back(open_fleet: OpenFleet) -> None:
    fleet = open_fleet()
    before = run(fleet).pool
    plan = fleet.storage.plan_pool({"name": "vms", "state": "absent"})
    plan.apply()
    plan.undo()
    assert fleet.storage.pools(["vms"]) == [before]


def test_names_that_are_not_there(open_fleet: OpenFleet) -> None:
    storage = open_fleet().storage
    assert storage.pools(["none-*"]) == []
    with pytest.raises(NotFound, match="storage pool 'none' on test:///default"):
        storage.pools(["none"])


def test_bad_input_is_a_result(open_fleet: OpenFleet) -> None:
    for wish in ({"name": "a/b"}, {"type": "floppy"}, {"path": "here"}, {"size": 3}):
        assert run(open_fleet(), **wish).error_code == "invalid_input"


def test_a_read_only_fleet_refuses(open_fleet: OpenFleet) -> None:
    assert run(open_fleet(read_only=True)).error_code == "policy"
