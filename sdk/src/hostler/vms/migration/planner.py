# SPDX-License-Identifier: Apache-2.0
"""Pure planning of a VM's move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostler.config import Policy
from hostler.errors import Conflict, InvalidInput, NotFound, PolicyError
from hostler.models.size import MIB
from hostler.models.vm_migration import Mode, VmMigrationTask
from hostler.plan.plan import Plan
from hostler.vms.domain.tree import Element, attr, devices, memory_of
from hostler.vms.migration.steps import MigrateDomain, SendVolume, VerifyMigration
from hostler.vms.migration.where import is_moving
from hostler.vms.migration.world import Drive, Source, Target, drives_of, tree_of
from hostler.vms.volume_steps import CreateVolume

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState
    from hostler.plan.step import Step


def plan_migration(task: VmMigrationTask, source: Source, target: Target, policy: Policy) -> Plan:
    """Plan the move of one VM; every check comes before anything is touched.

    Raises:
        NotFound: it is on neither host.
        InvalidInput: it can't be moved there; names every reason.
        Conflict: the target has another VM of that name or UUID, or it is being moved already.
        PolicyError: the fleet's policy forbids it.
    """
    on = f"VM {task.vm!r} on {source.uri}"
    _two_hosts(source, target, on)
    domain = source.domain
    if domain is None:
        if target.domain is None:
            raise NotFound("there is no such VM", on=on, hint="See 'hostler vm list'.")
        return _moved_already(task, target)
    _guard(task, policy, on)
    if source.moves:
        raise is_moving(domain.name, source.uri)
    _free_name(domain, target)
    mode = _mode(task, domain, on)
    problems = _problems(task, mode, domain, source, target)
    if problems:
        raise InvalidInput("; ".join(problems), on=on, hint=f"Nothing was moved to {target.uri}.")
    return Plan(
        target=f"vm/{task.vm}",
        summary=f"migrate {task.vm} from {source.uri} to {target.uri} ({mode})",
        before={"host": source.uri, "status": domain.status},
        after={"host": target.uri, "status": domain.status},
        warnings=_warnings(task, domain, source, target),
        facts={"uuid": domain.uuid},
        steps=_steps(task, mode, domain, source, target),
    )


def _two_hosts(source: Source, target: Target, on: str) -> None:
    if source.uri == target.uri or (source.uuid and source.uuid == target.uuid):
        raise InvalidInput(
            f"{target.uri} is the same host", on=on, hint="Name another host as the target."
        )


def _moved_already(task: VmMigrationTask, target: Target) -> Plan:
    status = target.domain.status if target.domain else "unknown"
    here = {"host": target.uri, "status": status}
    summary = f"{task.vm} is on {target.uri} already"
    return Plan(target=f"vm/{task.vm}", summary=summary, before=here, after=here)


def _guard(task: VmMigrationTask, policy: Policy, on: str) -> None:
    if policy.read_only:
        raise PolicyError("the fleet is read-only", on=on, hint="Unset policy.read_only first.")
    if policy.protects(task.vm) and not task.override_protection:
        hint = "Say override_protection: true in the task if you mean it."
        raise PolicyError("it is protected, and this would move it", on=on, hint=hint)


def _free_name(domain: DomainState, target: Target) -> None:
    taken = domain.name if target.domain else target.twin
    if taken is None:
        return
    same = target.domain is not None and target.domain.uuid == domain.uuid
    what = "it is there too" if same or not target.domain else "the name is taken by another VM"
    hint = f"See which of the two is wanted, and remove the other: {taken!r} on {target.uri}."
    raise Conflict(what, on=f"VM {taken!r} on {target.uri}", hint=hint)


def _mode(task: VmMigrationTask, domain: DomainState, on: str) -> Mode:
    active = domain.active_xml is not None
    mode = task.mode or ("live" if active else "offline")
    if mode == "offline" and active:
        what = f"it is {domain.status}, and offline moves only the definition of a stopped VM"
        raise InvalidInput(what, on=on, hint="Stop it first, or leave mode out.")
    if mode != "offline" and not active:
        raise InvalidInput(f"it is {domain.status}, not running", on=on, hint="Leave mode out.")
    return mode


def _problems(
    task: VmMigrationTask, mode: Mode, domain: DomainState, source: Source, target: Target
) -> list[str]:
    """Say all that stands against the move."""
    tree = tree_of(domain)
    found = [
        f"network {name!r} does not run on the target"
        for name in _networks(tree)
        if name not in target.networks
    ]
    found += [
        f"{drive.device} {drive.target}: {problem}"
        for drive in drives_of(tree)
        if (problem := _drive_problem(task, drive, source, target))
    ]
    found += _space_problems(task, drives_of(tree), source, target)
    if mode == "offline":
        if not domain.persistent:
            found.append("it is transient, and has no definition to move")
        return found
    if given := _host_devices(tree):
        found.append(f"it uses devices of its host ({', '.join(given)}): unplug them")
    if target.cpu_fits is False:
        found.append("the target's CPU lacks what the VM's CPU has")
    need = memory_of(tree, "currentMemory") or memory_of(tree, "memory") or 0
    if target.free_memory is not None and need > target.free_memory:
        have = target.free_memory // MIB
        found.append(f"it needs {need // MIB} MiB of memory, and the target has {have} MiB free")
    return found


def _networks(tree: Element) -> list[str]:
    names = (attr(i, "source", "network") for i in devices(tree).iterfind("interface"))
    return sorted({name for name in names if name})


def _host_devices(tree: Element) -> list[str]:
    """Name what stays on the host; a card that its driver swaps for another one goes along."""
    cards = [
        card
        for card in devices(tree).iterfind("interface[@type='hostdev']")
        if attr(card, "teaming", "type") != "transient"
    ]
    found = [str(device.get("type") or "?") for device in devices(tree).iterfind("hostdev")]
    return found + ["network card"] * len(cards)


def _drive_problem(
    task: VmMigrationTask, drive: Drive, source: Source, target: Target
) -> str | None:
    here = source.volumes.get(drive.path)
    if drive.folder in target.pools:
        seen = _seen_problem if task.storage == "shared" else _copy_problem
        return seen(task, drive, source, target)
    if here or task.storage != "shared":  # else: in no pool here either, only QEMU can tell
        pool = f" (pool {here.pool!r} on the source)" if here else ""
        return f"the target has no running pool at {drive.folder}{pool}"
    return None


def _seen_problem(
    _task: VmMigrationTask, drive: Drive, source: Source, target: Target
) -> str | None:
    if drive.path in source.volumes and drive.path not in target.volumes:
        return f"the target has no {drive.path}: mount it there, or say storage: copy"
    return None


def _copy_problem(
    task: VmMigrationTask, drive: Drive, source: Source, target: Target
) -> str | None:
    here = source.volumes.get(drive.path)
    if not here:
        return f"{drive.path} is in no pool of the source"
    if drive.writable and drive.path in target.volumes:
        return f"the target has a volume {here.name!r} at {drive.folder} already"
    if drive.writable and task.storage == "incremental":
        if not here.backing:
            return "it has no backing file, so incremental copies nothing less: say copy"
        if here.backing not in target.volumes:
            return f"the target has no {here.backing}, which is its backing file"
    return None


def _space_problems(
    task: VmMigrationTask, drives: Sequence[Drive], source: Source, target: Target
) -> list[str]:
    """Say which folders of the target have less room than the copies take up on the source."""
    need: dict[str, int] = {}
    for drive in drives if task.storage != "shared" else ():
        volume = source.volumes.get(drive.path)
        if volume and drive.path not in target.volumes:
            need[drive.folder] = need.get(drive.folder, 0) + volume.allocation
    return [
        f"the copies take {size // MIB} MiB, and {folder} on the target has"
        f" {target.space[folder] // MIB} MiB free"
        for folder, size in need.items()
        if size > target.space.get(folder, size)
    ]


def _warnings(
    task: VmMigrationTask, domain: DomainState, source: Source, target: Target
) -> list[str]:
    tree = tree_of(domain)
    drives = drives_of(tree)
    found = []
    bridges = {attr(i, "source", "bridge") for i in devices(tree).iterfind("interface")} - {None}
    if bridges:
        names = ", ".join(sorted(str(b) for b in bridges))
        found.append(f"libvirt can't tell whether the target has {names}")
    if target.cpu_fits is None:
        found.append("libvirt can't tell whether the target's CPU fits")
    if task.storage == "shared":
        unseen = [d.path for d in drives if d.path not in source.volumes]
        found += [f"{path} is in no pool: the target must see it too" for path in unseen]
    elif any(d.writable for d in drives):
        paths = ", ".join(d.path for d in drives if d.writable)
        found.append(f"the copied volumes stay on the source: {paths}")
    return found


def _steps(
    task: VmMigrationTask, mode: Mode, domain: DomainState, source: Source, target: Target
) -> list[Step]:
    steps: list[Step] = []
    if task.storage != "shared":
        missing = [d for d in drives_of(tree_of(domain)) if d.path not in target.volumes]
        steps += [_volume(task, mode, drive, source, target) for drive in missing]
    both = {"uri": source.uri, "name": domain.name, "target_uri": target.uri, "uuid": domain.uuid}
    way = task.way
    if not domain.persistent:
        way = way.model_copy(update={"persist": False, "undefine_source": False})
    stays = domain.persistent and not way.undefine_source
    return [
        *steps,
        MigrateDomain(**both, mode=mode, way=way),
        VerifyMigration(**both, stays_defined=stays),
    ]


def _volume(
    task: VmMigrationTask, mode: Mode, drive: Drive, source: Source, target: Target
) -> Step:
    have, pool = source.volumes[drive.path], target.pools[drive.folder]
    if not drive.writable or mode == "offline":
        return SendVolume(
            uri=target.uri, pool=pool, name=have.name, from_uri=source.uri, path=drive.path
        )
    keeps = task.storage == "incremental"
    return CreateVolume(
        uri=target.uri,
        pool=pool,
        name=have.name,
        capacity=have.capacity,
        format=have.format or "raw",
        backing_path=have.backing if keeps else None,
        backing_format=have.backing_format if keeps else None,
    )
