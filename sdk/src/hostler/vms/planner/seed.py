# SPDX-License-Identifier: Apache-2.0
"""The cloud-init seed of a VM: a small volume, named after the digest of what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from hostler.models.devices import Cdrom
from hostler.models.vm import VmSpec
from hostler.vms.domain.disks import Source, drives, seed_owner, source_of
from hostler.vms.domain.tree import Element, attr
from hostler.vms.planner.storage import DEFAULT_POOL, pool_of, volume_source
from hostler.vms.seed import Seed, make_seed
from hostler.vms.volume_steps import CreateVolume, DeleteVolume, WriteSeed

if TYPE_CHECKING:
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed

MARK = "-seed-"


def seed_name(vm: str, digest: str) -> str:
    """Return the name of a seed's volume."""
    return f"{vm}{MARK}{digest}.iso"


def plan_seed(
    spec: VmSpec, macs: list[str], tree: Element, observed: Observed
) -> tuple[tuple[Cdrom, Source] | None, list[Step], list[Step]]:
    """Return the drive of the seed, the steps that write it, and those that delete the old one.

    Nothing is written where the VM has a seed of the same content. One that is there and that it
    does not have was left half way by somebody: it is written again.
    """
    if spec.cloud_init is None:
        return None, [], []
    first_disk_pool = next((d.pool for d in spec.disks if d.pool), None)
    pool = pool_of(observed, spec.cloud_init.pool or first_disk_pool or DEFAULT_POOL)
    drive, old = _old_seed(tree)
    first_name = seed_owner(old) or spec.name  # a renamed VM is the same instance still
    seed = make_seed(spec, spec.cloud_init, macs, first_name)
    name = seed_name(first_name, seed.digest)
    source = volume_source(pool, name, "raw")
    cdrom = Cdrom(target=drive, bus="scsi")  # kernels for clouds often have no SATA driver
    if old is not None and _name_of(old) == name:
        return (cdrom, source), [], []
    volume = observed.disks.get(drive or "")
    drop: list[Step] = []
    if volume is not None:
        drop = [DeleteVolume(uri=observed.host.uri, pool=volume.pool, name=volume.name)]
    there = name in observed.host.volume_names[pool.name]
    write = _write_steps(observed.host.uri, pool.name, name, seed)
    return (cdrom, source), write[1:] if there else write, drop


def _write_steps(uri: str, pool: str, name: str, seed: Seed) -> list[Step]:
    create = CreateVolume(uri=uri, pool=pool, name=name, capacity=seed.capacity, format="raw")
    write = WriteSeed(
        uri=uri,
        pool=pool,
        name=name,
        meta_data=seed.meta_data,
        user_data=SecretStr(seed.user_data),
        network_config=SecretStr(seed.network_config) if seed.network_config else None,
    )
    return [create, write]


def _name_of(source: Source) -> str:
    return source.volume or (source.path or "").rsplit("/", 1)[-1]


def _old_seed(tree: Element) -> tuple[str | None, Source | None]:
    for drive in drives(tree, "cdrom"):
        source = source_of(drive)
        if seed_owner(source) is not None:
            return attr(drive, "target", "dev"), source
    return None, None
