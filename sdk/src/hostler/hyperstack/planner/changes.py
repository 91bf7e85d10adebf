# SPDX-License-Identifier: Apache-2.0
"""Plans what of a VM is changed in place."""

from __future__ import annotations

from typing import Any

from hostler.errors import Conflict, NotFound
from hostler.hyperstack.planner.common import rule_state, vm_state
from hostler.hyperstack.steps import (
    AddVmRule,
    AttachFloatingIp,
    AttachVolumes,
    DetachFloatingIp,
    DetachVolumes,
    RemoveVmRule,
    SetCallback,
    SetLabels,
)
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import HyperstackVm, SeenRule
from hostler.models.hyperstack_rule import differences
from hostler.models.hyperstack_task import MAX_VOLUMES, HyperstackVmTask
from hostler.plan.step import Step

_FREE = ("available", None)
State = dict[str, Any]


def changes(
    task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm
) -> tuple[list[Step], State]:
    """Return the steps, those that can't be undone last, and the state after them.

    Raises:
        NotFound: a volume is not there.
        Conflict: it is another VM's.
    """
    after = vm_state(vm)
    common: dict[str, Any] = {
        "url": world.url,
        "environment": task.environment,
        "name": task.name,
        "id": vm.id,
        "timeout": task.wait_timeout,
    }
    steps = [
        *_labels(task, vm, common, after),
        *_callback(task, vm, common, after),
        *_rules(task, vm, common, after),
        *_volumes(task, world, vm, common, after),
        *_floating_ip(task, vm, common, after),
    ]
    return steps, after


def _labels(task: HyperstackVmTask, vm: HyperstackVm, common: State, after: State) -> list[Step]:
    if task.labels is None or set(task.labels) == set(vm.labels):
        return []
    after["labels"] = sorted(set(task.labels))
    return [SetLabels(**common, labels=task.labels, before=vm.labels)]


def _callback(task: HyperstackVmTask, vm: HyperstackVm, common: State, after: State) -> list[Step]:
    wanted = task.callback_url or None
    if task.callback_url is None or wanted == vm.callback_url:
        return []
    after["callback_url"] = wanted
    return [SetCallback(**common, callback_url=wanted, before=vm.callback_url)]


def _rules(task: HyperstackVmTask, vm: HyperstackVm, common: State, after: State) -> list[Step]:
    if task.security_rules is None:
        return []
    missing, extra = differences(task.security_rules, vm.security_rules)
    gone = [r for r in extra if isinstance(r, SeenRule)] if task.purge_rules else []
    kept = [rule for rule in vm.security_rules if rule not in gone]
    after["security_rules"] = rule_state([*kept, *missing])
    return [
        *(AddVmRule(**common, rule=rule) for rule in missing),
        *(RemoveVmRule(**common, rule=rule, rule_id=rule.id) for rule in gone),
    ]


def _volumes(
    task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm, common: State, after: State
) -> list[Step]:
    if task.volumes is None:
        return []
    have = {a.volume.name: a for a in vm.volume_attachments if a.volume.name is not None}
    missing = tuple(name for name in dict.fromkeys(task.volumes) if name not in have)
    extra = {
        name: a.volume.id
        for name, a in have.items()
        if task.purge_volumes and name not in task.volumes and not a.bootable and a.volume.id
    }
    if len(have) + len(missing) - len(extra) > MAX_VOLUMES:
        raise Conflict(f"it would have more than {MAX_VOLUMES} volumes")
    after["volumes"] = sorted({*have, *missing} - set(extra))
    steps: list[Step] = []
    if extra:
        ids = tuple(extra.values())
        steps.append(DetachVolumes(**common, volumes=tuple(extra), ids=ids))
    if missing:
        ids = volume_ids(missing, world)
        steps.append(AttachVolumes(**common, volumes=missing, ids=ids))
    return steps


def volume_ids(names: tuple[str, ...], world: HyperstackWorld) -> tuple[int, ...]:
    """Return the ids of volumes that are free.

    Raises:
        NotFound: one is not there.
        Conflict: one is in use.
    """
    there = {volume.name: volume for volume in world.volumes}
    for name in names:
        if name not in there:
            raise NotFound(f"there is no volume {name!r} in environment {world.name}")
        if there[name].status not in _FREE:
            raise Conflict(f"volume {name!r} is {there[name].status}, not available")
    return tuple(there[name].id for name in names)


def _floating_ip(
    task: HyperstackVmTask, vm: HyperstackVm, common: State, after: State
) -> list[Step]:
    coming = vm.floating_ip_status == "ATTACHING"
    has = vm.floating_ip is not None or coming
    if task.floating_ip is None or task.floating_ip == has:
        return []
    after["floating_ip"] = task.floating_ip
    return [AttachFloatingIp(**common) if task.floating_ip else DetachFloatingIp(**common)]
