# SPDX-License-Identifier: Apache-2.0
"""Everything else outside that fails: pools, images, rights, rivals, definitions, starts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.models.vm_task import VmResult

from .conftest import SYSTEM, MakeFleet
from .rig import GUEST, Rig
from .state import differences, dump

pytestmark = pytest.mark.fault

GUEST_IMAGE = GUEST / "hostler-guest.qcow2"
SMALL = "/var/lib/libvirt/boot/small"


def refused(fleet: Fleet, task: dict[str, Any], *words: str) -> VmResult:
    """Hold that a task fails in one sentence with these words, and leaves nothing behind."""
    before = dump(fleet.uri)
    [result] = fleet.vms.run([task])
    assert result.error
    assert not result.changed
    for word in words:
        assert word in result.error
    assert "\n" not in result.error
    assert "Traceback" not in result.error
    assert differences(before, dump(fleet.uri)) == []
    return result


@pytest.fixture
def small_pool(host: Rig, connection: libvirt.virConnect) -> Iterator[str]:
    """A pool of 4 MiB."""
    host.inside("mkdir", "-p", SMALL)
    host.inside("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", SMALL)
    xml = f"<pool type='dir'><name>small</name><target><path>{SMALL}</path></target></pool>"
    pool = connection.storagePoolCreateXML(xml)
    yield "small"
    pool.destroy()
    host.inside("umount", SMALL)
    host.inside("rmdir", SMALL)


def test_pool_full_while_uploading(fleet: Fleet, small_pool: str) -> None:
    task = {"name": "v", "disks": [{"pool": small_pool, "image": str(GUEST_IMAGE)}]}
    refused(fleet, task, "upload hostler-guest.qcow2", "No space left")


def test_pool_full_while_creating(fleet: Fleet, small_pool: str, tmp_path: Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(b"\1" * 1024 * 1024)
    disks = [{"image": str(image)}, {"pool": small_pool, "image": str(GUEST_IMAGE)}]
    refused(fleet, {"name": "v", "disks": disks}, "No space left", "Undone again")


def test_pool_full_while_writing_the_seed(
    fleet: Fleet, small_pool: str, host: Rig, connection: libvirt.virConnect
) -> None:
    host.inside("dd", "if=/dev/zero", f"of={SMALL}/fill", "bs=4k", "count=1020", "status=none")
    connection.storagePoolLookupByName("small").refresh()
    seed = {"pool": small_pool, "user_data": {"x": "y" * 200_000}}
    result = refused(fleet, {"name": "v", "cloud_init": seed}, "cloud-init seed")
    assert any(word in str(result.error) for word in ("No space left", "Is the pool full?"))


def test_pool_full_while_cloning(
    fleet: Fleet, small_pool: str, host: Rig, connection: libvirt.virConnect
) -> None:
    images = "/var/lib/libvirt/images"
    host.inside("dd", "if=/dev/urandom", f"of={images}/big", "bs=1M", "count=8", "status=none")
    connection.storagePoolLookupByName("default").refresh()
    clone = {"pool": "default", "volume": "big"}
    refused(
        fleet, {"name": "v", "disks": [{"pool": small_pool, "clone": clone}]}, "copy volume big"
    )


def test_volume_exists_already(fleet: Fleet, connection: libvirt.virConnect) -> None:
    xml = "<volume><name>v-vda.qcow2</name><capacity>4096</capacity></volume>"
    connection.storagePoolLookupByName("default").createXML(xml)
    task = {"name": "v", "disks": [{"size": "1MiB"}]}
    assert refused(fleet, task, "exists already", "volume: v-vda.qcow2").error_code == "conflict"


def test_volume_appears_after_planning(fleet: Fleet, connection: libvirt.virConnect) -> None:
    [plan] = fleet.vms.plan([{"name": "v", "disks": [{"size": "1MiB"}, {"size": "1MiB"}]}])
    xml = "<volume><name>v-vdb.qcow2</name><capacity>4096</capacity></volume>"
    connection.storagePoolLookupByName("default").createXML(xml)
    before = dump(fleet.uri)
    with pytest.raises(Exception, match="exist"):
        plan.apply()
    assert differences(before, dump(fleet.uri)) == []


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "checksum", "backing", "folder"])
def test_bad_image(fleet: Fleet, tmp_path: Path, kind: str) -> None:
    image, disk = tmp_path / "image.qcow2", {}
    if kind == "empty":
        image.touch()
    elif kind == "truncated":
        image.write_bytes(GUEST_IMAGE.read_bytes()[:300_000])
    elif kind == "checksum":
        image.write_bytes(b"x" * 4096)
        disk = {"image_checksum": "sha256:" + hashlib.sha256(b"other").hexdigest()}
    elif kind == "backing":
        words = ["-b", str(GUEST_IMAGE), "-F", "qcow2", str(image)]
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *words], check=True)
    elif kind == "folder":
        image.mkdir()
    refused(fleet, {"name": "v", "disks": [{"image": str(image), **disk}]}, str(image))


def test_image_vanishes_after_planning(fleet: Fleet, tmp_path: Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(b"x" * 4096)
    before = dump(fleet.uri)
    [plan] = fleet.vms.plan([{"name": "v", "disks": [{"image": str(image)}]}])
    image.unlink()
    with pytest.raises(Exception, match=r"can't be read"):
        plan.apply()
    assert differences(before, dump(fleet.uri)) == []


def test_image_is_not_needed_any_more(fleet: Fleet, tmp_path: Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(b"x" * 4096)
    task = {"name": "v", "disks": [{"image": str(image)}]}
    fleet.vms.run([task])
    image.unlink()
    [again] = fleet.vms.run([task])
    assert (again.changed, again.error) == (False, None)


@pytest.mark.parametrize("disks", [[], [{"size": "1MiB"}]], ids=["no disk", "a disk"])
def test_two_threads_create_the_same_name(
    host: Rig, make_fleet: MakeFleet, disks: list[dict[str, str]]
) -> None:
    task = {"name": "v", "memory": "64MiB", "disks": disks}
    plans = [make_fleet(host.uri).vms.plan([task])[0] for _ in range(2)]
    barrier, errors = threading.Barrier(2), list[BaseException]()

    def apply(number: int) -> None:
        barrier.wait()
        try:
            plans[number].apply()
        except Exception as error:  # noqa: BLE001 - judged below
            errors.append(error)

    threads = [threading.Thread(target=apply, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one_won(make_fleet(host.uri), task, [str(e) for e in errors])


def test_two_programs_create_the_same_name(
    host: Rig, make_fleet: MakeFleet, tmp_path: Path
) -> None:
    task = {"name": "v", "memory": "64MiB", "disks": [{"size": "1MiB"}]}
    (tmp_path / "task.json").write_text(json.dumps(task))
    program = (
        "import json, sys; from hostler import Fleet; from hostler.config import FleetConfig\n"
        "uri, store, task = sys.argv[1:]\n"
        "fleet = Fleet(FleetConfig(store=store), uri=uri)\n"
        "[result] = fleet.vms.run([json.load(open(task))])\n"
        "print(json.dumps([result.changed, result.error]))"
    )
    store = f"sqlite:///{tmp_path}/journal.db"
    words = [sys.executable, "-c", program, host.uri, store, str(tmp_path / "task.json")]
    rivals = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    results = [json.loads(rival.communicate()[0]) for rival in rivals]
    losers = [error for _, error in results if error]
    fleet = make_fleet(host.uri)
    assert sum(changed for changed, _ in results) == 1
    assert all("v" in error for error in losers)
    [again] = fleet.vms.run([task])
    assert (again.changed, again.error) == (False, None)
    assert list(dump(host.uri)["pools"]["default"]["volumes"]) == ["v-vda.qcow2"]


def one_won(fleet: Fleet, task: dict[str, Any], errors: list[str]) -> None:
    """Hold that one of two made the VM, and that the other said so and left nothing."""
    assert len(errors) == 1, errors
    assert "exist" in errors[0]
    [again] = fleet.vms.run([task])
    assert (again.changed, again.error) == (False, None)
    volumes = list(dump(fleet.uri)["pools"]["default"]["volumes"])
    assert volumes == ["v-vda.qcow2" for _ in task["disks"]]


READ_ONLY = "qemu+unix:///system?socket=/run/libvirt/libvirt-sock-ro"


@pytest.mark.parametrize("disks", [[], [{"size": "1MiB"}]], ids=["no disk", "a disk"])
def test_read_only_connection(make_fleet: MakeFleet, prefix: str, disks: list[Any]) -> None:
    """Libvirt lets everybody read; who may not write is told so, before anything is half done."""
    fleet, name = make_fleet(READ_ONLY), f"{prefix}ro"
    before = dump(SYSTEM, prefix)
    [result] = fleet.vms.run([{"name": name, "disks": disks}])
    assert result.error
    assert "account that may write" in result.error
    assert differences(before, dump(SYSTEM, prefix)) == []
    assert fleet.vms.list() is not None
    [check] = fleet.vms.run([{"name": name, "disks": disks}], check=True)
    assert (check.changed, check.error) == (True, None)


def test_define_fails_after_volumes_were_made(fleet: Fleet) -> None:
    topology = {"sockets": 2, "cores": 2}
    task = {"name": "v", "cpus": 3, "cpu": topology, "disks": [{"size": "1MiB"}]}
    refused(fleet, task, "define domain v", "Undone again", "create volume v-vda.qcow2")


def test_start_fails_after_define(fleet: Fleet) -> None:
    iso = "/var/lib/libvirt/images/nowhere.iso"
    task = {
        "name": "v",
        "cdroms": [{"image": iso}],
        "disks": [{"size": "1MiB"}],
        "state": "running",
    }
    refused(fleet, task, "start domain v", "nowhere.iso", "Undone again: define domain v")


def test_start_of_an_old_vm_fails(fleet: Fleet) -> None:
    """A change that was wanted together with a start that fails is taken back."""
    fleet.vms.run([{"name": "v", "cdroms": [{"image": "/var/lib/libvirt/images/nowhere.iso"}]}])
    task = {"name": "v", "title": "new", "cpus": 2, "autostart": True, "state": "running"}
    refused(fleet, task, "start domain v", "nowhere.iso")


def test_one_of_many_fails(fleet: Fleet, tmp_path: Path) -> None:
    """What is wrong with one VM is that one's result; the others are made."""
    tasks: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "machine": "no-such-machine"},
        {"name": "c", "disks": [{"image": str(tmp_path / "missing")}]},
        {"name": "d", "memory": "-1GiB"},
        {"name": "e", "networks": [{"network": "nope"}]},
        {"name": "f"},
    ]
    results = fleet.vms.run(tasks)
    assert [r.name for r in results if r.error] == ["b", "c", "d", "e"]
    assert [vm.name for vm in fleet.vms.list()] == ["a", "f"]


def test_daemon_is_down(host: Rig, make_fleet: MakeFleet) -> None:
    fleet = make_fleet(host.uri)
    host.kill_daemon()
    try:
        with pytest.raises(Exception, match=r"hypervisor qemu\+tcp.*hostler doctor") as caught:
            fleet.vms.run([{"name": "v"}])
        assert getattr(caught.value, "code", "") == "unreachable"
    finally:
        host.restart_daemon()
    [result] = fleet.vms.run([{"name": "v"}])
    assert result.changed


def test_daemon_goes_away_between_two_calls(host: Rig, fleet: Fleet) -> None:
    """A connection that broke is opened anew."""
    fleet.vms.run([{"name": "v"}])
    host.kill_daemon()
    host.restart_daemon()
    [result] = fleet.vms.run([{"name": "v", "title": "new"}])
    assert (result.changed, result.error) == (True, None)
