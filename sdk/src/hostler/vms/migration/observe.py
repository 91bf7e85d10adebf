# SPDX-License-Identifier: Apache-2.0
"""Reads both hosts before a VM is moved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostler.backends.libvirt.migration_target import cpu_fits, look_anew, read_room, read_volumes
from hostler.vms.migration.world import Source, Target, drives_of, tree_of

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor


def observe(name: str, source: Hypervisor, target: Hypervisor) -> tuple[Source, Target]:
    """Read what a planner needs to know of a VM and both hosts.

    Raises:
        Denied: one of them lets us read only.
    """
    for host in (source, target):
        host.write()
    domain = source.domains.read([name]).get(name)
    here = Source(source.uri, source.facts.uuid, domain)
    there = Target(target.uri, target.facts.uuid, target.domains.read([name]).get(name))
    if domain is None or here.uuid == there.uuid:
        return here, there
    drives = drives_of(tree_of(domain))
    for host in (source, target):
        look_anew(host, [drive.folder for drive in drives])
    volumes = read_volumes(source, [drive.path for drive in drives])
    backing = [volume.backing for volume in volumes.values() if volume.backing]
    room = read_room(target)
    names = {uuid: name for name, uuid in target.domains.names().items()}
    return (
        replace(here, volumes=volumes, moves=source.migrations.is_moving(name)),
        replace(
            there,
            twin=names.get(domain.uuid),
            free_memory=room.free_memory,
            pools=room.pools,
            space=room.space,
            volumes=read_volumes(target, [*(drive.path for drive in drives), *backing]),
            networks=room.networks,
            cpu_fits=cpu_fits(source, target, domain.active_xml or domain.inactive_xml),
        ),
    )
