# SPDX-License-Identifier: Apache-2.0
"""Plans the way from the power state that a VM is in, or on its way to, to the wanted one."""

from __future__ import annotations

from typing import Any

from hostler.errors import Conflict
from hostler.hyperstack.steps import PowerVm, RebootVm
from hostler.hyperstack.steps.power import Action
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import HyperstackVm
from hostler.models.hyperstack_task import HyperstackVmTask, VmState
from hostler.plan.step import Step

_NOTHING: list[Action] = []
_WAYS: dict[VmState, dict[str, list[Action]]] = {
    "started": {
        "ACTIVE": _NOTHING,
        "SHUTOFF": ["start"],
        "HIBERNATED": ["hibernate-restore"],
    },
    "stopped": {
        "SHUTOFF": _NOTHING,
        "ACTIVE": ["stop"],
        "ERROR": ["stop"],
    },
    "hibernated": {
        "HIBERNATED": _NOTHING,
        "ACTIVE": ["hibernate"],
        "SHUTOFF": ["start", "hibernate"],
    },
    "restored": {
        "ACTIVE": _NOTHING,
        "HIBERNATED": ["hibernate-restore"],
    },
}
_HINTS = {
    "ERROR": "Stop or restart it, or delete it and make it anew.",
    "HIBERNATED": "Restore it first: state: restored.",
    "SHUTOFF": "Start it: state: started.",
}


def power_steps(task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm) -> list[Step]:
    """Return the steps to the wanted power state; ``present`` leaves it alone.

    Raises:
        Conflict: there is no way from where it is.
    """
    common: dict[str, Any] = {
        "url": world.url,
        "environment": task.environment,
        "name": task.name,
        "id": vm.id,
        "timeout": task.wait_timeout,
        "wait": task.wait,
    }
    if task.state == "present":
        return []
    if task.state == "rebooted":
        if vm.becomes not in ("ACTIVE", "ERROR"):
            raise _no_way(task, vm)
        return [RebootVm(**common)]
    actions = _WAYS[task.state].get(vm.becomes)
    if actions is None:
        raise _no_way(task, vm)
    if "hibernate" in actions:
        _check_hibernates(vm)
    last = len(actions) - 1
    return [
        PowerVm(
            **{**common, "wait": task.wait or number < last},
            action=action,
            retain_ip=task.retain_ip,
        )
        for number, action in enumerate(actions)
    ]


def status_after(task: HyperstackVmTask, vm: HyperstackVm) -> str:
    """Return the status that a VM has once its power steps are done."""
    if task.state == "present":
        return vm.status
    return {"stopped": "SHUTOFF", "hibernated": "HIBERNATED"}.get(task.state, "ACTIVE")


def _check_hibernates(vm: HyperstackVm) -> None:
    features = (vm.flavor.model_extra or {}).get("features")
    if isinstance(features, dict) and features.get("no_hibernation"):
        raise Conflict(f"VMs of flavor {vm.flavor.name!r} can't be hibernated")


def _no_way(task: HyperstackVmTask, vm: HyperstackVm) -> Conflict:
    hint = _HINTS.get(vm.becomes, "Wait until it has come to rest.")
    return Conflict(f"it is {vm.status}, so that it can't be {task.state}", hint=hint)
