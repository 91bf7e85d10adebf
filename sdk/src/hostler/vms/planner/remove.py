# SPDX-License-Identifier: Apache-2.0
"""A VM that should not be there: stop, undefine, and delete its own volumes where asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.errors import InvalidInput
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.vms.domain.disks import drives, seed_owner, source_of
from hostler.vms.domain.read import document
from hostler.vms.domain.tree import Element, attr, parse
from hostler.vms.steps import StopDomain, UndefineDomain
from hostler.vms.volume_steps import DeleteVolume

if TYPE_CHECKING:
    from hostler.plan.step import Step
    from hostler.vms.observe import Observed


def plan_remove(task: VmTask, observed: Observed) -> Plan:
    """Plan a VM away.

    Raises:
        InvalidInput: it runs, and ``force`` is off.
    """
    domain, uri, name = observed.domain, observed.host.uri, task.spec.name
    if domain is None:
        return Plan(target=f"vm/{name}", summary=f"VM {name} is not there")
    steps: list[Step] = []
    if domain.active_xml is not None:
        if not task.options.force:
            raise InvalidInput(
                f"it is {domain.status}, and must be stopped before it is deleted",
                hint="Stop it first, or say force: true to cut its power.",
            )
        paused = domain.status == "paused"
        steps.append(StopDomain(uri=uri, name=name, hard=True, was_paused=paused))
    if domain.persistent:
        steps.append(
            UndefineDomain(
                uri=uri,
                name=name,
                uuid=domain.uuid,
                before_xml=domain.inactive_xml,
                autostart=domain.autostart,
            )
        )
    deletes, warnings = _deletes(task, observed)
    before = document(parse(domain.inactive_xml), observed.sizes)
    if domain.managed_save:
        warnings.append("its saved memory state is deleted")
    return Plan(
        target=f"vm/{name}",
        summary=f"delete VM {name} on {uri}",
        before={"name": name, **before, "status": domain.status, "autostart": domain.autostart},
        warnings=warnings,
        facts={"deleted_disks": [f"{d.pool}/{d.name}" for d in deletes]},
        steps=[*steps, *deletes],
    )


def _deletes(task: VmTask, observed: Observed) -> tuple[list[DeleteVolume], list[str]]:
    """Return what deletes the VM's seed and, where asked, its own disks.

    ISO files, backing files, shared and read-only disks and those of other VMs always stay.
    """
    if observed.domain is None or task.options.preserve_volumes:
        return [], []
    deletes, warnings = [], []
    tree, uri = parse(observed.domain.inactive_xml), observed.host.uri
    for drive in [*drives(tree, "disk"), *drives(tree, "cdrom")]:
        target, source = str(attr(drive, "target", "dev")), source_of(drive)
        volume = observed.disks.get(target)
        if source is None:
            continue
        path = source.path or source.volume
        if drive.get("device") == "cdrom":
            if seed_owner(source) is None:
                continue
        elif not task.options.delete_disks:
            continue
        used = volume is not None and volume.path in observed.others
        why = _why_kept(drive, unknown=volume is None, used=used)
        if why or volume is None:
            warnings.append(f"disk {target} ({path}) is kept: {why}")
        else:
            deletes.append(DeleteVolume(uri=uri, pool=volume.pool, name=volume.name))
    return deletes, warnings


def _why_kept(drive: Element, *, unknown: bool, used: bool) -> str:
    if unknown:
        return "it is in no storage pool"
    if used:
        return "another VM uses it"
    if drive.find("shareable") is not None:
        return "it is shared"
    if drive.find("readonly") is not None and drive.get("device") != "cdrom":
        return "it is read-only"
    return ""
