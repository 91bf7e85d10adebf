# SPDX-License-Identifier: Apache-2.0
"""The door to planning: guards first, then create, update or remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostler.config import Policy
from hostler.errors import Conflict, HostlerError, NotFound, PolicyError
from hostler.models.vm_task import VmTask
from hostler.plan.plan import Plan
from hostler.vms.planner.create import plan_create
from hostler.vms.planner.remove import plan_remove
from hostler.vms.planner.update import plan_update

if TYPE_CHECKING:
    from hostler.vms.observe import Observed

_HARMFUL = {"stopped", "absent", "restarted", "reset", "paused"}


def plan_vm(task: VmTask, observed: Observed, policy: Policy) -> Plan:
    """Plan one VM.

    Raises:
        InvalidInput: what is wanted can't be.
        NotFound: a pool, volume, network or template is not there.
        Conflict: something in the way exists already.
        PolicyError: the fleet's policy forbids it.
    """
    task = _renamed_before(task, observed)
    try:
        plan = _plan(task, observed)
        _guard(task, plan, policy, running=bool(observed.domain and observed.domain.active_xml))
    except HostlerError as error:
        error.on = error.on or f"VM {task.spec.name!r} on {observed.host.uri}"
        error.args = (str(error),)
        raise
    return plan


def _plan(task: VmTask, observed: Observed) -> Plan:
    _check_rename(task, observed)
    _check_networks(task, observed)
    if task.options.state == "absent":
        return plan_remove(task, observed)
    if observed.domain is None:
        if task.options.state == "reset":
            raise NotFound("there is no such VM to reset", hint="See 'hostler vm list'.")
        return plan_create(task, observed)
    return plan_update(task, observed)


def _guard(task: VmTask, plan: Plan, policy: Policy, *, running: bool) -> None:
    """Refuse what the policy forbids; a plan that changes nothing is always fine."""
    if not plan.changed:
        return
    if policy.read_only:
        raise PolicyError(
            "the fleet is read-only", hint="Unset policy.read_only in fleet.yml to change it."
        )
    names = {task.spec.name, task.spec.new_name or task.spec.name}
    if task.options.override_protection or not any(policy.protects(name) for name in names):
        return
    stops = any(step.kind in ("domain.stop", "domain.reset", "domain.pause") for step in plan.steps)
    harms = task.options.state in _HARMFUL or stops
    if harms and (running or task.options.state == "absent"):
        raise PolicyError(
            f"it is protected, and this would {plan.summary}",
            hint="Say override_protection: true in the task if you mean it.",
        )


def _renamed_before(task: VmTask, observed: Observed) -> VmTask:
    """Take a VM that has its new name already by that name: a second run changes nothing."""
    domain, spec = observed.domain, task.spec
    if domain is None or spec.new_name != domain.name:
        return task
    renamed = spec.model_copy(update={"name": domain.name, "new_name": None})
    return task.model_copy(update={"spec": renamed})


def _check_rename(task: VmTask, observed: Observed) -> None:
    new = task.spec.new_name
    if new is None or new == task.spec.name or new not in observed.host.names:
        return
    if observed.domain is not None:
        raise Conflict(f"it can't be renamed: there is another VM {new!r}")


def _check_networks(task: VmTask, observed: Observed) -> None:
    if task.options.state == "absent":
        return
    for nic in task.spec.networks or ():
        name = nic.network_name if nic.type == "network" else None
        if nic.state == "present" and name and name not in observed.host.networks:
            there = ", ".join(sorted(observed.host.networks)) or "none"
            raise NotFound(
                f"there is no network {name!r} (there: {there})",
                hint="Name one of those, or make it first.",
            )
