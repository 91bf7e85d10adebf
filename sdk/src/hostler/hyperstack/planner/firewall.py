# SPDX-License-Identifier: Apache-2.0
"""Plans a firewall: its rules are a set."""

from __future__ import annotations

from typing import Any

from hostler.config import Policy
from hostler.errors import Conflict
from hostler.hyperstack.planner.common import (
    check_writable,
    firewall_state,
    rule_state,
    the_environment,
)
from hostler.hyperstack.steps import (
    AddFirewallRule,
    CreateFirewall,
    DeleteFirewall,
    RemoveFirewallRule,
)
from hostler.hyperstack.steps.base import only
from hostler.hyperstack.world import HyperstackWorld
from hostler.models.hyperstack import Firewall, SeenRule
from hostler.models.hyperstack_rule import differences
from hostler.models.hyperstack_task import FirewallTask
from hostler.plan.plan import Plan
from hostler.plan.step import Step


def plan_firewall(task: FirewallTask, world: HyperstackWorld, policy: Policy) -> Plan:
    """Plan a firewall.

    Raises:
        NotFound: there is no such environment.
        Conflict: it is attached to VMs and should go.
        PolicyError: the fleet is read-only.
    """
    target = f"hyperstack/{task.environment}/firewall/{task.name}"
    there = only(world.firewalls, task.name, f"firewall {task.name!r} in {task.environment}")
    if task.state == "absent":
        return check_writable(_remove(task, world, there, target), policy)
    environment = the_environment(world)
    common: dict[str, Any] = {
        "url": world.url,
        "environment": task.environment,
        "name": task.name,
        "id": there.id if there else None,
    }
    missing, extra = differences(task.rules or (), there.rules if there else ())
    gone = [r for r in extra if isinstance(r, SeenRule)] if task.rules is not None else []
    steps: list[Step] = [
        *(AddFirewallRule(**common, rule=rule) for rule in missing),
        *(RemoveFirewallRule(**common, rule=rule, rule_id=rule.id) for rule in gone),
    ]
    text = task.description or ""
    if there is None:
        common["environment_id"] = environment.id
        steps.insert(0, CreateFirewall(**common, description=text))
    words = [step.summary for step in steps]
    plan = Plan(
        target=target,
        summary="; ".join(words) if words else f"firewall {task.name} is as wanted",
        before=firewall_state(there) if there else {},
        after=_after(task, there),
        warnings=_warnings(task, there),
        steps=steps,
    )
    return check_writable(plan, policy)


def _after(task: FirewallTask, there: Firewall | None) -> dict[str, Any]:
    if there is None:
        rules = {rule.key: rule for rule in task.rules or ()}
        return {
            "name": task.name,
            "environment": task.environment,
            "description": task.description or "",
            "rules": rule_state(rules.values()),
        }
    after = firewall_state(there)
    if task.rules is not None:
        after["rules"] = rule_state({rule.key: rule for rule in task.rules}.values())
    return after


def _warnings(task: FirewallTask, there: Firewall | None) -> list[str]:
    if there and task.description is not None and task.description != (there.description or ""):
        return ["the description of a firewall can't be changed"]
    return []


def _remove(
    task: FirewallTask, world: HyperstackWorld, there: Firewall | None, target: str
) -> Plan:
    if there is None:
        return Plan(target=target, summary=f"firewall {task.name} is not there")
    if there.attachments:
        names = ", ".join(sorted(a.vm.name or str(a.vm.id) for a in there.attachments))
        raise Conflict(
            f"it is attached to {names}",
            on=f"firewall {task.name!r} in {task.environment}",
            hint="Detach it first: hyperstack_firewall_attachment with state: exact and vms: [].",
        )
    step = DeleteFirewall(url=world.url, environment=task.environment, name=task.name, id=there.id)
    return Plan(target=target, summary=step.summary, before=firewall_state(there), steps=[step])
