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
    return VolumeState("default", name, f"{IMAGES}/{name}", 1 << 30, 0, form, backing)


VOLUMES = {v.path: v for v in (volume("web.qcow2", "qcow2"), volume("seed.iso", "iso"))}
HERE = Source("qemu:///a", "host-a", domain(), VOLUMES)
THERE = Target(
    "qemu:///b",
    "host-b",
    free_memory=1 << 30,
    pools={IMAGES: "images"},
    networks=frozenset({"lan"}),
)


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
    found = plan(source, **options)
    assert kinds(found) == steps
    assert (found.before["host"], found.after["host"]) == (HERE.uri, THERE.uri)


def test_what_the_target_has_of_read_only_files_is_not_sent() -> None:
    there = replace(THERE, volumes={f"{IMAGES}/seed.iso": VOLUMES[f"{IMAGES}/seed.iso"]})
    assert kinds(plan(target=there, storage="copy")) == ["volume.create", *MOVE]


def test_incremental_keeps_the_backing_file() -> None:
    disk = volume("web.qcow2", "qcow2", "/base.qcow2")
    source = replace(HERE, volumes={**VOLUMES, disk.path: disk})
    assert "--backing-vol /base.qcow2" in plan(source, storage="incremental").commands[0]


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
        ({"volumes": VOLUMES}, {"storage": "copy"}, "has a volume 'web.qcow2' at /images already"),
        ({}, {"storage": "incremental"}, "no backing file"),
    ],
)
def test_what_stands_against_it(target: dict[str, Any], options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(target=replace(THERE, **target), **options)
    assert why in str(caught.value)


def test_all_reasons_are_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(target=replace(THERE, networks=frozenset(), pools={}, cpu_fits=False))
    assert str(caught.value).count(";") == 3


def test_devices_of_the_host_stay() -> None:
    xml = XML.replace("</devices>", "<hostdev mode='subsystem' type='pci'/></devices>")
    with pytest.raises(InvalidInput, match="devices of its host"):
        plan(replace(HERE, domain=domain(xml=xml)))


@pytest.mark.parametrize(
    ("source", "target", "options", "error"),
    [
        (HERE, replace(THERE, uuid="host-a"), {}, InvalidInput),
        (HERE, replace(THERE, uri=HERE.uri, uuid=None), {}, InvalidInput),
        (replace(HERE, domain=None), THERE, {}, NotFound),
        (HERE, replace(THERE, domain=domain()), {}, Conflict),
        (HERE, replace(THERE, twin="other"), {}, Conflict),
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
