# SPDX-License-Identifier: Apache-2.0
"""Puts VMs right whose move was cut off before its last phase: they stand still on the source."""

from __future__ import annotations

from hostler.errors import HostlerError
from hostler.plan.step import World
from hostler.vms.migration.move_step import MoveStep
from hostler.vms.migration.where import unclear
from hostler.vms.steps import libvirt_of


def is_cut(step: MoveStep, world: World) -> bool:
    """Whether a domain stands still on the source, and nobody moves it any more."""
    source = libvirt_of(world, step.uri)
    if source.migrations.is_moving(step.name) or not source.migrations.was_cut(step.name):
        return False
    return step.look(world).source is not None  # else another VM of that name


def mend(step: MoveStep, world: World) -> None:
    """Remove what stands still on the source where the target has it, else let it go on there.

    Raises:
        BackendError: nobody can tell where it runs.
    """
    if not is_cut(step, world):
        return
    source, seen = libvirt_of(world, step.uri), step.look(world)
    if isinstance(seen.target, HostlerError):
        raise unclear(step.name, step.uri, step.target_uri) from seen.target
    if seen.target is None or seen.target.active_xml is None:
        source.domains.resume(step.name)
    elif seen.target.status == "running":
        source.migrations.let_go(step.name)
    else:
        raise unclear(step.name, step.uri, step.target_uri)
