# SPDX-License-Identifier: Apache-2.0
"""Plans the maintenance of a host. Pure: where VMs go is found by ``hosts.placement``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hostler.config import Policy
from hostler.errors import Conflict, PolicyError
from hostler.hosts.maintenance.steps import NoteAway, RestHost, WakeHost
from hostler.models.host_maintenance import HostMaintenanceTask, Record
from hostler.models.placement import PlacementRequest
from hostler.plan.plan import Plan
from hostler.vms.domain.tree import devices
from hostler.vms.migration.steps import SendVolume
from hostler.vms.migration.world import Source, tree_of
from hostler.vms.volume_steps import CreateVolume

if TYPE_CHECKING:
    from hostler.backends.libvirt.domains import DomainState

FACT = "maintenance"
"""Names, in the facts of a VM's plan, the host whose maintenance it is for."""


def guard(task: HostMaintenanceTask, policy: Policy) -> None:
    """Refuse what the fleet's policy forbids.

    Raises:
        PolicyError: the fleet is read-only, or the host is protected.
    """
    on = f"host {task.host!r}"
    if policy.read_only:
        raise PolicyError("the fleet is read-only", on=on, hint="Unset policy.read_only first.")
    if task.state == "drained" and policy.protects(task.host) and not task.override_protection:
        hint = "Say override_protection: true in the task if you mean it."
        raise PolicyError("it is protected, and this would drain it", on=on, hint=hint)


def plan_rest(host: str, record: Record | None, onto: Iterable[str]) -> Plan:
    """Plan that a host takes no VMs any more."""
    if record and record.resting:
        return Plan(target=f"host/{host}", summary=f"host {host} is in maintenance already")
    step = RestHost(id=host, onto=tuple(sorted(set(onto))))
    return Plan(target=f"host/{host}", summary=step.summary, steps=[step])


def plan_wake(host: str, record: Record | None, keep: Iterable[str]) -> Plan:
    """Plan that a host takes VMs again; ``keep`` are UUIDs of those that come back."""
    wanted = tuple(sorted(set(keep)))
    if record is None or (not record.resting and set(record.away) <= set(wanted)):
        return Plan(target=f"host/{host}", summary=f"host {host} is active already")
    step = WakeHost(id=host, keep=wanted, before=record)
    return Plan(target=f"host/{host}", summary=step.summary, steps=[step])


def obstacle_of(
    domain: DomainState,
    task: HostMaintenanceTask,
    policy: Policy,
    *,
    snapshots: int,
    moving: bool,
    cut: bool,
) -> str | None:
    """Say why a VM can't leave its host, wherever it would go; None where it can."""
    if policy.protects(domain.name) and not task.override_protection:
        return "it is protected: say override_protection: true if you mean it"
    if moving:
        return "it is being moved already: wait for that"
    if cut:
        return "it stands still since a move that was cut off: see where it runs, and resume it"
    if snapshots:
        number = "a snapshot" if snapshots == 1 else f"{snapshots} snapshots"
        return f"it has {number}, and libvirt moves no VM that has: remove them"
    used = [str(d.get("type") or "?") for d in devices(tree_of(domain)).iterfind("hostdev")]
    if used and domain.active_xml is not None:
        return f"it uses devices of its host ({', '.join(used)}): unplug them, or stop it"
    return None


def wish_of(vm: str, uri: str, task: HostMaintenanceTask) -> Mapping[str, object]:
    """Return the migration of a VM to a host."""
    return {
        "vm": vm,
        "target_uri": uri,
        "override_protection": task.override_protection,
        **task.way.model_dump(),
    }


def needs(request: PlacementRequest, plan: Plan, source: Source) -> PlacementRequest:
    """Add the room that a move's new volumes take in the pools of its target."""
    sizes = {volume.name: volume.allocation for volume in source.volumes.values()}
    pools: dict[str, int] = {}
    for step in plan.steps:
        if isinstance(step, CreateVolume | SendVolume):
            pools[step.pool] = pools.get(step.pool, 0) + sizes.get(step.name, 0)
    return request.model_copy(update={"pools": pools})


def noted(plan: Plan, note: NoteAway, *, first: bool) -> Plan:
    """Have a move noted: before anything else but the reservation, or last of all."""
    steps = [plan.steps[0], note, *plan.steps[1:]] if first else [*plan.steps, note]
    facts = {**plan.facts, FACT: note.id}
    return plan.model_copy(update={"steps": steps, "facts": facts})


def cannot(task: HostMaintenanceTask, stuck: Mapping[str, str]) -> Conflict:
    """Return the error of a host that not all VMs can leave, or come back to."""
    verb = "be drained" if task.state == "drained" else "get its VMs back"
    reasons = "; ".join(f"{name}: {why}" for name, why in stuck.items())
    return Conflict(
        f"it can't {verb}. {reasons}",
        on=f"host {task.host!r}",
        hint="Nothing was touched. partial: true moves the others.",
    )


def gone_elsewhere(names: Sequence[str]) -> list[str]:
    """Say which VMs are not fetched back."""
    return [f"{name} is no longer where it was moved to, and is left alone" for name in names]
