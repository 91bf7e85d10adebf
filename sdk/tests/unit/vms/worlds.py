# SPDX-License-Identifier: Apache-2.0
"""Worlds for the planner: what would have been observed, and what a plan makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hostler.backends.libvirt.domains import DomainState
from hostler.backends.libvirt.facts import HostFacts
from hostler.backends.libvirt.volumes import PoolState, VolumeState
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.plan.step import Step
from hostler.vms.domain.disks import drives, source_of
from hostler.vms.domain.tree import attr, parse
from hostler.vms.images import ImageFacts
from hostler.vms.observe import HostView, Observed
from hostler.vms.steps import DefineDomain
from hostler.vms.volume_steps import CloneVolume, CreateVolume, GrowNewVolume

URI = "qemu:///system"
FOLDER = "/var/lib/libvirt/images"
UUID = "11111111-1111-4111-8111-111111111111"
GIB = 1024**3
FACTS = HostFacts(
    hostname="h",
    uuid=None,
    version="7.2.22",
    driver="QEMU",
    arch="x86_64",
    types={"x86_64": ["qemu", "kvm"]},
    machines={"x86_64": {"q35": "pc-q35-7.2", "pc-q35-7.2": "pc-q35-7.2", "pc": "pc-i440fx-7.2"}},
)


def volume(name: str, capacity: int = GIB, **fields: Any) -> VolumeState:
    known = {"pool": "default", "path": f"{FOLDER}/{name}", "allocation": 0, "format": "qcow2"}
    return VolumeState(**{**known, "name": name, "capacity": capacity, "backing": None, **fields})


def world(*volumes: VolumeState, **fields: Any) -> Observed:
    """A host with two pools, of which one is not active, and these volumes."""
    pools = {
        "default": PoolState("default", True, "dir", FOLDER, 100 * GIB),
        "off": PoolState("off", False, "dir", "/off", 0),
    }
    names = frozenset(v.name for v in volumes)
    host = HostView(
        uri=URI,
        facts=FACTS,
        names={},
        networks={"default": True, "lab": False},
        pools=pools,
        volume_names={"default": names, "off": frozenset()},
        kvm_works=True,
    )
    seen = Observed(
        host=host,
        domain=None,
        volumes={(v.pool, v.name): v for v in volumes},
        images={"/i.qcow2": ImageFacts("/i.qcow2", "qcow2", GIB, GIB // 8)},
        new_uuid=UUID,
        new_macs=tuple(f"52:54:00:00:00:{n:02x}" for n in range(32)),
        now="2026-01-01T00:00:00+00:00",
    )
    return replace(seen, **fields)


def task(**wanted: Any) -> VmTask:
    return VmTask.parse({"name": "v", **wanted})


def kinds(plan: Plan) -> list[str]:
    return [step.kind for step in plan.steps]


def after(seen: Observed, steps: list[Step], *, status: str = "stopped") -> Observed:
    """The world once a create's steps are done: its volumes are there, and the domain."""
    made: dict[str, VolumeState] = {}
    for step in steps:
        if isinstance(step, CreateVolume):
            made[step.name] = volume(step.name, step.capacity, format=step.format)
        elif isinstance(step, CloneVolume):
            origin = seen.volumes[(step.from_pool, step.from_volume)]
            made[step.name] = volume(step.name, origin.capacity, format=step.format)
        elif isinstance(step, GrowNewVolume):
            made[step.name] = replace(made[step.name], capacity=step.capacity)
    [define] = [step for step in steps if isinstance(step, DefineDomain)]
    autostart = any(step.kind == "domain.autostart" for step in steps)
    fresh = tuple(f"52:54:00:00:01:{n:02x}" for n in range(32))
    there = world(*seen.volumes.values(), *made.values(), new_macs=fresh)
    return with_domain(there, define.xml, status=status, autostart=autostart)


def with_domain(
    seen: Observed, xml: str, *, status: str = "stopped", autostart: bool = False, **more: Any
) -> Observed:
    """The world with a domain, as libvirt would tell of it."""
    by_path = {v.path: v for v in seen.volumes.values()}
    disks = {}
    for drive in [*drives(parse(xml), "disk"), *drives(parse(xml), "cdrom")]:
        source = source_of(drive)
        if source and source.path in by_path:
            disks[str(attr(drive, "target", "dev"))] = by_path[source.path]
    domain = DomainState(
        name=str(parse(xml).findtext("name")),
        uuid=UUID,
        status=status,
        persistent=True,
        inactive_xml=xml,
        active_xml=None if status == "stopped" else xml,
        autostart=autostart,
        managed_save=False,
    )
    sizes = {target: v.capacity for target, v in disks.items()}
    domain = replace(domain, **{k: v for k, v in more.items() if hasattr(domain, k)})
    return replace(seen, domain=domain, disks=disks, sizes=sizes)
