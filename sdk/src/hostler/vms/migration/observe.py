# SPDX-License-Identifier: Apache-2.0
"""Reads both hosts before a VM is moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.backends.libvirt.migration_target import cpu_fits, read_room, read_volumes
from hostler.vms.migration.world import Source, Target, drives_of, tree_of

if TYPE_CHECKING:
    from hostler.backends.libvirt import Hypervisor


def observe(name: str, source: Hypervisor, target: Hypervisor) -> tuple[Source, Target]:
    """Read what a planner needs to know of a VM and both hosts."""
    domain = source.domains.read([name]).get(name)
    here = Source(source.uri, source.facts.uuid, domain)
    there = Target(target.uri, target.facts.uuid, target.domains.read([name]).get(name))
    if domain is None or here.uuid == there.uuid:
        return here, there
    paths = [drive.path for drive in drives_of(tree_of(domain))]
    room = read_room(target)
    names = {uuid: name for name, uuid in target.domains.names().items()}
    return (
        Source(here.uri, here.uuid, domain, read_volumes(source, paths)),
        Target(
            there.uri,
            there.uuid,
            there.domain,
            names.get(domain.uuid),
            room.free_memory,
            room.pools,
            read_volumes(target, paths),
            room.networks,
            cpu_fits(source, target, domain.active_xml or domain.inactive_xml),
        ),
    )
