# SPDX-License-Identifier: Apache-2.0
"""Plans a server's port. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, InvalidInput, NotFound, PolicyError
from hostler.models.network import NetworkView, PortTask, PortView, port_name
from hostler.models.nova import Server
from hostler.openstack.lookup import find
from hostler.openstack.steps import AttachPort, CreatePort, DeletePort, DetachPort
from hostler.plan.plan import Plan
from hostler.plan.step import Step


@dataclass(frozen=True)
class PortWorld:
    """What a port's planner looks at.

    Attributes:
        ports: those of the wanted name, in any network.
        groups: ids of the security groups of the server's project by name.
    """

    cloud: str
    server: Server
    network: NetworkView
    ports: tuple[PortView, ...]
    groups: Mapping[str, str]


def plan_port(task: PortTask, world: PortWorld, policy: Policy) -> Plan:
    """Plan a port: made and attached, or detached and deleted.

    Raises:
        Conflict: it is another server's, or differs from what is wanted.
        NotFound: no such subnet or security group.
        PolicyError: the fleet is read-only.
    """
    name = task.name or port_name(world.server.name, world.network.name)
    mine = [port for port in world.ports if port.network_id == world.network.id]
    if len(mine) > 1:
        ids = ", ".join(sorted(port.id for port in mine))
        hint = "Delete the one that is not used."
        raise Conflict(f"there are several: {ids}", on=f"port {name!r}", hint=hint)
    port = mine[0] if mine else None
    steps = _present(task, world, name, port) if task.state == "present" else []
    if task.state == "absent" and port is not None:
        steps = _absent(task, world, name, port)
    if steps and policy.read_only:
        hint = "Unset policy.read_only in fleet.yml to change it."
        raise PolicyError("the fleet is read-only", on=f"port {name!r}", hint=hint)
    words = "; ".join(step.summary for step in steps)
    if steps and port is not None and task.state == "present":
        words += " (the port was there, and no server had it)"
    nothing = f"port {name} is {'attached' if port else 'not there'}"
    before = _state(world, port)
    return Plan(
        target=f"port/{name}",
        summary=words or nothing,
        before=before,
        after=(_after(task, world, name, before) if task.state == "present" else {}),
        facts={"port": name, "network": world.network.id},
        steps=steps,
    )


def _present(task: PortTask, world: PortWorld, name: str, port: PortView | None) -> list[Step]:
    if port is None:
        return [_create(task, world, name), AttachPort(**_common(task, world, name))]
    _check_same(task, world, port)
    if port.attached_to(world.server.id):
        return []
    if port.server_id not in (None, world.server.id):
        hint = "Detach it there first, or give the port another name."
        raise Conflict(f"server {port.server_id} has it", on=f"port {name!r}", hint=hint)
    return [AttachPort(**_common(task, world, name))]


def _absent(task: PortTask, world: PortWorld, name: str, port: PortView) -> list[Step]:
    if port.server_id not in (None, world.server.id):
        hint = "Name that server, if you mean its port."
        raise Conflict(f"server {port.server_id} has it", on=f"port {name!r}", hint=hint)
    common = _common(task, world, name)
    steps: list[Step] = [DeletePort(**common)]
    return [DetachPort(**common), *steps] if port.server_id else steps


def _create(task: PortTask, world: PortWorld, name: str) -> CreatePort:
    subnet = find(world.network.subnets, task.subnet, "subnet") if task.subnet else None
    if task.fixed_ip and subnet is None and len(world.network.subnets) != 1:
        raise InvalidInput("fixed_ip needs subnet, as the network has several", on=f"port {name!r}")
    if task.fixed_ip and subnet is None:
        subnet = world.network.subnets[0]
    return CreatePort(
        **_common(task, world, name),
        network_name=world.network.name,
        project=world.server.project,
        subnet=subnet.id if subnet else None,
        fixed_ip=task.fixed_ip,
        mac=task.mac,
        security_groups=_groups(task, world),
    )


def _groups(task: PortTask, world: PortWorld) -> tuple[str, ...] | None:
    if task.security_groups is None:
        return None
    ids = set(world.groups.values())
    for word in task.security_groups:
        if word not in world.groups and word not in ids:
            there = ", ".join(sorted(world.groups)) or "none"
            what = f"the server's project has none of that name or id (there: {there})"
            raise NotFound(what, on=f"security group {word!r}")
    return tuple(world.groups.get(word, word) for word in task.security_groups)


def _check_same(task: PortTask, world: PortWorld, port: PortView) -> None:
    """Refuse what can't be changed of a port that is there."""
    differs = []
    if task.fixed_ip and task.fixed_ip not in port.addresses:
        differs.append(f"its address is {', '.join(port.addresses)}, not {task.fixed_ip}")
    if task.mac and task.mac != port.mac.lower():
        differs.append(f"its MAC is {port.mac}, not {task.mac}")
    groups = _groups(task, world)
    if groups is not None and set(groups) != set(port.security_groups):
        differs.append("its security groups are others")
    if port.project_id != world.server.project:
        differs.append("it is in another project than the server")
    if differs:
        hint = "Remove it first (state: absent), or give the port another name."
        raise Conflict("; ".join(differs), on=f"port {port.name!r}", hint=hint)


def _common(task: PortTask, world: PortWorld, name: str) -> dict[str, Any]:
    return {
        "cloud": world.cloud,
        "port": name,
        "network": world.network.id,
        "server": world.server.id,
        "server_name": world.server.name,
        "timeout": task.timeout,
    }


def _state(world: PortWorld, port: PortView | None) -> dict[str, Any]:
    if port is None:
        return {}
    return {
        "name": port.name,
        "network": world.network.name,
        "server": world.server.name if port.attached_to(world.server.id) else None,
        "addresses": list(port.addresses),
    }


def _after(
    task: PortTask, world: PortWorld, name: str, before: Mapping[str, Any]
) -> dict[str, Any]:
    addresses = before.get("addresses") or ([task.fixed_ip] if task.fixed_ip else [])
    return {
        "name": name,
        "network": world.network.name,
        "server": world.server.name,
        "addresses": addresses,
    }
