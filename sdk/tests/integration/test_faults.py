# SPDX-License-Identifier: Apache-2.0
"""libvirtd dies, the program dies: what was begun is finished or taken back, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from hostler import Fleet
from hostler.errors import PlanError, PlanFailed, Unreachable
from hostler.plan.outcome import Progress
from hostler.plan.plan import Plan
from hostler.plan.step import Report, Step, World

from .conftest import MakeFleet
from .rig import Rig
from .state import differences, dump

pytestmark = pytest.mark.fault

IMAGE_BYTES = bytes(range(256)) * 4096
STEPS = (
    "create volume v-vda.raw",
    "upload",
    "grow volume",
    "copy volume base",
    "create volume v-vdc.qcow2",
    "create volume v-seed",
    "write the cloud-init seed",
    "define",
    "start domain v with its host",
    "start domain v",
)
SEED = 6
NUMBERS = range(len(STEPS))


@pytest.fixture
def task(host: Rig, tmp_path: Path, connection: libvirt.virConnect) -> dict[str, Any]:
    """A create with every kind of step there is."""
    image = tmp_path / "image.raw"
    image.write_bytes(IMAGE_BYTES)
    host.inside("qemu-img", "create", "-q", "-f", "qcow2", "/var/lib/libvirt/images/base", "1M")
    connection.storagePoolLookupByName("default").refresh()
    return {
        "name": "v",
        "memory": "64MiB",
        "disks": [
            {"image": str(image), "size": "2MiB"},
            {"clone": "base"},
            {"backing": "base"},
        ],
        "cloud_init": {"user_data": {"runcmd": ["true"]}},
        "autostart": True,
        "state": "running",
    }


def planned(fleet: Fleet, task: dict[str, Any]) -> Plan:
    """Plan a task; its steps are those that are listed above."""
    [plan] = fleet.vms.plan([task])
    for step, start in zip(plan.steps, STEPS, strict=True):
        assert step.summary.startswith(start)
    return plan


def strike(monkeypatch: pytest.MonkeyPatch, step: Step, then: Callable[[], None]) -> None:
    """Let a step of a plan do its work, and then let something happen before its answer."""
    real = type(step).apply

    def apply(self: Step, world: World, report: Report) -> None:
        real(self, world, report)
        if self is step:
            then()
            raise Unreachable("the connection broke", on="libvirt")

    monkeypatch.setattr(type(step), "apply", apply)


def before_step(number: int, then: Callable[[], None]) -> Callable[[Progress], None]:
    """Let something happen right before a step; counted from 0."""
    struck: list[int] = []

    def hook(progress: Progress) -> None:
        if progress.number == number + 1 and not struck:
            struck.append(number)
            then()

    return hook


def settle(fleet: Fleet, plan: str, verb: str, task: dict[str, Any], empty: Any) -> None:
    """Resume or undo what was left; then the world is as wanted, or as it was."""
    if verb == "resume" and resumed(fleet, plan):
        whole(fleet, task)
    fleet.runner.undo(plan)
    assert differences(empty, dump(fleet.uri)) == [], "something was left behind"


def resumed(fleet: Fleet, plan: str) -> bool:
    """Resume a plan; one whose seed is not written yet can't be, and says so."""
    left = fleet.journal.load(plan)
    written = left.statuses[SEED] == "done"
    if written:
        fleet.runner.resume(plan)
    else:
        with pytest.raises(PlanError, match=r"secrets are never stored.*again"):
            fleet.runner.resume(plan)
    return written


def whole(fleet: Fleet, task: dict[str, Any]) -> None:
    """Hold that the VM is there, runs, and that its disk has every byte of the image."""
    [again] = fleet.vms.run([task])
    assert (again.changed, again.error) == (False, None)
    assert again.vm
    assert again.vm.status == "running"
    connection = libvirt.open(fleet.uri)
    volume = connection.storagePoolLookupByName("default").storageVolLookupByName("v-vda.raw")
    assert content(connection, volume)[: len(IMAGE_BYTES)] == IMAGE_BYTES
    connection.close()


def content(connection: libvirt.virConnect, volume: libvirt.virStorageVol) -> bytes:
    """Download a volume."""
    stream = connection.newStream(0)
    volume.download(stream, 0, 0, 0)
    parts = []
    while part := stream.recv(256 * 1024):
        parts.append(part)
    stream.finish()
    return b"".join(parts)


@pytest.mark.parametrize("verb", ["resume", "undo"])
@pytest.mark.parametrize("number", NUMBERS)
def test_libvirtd_dies_before_a_step(
    host: Rig, fleet: Fleet, task: dict[str, Any], make_fleet: MakeFleet, number: int, verb: str
) -> None:
    empty, plan = dump(host.uri), planned(fleet, task)
    with pytest.raises(PlanFailed) as caught:
        plan.apply(before_step(number, host.kill_daemon))
    host.restart_daemon()
    told(caught.value, plan)
    settle(make_fleet(host.uri), plan.id, verb, task, empty)


@pytest.mark.parametrize("verb", ["resume", "undo"])
@pytest.mark.parametrize("number", NUMBERS)
def test_libvirtd_dies_before_it_answers(
    host: Rig,
    fleet: Fleet,
    task: dict[str, Any],
    make_fleet: MakeFleet,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    verb: str,
) -> None:
    empty, plan = dump(host.uri), planned(fleet, task)
    strike(monkeypatch, plan.steps[number], host.kill_daemon)
    with pytest.raises(PlanFailed) as caught:
        plan.apply()
    host.restart_daemon()
    told(caught.value, plan)
    monkeypatch.undo()
    settle(make_fleet(host.uri), plan.id, verb, task, empty)


@pytest.mark.parametrize("number", NUMBERS)
def test_connection_drops_and_comes_back(
    host: Rig, fleet: Fleet, task: dict[str, Any], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The daemon is back at once: a step that took effect is seen to have, and work goes on."""

    def bounce() -> None:
        host.kill_daemon()
        host.restart_daemon()

    empty, plan = dump(host.uri), planned(fleet, task)
    strike(monkeypatch, plan.steps[number], bounce)
    if STEPS[number].startswith(("upload", "write", "copy")):  # they may be half done
        with pytest.raises(PlanFailed):
            plan.apply()
        assert differences(empty, dump(host.uri)) == []
    else:
        plan.apply()
        monkeypatch.undo()
        whole(fleet, task)


@pytest.mark.parametrize("verb", ["resume", "undo"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", NUMBERS)
def test_program_is_killed(
    host: Rig,
    fleet: Fleet,
    task: dict[str, Any],
    tmp_path: Path,
    number: int,
    moment: str,
    verb: str,
) -> None:
    empty = dump(host.uri)
    plan = killed(fleet, task, tmp_path, f"{moment}:{number}")
    settle(fleet, plan, verb, task, empty)


@pytest.mark.parametrize("verb", ["resume", "undo"])
def test_libvirtd_dies_while_it_copies(
    host: Rig, fleet: Fleet, connection: libvirt.virConnect, make_fleet: MakeFleet, verb: str
) -> None:
    """What is there of the copy has the right size, and half of its content."""
    folder = "/var/lib/libvirt/images"
    host.inside("sh", "-c", f"head -c 1G /dev/urandom > {folder}/big.raw")
    connection.storagePoolLookupByName("default").refresh()
    empty = dump(host.uri)
    disk = {"clone": "big.raw", "volume": "copy.raw", "format": "raw"}
    [plan] = fleet.vms.plan([{"name": "v", "memory": "64MiB", "disks": [disk]}])

    def die() -> None:
        while "copy.raw" not in host.inside("ls", folder):
            time.sleep(0.01)
        host.kill_daemon()

    killer = threading.Thread(target=die)
    killer.start()
    with pytest.raises(PlanFailed):
        plan.apply()
    killer.join()
    same = ("cmp", "-s", f"{folder}/big.raw", f"{folder}/copy.raw")
    with pytest.raises(AssertionError):
        host.inside(*same)  # else it came too late
    host.restart_daemon()
    again = make_fleet(host.uri)
    if verb == "resume":
        again.runner.resume(plan.id)
        host.inside(*same)
    again.runner.undo(plan.id)
    assert differences(empty, dump(host.uri)) == []


def killed(fleet: Fleet, task: dict[str, Any], folder: Path, moment: str) -> str:
    """Run a task in a program that kills itself; returns the plan that it left in the journal."""
    import json

    (folder / "task.json").write_text(json.dumps(task))
    program = Path(__file__).with_name("dies.py")
    words: list[str | Path] = [
        sys.executable,
        program,
        fleet.uri,
        folder / "journal.db",
        folder / "task.json",
        moment,
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stdout + done.stderr
    [left] = fleet.journal.list(unfinished=True)
    return left.plan.id


def told(error: PlanFailed, plan: Plan) -> None:
    """Hold that the error says what it left and what to do."""
    text = str(error)
    assert "\n" not in text
    if error.outcome.status == "failed":
        assert plan.id in text
        assert "resume" in text
