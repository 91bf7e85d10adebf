# SPDX-License-Identifier: Apache-2.0
"""Storage pools on a real libvirtd: real folders, real files in them."""

from __future__ import annotations

from collections.abc import Iterator

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import PlanFailed
from hostler.models.storage import StoragePoolResult

from .rig import Rig
from .state import dump
from .test_defects import halting

PLACE = "/var/lib/libvirt/pools"
WISH = {"name": "tank", "path": f"{PLACE}/tank"}


@pytest.fixture(autouse=True)
def _no_pools(host: Rig) -> Iterator[None]:
    """Leave the host with the pools that it had."""
    yield
    connection = libvirt.open(host.uri)
    for pool in connection.listAllStoragePools():
        if pool.name() not in ("default", "shared"):
            if pool.isActive():
                pool.destroy()
            if pool.isPersistent():
                pool.undefine()
    connection.close()
    host.inside("rm", "-rf", PLACE)


def run(fleet: Fleet, *, check: bool = False, **wish: object) -> StoragePoolResult:
    (result,) = fleet.storage.run_pools([{**WISH, **wish}], check=check)
    return result


def test_a_pool_is_made_with_its_folder(fleet: Fleet, host: Rig) -> None:
    before = dump(host.uri)
    assert run(fleet, check=True).changed
    assert dump(host.uri) == before
    made = run(fleet)
    assert made.error is None
    assert made.pool
    assert made.pool.active
    assert made.pool.capacity
    assert host.inside("ls", "-d", f"{PLACE}/tank").strip() == f"{PLACE}/tank"
    state = dump(host.uri)
    assert not run(fleet).changed
    assert dump(host.uri) == state


def test_files_outlive_their_pool(fleet: Fleet, host: Rig) -> None:
    run(fleet)
    fleet.hypervisor().volumes.create("tank", "data.raw", capacity=1 << 20, format="raw")
    assert run(fleet, check=True, state="absent").changed
    assert run(fleet, state="absent").error is None
    assert fleet.storage.pools(["tan*"]) == []
    assert host.inside("ls", f"{PLACE}/tank").split() == ["data.raw"]
    assert run(fleet).pool == fleet.storage.pools(["tank"])[0]
    assert fleet.hypervisor().volumes.names("tank") == {"data.raw"}


def test_a_pool_moves_and_keeps_what_is_not_modelled(
    fleet: Fleet, connection: libvirt.virConnect
) -> None:
    run(fleet)
    pool = connection.storagePoolLookupByName("tank")
    text = pool.XMLDesc(libvirt.VIR_STORAGE_XML_INACTIVE)
    more = "<refresh><volume allocation='capacity'/></refresh>"
    connection.storagePoolDefineXML(text.replace("<target>", f"{more}<target>"))
    assert not run(fleet).changed
    moved = run(fleet, path=f"{PLACE}/elsewhere")
    assert moved.error is None
    now = connection.storagePoolLookupByName("tank")
    assert now.UUIDString() == pool.UUIDString()
    assert now.isActive()
    assert f"<path>{PLACE}/elsewhere</path>" in now.XMLDesc()
    assert "<volume allocation='capacity'/>" in now.XMLDesc()


def test_a_disk_by_its_path_uses_the_pool(
    fleet: Fleet, host: Rig, connection: libvirt.virConnect
) -> None:
    run(fleet)
    disk = f"<disk type='file'><source file='{PLACE}/tank/x'/><target dev='vda'/></disk>"
    connection.defineXML(halting("web", disk))
    before = dump(host.uri)
    for wish in ({"state": "absent"}, {"active": False}, {"path": f"{PLACE}/new"}):
        refused = run(fleet, **wish)
        assert refused.error_code == "conflict"
        assert "web" in str(refused.error)
    assert dump(host.uri) == before


@pytest.mark.fault
def test_a_pool_that_can_t_start_leaves_nothing(fleet: Fleet, host: Rig) -> None:
    before = dump(host.uri)
    failed = run(fleet, type="logical", path=None, source_name="no-such-group")
    assert "could not start storage pool tank" in str(failed.error)
    assert dump(host.uri) == before
    assert not failed.changed


@pytest.mark.fault
def test_a_move_that_fails_is_taken_back(fleet: Fleet, host: Rig) -> None:
    run(fleet)
    before = dump(host.uri)
    host.inside("touch", f"{PLACE}/file")
    plan = fleet.storage.plan_pool({**WISH, "path": f"{PLACE}/file"})
    with pytest.raises(PlanFailed):
        plan.apply()
    assert dump(host.uri) == before
    assert run(fleet).pool
