# SPDX-License-Identifier: Apache-2.0
"""What is planned for a volume: tables, and that none ever shrinks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.backends.libvirt.volumes import PoolState, VolumeState
from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError
from hostler.models.size import GIB
from hostler.models.storage import StorageVolumeTask
from hostler.plan.plan import Plan
from hostler.storage.transfer_steps import UploadUrl
from hostler.storage.volume_planner import FileNow, VolumeNow, plan_volume
from hostler.vms.images import ImageFacts
from hostler.vms.volume_steps import CreateVolume

POOL = PoolState("vms", active=True, type="dir", path="/srv/vms", available=100 * GIB)
BLOCK = replace(POOL, type="logical")
DATA = VolumeState("vms", "data", "/srv/vms/data", 2 * GIB, 0, "qcow2", None)
BASE = VolumeState("images", "base", "/srv/images/base", 2 * GIB, 0, "raw", None)
IMAGE = ImageFacts("/srv/base.img", "qcow2", 2 * GIB, 1000)
EMPTY, THERE = VolumeNow(POOL), VolumeNow(POOL, DATA)
FROM_BASE, FROM_IMAGE = VolumeNow(POOL, origin=BASE), VolumeNow(POOL, image=IMAGE)
CLONE: dict[str, Any] = {"clone_volume": "base", "source_pool": "images"}
LINK: dict[str, Any] = {"backing_volume": "base", "source_pool": "images"}
FILE: dict[str, Any] = {"image": "base.img"}
URL: dict[str, Any] = {"image": "https://me:pw@example.com/base.img"}
FROM_URL = replace(FROM_IMAGE, image=replace(IMAGE, path="https://****@example.com/base.img"))
HALF = replace(FROM_IMAGE, volume=DATA, interrupted=True)
COPY: dict[str, Any] = {"download_to": "/srv/copy"}
TO_FILE = FileNow("/srv/copy", 1000, there=False, same=False)


def plan(now: VolumeNow, policy: Policy | None = None, **wish: Any) -> Plan:
    task = StorageVolumeTask.parse({"pool": "vms", "name": "data", **wish})
    return plan_volume("test:///default", task, now, policy or Policy())


@pytest.mark.parametrize(
    ("now", "wish", "steps", "after"),
    [
        (EMPTY, {"size": "1GiB"}, ["create"], {"size": "1GiB", "format": "qcow2"}),
        (VolumeNow(BLOCK), {"size": "1GiB"}, ["create"], {"size": "1GiB", "format": "raw"}),
        (FROM_BASE, CLONE, ["clone"], {"size": "2GiB", "format": "raw"}),
        (
            FROM_BASE,
            {**CLONE, "size": "3GiB", "format": "qcow2"},
            ["clone", "grow_new"],
            {"size": "3GiB", "format": "qcow2"},
        ),
        (
            FROM_BASE,
            {**LINK, "size": "3GiB"},
            ["create"],
            {"size": "3GiB", "format": "qcow2", "backing": BASE.path},
        ),
        (FROM_IMAGE, FILE, ["create", "upload"], {"size": "2GiB", "format": "qcow2"}),
        (
            FROM_IMAGE,
            {**FILE, "size": "3GiB"},
            ["create", "upload", "grow_new"],
            {"size": "3GiB", "format": "qcow2"},
        ),
        (FROM_URL, URL, ["create", "upload_url"], {"size": "2GiB", "format": "qcow2"}),
        (HALF, FILE, ["discard", "create", "upload"], {"size": "2GiB", "format": "qcow2"}),
        (replace(THERE, interrupted=True), {"state": "absent"}, ["delete"], {}),
        (
            replace(THERE, file=TO_FILE),
            COPY,
            ["download"],
            {"size": "2GiB", "format": "qcow2", "download_to": "/srv/copy"},
        ),
        (
            replace(THERE, file=replace(TO_FILE, there=True)),
            COPY,
            ["download_over"],
            {"size": "2GiB", "format": "qcow2", "download_to": "/srv/copy"},
        ),
        (
            replace(THERE, file=replace(TO_FILE, there=True, same=True, writers=["web"])),
            COPY,
            [],
            {"size": "2GiB", "format": "qcow2", "download_to": "/srv/copy"},
        ),
        (THERE, {}, [], {"size": "2GiB", "format": "qcow2"}),
        (THERE, {"size": "2GiB", **CLONE}, [], {"size": "2GiB", "format": "qcow2"}),
        (THERE, {"size": "3GiB"}, ["resize"], {"size": "3GiB", "format": "qcow2"}),
        (replace(THERE, users=["web"]), {"size": "2GiB"}, [], {"size": "2GiB", "format": "qcow2"}),
        (THERE, {"state": "absent"}, ["delete"], {}),
        (EMPTY, {"state": "absent"}, [], {}),
        (VolumeNow(None), {"state": "absent"}, [], {}),
        (replace(THERE, users=["web"]), {"state": "absent", "force": True}, ["delete"], {}),
    ],
)
def test_steps(
    now: VolumeNow, wish: dict[str, Any], steps: list[str], after: dict[str, Any]
) -> None:
    made = plan(now, **wish)
    assert [step.kind.removeprefix("volume.") for step in made.steps] == steps
    assert made.after == after


OFF = replace(POOL, active=False)


@pytest.mark.parametrize(
    ("now", "wish", "error", "text"),
    [
        (VolumeNow(None), {"size": "1GiB"}, NotFound, "no storage pool 'vms'"),
        (VolumeNow(OFF), {"size": "1GiB"}, InvalidInput, "not active"),
        (VolumeNow(OFF), {"state": "absent"}, InvalidInput, "not active"),
        (EMPTY, {}, InvalidInput, "no size"),
        (EMPTY, CLONE, NotFound, "no volume 'base' in pool 'images'"),
        (FROM_BASE, {**CLONE, "size": "1GiB"}, InvalidInput, "less than"),
        (FROM_BASE, {**LINK, "size": "1GiB"}, InvalidInput, "less than"),
        (FROM_IMAGE, {**FILE, "format": "raw"}, InvalidInput, "is qcow2, not raw"),
        (THERE, {"format": "raw"}, Conflict, "qcow2, and raw"),
        (THERE, {"size": "1GiB"}, Conflict, "lose data"),
        (replace(THERE, users=["web"]), {"size": "3GiB"}, Conflict, "disk: web"),
        (replace(THERE, clones=["c"]), {"size": "3GiB"}, Conflict, "linked to: c"),
        (replace(THERE, users=["web"]), {"state": "absent"}, Conflict, "disk: web"),
        (replace(THERE, clones=["c"]), {"state": "absent", "force": True}, Conflict, "linked"),
    ],
)
def test_what_is_refused(
    now: VolumeNow, wish: dict[str, Any], error: type[HostlerError], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        plan(now, **wish)
    assert "volume 'data' in pool 'vms' on test:///default" in str(caught.value)


@pytest.mark.parametrize(
    "wish",
    [
        {"image": "x", "clone_volume": "y"},
        {"checksum": f"sha256:{'0' * 64}"},
        {"checksum": "md5:0", "image": "x"},
        {"source_pool": "images"},
        {"backing_volume": "x", "format": "raw"},
        {"size": 3},
        {"name": "../x"},
    ],
)
def test_what_makes_no_sense(wish: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        StorageVolumeTask.parse({"pool": "vms", "name": "data", **wish})


@pytest.mark.parametrize(
    ("now", "wish", "words"),
    [
        (EMPTY, COPY, "no such volume to download"),
        (replace(THERE, interrupted=True), {"size": "3GiB"}, "it is not whole"),
        (replace(THERE, interrupted=True), COPY, "it is not whole"),
        (replace(HALF, users=["web"]), FILE, "in use: web"),
        (replace(HALF, clones=["link"]), FILE, "in use: link"),
        (replace(THERE, file=replace(TO_FILE, writers=["web"])), COPY, "running VMs can write"),
    ],
)
def test_what_is_refused_of_content(now: VolumeNow, wish: dict[str, Any], words: str) -> None:
    with pytest.raises(HostlerError, match=words):
        plan(now, **wish)


def test_an_address_is_planned_without_its_login() -> None:
    made = plan(FROM_URL, **URL)
    assert "me:pw" not in repr(made) + repr([step.dump() for step in made.steps])
    upload = made.steps[1]
    assert isinstance(upload, UploadUrl)
    assert upload.secret
    assert upload.secret.get_secret_value() == URL["image"]


def test_a_linked_clone_knows_the_format_below() -> None:
    (create,) = plan(FROM_BASE, **LINK).steps
    assert isinstance(create, CreateVolume)
    assert (create.backing_path, create.backing_format) == (BASE.path, "raw")


def test_a_read_only_fleet_changes_nothing() -> None:
    assert not plan(THERE, Policy(read_only=True)).changed
    with pytest.raises(PolicyError):
        plan(THERE, Policy(read_only=True), size="3GiB")


@given(st.integers(1, 8 * GIB))
def test_a_volume_grows_or_stays(size: int) -> None:
    try:
        made = plan(THERE, size=f"{size}B")
    except Conflict:
        assert size < DATA.capacity
    else:
        assert made.changed == (size > DATA.capacity)
