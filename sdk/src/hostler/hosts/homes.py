# SPDX-License-Identifier: Apache-2.0
"""Finds the home of each VM: the host that has it, or one with room for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hostler.errors import Conflict, HostlerError, Unreachable
from hostler.hosts import facts
from hostler.hosts.observe import Seen
from hostler.hosts.placement import place_all
from hostler.hosts.stored import LastSeen
from hostler.models.devices import HostDevice
from hostler.models.host import Host
from hostler.models.placement import RULES, Placement, PlacementRequest, PlacementRules
from hostler.models.size import MIB
from hostler.models.vm import VmSpec
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan, new_id
from hostler.vms.domain.basics import cpus_of
from hostler.vms.domain.skeleton import DEFAULT_MEMORY
from hostler.vms.domain.tree import memory_of, parse
from hostler.vms.home import Home
from hostler.vms.inventory_row import VmRow
from hostler.vms.observe import DEFAULT_POOL

if TYPE_CHECKING:
    from hostler.hosts.service import Hosts

Row = tuple[Host, Seen | HostlerError]


def find_homes(hosts: Hosts, tasks: Sequence[VmTask]) -> list[Home | HostlerError]:
    """Return where each task is carried out; what has no home is an error that says why.

    All hosts are read. One that can't be is passed over, unless it may have the VM.
    """
    tasks = [_remembering(task) for task in tasks]
    rows = hosts.read(hosts.list())
    unread = [host.id for host, seen in rows if isinstance(seen, HostlerError)]
    last = hosts.stored.read(unread) if unread else {}
    found = [_where(task, rows, last) for task in tasks]
    lost = [task for task, home in zip(tasks, found, strict=True) if home is None]
    requests = [request_of(task, rows) for task in lost]
    candidates = [one.candidate for one in hosts.rooms.candidates(rows)]
    placed = zip(lost, requests, place_all(requests, candidates), strict=True)
    homes = iter([_home(hosts, *one) for one in placed])
    return [next(homes) if home is None else home for home in found]


def _remembering(task: VmTask) -> VmTask:
    """Keep the rules that hold wherever a VM is moved to; a whole domain's XML has its own."""
    spec, rules = task.spec, task.options.placement
    if rules is None or spec.xml is not None:
        return task
    metadata = {**(spec.metadata or {}), RULES: rules.dump()}
    return task.model_copy(update={"spec": spec.model_copy(update={"metadata": metadata})})


def _where(
    task: VmTask, rows: Sequence[Row], last: Mapping[str, LastSeen]
) -> Home | HostlerError | None:
    """Return the host that has a VM; None where it is to be placed."""
    spec, on = task.spec, f"VM {task.spec.name!r}"
    names = {spec.name, spec.new_name}
    has = [
        host
        for host, seen in rows
        if isinstance(seen, Seen) and any(vm["name"] in names for vm in seen.vms)
    ]
    if len(has) > 1:
        both = " and ".join(host.id for host in has)
        return Conflict(f"there is one on hosts {both}", on=on, hint="Say which: host: ID.")
    if has:
        return Home(has[0].uri, task, host_id=has[0].id)
    for host, seen in rows:
        if isinstance(seen, HostlerError) and (why := _may_be_on(host, names, last)):
            hint = f"Name another host, or remove it from the pool. {seen}"
            return Unreachable(f"{why}, which can't be reached", on=on, hint=hint)
    if task.options.state in ("absent", "reset"):
        reached = (host for host, seen in rows if isinstance(seen, Seen))
        return next((Home(host.uri, task, host_id=host.id) for host in reached), None)
    return None


def may_have(hosts: Hosts, names: Iterable[str], host_ids: Sequence[str]) -> dict[str, str]:
    """Say why VMs may be on hosts that can't be reached, by their names; by what was last seen."""
    last = hosts.stored.read(host_ids)
    lost = [host for host in hosts.list() if host.id in host_ids]
    found: dict[str, str] = {}
    for name in names:
        reasons = [why for host in lost if (why := _may_be_on(host, {name}, last))]
        found |= {name: reasons[0]} if reasons else {}
    return found


def _may_be_on(host: Host, names: set[str | None], last: Mapping[str, LastSeen]) -> str | None:
    """Say why a VM may be on a host that can't be reached; None where it is not."""
    if host.id not in last:
        return f"it may be on host {host.id}, never seen so far"
    if any(vm["name"] in names for vm in last[host.id].vms):
        return f"it was last seen on host {host.id}"
    return None


def _home(
    hosts: Hosts, task: VmTask, request: PlacementRequest, placement: Placement | HostlerError
) -> Home | HostlerError:
    if isinstance(placement, HostlerError):
        return placement
    if placement.gpus:
        given = tuple(HostDevice(address=address) for address in placement.gpus)
        devices = {"host_devices": (*task.spec.host_devices, *given)}
        task = task.model_copy(update={"spec": task.spec.model_copy(update=devices)})
    keep = partial(_keep, hosts, request, placement, new_id())
    return Home(placement.uri, task, keep, placement.host)


def _keep(
    hosts: Hosts, request: PlacementRequest, placement: Placement, claim_id: str, plan: Plan
) -> Plan:
    return hosts.rooms.keep(plan, request, placement, claim_id) if plan.changed else plan


def request_of(task: VmTask, rows: Sequence[Row]) -> PlacementRequest:
    """Return what a new VM asks of a host."""
    spec = task.spec
    template = spec.from_template.vm if spec.from_template else None
    sizes = _sizes(spec, _rows_of(template, rows))
    return PlacementRequest(
        vm=spec.new_name or spec.name,
        **sizes,
        labels={key: value for key, value in (spec.labels or {}).items() if value is not None},
        rules=task.options.placement or PlacementRules(),
        pools=_pools(spec),
        networks=tuple(n.network_name for n in spec.networks or () if n.type == "network"),
        exclude={
            host.id: why
            for host, seen in rows
            if isinstance(seen, Seen) and (why := _can_t_run(spec, template, seen))
        },
    )


def _rows_of(name: str | None, rows: Sequence[Row]) -> list[VmRow]:
    return [
        vm
        for _, seen in rows
        if name is not None and isinstance(seen, Seen)
        for vm in seen.vms
        if vm["name"] == name
    ]


def _sizes(spec: VmSpec, templates: Sequence[VmRow]) -> dict[str, Any]:
    """Return CPUs and bytes of memory: as asked for, the template's, or those of any new VM."""
    if spec.xml is not None:
        tree = parse(spec.xml, f"xml of VM {spec.name!r}")
        size = memory_of(tree, "currentMemory") or memory_of(tree, "memory") or DEFAULT_MEMORY
        return {"cpus": cpus_of(tree)[0], "memory": size}
    cpus, memory = spec.cpus or spec.cpus_max, spec.memory or spec.memory_max
    if templates:
        cpus = cpus or templates[0]["cpu_cores"]
        memory = memory or templates[0]["memory_mb"] * MIB
    return {"cpus": cpus or 1, "memory": memory or DEFAULT_MEMORY}


def _pools(spec: VmSpec) -> dict[str, int]:
    """Return the bytes that new volumes of a known size take, by pool."""
    found: dict[str, int] = {}
    for disk in spec.disks:
        if disk.state == "present" and disk.path is None:
            pool = disk.pool or DEFAULT_POOL
            found[pool] = found.get(pool, 0) + (disk.size or 0)
    return found


def _can_t_run(spec: VmSpec, template: str | None, seen: Seen) -> str | None:
    """Say why a host can't have a VM, by what it has and runs; None where it can."""
    if template is not None and template not in [vm["name"] for vm in seen.vms]:
        return f"has no VM {template!r} to clone"
    tree = parse(seen.machine.capabilities, "capabilities")
    types = facts.domain_types(tree)
    arch = spec.arch or str(tree.findtext("host/cpu/arch"))
    if spec.arch and spec.arch not in types:
        return f"runs no VMs of architecture {spec.arch}"
    if spec.virt_type not in (None, "auto", *types.get(arch, ())):
        return f"has no virt_type {spec.virt_type}"
    return None
