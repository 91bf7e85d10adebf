# SPDX-License-Identifier: Apache-2.0
"""Moves of VMs as they are planned: what stands against them, and their steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.volumes import VolumeState
from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, InvalidInput, NotFound, PolicyError, Unreachable
from hostler.models.problems import checked
from hostler.models.vm_migration import VmMigrationTask
from hostler.plan.plan import Plan
from hostler.vms.migration.planner import plan_migration
from hostler.vms.migration.where import Whereabouts
from hostler.vms.migration.world import Source, Target

IMAGES = "/images"
XML = f"""<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory><devices>
<disk type='file' device='disk'><source file='{IMAGES}/web.qcow2'/><target dev='vda'/></disk>
<disk type='file' device='cdrom'><source file='{IMAGES}/seed.iso'/><target dev='sda'/><readonly/>
</disk><interface type='network'><source network='lan'/></interface></devices></domain>"""


def domain(status: str = "running", xml: str = XML, **more: Any) -> DomainState:
    active = None if status == "stopped" else xml
    state = DomainState("web", "u-1", status, True, xml, active, False, False)
    return replace(state, **more)


def volume(name: str, form: str, backing: str | None = None) -> VolumeState:
    return VolumeState("default", name, f"{IMAGES}/{name}", 1 << 30, 2 << 20, form, backing)


VOLUMES = {v.path: v for v in (volume("web.qcow2", "qcow2"), volume("seed.iso", "iso"))}
HERE = Source("qemu:///a", "host-a", domain(), VOLUMES)
THERE = Target(
    "qemu:///b",
    "host-b",
    free_memory=1 << 30,
    pools={IMAGES: "images"},
    space={IMAGES: 1 << 30},
    volumes=VOLUMES,
    networks=frozenset({"lan"}),
)


EMPTY = replace(THERE, volumes={})


def plan(source: Source = HERE, target: Target = THERE, **options: Any) -> Plan:
    policy = options.pop("policy", Policy())
    task = VmMigrationTask(vm="web", target_uri="qemu:///b", **options)
    return plan_migration(task, source, target, policy)


def kinds(found: Plan) -> list[str]:
    return [step.kind for step in found.steps]


MOVE = ["domain.migrate", "domain.migrated"]
STOPPED = replace(HERE, domain=domain("stopped"))


@pytest.mark.parametrize(
    ("source", "options", "steps"),
    [
        (HERE, {}, MOVE),
        (STOPPED, {}, MOVE),
        (HERE, {"storage": "copy"}, ["volume.create", "volume.send", *MOVE]),
        (STOPPED, {"storage": "copy"}, ["volume.send", "volume.send", *MOVE]),
    ],
)
def test_steps(source: Source, options: dict[str, Any], steps: list[str]) -> None:
    found = plan(source, EMPTY if options else THERE, **options)
    assert kinds(found) == steps
    assert (found.before["host"], found.after["host"]) == (HERE.uri, THERE.uri)


def test_what_the_target_has_of_read_only_files_is_not_sent() -> None:
    there = replace(THERE, volumes={f"{IMAGES}/seed.iso": VOLUMES[f"{IMAGES}/seed.iso"]})
    assert kinds(plan(target=there, storage="copy")) == ["volume.create", *MOVE]


def test_incremental_keeps_the_backing_file() -> None:
    disk = replace(volume("web.qcow2", "qcow2", "/base"), backing_format="raw")
    source = replace(HERE, volumes={**VOLUMES, disk.path: disk})
    with pytest.raises(InvalidInput, match="the target has no /base, which is its backing file"):
        plan(source, EMPTY, storage="incremental")
    found = plan(source, replace(EMPTY, volumes={"/base": disk}), storage="incremental")
    assert "--backing-vol /base" in found.commands[0]
    assert found.steps[0].dump()["backing_format"] == "raw"


def test_a_transient_vm_is_not_defined() -> None:
    command = plan(replace(HERE, domain=domain(persistent=False))).commands[0]
    assert "--persistent" not in command
    assert "--undefinesource" not in command


@pytest.mark.parametrize(
    ("target", "options", "why"),
    [
        ({"networks": frozenset()}, {}, "network 'lan' does not run on the target"),
        ({"pools": {}}, {}, "no running pool at /images (pool 'default' on the source)"),
        ({"cpu_fits": False}, {}, "CPU lacks"),
        ({"free_memory": 1 << 28}, {}, "needs 512 MiB of memory, and the target has 256 MiB"),
        ({}, {"storage": "copy"}, "has a volume 'web.qcow2' at /images already"),
        ({"volumes": {}}, {"storage": "incremental"}, "no backing file"),
        ({"volumes": {}}, {}, "the target has no /images/web.qcow2: mount it there"),
        (
            {"volumes": {}, "space": {IMAGES: 3 << 20}},
            {"storage": "copy"},
            "the copies take 4 MiB, and /images on the target has 3 MiB free",
        ),
    ],
)
def test_what_stands_against_it(target: dict[str, Any], options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(target=replace(THERE, **target), **options)
    assert why in str(caught.value)


def test_all_reasons_are_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(target=replace(THERE, networks=frozenset(), pools={}, cpu_fits=False))
    assert str(caught.value).count(";") == 3  # a network, two pools, the CPU


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("<hostdev mode='subsystem' type='pci'/>", "pci"),
        ("<interface type='hostdev'/>", "network card"),
    ],
)
def test_devices_of_the_host_stay(device: str, name: str) -> None:
    xml = XML.replace("</devices>", f"{device}</devices>")
    with pytest.raises(InvalidInput, match=rf"devices of its host \({name}\)"):
        plan(replace(HERE, domain=domain(xml=xml)))


def test_a_card_that_its_driver_swaps_for_another_one_goes_along() -> None:
    card = "<interface type='hostdev'><teaming type='transient'/></interface></devices>"
    assert plan(replace(HERE, domain=domain(xml=XML.replace("</devices>", card)))).changed


@pytest.mark.parametrize(
    ("source", "target", "options", "error"),
    [
        (HERE, replace(THERE, uuid="host-a"), {}, InvalidInput),
        (HERE, replace(THERE, uri=HERE.uri, uuid=None), {}, InvalidInput),
        (replace(HERE, domain=None), THERE, {}, NotFound),
        (HERE, replace(THERE, domain=domain()), {}, Conflict),
        (HERE, replace(THERE, twin="other"), {}, Conflict),
        (replace(HERE, moves=True), THERE, {}, Conflict),
        (HERE, THERE, {"mode": "offline"}, InvalidInput),
        (STOPPED, THERE, {"mode": "live"}, InvalidInput),
        (HERE, THERE, {"policy": Policy(read_only=True)}, PolicyError),
        (HERE, THERE, {"policy": Policy(protected=("web",))}, PolicyError),
    ],
)
def test_refused(
    source: Source, target: Target, options: dict[str, Any], error: type[HostlerError]
) -> None:
    with pytest.raises(error):
        plan(source, target, **options)


def test_protected_but_meant() -> None:
    assert plan(policy=Policy(protected=("web",)), override_protection=True).changed


def test_one_that_is_there_stays() -> None:
    found = plan(replace(HERE, domain=None), replace(THERE, domain=domain()))
    assert not found.changed
    assert found.before == found.after


GONE = Unreachable("no answer")


@pytest.mark.parametrize(
    ("source", "target", "place"),
    [
        (domain(), None, "source"),
        (domain(), GONE, "source"),
        (domain(), domain("paused"), "source"),
        (domain("paused"), domain(), "target"),
        (GONE, domain(), "target"),
        (None, domain("paused"), "target"),
        (domain("stopped"), domain("paused"), "target"),
        (domain("paused"), domain("stopped"), "source"),
        (domain("stopped"), None, "source"),
        (None, domain("stopped"), "target"),
        (domain("paused"), GONE, None),
        (domain("paused"), domain("paused"), None),
        (GONE, GONE, None),
        (None, None, None),
    ],
)
def test_where_it_is(source: Any, target: Any, place: str | None) -> None:
    assert Whereabouts(source, target).place == place


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"target_uri": "qemu:///b", "target_host": "b"},
        {"target_uri": "qemu:///b", "persist": False},
        {"target_uri": "qemu:///b", "on_timeout": "post-copy"},
        {"target_uri": "qemu:///b", "post_copy": True, "parallel_connections": 2},
    ],
)
def test_wishes_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        checked(VmMigrationTask, {"vm": "web", **wrong})
