# SPDX-License-Identifier: Apache-2.0
"""Plans what connects and guards a VM: its port in the storage network, its firewall. Pure."""

from __future__ import annotations

from typing import Any

from hostler.errors import Conflict, NotFound
from hostler.hyperstack.steps import AttachFirewalls
from hostler.launches.steps import AttachStoragePort, CreateStoragePort
from hostler.launches.world import LaunchWorld
from hostler.models.hyperstack import Firewall, HyperstackVm
from hostler.models.launch import LaunchTask
from hostler.models.launch_config import LaunchRegion
from hostler.models.network import port_name
from hostler.models.nova import Server
from hostler.openstack.lookup import find
from hostler.plan.step import Step


def port_steps(
    task: LaunchTask, world: LaunchWorld, settings: LaunchRegion, server: Server | None
) -> list[Step]:
    """Return the steps that connect a VM; ``server`` is Nova's side of one that is there.

    Raises:
        NotFound: there is no such network or subnet.
        Conflict: the port's name is another server's.
    """
    if not settings.network:
        return []
    network = find(world.networks, settings.network, "network")
    subnet = find(network.subnets, settings.subnet, "subnet").id if settings.subnet else None
    common = {
        **_common(task, world, settings),
        "cloud": world.gpu.cloud,
        "host": task.hostname,
        "settle": world.config.settle_seconds,
        "network": network.id,
        "network_name": network.name,
    }
    name = port_name(task.vm_name, network.name)
    mine = [p for p in world.ports if p.name == name and p.network_id == network.id]
    owner = mine[0].server_id if mine else None
    if owner is not None and (server is None or owner != server.id):
        hint = "Delete that port, or give the VM another name."
        raise Conflict(f"server {owner} has it", on=f"port {name!r}", hint=hint)
    if server is not None and any(port.attached_to(server.id) for port in mine):
        return []
    attach = AttachStoragePort(**common)
    return [attach] if mine else [CreateStoragePort(**common, subnet=subnet), attach]


def firewall_step(
    task: LaunchTask, world: LaunchWorld, settings: LaunchRegion, vm: HyperstackVm | None
) -> list[Step]:
    """Return the step that attaches the region's firewall to a VM.

    Raises:
        NotFound: the environment has no such firewall.
    """
    if not settings.firewall:
        return []
    firewall = _firewall(world, settings.firewall)
    if vm is not None and vm.id in firewall.vm_ids:
        return []
    mine = {f.id for f in world.hyperstack.firewalls if vm and vm.id in f.vm_ids}
    return [
        AttachFirewalls(
            **_common(task, world, settings),
            id=vm.id if vm else None,
            attach=(firewall.id,),
            words=firewall.name,
            shown=tuple(sorted(mine | {firewall.id})),
        )
    ]


def _firewall(world: LaunchWorld, word: str) -> Firewall:
    """Return the firewall of a name or an id."""
    for firewall in world.hyperstack.firewalls:
        if word in (firewall.name, str(firewall.id)):
            return firewall
    names = ", ".join(sorted(f.name for f in world.hyperstack.firewalls)) or "none"
    where = world.hyperstack.name
    raise NotFound(f"environment {where} has no firewall {word!r} (there: {names})")


def _common(task: LaunchTask, world: LaunchWorld, settings: LaunchRegion) -> dict[str, Any]:
    return {
        "url": world.hyperstack.url,
        "environment": settings.environment,
        "name": task.vm_name,
        "timeout": task.wait_timeout,
    }
