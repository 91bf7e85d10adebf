# SPDX-License-Identifier: Apache-2.0
"""Storage pools and volumes on a real libvirtd: real folders, real files in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import PlanFailed
from hostler.models.storage import StoragePoolResult, StorageVolumeResult

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


def volume(fleet: Fleet, *, check: bool = False, **wish: Any) -> StorageVolumeResult:
    (result,) = fleet.storage.volumes.run([{"pool": "tank", "name": "data", **wish}], check=check)
    return result


def test_the_life_of_a_volume(fleet: Fleet, host: Rig) -> None:
    run(fleet)
    before = dump(host.uri)
    shown = volume(fleet, check=True, size="64MiB")
    assert dump(host.uri) == before
    made = volume(fleet, size="64MiB")
    assert made.after == shown.after == {"size": "64MiB", "format": "qcow2"}
    assert not volume(fleet, size="64MiB").changed
    grown = volume(fleet, size="96MiB")
    assert grown.volume
    assert grown.volume.capacity == 96 << 20
    assert volume(fleet, size="64MiB").error_code == "conflict"
    assert [one.name for one in fleet.storage.volumes.list("tank", ["d*"])] == ["data"]
    assert volume(fleet, check=True, state="absent").changed
    assert [one.name for one in fleet.storage.volumes.list("tank")] == ["data"]
    assert volume(fleet, state="absent").changed
    assert not volume(fleet, state="absent").changed


def test_an_image_is_uploaded_with_progress(fleet: Fleet, host: Rig, tmp_path: Path) -> None:
    run(fleet)
    image = tmp_path / "image.raw"
    content = bytes(range(256)) * 4096
    image.write_bytes(content)
    checksum = hashlib.sha256(content).hexdigest()
    wish = {"pool": "tank", "name": "data", "image": str(image), "size": "2MiB"}
    wrong = volume(fleet, image=str(image), checksum=f"sha256:{'0' * 64}")
    assert wrong.error_code == "invalid_input"
    told: list[float] = []
    (made,) = fleet.storage.volumes.run(
        [{**wish, "checksum": f"sha256:{checksum}"}],
        on_progress=lambda progress: told.append(progress.fraction),
    )
    assert made.error is None
    assert made.volume
    assert (made.volume.capacity, made.volume.format) == (2 << 20, "raw")
    assert any(0 < fraction < 1 for fraction in told)
    summed = host.inside("sh", "-c", f"head -c {len(content)} {PLACE}/tank/data | sha256sum")
    assert summed.split()[0] == checksum
    assert not volume(fleet, image=str(image)).changed


def test_clones_full_and_linked(fleet: Fleet) -> None:
    run(fleet)
    volume(fleet, size="64MiB")
    full = volume(fleet, name="full", clone_volume="data", size="96MiB")
    assert full.volume
    assert (full.volume.capacity, full.volume.backing) == (96 << 20, None)
    linked = volume(fleet, name="linked", backing_volume="data")
    assert linked.volume
    assert linked.volume.backing == f"{PLACE}/tank/data"
    refused = volume(fleet, state="absent", force=True)
    assert refused.error_code == "conflict"
    assert "linked" in str(refused.error)
    assert volume(fleet, name="linked", state="absent").error is None
    assert volume(fleet, state="absent").error is None


def test_a_volume_of_a_vm_stays(fleet: Fleet, host: Rig, connection: libvirt.virConnect) -> None:
    run(fleet)
    volume(fleet, size="64MiB")
    disk = "<disk type='volume'><source pool='tank' volume='data'/><target dev='vda'/></disk>"
    connection.defineXML(halting("web", disk))
    before = dump(host.uri)
    wishes: list[dict[str, Any]] = [{"state": "absent"}, {"size": "96MiB"}]
    for wish in wishes:
        refused = volume(fleet, **wish)
        assert refused.error_code == "conflict"
        assert "web" in str(refused.error)
    assert dump(host.uri) == before


@pytest.mark.fault
def test_an_upload_that_breaks_leaves_no_volume(fleet: Fleet, tmp_path: Path) -> None:
    run(fleet)
    image = tmp_path / "image.raw"
    image.write_bytes(b"x" * (1 << 20))
    plan = fleet.storage.volumes.plan({"pool": "tank", "name": "data", "image": str(image)})
    image.unlink()
    with pytest.raises(PlanFailed):
        plan.apply()
    assert fleet.storage.volumes.list("tank") == []


def test_only_what_is_needed_is_read(
    fleet: Fleet, host: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(fleet)
    host.inside("sh", "-c", f"cd {PLACE}/tank && for i in $(seq 30); do truncate -s 1M v$i; done")
    host.inside("virsh", "-q", "pool-refresh", "tank")
    read: list[str] = []
    real = libvirt.virStorageVol.XMLDesc

    def counted(volume: libvirt.virStorageVol, flags: int = 0) -> str:
        read.append(volume.name())
        return str(real(volume, flags))

    monkeypatch.setattr(libvirt.virStorageVol, "XMLDesc", counted)
    assert len(fleet.storage.volumes.list("tank")) == len(read) == 30
    read.clear()
    assert [one.name for one in fleet.storage.volumes.list("tank", ["v7", "v2?"])] == sorted(read)
    read.clear()
    assert not volume(fleet, name="v7", size="1MiB").changed
    assert set(read) == {"v7"}
