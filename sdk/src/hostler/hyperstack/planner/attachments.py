# SPDX-License-Identifier: Apache-2.0
"""Plans which VMs a firewall is attached to: a step for each VM that changes, others untouched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from hostler.config import Policy
from hostler.errors import Conflict, NotFound
from hostler.hyperstack.planner.common import check_writable, the_environment
from hostler.hyperstack.steps import AttachFirewalls
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import Firewall, Named
from hostler.models.hyperstack_task import AttachmentTask
from hostler.plan.plan import Plan
from hostler.plan.step import Step

T = TypeVar("T", bound=Named)


def plan_attachments(task: AttachmentTask, world: HyperstackWorld, policy: Policy) -> Plan:
    """Plan the attachments of one firewall.

    Raises:
        NotFound: there is no such environment, firewall or VM.
        Conflict: a name fits several.
        PolicyError: the fleet is read-only.
    """
    the_environment(world)
    firewall = _known(world.firewalls, task.firewall, "firewall", world.name)
    have = firewall.vm_ids
    named = _wanted(task, world)
    ids = set(named)
    after = {"present": have | ids, "absent": have - ids, "exact": ids}[task.state]
    names = {
        **{vm.id: vm.name for vm in world.vms},
        **{a.vm.id: a.vm.name for a in firewall.attachments if a.vm.id is not None},
        **named,
    }
    steps: list[Step] = [
        _step(task, world, firewall, number, names, attach=number in after)
        for number in sorted(have ^ after)
    ]
    words = [step.summary for step in steps]
    nothing = f"firewall {firewall.name} is attached as wanted"
    plan = Plan(
        target=f"hyperstack/{world.name}/firewall/{firewall.name}",
        summary="; ".join(words) if words else nothing,
        before=_state(firewall, have, names),
        after=_state(firewall, after, names),
        facts={"firewall": firewall.id},
        steps=steps,
    )
    return check_writable(plan, policy)


def _wanted(task: AttachmentTask, world: HyperstackWorld) -> dict[int, str | None]:
    """Return the VMs that are named; one that is gone needs no detaching."""
    found: dict[int, str | None] = {}
    for word in task.vms:
        try:
            vm = _known(world.vms, word, "VM", world.name)
        except NotFound:
            if task.state == "absent":
                continue
            raise
        found[vm.id] = vm.name
    return found


def _step(
    task: AttachmentTask,
    world: HyperstackWorld,
    firewall: Firewall,
    number: int,
    names: dict[int, str | None],
    *,
    attach: bool,
) -> AttachFirewalls:
    mine = {f.id for f in world.firewalls if number in f.vm_ids}
    shown = mine | {firewall.id} if attach else mine - {firewall.id}
    return AttachFirewalls(
        url=world.url,
        environment=world.name,
        name=names.get(number) or str(number),
        id=number,
        timeout=task.wait_timeout,
        attach=(firewall.id,) if attach else (),
        detach=() if attach else (firewall.id,),
        words=firewall.name,
        shown=tuple(sorted(shown)),
    )


def _state(
    firewall: Firewall, ids: Iterable[int], names: dict[int, str | None]
) -> dict[str, object]:
    return {"firewall": firewall.name, "vms": sorted(names.get(i) or str(i) for i in ids)}


def _known(things: Iterable[T], word: str, kind: str, environment: str) -> T:
    """Return the thing of a name or an id."""
    there = list(things)
    found = [thing for thing in there if word in (thing.name, str(thing.id))]
    on = f"{kind} {word!r} in {environment}"
    if len(found) > 1:
        numbers = ", ".join(str(thing.id) for thing in found)
        raise Conflict(f"that may be several (ids {numbers})", on=on, hint="Give the id.")
    if not found:
        names = ", ".join(sorted(str(thing.name) for thing in there)[:12]) or "none"
        raise NotFound(f"it is not there (there: {names})", on=on)
    return found[0]
