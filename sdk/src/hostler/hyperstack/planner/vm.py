# SPDX-License-Identifier: Apache-2.0
"""Plans one VM: made, changed in place, brought to a power state, deleted."""

from __future__ import annotations

from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, NotFound, PolicyError
from hostler.hyperstack.planner.changes import changes
from hostler.hyperstack.planner.common import check_writable, the_environment, vm_state
from hostler.hyperstack.planner.create import create_steps, state_of_new
from hostler.hyperstack.planner.power import power_steps, status_after
from hostler.hyperstack.steps import DeleteVm, DetachFloatingIp, PowerVm, RebootVm
from hostler.hyperstack.steps.base import only
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import HyperstackVm
from hostler.models.hyperstack_task import HyperstackVmTask
from hostler.plan.plan import Plan
from hostler.plan.step import Step

_HARMFUL = (DeleteVm, RebootVm, DetachFloatingIp)


def plan_vm(task: HyperstackVmTask, world: HyperstackWorld, policy: Policy) -> Plan:
    """Plan one VM.

    Raises:
        InvalidInput: what is wanted can't be.
        NotFound: the environment, image, flavor, key or a volume is not there.
        Conflict: it can't be changed in place, or not as it is now.
        PolicyError: the fleet's policy forbids it.
    """
    on = f"VM {task.name!r} in {task.environment}"
    try:
        plan = _plan(task, world, on)
        _protect(task, plan, policy)
    except HostlerError as error:
        error.on = error.on or on
        error.args = (str(error),)
        raise
    return check_writable(plan, policy)


def _plan(task: HyperstackVmTask, world: HyperstackWorld, on: str) -> Plan:
    target = f"hyperstack/{task.environment}/{task.name}"
    if task.state == "absent" and world.environment is None:
        return Plan(target=target, summary=f"{on} is not there")
    the_environment(world)
    vm = only(world.vms, task.name, on)
    if vm is not None and vm.becomes == "DELETED" and task.state != "absent":
        vm = None  # the name is free once it is gone: the step that makes a new one waits
    if task.state == "absent":
        return _remove(task, world, vm, target)
    if vm is None:
        return _create(task, world, target)
    fixed = _fixed(task, vm)
    if fixed and not task.recreate:
        raise Conflict(
            f"{'; '.join(fixed)}: this can't be changed in place",
            hint="Say recreate: true to delete the VM and make it anew.",
        )
    return _recreate(task, world, vm, target) if fixed else _update(task, world, vm, target)


def _remove(
    task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm | None, target: str
) -> Plan:
    if vm is None or vm.becomes == "DELETED":
        return Plan(target=target, summary=f"VM {task.name} is not there")
    return Plan(
        target=target,
        summary=f"delete VM {task.name}",
        before=vm_state(vm),
        steps=[_delete(task, world, vm)],
    )


def _create(task: HyperstackVmTask, world: HyperstackWorld, target: str) -> Plan:
    if task.state not in ("present", "started"):
        hint = "Use state: started to make it."
        raise NotFound(f"there is no such VM that could be {task.state}", hint=hint)
    steps, warnings = create_steps(task, world)
    return Plan(
        target=target,
        summary=f"create VM {task.name}",
        after=state_of_new(task),
        warnings=warnings,
        steps=steps,
    )


def _recreate(
    task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm, target: str
) -> Plan:
    """Delete it and make it anew; what the task leaves out is as it was."""
    image, flavor, key = vm.image.name, vm.flavor.name, vm.keypair.name
    whole = task.model_copy(
        update={
            "image": task.image or image,
            "flavor": task.flavor or flavor,
            "key": task.key or key,
            "labels": vm.labels if task.labels is None else task.labels,
            "floating_ip": vm.floating_ip is not None
            if task.floating_ip is None
            else task.floating_ip,
        }
    )
    steps, warnings = create_steps(whole, world)
    delete = _delete(task, world, vm).model_copy(update={"wait": True})
    return Plan(
        target=target,
        summary=f"delete VM {task.name} and create it anew",
        before=vm_state(vm),
        after=state_of_new(whole),
        warnings=[f"all that is on VM {task.name} is lost", *warnings],
        steps=[delete, *steps],
    )


def _update(task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm, target: str) -> Plan:
    """Change it in place: brought up before, so that it can be; brought down afterwards."""
    edits, after = changes(task, world, vm)
    power = power_steps(task, world, vm)
    rises = vm.becomes == "HIBERNATED"
    steps: list[Step] = [*power, *edits] if rises else [*edits, *power]
    after["status"] = status_after(task, vm)
    words = [step.summary for step in steps]
    return Plan(
        target=target,
        summary="; ".join(words) if words else f"VM {task.name} is as wanted",
        before=vm_state(vm),
        after=after,
        steps=steps,
    )


def _fixed(task: HyperstackVmTask, vm: HyperstackVm) -> list[str]:
    """Return what differs and can't be changed in place, in words."""
    pairs: dict[str, tuple[Any, Any]] = {
        "image": (task.image, vm.image.name),
        "flavor": (task.flavor, vm.flavor.name),
        "key": (task.key, vm.keypair.name),
    }
    return [
        f"{name} is {have}, not {wanted}"
        for name, (wanted, have) in pairs.items()
        if wanted is not None and have is not None and wanted != have
    ]


def _delete(task: HyperstackVmTask, world: HyperstackWorld, vm: HyperstackVm) -> DeleteVm:
    return DeleteVm(
        url=world.url,
        environment=task.environment,
        name=task.name,
        id=vm.id,
        timeout=task.wait_timeout,
        wait=task.wait,
    )


def _protect(task: HyperstackVmTask, plan: Plan, policy: Policy) -> None:
    """Refuse to harm a VM that the policy protects."""
    if task.override_protection or not policy.protects(task.name):
        return
    stops = [s for s in plan.steps if isinstance(s, PowerVm) and s.action in ("stop", "hibernate")]
    if stops or any(isinstance(step, _HARMFUL) for step in plan.steps):
        raise PolicyError(
            f"it is protected, and this would {plan.summary}",
            hint="Say override_protection: true in the task if you mean it.",
        )
