# SPDX-License-Identifier: Apache-2.0
"""What is planned for a pool: tables, and what holds for any wish."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, PolicyError
from hostler.models.storage import StoragePoolTask
from hostler.plan.plan import Plan
from hostler.storage.planner import PoolNow, plan_pool
from hostler.storage.pool_xml import edit_pool, read_pool
from hostler.storage.steps import DefinePool

URI = "test:///default"
XML = """<pool type="dir"><name>vms</name><uuid>35bb2ad9-388a-cdfe-461a-b8907f6e53fe</uuid>
<source/><target><path>/srv/vms</path><permissions><mode>0711</mode></permissions></target>
<features><cow state="yes"/></features></pool>"""
ON = PoolNow(XML, active=True, autostart=True)
OFF = PoolNow(XML, active=False, autostart=False)
USED = PoolNow(XML, active=True, autostart=True, users=["web"])
PASSING = PoolNow(XML, active=True, autostart=False, persistent=False)


def plan(now: PoolNow | None, policy: Policy | None = None, **wish: Any) -> Plan:
    task = StoragePoolTask.parse({"name": "vms", **wish})
    return plan_pool(URI, task, now, policy or Policy())


def kinds(made: Plan) -> list[str]:
    return [step.kind.removeprefix("pool.") for step in made.steps]


@pytest.mark.parametrize(
    ("now", "wish", "steps"),
    [
        (None, {"path": "/srv/vms"}, ["define", "build", "start", "autostart"]),
        (None, {"path": "/srv/vms", "active": False, "autostart": False}, ["define", "build"]),
        (
            None,
            {"type": "logical", "source_name": "vg0"},
            ["define", "start", "autostart"],  # never built: that would format a disk
        ),
        (None, {"state": "absent"}, []),
        (ON, {}, []),
        (ON, {"path": "/srv/vms/", "type": "dir"}, []),
        (OFF, {}, []),
        (OFF, {"active": True}, ["start"]),
        (OFF, {"autostart": True}, ["autostart"]),
        (ON, {"active": False, "autostart": False}, ["stop", "autostart"]),
        (ON, {"path": "/srv/new"}, ["stop", "define", "build", "start"]),
        (OFF, {"path": "/srv/new"}, ["define", "build"]),
        (PASSING, {}, ["define"]),
        (ON, {"state": "absent"}, ["stop", "undefine"]),
        (OFF, {"state": "absent"}, ["undefine"]),
        (PASSING, {"state": "absent"}, ["stop"]),
        (USED, {}, []),
        (USED, {"state": "absent", "force": True}, ["stop", "undefine"]),
    ],
)
def test_steps(now: PoolNow | None, wish: dict[str, Any], steps: list[str]) -> None:
    made = plan(now, **wish)
    assert kinds(made) == steps
    assert made.changed == bool(steps)
    assert all(step.command.startswith("virsh -c test:///default pool-") for step in made.steps)


@pytest.mark.parametrize(
    ("now", "wish", "error", "text"),
    [
        (None, {}, InvalidInput, "needs a path"),
        (None, {"type": "netfs", "source_host": "nas"}, InvalidInput, "needs a path"),
        (ON, {"type": "fs"}, Conflict, "type dir, and fs is wanted"),
        (USED, {"state": "absent"}, Conflict, "VMs have disks in it: web"),
        (USED, {"active": False}, Conflict, "VMs have disks in it: web"),
        (USED, {"path": "/srv/new"}, Conflict, "VMs have disks in it: web"),
    ],
)
def test_what_is_refused(
    now: PoolNow | None, wish: dict[str, Any], error: type[HostlerError], text: str
) -> None:
    with pytest.raises(error, match=text) as caught:
        plan(now, **wish)
    assert "storage pool 'vms' on test:///default" in str(caught.value)
    assert caught.value.hint


def test_forced_says_whose_disks_are_there() -> None:
    made = plan(USED, state="absent", force=True)
    assert made.warnings == ["These VMs have disks in it: web"]


def test_a_read_only_fleet_changes_nothing() -> None:
    assert not plan(ON, Policy(read_only=True)).changed
    with pytest.raises(PolicyError, match="read-only"):
        plan(ON, Policy(read_only=True), active=False)


def test_what_is_not_modelled_stays() -> None:
    define = plan(OFF, path="/srv/new").steps[0]
    assert isinstance(define, DefinePool)
    assert '<features><cow state="yes"/></features>' in define.xml
    assert "<mode>0711</mode>" in define.xml
    assert "<path>/srv/new</path>" in define.xml


@pytest.mark.parametrize("path", ["srv", "/", "", "../x"])
def test_paths_start_at_the_root(path: str) -> None:
    with pytest.raises(InvalidInput, match="path"):
        StoragePoolTask.parse({"name": "vms", "path": path})


TEXT = st.text("abc<&\"'>/ é", min_size=1, max_size=8)


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["dir", "netfs", "logical", "disk"])},
        optional={
            "path": TEXT.map("/{}".format),
            "source_host": TEXT,
            "source_path": TEXT,
            "source_name": TEXT,
            "source_format": TEXT,
            "source_devices": st.lists(TEXT, min_size=1, max_size=3, unique=True).map(tuple),
        },
    )
)
def test_what_is_written_is_read(settings: dict[str, Any]) -> None:
    xml = edit_pool(None, "a pool", settings)
    assert read_pool(xml) == settings
    assert edit_pool(xml, "a pool", settings) == xml
