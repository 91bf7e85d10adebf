# SPDX-License-Identifier: Apache-2.0
"""Pure planning of snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from hostler.config import Policy
from hostler.errors import InvalidInput, NotFound, PolicyError
from hostler.models.vm_task import SnapshotTask
from hostler.models.vm_view import SnapshotView
from hostler.plan.plan import Plan
from hostler.vms.domain.disks import drives
from hostler.vms.domain.tree import add, attr, parse, serialise
from hostler.vms.snapshot_steps import CreateSnapshot, DeleteSnapshot, RevertSnapshot

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState
    from hostler.plan.step import Step


def plan_snapshot(
    task: SnapshotTask,
    uri: str,
    domain: DomainState | None,
    snapshots: list[SnapshotView],
    policy: Policy,
) -> Plan:
    """Plan one snapshot.

    Raises:
        NotFound: there is no such VM, or no such snapshot to revert to.
        InvalidInput: the snapshot can't be made, or has children.
        PolicyError: the fleet's policy forbids it.
    """
    on = f"VM {task.vm!r} on {uri}"
    if domain is None:
        raise NotFound("there is no such VM", on=on, hint="See 'hostler vm list'.")
    have = {s.name: s for s in snapshots}
    steps = _steps(task, uri, domain, have, on)
    plan = Plan(
        target=f"vm/{task.vm}",
        summary=steps[0].summary if steps else f"snapshot {task.name} is as wanted",
        before=_shown(have),
        after=_after(task, domain, have) if steps else _shown(have),
        steps=steps,
    )
    _guard(task, plan, policy, on)
    return plan


def _steps(
    task: SnapshotTask, uri: str, domain: DomainState, have: dict[str, SnapshotView], on: str
) -> list[Step]:
    if task.state == "present":
        return [] if task.name in have else [_create(task, uri, domain, on)]
    if task.state == "reverted":
        if task.name not in have:
            raise NotFound(
                f"it has no snapshot {task.name!r} (there: {', '.join(have) or 'none'})", on=on
            )
        return [RevertSnapshot(uri=uri, name=task.vm, snapshot=task.name, running=task.running)]
    if task.name not in have:
        return []
    children = [s.name for s in have.values() if s.parent == task.name]
    if children and have[task.name].external and not task.children:
        raise InvalidInput(
            f"snapshot {task.name} is external and has children ({', '.join(children)})",
            on=on,
            hint="Remove those first, or say children: true.",
        )
    return [DeleteSnapshot(uri=uri, name=task.vm, snapshot=task.name, children=task.children)]


def _create(task: SnapshotTask, uri: str, domain: DomainState, on: str) -> CreateSnapshot:
    running = domain.active_xml is not None
    tree = parse(domain.active_xml or domain.inactive_xml)
    _check(task, running=running, formats=_formats(tree), on=on)
    if running and not task.external:
        _check_plugged(tree, on)
    snapshot = etree.Element("domainsnapshot")
    add(snapshot, "name", task.name)
    if task.description:
        add(snapshot, "description", task.description)
    if task.external:
        if not task.memory or not running:
            add(snapshot, "memory", snapshot="no")
        disks = add(snapshot, "disks")
        for drive in drives(tree, "disk"):
            writable = drive.find("readonly") is None and drive.find("shareable") is None
            add(
                disks,
                "disk",
                name=str(attr(drive, "target", "dev")),
                snapshot="external" if writable else "no",
            )
    return CreateSnapshot(
        uri=uri,
        name=task.vm,
        snapshot=task.name,
        xml=serialise(snapshot),
        external=task.external,
        disk_only=task.external and not (task.memory and running),
        quiesce=task.quiesce,
    )


def _formats(tree: Any) -> set[str]:
    writable = (d for d in drives(tree, "disk") if d.find("readonly") is None)
    return {attr(d, "driver", "type") or "raw" for d in writable}


def _check(task: SnapshotTask, *, running: bool, formats: set[str], on: str) -> None:
    if task.external and task.memory and running:
        raise InvalidInput(
            "an external snapshot with memory needs a file for it, which is not supported",
            on=on,
            hint="Leave 'memory' out, or make an internal snapshot.",
        )
    if task.external and not formats:
        raise InvalidInput("it has no writable disk to make an external snapshot of", on=on)
    if not task.external and formats - {"qcow2"}:
        raise InvalidInput(
            f"an internal snapshot needs qcow2 disks, and it has {', '.join(sorted(formats))}",
            on=on,
            hint="Say external: true.",
        )
    if task.quiesce and not (task.external and running):
        raise InvalidInput("'quiesce' is for external snapshots of running VMs", on=on)
    if not task.external and running and not task.memory:
        raise InvalidInput(
            "an internal snapshot of a running VM holds its memory too",
            on=on,
            hint="Say memory: true, external: true, or stop the VM first.",
        )


def _check_plugged(tree: Any, on: str) -> None:
    """Refuse memory that saw CPUs plugged in: libvirt can't go back to it, the VM would be lost."""
    if tree.find("vcpus/vcpu[@enabled='yes'][@hotpluggable='yes']") is not None:
        raise InvalidInput(
            "CPUs were plugged into it while it ran, and libvirt can't revert to such memory",
            on=on,
            hint="Say external: true, or restart the VM first.",
        )


def _shown(have: dict[str, SnapshotView]) -> dict[str, Any]:
    keys = {"description", "memory", "external", "current", "parent", "state"}
    return {name: s.model_dump(include=keys, exclude_none=True) for name, s in have.items()}


def _after(
    task: SnapshotTask, domain: DomainState, have: dict[str, SnapshotView]
) -> dict[str, Any]:
    shown = _shown(have)
    if task.state == "absent":
        gone = {task.name} | (_descendants(task.name, have) if task.children else set())
        heir = have[task.name].parent
        kept = {n: dict(s) for n, s in shown.items() if n not in gone}
        for name, entry in kept.items():
            if have[name].parent == task.name and heir:
                entry["parent"] = heir
        return kept
    for entry in shown.values():
        entry["current"] = False
    if task.state == "reverted":
        shown[task.name]["current"] = True
        return shown
    current = next((s.name for s in have.values() if s.current), None)
    view = SnapshotView(
        name=task.name,
        description=task.description,
        memory=domain.active_xml is not None and not task.external,
        external=task.external,
        current=True,
        parent=current,
    )
    return {**shown, **_shown({task.name: view})}


def _descendants(name: str, have: dict[str, SnapshotView]) -> set[str]:
    found = {s.name for s in have.values() if s.parent == name}
    return found.union(*(_descendants(child, have) for child in found))


def _guard(task: SnapshotTask, plan: Plan, policy: Policy, on: str) -> None:
    if not plan.changed:
        return
    if policy.read_only:
        raise PolicyError("the fleet is read-only", on=on, hint="Unset policy.read_only first.")
    harms = task.state != "present"
    if harms and policy.protects(task.vm) and not task.override_protection:
        raise PolicyError(
            f"it is protected, and this would {plan.summary}",
            on=on,
            hint="Say override_protection: true in the task if you mean it.",
        )
